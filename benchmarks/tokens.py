"""Prints where the time goes when a checkpoint of the codec `tokens` plays: ms of one core for a second of sound.

python benchmarks/tokens.py [CHECKPOINT...] [--block 256] [--voices 1,4,16] [--set PARAMETER=VALUE]...

First as a whole, with the real-time factor, for each number of voices: processor time, median of the rounds, in turn.
Then the parts of one voice, each by its own clock, which costs a little; `rest` is what no part has: cutting sound into
blocks, gains, Python. Last the parts of the decoder, each called for itself, with what a call from Python costs.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from noizenet.checkpoint import Checkpoint
from noizenet.codecs import phase, refinement, stereo, token_kernels
from noizenet.codecs.bands import bring_to_levels
from noizenet.start_values import start_values
from noizenet_daemon import generator as generator_module
from noizenet_daemon.config import SHIPPED_CHECKPOINT
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states

SECONDS, ROUNDS = 10.0, 5


def performance(generator: Generator, voices: int, block: int, values: dict[str, Any]) -> Performance:
    """Returns voices that have played for two seconds."""
    states = initial_states(generator, "corpus", 1, voices)
    rate, channels = generator.sample_rate, generator.channels
    made = Performance(generator, states, sample_rate=rate, channels=channels, block_frames=block, values=values)
    play(made, block, 2.0)
    return made


def play(playing: Performance, block: int, seconds: float) -> None:
    sound = np.zeros((block, playing.channels), np.float32)
    for _ in range(round(seconds * playing.sample_rate / block)):
        playing.render(sound)


def timed(owner: Any, name: str, spent: dict[str, float], label: str) -> None:
    """Lets a function of an object or a module add its time, s, to what was spent under a label."""
    function = getattr(owner, name)

    def measured(*arguments: Any) -> Any:
        started = time.perf_counter()
        result = function(*arguments)
        spent[label] = spent.get(label, 0.0) + time.perf_counter() - started
        return result

    setattr(owner, name, measured)


def print_parts(generator: Generator, block: int, values: dict[str, Any]) -> None:
    """Prints the parts of one voice. The generator is of no use for other measurements afterwards."""
    spent: dict[str, float] = {}
    playing = performance(generator, 1, block, values)
    timed(generator._engine, "run", spent, "network")
    if generator._memory:
        timed(generator._memory, "step", spent, "memory: where to")
        timed(generator._memory, "mix", spent, "memory: its sound")
    codec_class: Any = type(generator.codec)
    decode = codec_class.decode
    timed(codec_class, "decode", spent, "codec")
    timed(generator_module, "quarantine", spent, "quarantine")
    timed(playing._safety, "process", spent, "safety chain")
    started = time.perf_counter()
    play(playing, block, SECONDS)
    spent["rest"] = time.perf_counter() - started - sum(spent.values())
    codec_class.decode = decode
    for label, part in spent.items():
        print(f"    {label:20}{1000.0 * part / SECONDS:8.2f}")


def print_decoder(generator: Generator, values: dict[str, Any]) -> None:
    """Prints the parts of the decoder, of a state that has played."""
    codec: Any = generator.codec
    playing = performance(generator, 1, 256, values)
    state = playing.voices[0].source.state
    decoder, window, hop = state.decoder, codec.window, codec.hop
    middle = decoder.middle if codec.channels > 1 else decoder.synthesis
    tables, bands, bins = codec.tables, codec.bands, window // 2 + 1
    logs, levels = decoder.numbers[:bins], decoder.numbers[bins : bins + len(decoder.corrections)]
    tolerance, out = token_kernels.REFINED_TOLERANCE, np.zeros(hop, np.float32)
    parts: dict[str, Callable[[], None]] = {
        "inverse PCA": lambda: token_kernels.reconstruct(tables, state.steps[0], decoder.point, decoder.numbers),
        "levels": lambda: bring_to_levels(bands, levels, codec.floor, logs, decoder.corrections),
        "first phases": lambda: phase.next_phases(middle.phase, logs, window, hop, tolerance),
        "with refinement": lambda: refinement.put_out_refined(middle, logs, hop, codec.floor, tolerance, out),
    }
    if codec.channels > 1:
        side = decoder.side
        parts["spectrum of the side"] = lambda: stereo.side_spectrum(bands, decoder.held, middle.re, middle.im, side)
        parts["sound of the side"] = lambda: stereo.put_out_side(side, hop, out)
    for label, part in parts.items():
        part()
        times = []
        for _ in range(200):
            started = time.perf_counter()
            part()
            times.append(time.perf_counter() - started)
        print(f"    {label:20}{1000.0 * statistics.median(times) * generator.step_rate:8.2f}")


def measure(path: Path, block: int, voices: list[int], values: dict[str, Any]) -> None:
    """Prints the lines of one checkpoint."""
    generator = Generator(Checkpoint.load(path))
    playing = {count: performance(generator, count, block, values) for count in voices}
    times: dict[int, list[float]] = {count: [] for count in voices}
    for _ in range(ROUNDS):
        for count, one in playing.items():
            started = time.thread_time()
            play(one, block, SECONDS / count)
            times[count].append((time.thread_time() - started) * count / SECONDS)
    print(f"{path.stem}, {generator.sample_rate} Hz, channels {generator.channels}, blocks of {block}")
    for count in voices:
        spent = statistics.median(times[count])
        print(f"  voices {count:3}{1000.0 * spent:10.2f} ms{1.0 / spent:8.1f} times real time")
    print("  parts of one voice")
    print_parts(generator, block, values)
    if getattr(generator.codec, "levels", False):
        print("  parts of the decoder")
        print_decoder(generator, values)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoints", type=Path, nargs="*", metavar="CHECKPOINT", default=[SHIPPED_CHECKPOINT])
    parser.add_argument("--block", type=int, default=256, help="frames (default: %(default)s)")
    parser.add_argument("--voices", default="1,4,16", help="numbers of voices (default: %(default)s)")
    parser.add_argument("--set", action="append", default=[], metavar="PARAMETER=VALUE", help="of all voices")
    arguments = parser.parse_args()
    values = dict(start_values(arguments.set))
    for path in arguments.checkpoints:
        measure(path, arguments.block, [int(count) for count in arguments.voices.split(",")], values)


if __name__ == "__main__":
    main()
