"""What goes to remote listeners and recordings."""

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from noizenet.errors import ControlError, InputFileError
from noizenet_daemon.broadcast import ROOM_S, Broadcast
from waiting import PATIENCE_S

Array = NDArray[Any]
RATE = 8000
BLOCK = 500


class Listener:
    """A publisher that keeps what it is sent, and can be made to hold the thread up."""

    def __init__(self) -> None:
        self.heard: Queue[tuple[int, Array]] = Queue()
        self.has_begun = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def send(self, position: int, samples: Array) -> None:
        self.has_begun.set()
        assert self.may_go_on.wait(PATIENCE_S)
        self.heard.put((position, samples.copy()))

    def next(self) -> tuple[int, Array]:
        return self.heard.get(timeout=PATIENCE_S)


def block(number: int) -> Array:
    """Returns a block (BLOCK, 2) of which every sample is different from all others'."""
    samples = (BLOCK * number + np.arange(BLOCK, dtype=np.float32)) / 2**20
    return np.stack([samples, -samples], axis=1)


@contextmanager
def broadcasting(listener: Listener | None = None) -> Iterator[Broadcast]:
    broadcast = Broadcast(RATE, 2, BLOCK, listener)
    try:
        yield broadcast
    finally:
        if listener:
            listener.may_go_on.set()
        broadcast.close()


def test_every_block_is_sent_in_order_with_its_position() -> None:
    listener = Listener()
    with broadcasting(listener) as broadcast:
        for number in range(200):
            broadcast.write(block(number))
            if number % 50 == 49:  # never more than fit
                for place in range(number - 49, number + 1):
                    position, samples = listener.next()
                    assert position == place * BLOCK
                    assert np.array_equal(samples, block(place))
    assert broadcast.dropped == 0


def test_what_was_written_is_sent_before_it_closes() -> None:
    listener = Listener()
    with broadcasting(listener) as broadcast:
        for number in range(50):
            broadcast.write(block(number))
    assert [listener.next()[0] for _ in range(50)] == [number * BLOCK for number in range(50)]


def test_a_full_ring_leaves_blocks_out_and_the_positions_jump() -> None:
    listener = Listener()
    room = round(ROOM_S * RATE) // BLOCK
    with broadcasting(listener) as broadcast:
        listener.may_go_on.clear()
        broadcast.write(block(0))
        assert listener.has_begun.wait(PATIENCE_S)
        for number in range(1, 1 + room + 8):
            broadcast.write(block(number))
        assert broadcast.dropped == 8 * BLOCK
        listener.may_go_on.set()
        for number in range(1 + room):
            position, samples = listener.next()
            assert position == number * BLOCK
            assert np.array_equal(samples, block(number))
        broadcast.write(block(1 + room + 8))
        position, samples = listener.next()
        assert position == (1 + room + 8) * BLOCK
        assert np.array_equal(samples, block(1 + room + 8))


def test_a_recording_is_a_file_of_the_very_samples(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    listener = Listener()
    with broadcasting(listener) as broadcast:
        broadcast.write(block(0))
        listener.next()
        broadcast.write(block(1))  # once this is sent, block 0 was either recorded or never will be
        listener.next()
        broadcast.start_recording(path)
        for number in range(2, 40):
            broadcast.write(block(number))
    samples, rate = soundfile.read(path, dtype="float32")
    expected = np.concatenate([block(number) for number in range(1, 40)])
    assert rate == RATE
    assert len(samples) in (38 * BLOCK, 39 * BLOCK)  # block 1 is sent before it is recorded
    assert np.array_equal(samples, expected[-len(samples) :])


def test_a_stopped_recording_tells_its_path_and_seconds(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    listener = Listener()
    with broadcasting(listener) as broadcast:
        broadcast.start_recording(path)
        for number in range(16):
            broadcast.write(block(number))
            listener.next()
        broadcast.write(block(16))
        listener.next()
        stopped, seconds = broadcast.stop_recording()
        assert stopped == path
        assert seconds in (1.0, 1.0 + BLOCK / RATE)
        assert soundfile.info(path).frames == round(seconds * RATE)
        broadcast.start_recording(tmp_path / "second.wav")


def test_nothing_is_recorded_twice_at_a_time_or_over_another_file(tmp_path: Path) -> None:
    (tmp_path / "old.wav").write_bytes(b"old")
    with broadcasting() as broadcast:
        with pytest.raises(ControlError, match="nothing is being recorded"):
            broadcast.stop_recording()
        with pytest.raises(ControlError, match=r"old\.wav exists: choose another name"):
            broadcast.start_recording(tmp_path / "old.wav")
        for path in (tmp_path / "none" / "a.wav", tmp_path / ("a" * 300 + ".wav")):
            with pytest.raises(InputFileError, match=r"can't be written \(.*\): choose another place"):
                broadcast.start_recording(path)
        broadcast.start_recording(tmp_path / "a.wav")
        with pytest.raises(ControlError, match=r"a\.wav is being recorded: send record/stop first"):
            broadcast.start_recording(tmp_path / "b.wav")
    assert (tmp_path / "old.wav").read_bytes() == b"old"
    assert not (tmp_path / "b.wav").exists()


def test_a_full_disk_ends_the_recording_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    listener = Listener()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with broadcasting(listener) as broadcast:
        broadcast.start_recording(tmp_path / "a.wav")
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
            for number in range(10):
                broadcast.write(block(number))
                listener.next()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with pytest.raises(ControlError, match="nothing is being recorded"):
            broadcast.stop_recording()
        broadcast.start_recording(tmp_path / "b.wav")
    assert "the recording ends: " in caplog.text
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert np.array_equal(samples[: 2 * BLOCK], np.concatenate([block(0), block(1)]))
