"""Prints what the codec `tokens` alone loses of recordings, encoded and decoded, and how long it takes.

    python benchmarks/codec.py [--rate HZ] [--seeds N,...] [--set OPTION=VALUE]... SOUND...

A codec is fitted to each recording as training would, but for the recipe's `--set`. Of the middle of the channels: log-
spectral distance and spectral convergence (`noizenet.nearness`). Of two channels: how the level of the side moves,
as correlation of its RMS in 23 ms with the original's, and how far the balance of left and right is off, as the mean
absolute error of its dB in mel bands of the frames that can be heard. Time is that of one core, per second of sound
and channel, in the quickest of pieces of five seconds, for other work on the machine slows all: encoding is what
training and priming take, decoding what playing takes.
"""

import argparse
import time
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray
from score_rows import whole_numbers

from noizenet.codecs import Codec
from noizenet.codecs.whole import decode_whole, encode_whole
from noizenet.nearness import log_spectral_distance, spectral_convergence
from noizenet.sound_file import mixed
from noizenet_training.codecs.codec_fitting import fit_codec
from noizenet_training.recipe_reading import load_recipe
from noizenet_training.sounds.corpus import load_corpus

Array = NDArray[np.float32]
ENVELOPE_S = 0.023
PIECE_S = 5
BALANCE_BANDS, HEARD_DB = 24, -40.0  # of the loudest band of the recording


def envelope(samples: Array, rate: int) -> Array:
    """Returns the RMS of samples (n,) in each 23 ms."""
    length = round(ENVELOPE_S * rate)
    count = len(samples) // length
    return np.sqrt(np.square(samples[: count * length]).reshape(count, length).mean(axis=1))


def levels(samples: Array, rate: int) -> Array:
    """Returns the levels of mel bands in dB, (bands, frames)."""
    power = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=2048, hop_length=1024, n_mels=BALANCE_BANDS)
    return np.asarray(10.0 * np.log10(power + 1e-10))


def balance_error(true: Array, found: Array, rate: int) -> float:
    """Returns the mean absolute error of the balance, in dB, of two sounds (n, 2)."""
    (left, right), (left_found, right_found) = ([levels(x[:, c], rate) for c in (0, 1)] for x in (true, found))
    louder = np.maximum(left, right)
    error = np.clip(left - right, -30.0, 30.0) - np.clip(left_found - right_found, -30.0, 30.0)
    return float(np.abs(error[louder > louder.max() + HEARD_DB]).mean())


def figures(codec: Codec, samples: Array) -> str:
    """Returns the figures of one recording, float32 (n,) or (n, 2), as text."""
    decode_whole(codec, encode_whole(codec, samples[: codec.sample_rate]), 0)  # compiles
    steps = encode_whole(codec, samples)
    found = decode_whole(codec, steps, len(samples))
    spent = [np.inf, np.inf]
    length = min(PIECE_S * codec.sample_rate, len(samples))
    for start in range(0, len(samples) - length + 1, length):
        piece = samples[start : start + length]
        started = time.thread_time()
        codes = encode_whole(codec, piece)
        encoded = time.thread_time()
        decode_whole(codec, codes, len(piece))
        spent = [min(spent[0], encoded - started), min(spent[1], time.thread_time() - encoded)]
    per_channel = [1000.0 * s * codec.sample_rate / length / codec.channels for s in spent]
    text = (
        f"log-spectral distance {log_spectral_distance(mixed(samples), mixed(found)):.2f} dB, convergence "
        f"{spectral_convergence(mixed(samples), mixed(found)):.1f} dB"
    )
    if codec.channels == 2:
        sides = [envelope(0.5 * (x[:, 0] - x[:, 1]), codec.sample_rate) for x in (samples, found)]
        level = 10.0 * np.log10(np.square(sides[1]).sum() / np.square(sides[0]).sum())
        text += (
            f", side envelope {np.corrcoef(*sides)[0, 1]:.3f} at {level:+.1f} dB, balance "
            f"{balance_error(samples, found, codec.sample_rate):.2f} dB"
        )
        middles = [envelope(mixed(x), codec.sample_rate) for x in (samples, found)]
        text += f" (middle envelope {np.corrcoef(*middles)[0, 1]:.3f})"
    return text + f"; encoding {per_channel[0]:.1f}, decoding {per_channel[1]:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sounds", type=Path, nargs="+", metavar="SOUND")
    parser.add_argument("--rate", type=int, default=0, help="Hz (default: each recording's own)")
    parser.add_argument(
        "--seeds", type=whole_numbers, default=[0], metavar="N,...", help="a fit for each; default 0, as in training"
    )
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="of the recipe tokens")
    arguments = parser.parse_args()
    recipe = load_recipe("tokens", [f"sample_rate={arguments.rate}", *arguments.set])
    for path in arguments.sounds:
        corpus = load_corpus([path], recipe)
        for seed in arguments.seeds:
            codec = fit_codec(recipe, corpus.training, corpus.sample_rate, seed)
            text = figures(codec, corpus.files[0].samples)
            print(f"{path.name}, {corpus.sample_rate} Hz, seed {seed}: {text}", flush=True)


if __name__ == "__main__":
    main()
