"""Prints what memory and time training on hours of sound takes.

    python benchmarks/long_corpus.py [--hours H,...] [--steps N] SOUND

For each number of hours a corpus of files of half an hour is made of a recording, again and again from other places, in
a temporary folder (TMPDIR; 0.64 GB an hour of stereo at 44,100 Hz, and twice as much again for what is read), and
`noizenet train` learns from it for so many steps. The memory is the most that its process held at any time, mapped
files included.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

FILE_S = 1800


def write_corpus(folder: Path, sound: Path, hours: float) -> None:
    """Writes so many hours of a recording into files of half an hour, each beginning elsewhere in it."""
    samples, rate = soundfile.read(sound, dtype="float32", always_2d=True)
    rng = np.random.default_rng(0)
    left = round(hours * 3600 * rate)
    for number in range(-(-left // (FILE_S * rate))):
        with soundfile.SoundFile(folder / f"{number:04}.wav", "w", rate, samples.shape[1], "PCM_16") as file:
            frames = min(left, FILE_S * rate)
            left -= frames
            while frames > 0:
                part = np.roll(samples, int(rng.integers(len(samples))), axis=0)[:frames]
                file.write(part * rng.uniform(0.5, 1.0))
                frames -= len(part)


def numbers(text: str) -> list[float]:
    """Returns the numbers of a list with commas."""
    return [float(number) for number in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sound", type=Path, metavar="SOUND")
    parser.add_argument(
        "--hours", type=numbers, default=[1.0, 10.0], metavar="H,...", help="a row for each; default 1,10"
    )
    parser.add_argument("--steps", default="40", metavar="N", help="updates of the weights; default 40")
    options = parser.parse_args()
    if not options.sound.is_file():
        parser.error(f"there is no file {options.sound}")
    print("| corpus | most memory | until trained |\n|---|---|---|")
    for hours in options.hours:
        with tempfile.TemporaryDirectory() as folder:
            corpus, out = Path(folder) / "corpus", Path(folder) / "made.safetensors"
            corpus.mkdir()
            write_corpus(corpus, options.sound, hours)
            begun = time.monotonic()
            command = [sys.executable, "-m", "noizenet", "train", str(corpus), "--out", str(out)]
            process = subprocess.Popen([*command, "--steps", options.steps], stdin=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            if status:
                raise SystemExit("training failed, see above")
            spent = time.monotonic() - begun
        print(f"| {hours:g} h | {used.ru_maxrss / 1e6:.2f} GB | {spent / 60:.1f} min |", flush=True)


if __name__ == "__main__":
    main()
