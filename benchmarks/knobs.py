"""Prints how a checkpoint sounds along its knobs: a row of figures for each setting and seed.

    python benchmarks/knobs.py [--seconds S] [--seeds N,...] [--set KEY=VALUE[,KEY=VALUE]]... CHECKPOINT SOUND...

The sounds are its corpus. A row for each `--set`, of all the settings named in it; without any, along all four knobs
that say how far it strays. The figures are those of `noizenet evaluate`, which also says what they mean; the peak is
that of what leaves the safety chain.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from score_rows import HEADINGS, cells, whole_numbers

from noizenet.checkpoint import Checkpoint
from noizenet.errors import NoizeNetError
from noizenet.sound_file import mixed, read
from noizenet_training.arguments import above_zero
from noizenet_training.judging.comparison import COMPARED_S, level_heard
from noizenet_training.judging.reference import Reference
from noizenet_training.judging.rendering import render
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.corpus import load_corpus

ALONG = {
    "stray": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    "temperature": (0.3, 0.6, 0.8, 1.0, 1.2, 1.5),
    "top_p": (0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
    "noise": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument("sounds", type=Path, nargs="+", metavar="SOUND")
    parser.add_argument("--seconds", type=above_zero, default=300.0, metavar="S", help="of each row; default 300")
    parser.add_argument("--seeds", type=whole_numbers, default=[1], metavar="N,...", help="a row for each; default 1")
    parser.add_argument("--set", action="append", metavar="KEY=VALUE,...", help="the settings of one row")
    options = parser.parse_args()
    rows = options.set or [f"{knob}={value:g}" for knob, values in ALONG.items() for value in values]
    checkpoint = Checkpoint.load(options.checkpoint)
    codec = checkpoint.codec
    recipe = Recipe(sample_rate=codec.sample_rate, channels=codec.channels, level=level_heard(checkpoint))
    reference = Reference(load_corpus(options.sounds, recipe).heard(COMPARED_S), codec.sample_rate)
    print(f"| setting | seed | {HEADINGS} | peak |")
    print("|---|---|---|---|---|---|---|---|")
    own = reference.own_score()
    print(f"| the corpus | | {own.survival:.0%} | 1 | 1 | | {own.recital.share:.0%}, {own.recital.longest_s:.1f} s | |")
    for row in rows:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "heard.wav"
                render(options.checkpoint, out, options.seconds, seed, settings=row.split(","))
                samples = read(out, finite=False)[0]
            score, peak = reference.score(row, mixed(samples)), 20.0 * np.log10(np.abs(samples).max())
            print(f"| {row} | {seed} | {cells(score)} | {peak:.1f} dBFS |", flush=True)


if __name__ == "__main__":
    try:
        main()
    except NoizeNetError as error:
        raise SystemExit(f"knobs.py: {error}") from None
