"""The ring between the engine and an output."""

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from noizenet_daemon.ring import Ring

Array = NDArray[Any]


def ring(capacity: int = 64, channels: int = 1, virtual: int | None = None, fade: int = 1) -> Ring:
    return Ring(capacity, channels, virtual or capacity, fade)


def ones(frames: int, channels: int = 1) -> Array:
    return np.ones((frames, channels), np.float32)


def read(source: Ring, frames: int) -> Array:
    """Reads into an array of rubbish, so that what isn't filled shows; returns the first channel's samples."""
    out = np.full((frames, source.channels), 77.0, np.float32)
    source.read(out)
    return out[:, 0]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=60), st.integers(1, 3))
def test_frames_keep_their_order_whatever_the_block_sizes(turns: list[tuple[int, int]], channels: int) -> None:
    tested = ring(37, channels)
    written = taken = 0
    for more, fewer in turns:
        frames = np.arange(written, written + more)
        if tested.write((frames[:, None] + 1000.0 * np.arange(channels)).astype(np.float32)):
            written += more
        count = min(fewer, tested.filled)  # no more than there is: what is missing is tested below
        out = np.full((count, channels), -1.0, np.float32)
        assert tested.read(out) == count
        assert np.array_equal(out, np.arange(taken, taken + count)[:, None] + 1000.0 * np.arange(channels))
        taken += count
        assert tested.filled == written - taken
        assert tested.read_position == taken
    assert (tested.underruns, tested.missing) == (0, 0)


def test_a_block_that_does_not_fit_is_refused_as_a_whole() -> None:
    tested = ring(8)
    assert tested.write(ones(5))
    assert not tested.write(2 * ones(4))
    assert tested.filled == 5
    assert tested.write(ones(3))
    assert np.array_equal(read(tested, 8), np.ones(8))


def test_the_virtual_capacity_limits_the_space_but_never_exceeds_the_memory() -> None:
    tested = ring(64, virtual=10)
    assert tested.space == 10
    tested.write(ones(8))
    assert tested.space == 2
    tested.virtual_frames = 4
    assert tested.space == -4
    tested.virtual_frames = 1000
    assert tested.virtual_frames == 64
    tested.virtual_frames = 0
    assert tested.virtual_frames == 1


def test_what_is_missing_becomes_zeros_after_a_fade() -> None:
    tested = ring(64)
    tested.write(ones(20))
    out = read(tested, 32)
    assert np.allclose(out[:20], 1.0 - np.arange(20) / 20)
    assert not out[20:].any()
    assert np.abs(np.diff(out)).max() <= 1 / 20 + 1e-6


def test_a_ring_that_is_empty_to_the_frame_ends_in_a_fade_too() -> None:
    tested = ring(64, 2)
    tested.write(ones(32, 2) * np.array([1.0, -0.5], np.float32))
    out = np.full((4, 32, 2), 77.0, np.float32)
    for part in out:
        tested.read(part)
    sound = out.reshape(-1, 2)
    assert np.array_equal(sound[31], [1.0, -0.5])
    assert np.abs(np.diff(sound, axis=0)).max() <= 1 / 32 + 1e-6
    assert not sound[63:].any()
    assert (tested.underruns, tested.missing) == (1, 96)


def test_a_gap_counts_as_one_underrun_however_long() -> None:
    tested = ring(64)
    tested.write(ones(10))
    for _ in range(3):
        read(tested, 16)
    assert (tested.underruns, tested.missing, tested.read_position) == (1, 6 + 16 + 16, 10)
    tested.write(ones(16))
    read(tested, 16)
    read(tested, 16)
    assert (tested.underruns, tested.missing, tested.read_position) == (2, 54, 26)


def test_after_a_gap_the_sound_fades_in_again() -> None:
    tested = ring(256, fade=50)
    tested.write(ones(10))
    read(tested, 20)
    tested.write(ones(100))
    out = read(tested, 100)
    assert np.allclose(out[:50], np.arange(1, 51) / 50, atol=1e-6)
    assert np.allclose(out[50:], 1.0)


@pytest.mark.parametrize("block", [1, 7, 64, 200])
def test_the_gate_fades_out_and_in_without_a_step(block: int) -> None:
    fade = 100
    tested = ring(2000, fade=fade)
    tested.write(ones(2000))
    heard = [read(tested, 200)]
    tested.open_gate(is_open=False)
    heard += [read(tested, block) for _ in range(400 // block)]
    assert tested.is_silent
    assert heard[-1][-1] == 0.0
    tested.open_gate(is_open=True)
    assert not tested.is_silent
    heard += [read(tested, block) for _ in range(400 // block)]
    sound = np.concatenate(heard)
    assert sound[0] == sound[-1] == 1.0
    assert np.abs(np.diff(sound)).max() <= 1 / fade + 1e-6
    assert (tested.underruns, tested.missing) == (0, 0)


@pytest.mark.parametrize("block", [1, 64, 1000])
def test_a_gate_set_to_close_begins_at_that_very_frame(block: int) -> None:
    tested = ring(2000, fade=100)
    tested.close_gate_at(333)
    tested.write(ones(2000))
    sound = np.concatenate([read(tested, block) for _ in range(1000 // block)])
    assert np.array_equal(sound[:333], np.ones(333))
    assert np.allclose(sound[333:433], 1.0 - np.arange(1, 101) / 100, atol=1e-6)
    assert not sound[434:].any()
    assert tested.is_silent


def test_behind_a_closed_gate_nothing_is_missing() -> None:
    tested = ring(64, fade=4)
    tested.write(ones(10))
    tested.open_gate(is_open=False)
    read(tested, 32)
    assert tested.is_silent
    assert (tested.underruns, tested.missing) == (0, 0)


def test_a_gate_that_closes_over_an_empty_ring_is_silent_at_once() -> None:
    tested = ring(64, fade=1000)
    tested.open_gate(is_open=False)
    read(tested, 1)
    assert tested.is_silent


def test_two_threads_pass_a_million_frames_without_loss() -> None:
    frames, block = 1_000_000, 480
    tested = ring(4800, 2)
    stopped = threading.Event()

    def write() -> None:
        place = 0
        while place < frames and not stopped.is_set():
            numbers = np.arange(place, min(place + block, frames), dtype=np.float32)
            if tested.write(np.stack([numbers, -numbers], axis=1)):
                place += len(numbers)

    writer = threading.Thread(target=write)
    writer.start()
    place = 0
    out = np.zeros((331, 2), np.float32)
    try:
        while place < frames:
            part = out[: min(len(out), tested.filled)]
            assert tested.read(part) == len(part)
            numbers = np.arange(place, place + len(part), dtype=np.float32)  # float32 counts exactly to 2^24
            assert np.array_equal(part[:, 0], numbers)
            assert np.array_equal(part[:, 1], -numbers)
            place += len(part)
            assert writer.is_alive() or tested.filled or place == frames
    finally:
        stopped.set()
        writer.join()
    assert (tested.read_position, tested.filled, tested.underruns) == (frames, 0, 0)
