"""Rendering: the performance that the daemon would play, into a file, as fast as the processor can."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from noizenet.checkpoint import Checkpoint
from noizenet.errors import UsageError
from noizenet.parameter import Value
from noizenet.sound_file import read_mono
from noizenet.wave_file import LARGEST_DATA, WaveFile, check_writable, unwritable
from noizenet_daemon.engines import EngineName, check_threads
from noizenet_daemon.generator import Generator
from noizenet_daemon.level import SILENT_DB, levels_db
from noizenet_daemon.performance import Performance, initial_states
from noizenet_daemon.precision import PrecisionChoice
from noizenet_daemon.warming import said_if_slow, warm_up

RATES = (8000, 384_000)


def render(
    checkpoint: Path,
    out: Path,
    *,
    seconds: float,
    prime: str,
    seed: int,
    values: Mapping[str, Value],
    voices: int,
    threads: int = 1,
    channels: int,
    sample_rate: int,
    engine: EngineName,
    precision: PrecisionChoice = "auto",
    block_frames: int,
    raw: bool = False,
    live_input: Path | None = None,
) -> float:
    """Writes a WAV file of 32-bit floats; returns how many times real time it took, warm-up left out.

    The file appears when it is complete; one that was there before stays until then.

    Args:
        threads: that generate the voices.
        channels: of the file; 0 = the checkpoint's own.
        sample_rate: frames per second of the file; 0 = the checkpoint's own.
        precision: of the weights; see `noizenet_daemon.precision`.
        raw: leave out the safety chain, whose high-pass would let a constant fade away.
        live_input: a sound whose level drives the noise, as a sound input would; after its end is silence.

    Raises:
        NoizeNetError: the checkpoint, the prime, the live input or the place of the file is of no use.
    """
    check_writable(out)
    check_threads(engine, threads)
    if live_input:
        _check_live(values)
    if sample_rate and not RATES[0] <= sample_rate <= RATES[1]:
        raise UsageError(f"--sample-rate {sample_rate} is outside {RATES[0]} to {RATES[1]} Hz")
    if "latency_ms" in values:
        raise UsageError("latency_ms means nothing in a file: leave it out")
    with said_if_slow("Preparing the kernels for this processor (the first time only, about a minute) ..."):
        generator = Generator(Checkpoint.load(checkpoint), engine, precision)
        warm_up(generator, voices, listens=False)
        states = initial_states(generator, prime, seed, voices)
    rate = sample_rate or generator.sample_rate
    channels = channels or generator.channels
    performance = Performance(
        generator,
        states,
        sample_rate=rate,
        channels=channels,
        block_frames=block_frames,
        values=values,
        threads=threads,
        safe=not raw,
    )
    if live_input:
        follow_sound(performance, generator, live_input)
    left = round(seconds * rate)
    most = LARGEST_DATA // (4 * channels)
    if left > most:
        raise UsageError(f"{seconds:g} s don't fit into one WAV file of this rate: at most {most // rate} s do")
    block = np.zeros((block_frames, channels), np.float32)
    with complete_file(out, rate, channels) as file:
        started = time.perf_counter()
        while left > 0:
            part = block[: min(left, block_frames)]
            performance.render(part)
            file.write(part)
            left -= len(part)
        spent = time.perf_counter() - started
    return seconds / spent


def _check_live(values: Mapping[str, Value]) -> None:
    """Raises UsageError if a live input would change nothing, or is said twice."""
    if values.get("noise_kind") != "live" or not values.get("noise", 0.0):
        raise UsageError("--live-input drives noise of kind live alone: add --set noise_kind=live --set noise=0.5")
    if "live_level_db" in values:
        raise UsageError("--live-input and live_level_db both give the live level: leave one out")


def follow_sound(performance: Performance, generator: Generator, sound: Path) -> None:
    """Lets the live level of all voices follow a sound from here on, anew with each chunk of the generator.

    The level of a chunk is that at its end, so that what begins in the sound is heard in the same chunk.

    Raises:
        SoundFileError: the file can't be read.
    """
    levels = levels_db(read_mono(sound, generator.sample_rate), generator.sample_rate, generator.chunk_frames)
    frames = generator.chunk_frames * performance.sample_rate / generator.sample_rate
    start = performance.position

    def turn(chunk: int) -> None:
        performance.set("live_level_db", levels[chunk] if chunk < len(levels) else SILENT_DB)
        if chunk < len(levels):
            performance.at(start + round((chunk + 1) * frames), partial(turn, chunk + 1))

    turn(0)


@contextmanager
def complete_file(out: Path, sample_rate: int, channels: int) -> Iterator[WaveFile]:
    """A WAV file that appears at `out` when all that was written inside is complete, and not at all if that fails.

    Raises:
        InputFileError: it can't be written there.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    except OSError as error:
        raise unwritable(out, error) from None
    os.close(handle)
    try:
        file = WaveFile(Path(temporary), sample_rate, channels)
        try:
            yield file
        finally:
            file.close()
        os.chmod(temporary, 0o644)
        os.replace(temporary, out)
    except BaseException:
        os.unlink(temporary)
        raise
