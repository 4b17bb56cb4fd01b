"""How long blocks of sound take to make, one by one."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet_daemon.performance import Performance

Array = NDArray[Any]
FEWEST_BLOCKS = 64
PERCENTILES = (50.0, 95.0, 99.0, 99.9)


@dataclass(frozen=True)
class BlockTimes:
    """What blocks of one size took.

    Attributes:
        block_frames, sample_rate: of the blocks.
        wall_s: time on the clock that each took, s, float64 (n,).
        processor_s: processor time that all took together, s.
    """

    block_frames: int
    sample_rate: int
    wall_s: Array
    processor_s: float

    @property
    def block_s(self) -> float:
        """How long a block sounds, s."""
        return self.block_frames / self.sample_rate

    @property
    def realtime_factor(self) -> float:
        """Seconds of sound in a second of processor time."""
        return len(self.wall_s) * self.block_s / max(self.processor_s, 1e-9)

    @property
    def load(self) -> float:
        """Share of the time on the clock that making blocks takes; above 1, the sound can't go on."""
        return float(self.wall_s.mean()) / self.block_s

    @property
    def needed_latency_s(self) -> float:
        """How far ahead the engine had to play for no block to come late, s.

        A block may be begun when there is room for it, one block's time after the one before, and is late once the
        work that piled up exceeds the latency. It piles up as a queue does: w(n) = max(0, w(n-1) - block) + time(n).
        Source: Lindley, "The theory of queues with a single server", 1952.
        """
        waiting, longest = 0.0, 0.0
        for spent in self.wall_s:
            waiting = max(0.0, waiting - self.block_s) + float(spent)
            longest = max(longest, waiting)
        return longest

    def milliseconds(self) -> dict[str, float]:
        """Returns the percentiles p50, p95, p99, p99.9, and max, ms."""
        found = np.percentile(self.wall_s, PERCENTILES)
        named = {
            f"p{percentile:g}": float(1000.0 * value) for percentile, value in zip(PERCENTILES, found, strict=True)
        }
        return named | {"max": float(1000.0 * self.wall_s.max())}


def time_blocks(
    performance: Performance,
    block_frames: int,
    seconds: float,
    *,
    chunk_frames: int = 1,
    wait_until: Callable[[float], None] | None = None,
) -> BlockTimes:
    """Returns what the next blocks of a performance took.

    Args:
        seconds: of work, about; at least 64 blocks, and two chunks.
        chunk_frames: what the generator makes at once, in the performance's own frames: whole chunks are measured.
        wait_until: with it, blocks are made in real time, each when it is due, and `seconds` are on the clock: called
            with the time that `time.perf_counter` shows when the next block is due.
    """
    block = np.zeros((block_frames, performance.channels), np.float32)
    block_s = block_frames / performance.sample_rate
    fewest = max(FEWEST_BLOCKS, -(-2 * chunk_frames // block_frames))
    spent: list[float] = []
    processor, begun = 0.0, time.perf_counter()
    while len(spent) < fewest or time.perf_counter() - begun < seconds:
        if wait_until is not None:
            wait_until(begun + len(spent) * block_s)
        used, started = time.thread_time(), time.perf_counter()
        performance.render(block)
        spent.append(time.perf_counter() - started)
        processor += time.thread_time() - used
    return BlockTimes(block_frames, performance.sample_rate, np.array(spent), processor)
