"""Prints what more voices cost: how many times real time one core plays them.

    python benchmarks/voices.py [--hidden 128,256,512] [--voices 1,2,4,8,16] [--precision f32,bf16] [--seconds 0.5]

First the shipped checkpoint (codec `tokens`), then LSTMs of two layers, one number in and out, sample by sample at
22,050 Hz: voices that step one after another, and the same that step side by side. All take turns, and the median of
the rounds is printed, in processor time. "cost" is that of all voices over that of one.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import numpy as np

from making import amplitude_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet_daemon.config import SHIPPED_CHECKPOINT
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states
from noizenet_daemon.precision import PrecisionChoice

ROUNDS, BLOCK = 7, 256


def playing(checkpoint: Checkpoint, voices: int, shares: bool, precision: PrecisionChoice = "auto") -> Performance:
    """Returns voices that have begun to play."""
    generator = Generator(checkpoint, precision=precision)
    if shares:
        generator.share(voices)
    states, rate = initial_states(generator, "corpus", 1, voices), generator.sample_rate
    made = Performance(generator, states, sample_rate=rate, channels=generator.channels, block_frames=BLOCK)
    play(made, 4)
    return made


def play(performance: Performance, blocks: int) -> None:
    sound = np.zeros((BLOCK, performance.channels), np.float32)
    for _ in range(blocks):
        performance.render(sound)


def medians(performances: dict[tuple[int, bool], Performance], seconds: float) -> dict[tuple[int, bool], float]:
    """Returns the median processor time of each, s for a second of sound."""
    times: dict[tuple[int, bool], list[float]] = {name: [] for name in performances}
    for _ in range(ROUNDS):
        for name, performance in performances.items():
            blocks = max(1, round(seconds * performance.sample_rate / BLOCK / name[0]))
            started = time.thread_time()
            play(performance, blocks)
            times[name].append((time.thread_time() - started) * performance.sample_rate / (blocks * BLOCK))
    return {name: statistics.median(spent) for name, spent in times.items()}


def measure(
    label: str, checkpoint: Checkpoint, voices: list[int], seconds: float, can_share: bool, precision: PrecisionChoice
) -> None:
    """Prints the lines of one network."""
    ways = (False, True) if can_share else (False,)
    spent = medians(
        {(count, way): playing(checkpoint, count, way, precision) for count in voices for way in ways}, seconds
    )
    for count in voices:
        alone = spent[count, False]
        line = f"{label:16}{count:7}{1.0 / alone:16.2f}{alone / spent[voices[0], False]:8.2f}"
        if can_share:
            shared = spent[count, True]
            line += f"{1.0 / shared:16.2f}{shared / spent[voices[0], True]:8.2f}{alone / shared:9.2f}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hidden", default="128,256,512", help="sizes of the LSTM (default: %(default)s)")
    parser.add_argument("--voices", default="1,2,4,8,16", help="numbers of voices (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of one voice a round (default: %(default)s)")
    parser.add_argument("--precision", default="f32,bf16", help="of the LSTM's weights (default: %(default)s)")
    arguments = parser.parse_args()
    voices = [int(count) for count in arguments.voices.split(",")]
    print("network          voices  one by one: x real    cost  together: x real    cost  gain")
    measure(
        SHIPPED_CHECKPOINT.stem, Checkpoint.load(SHIPPED_CHECKPOINT), voices, 8.0 * arguments.seconds, False, "auto"
    )
    for hidden in map(int, arguments.hidden.split(",")):
        checkpoint = amplitude_checkpoint(layers=2, hidden=hidden, sample_rate=22_050)
        seconds = arguments.seconds * min(1.0, (128 / hidden) ** 2)
        for precision in arguments.precision.split(","):
            measure(f"LSTM {hidden} {precision}", checkpoint, voices, seconds, True, precision)


if __name__ == "__main__":
    main()
