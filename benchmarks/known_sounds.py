"""Prints what the judge says of sounds whose answer is known, beside each recording by itself.

    python benchmarks/known_sounds.py [--seconds S] [--seeds N,...] SOUND...

Pieces of ten seconds of the recording, in random order, are the recording: whoever tells them from it, or finds them
far, errs. The same pieces with their highs 2 dB louder or a whole tone up, and white noise, are not. What the figures
mean is said by `noizenet evaluate --help`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import librosa
import numpy as np
from scipy.signal import butter, sosfilt
from score_rows import HEADINGS, cells, whole_numbers

from noizenet.errors import NoizeNetError
from noizenet_training.arguments import above_zero
from noizenet_training.judging.comparison import COMPARED_S
from noizenet_training.judging.reference import Array, Reference
from noizenet_training.judging.slicing import slices
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.corpus import load_corpus

PIECE_S = 10.0
SHELF_HZ, SHELF_DB = 2000.0, 2.0


def brighter(samples: Array, sample_rate: int) -> Array:
    """Returns samples (n,) with what lies above `SHELF_HZ` louder by `SHELF_DB`."""
    highs = sosfilt(butter(1, SHELF_HZ, "high", fs=sample_rate, output="sos"), samples)
    return np.asarray(samples + (10.0 ** (SHELF_DB / 20.0) - 1.0) * highs, np.float32)


def known_sounds(recording: Array, sample_rate: int, seconds: float, seed: int) -> Iterator[tuple[str, Array]]:
    """Yields names and samples, (n,)."""
    pieces = slices([recording], sample_rate, seconds, seed, PIECE_S)
    yield "its pieces", pieces
    yield "its slices", slices([recording], sample_rate, seconds, seed)
    yield "its pieces, brighter", brighter(pieces, sample_rate)
    yield "its pieces, a tone up", librosa.effects.pitch_shift(pieces, sr=sample_rate, n_steps=2)
    yield "white noise", np.random.default_rng(seed).standard_normal(len(pieces)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sounds", type=Path, nargs="+", metavar="SOUND", help="of at least twenty seconds each")
    parser.add_argument("--seconds", type=above_zero, default=300.0, metavar="S", help="of each sound; default 300")
    parser.add_argument("--seeds", type=whole_numbers, default=[1], metavar="N,...", help="a row for each; default 1")
    options = parser.parse_args()
    print(f"| recording | sound | seed | {HEADINGS} |")
    print("|---|---|---|---|---|---|---|---|")
    for path in options.sounds:
        corpus = load_corpus([path], Recipe(channels=1, level="corpus"))
        rate, recordings = corpus.sample_rate, corpus.heard(COMPARED_S)
        reference = Reference(recordings, rate)
        for seed in options.seeds:
            for name, samples in known_sounds(np.concatenate(recordings), rate, options.seconds, seed):
                print(f"| {path.name} | {name} | {seed} | {cells(reference.score(name, samples))} |", flush=True)


if __name__ == "__main__":
    try:
        main()
    except NoizeNetError as error:
        raise SystemExit(f"known_sounds.py: {error}") from None
