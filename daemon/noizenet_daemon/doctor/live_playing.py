"""A checkpoint played as the daemon plays it, in real time, into nothing; and what that says of good settings."""

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from noizenet.protocol import PARAMETERS
from noizenet_daemon.benchmark.block_times import BlockTimes, time_blocks
from noizenet_daemon.benchmark.playing import MOST_VOICES, voices_in_time
from noizenet_daemon.engine import raise_priority
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states

TRIED_BLOCKS = (64, 128, 256, 512, 1024)  # frames
EASY_LOAD = 0.5  # of the time: what is recommended leaves as much again for other work
TRIAL_SHARE = 20  # a trial of a block size takes one part of so many of the examination's seconds
LONGEST_TRIED_S = 10.0  # a longer examination says more about blocks that come late, and no more about speed
LATENCY_STEP_MS = 5.0
RESERVE = 2.0  # the latency recommended is so many times what was needed: the next ten seconds may be worse
CHANNELS = 2
ROUNDING = 1e-6  # what a sum of times may be too large by does not cost another step


@dataclass(frozen=True)
class Settings:
    """With what the checkpoint is to be played, named as the daemon's options."""

    voices: int
    block_frames: int
    latency_ms: float
    sample_rate: int
    threads: int = 1


@dataclass(frozen=True)
class Recommendation:
    """Settings that this machine can hold, named as the daemon's options; each thread plays an equal share."""

    block_frames: int
    latency_ms: float
    voices: int
    threads: int = 1

    @property
    def flags(self) -> str:
        """The settings as flags of `noizenet daemon`."""
        threads = f" --threads {self.threads}" if self.threads > 1 else ""
        return f"--block-frames {self.block_frames} --latency-ms {self.latency_ms:g} --voices {self.voices}{threads}"


def play_in_real_time(generator: Generator, settings: Settings, seconds: float) -> BlockTimes:
    """Returns what blocks took, each made when it is due, on a thread with the engine's priority."""
    performance = _performance(generator, settings, settings.block_frames)
    found: list[BlockTimes] = []

    def run() -> None:
        performance.on_threads(raise_priority)
        found.append(time_blocks(performance, settings.block_frames, seconds, wait_until=_wait_until))

    thread = threading.Thread(target=run, name="engine")
    thread.start()
    thread.join()
    return found[0]


def recommend(generator: Generator, settings: Settings, played: BlockTimes, seconds: float) -> Recommendation:
    """Returns settings that leave half of the time free.

    Args:
        played: with the settings.
        seconds: of the examination; the trials take half as long, but not more than five seconds.
    """
    seconds = min(seconds, LONGEST_TRIED_S)
    loads = {}
    for block_frames in TRIED_BLOCKS:
        performance = _performance(generator, settings, block_frames)
        chunk = math.ceil(generator.chunk_frames * settings.sample_rate / generator.sample_rate)
        times = time_blocks(performance, block_frames, seconds / TRIAL_SHARE, chunk_frames=chunk)
        loads[block_frames] = 1.0 / times.realtime_factor
    block_frames = easy_block(loads)
    return Recommendation(
        block_frames,
        latency_for(played.needed_latency_s, block_frames / settings.sample_rate),
        min(MOST_VOICES, settings.threads * max(1, voices_in_time(generator, seconds / TRIAL_SHARE / 3, EASY_LOAD))),
        settings.threads,
    )


def easy_block(loads: Mapping[int, float]) -> int:
    """Returns the smallest block, frames, whose load leaves half of the time free; else that of the least load."""
    easy = [frames for frames, load in sorted(loads.items()) if load <= EASY_LOAD]
    return easy[0] if easy else min(loads, key=lambda frames: loads[frames])


def latency_for(needed_s: float, block_s: float) -> float:
    """Returns the latency to set, ms, in steps of 5: twice what was needed, and the block that the output takes."""
    about = PARAMETERS["latency_ms"]
    wanted = 1000.0 * (RESERVE * needed_s + block_s)
    return min(max(LATENCY_STEP_MS * math.ceil(wanted / LATENCY_STEP_MS - ROUNDING), about.minimum), about.maximum)


def _performance(generator: Generator, settings: Settings, block_frames: int) -> Performance:
    return Performance(
        generator,
        initial_states(generator, "corpus", 1, settings.voices),
        sample_rate=settings.sample_rate,
        channels=CHANNELS,
        block_frames=block_frames,
        threads=settings.threads,
    )


def _wait_until(due: float) -> None:
    left = due - time.perf_counter()
    if left > 0.0:
        time.sleep(left)
