"""Times of blocks: what they say of load and latency."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import tokens_checkpoint
from noizenet_daemon.benchmark.block_times import FEWEST_BLOCKS, BlockTimes, time_blocks
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states

RATE, FRAMES = 48_000, 480  # blocks of 10 ms


def taking(*milliseconds: float) -> BlockTimes:
    """Returns the times of blocks of 10 ms that took so long."""
    wall = np.array(milliseconds) / 1000.0
    return BlockTimes(FRAMES, RATE, wall, float(wall.sum()))


def missed(times: BlockTimes, latency_s: float) -> int:
    """Returns how many blocks come late: an engine that may begin a block when there is room for it."""
    finished, late = 0.0, 0
    for n, spent in enumerate(times.wall_s):
        finished = max(finished, n * times.block_s) + float(spent)
        late += finished > n * times.block_s + latency_s + 1e-9
    return late


@given(st.lists(st.floats(0.0, 40.0), min_size=1, max_size=60))
def test_the_needed_latency_is_enough_and_no_more_than_that(milliseconds: list[float]) -> None:
    times = taking(*milliseconds)
    needed = times.needed_latency_s
    assert missed(times, needed) == 0
    if needed > 1e-4:
        assert missed(times, needed - 1e-5) > 0


def test_one_late_block_needs_as_much_as_it_took_and_late_ones_in_a_row_more() -> None:
    assert taking(1, 25, 1, 1, 1, 1).needed_latency_s == pytest.approx(0.025)
    assert taking(1, 25, 25, 1, 1, 1).needed_latency_s == pytest.approx(0.040)
    assert taking(1, 25, 1, 1, 1, 1, 25).needed_latency_s == pytest.approx(0.025)


def test_load_and_real_time_factor_are_shares_of_the_time_that_blocks_sound() -> None:
    times = BlockTimes(FRAMES, RATE, np.full(10, 0.005), 0.02)
    assert times.load == pytest.approx(0.5)
    assert times.realtime_factor == pytest.approx(5.0)


def test_percentiles_are_in_milliseconds() -> None:
    found = taking(*range(101)).milliseconds()
    assert {name: round(value, 6) for name, value in found.items()} == {
        "p50": 50.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0,
    }  # fmt: skip


def performance(generator: Generator) -> Performance:
    states = initial_states(generator, "corpus", 1, 1)
    return Performance(generator, states, sample_rate=generator.sample_rate, channels=1, block_frames=64)


def test_whole_chunks_are_measured_however_short_the_time() -> None:
    generator = Generator(tokens_checkpoint())
    one = performance(generator)
    times = time_blocks(one, 64, 0.0, chunk_frames=64 * FEWEST_BLOCKS)
    assert len(times.wall_s) == 2 * FEWEST_BLOCKS
    assert one.position == 64 * len(times.wall_s)
    assert (times.wall_s > 0).all()


def test_in_real_time_each_block_waits_until_it_is_due() -> None:
    generator = Generator(tokens_checkpoint())
    due: list[float] = []
    times = time_blocks(performance(generator), 64, 0.0, wait_until=due.append)
    assert len(due) == len(times.wall_s)
    assert np.diff(due) == pytest.approx(64 / generator.sample_rate)
