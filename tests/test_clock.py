"""Which frame is heard when. The time is set by hand."""

import numpy as np
import pytest

from noizenet_daemon import clock
from noizenet_daemon.clock import JUMP_S, Clock
from noizenet_daemon.ring import Ring

RATE = 48000
BLOCK = 256
START = 1_700_000_000.0


class Playing:
    """An output that reads a ring in blocks, at a time set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START
        monkeypatch.setattr(clock.time, "time", lambda: self.now)
        self.ring = Ring(10 * RATE, 1, 10 * RATE, 1)
        self.clock = Clock(self.ring, RATE)

    def play(self, frames: int, late_s: float = 0.0) -> None:
        """Plays frames that are there; the clock looks a little late."""
        self.ring.write(np.zeros((frames, 1), np.float32))
        self.take(frames, late_s)

    def take(self, frames: int, late_s: float = 0.0) -> None:
        self.ring.read(np.zeros((frames, 1), np.float32))
        self.now += frames / RATE
        self.now += late_s
        self.clock.observe()
        self.now -= late_s


@pytest.fixture
def playing(monkeypatch: pytest.MonkeyPatch) -> Playing:
    return Playing(monkeypatch)


def test_before_the_first_look_a_time_still_means_a_frame(playing: Playing) -> None:
    assert playing.clock.position_at(START + 0.5) == RATE // 2


def test_a_time_means_the_frame_that_is_heard_then(playing: Playing) -> None:
    for _ in range(100):
        playing.play(BLOCK)
    assert playing.clock.position_at(playing.now) == 100 * BLOCK
    assert playing.clock.position_at(playing.now + 1.0) == 100 * BLOCK + RATE
    assert playing.clock.position_at(START - 1.0) == -RATE


def test_the_way_to_the_ear_counts(playing: Playing) -> None:
    playing.play(BLOCK)
    playing.clock.output_latency_s = 0.01
    assert playing.clock.position_at(playing.now) == BLOCK - 480


def test_jitter_of_the_looks_is_smoothed_away(playing: Playing) -> None:
    rng = np.random.default_rng(1)
    playing.play(BLOCK)
    errors = []
    for _ in range(2000):
        playing.play(BLOCK, late_s=rng.uniform(-0.005, 0.005))
        errors.append(playing.clock.position_at(playing.now) - playing.ring.read_position)
    assert np.abs(errors).max() < 20  # of the 240 frames of jitter


def test_a_long_stop_of_the_output_begins_anew(playing: Playing) -> None:
    playing.play(BLOCK)
    playing.now += 2 * JUMP_S
    playing.play(BLOCK)
    assert playing.clock.position_at(playing.now) == 2 * BLOCK


def test_after_an_underrun_a_time_means_the_right_frame_at_once(playing: Playing) -> None:
    for _ in range(10):
        playing.play(BLOCK)
    playing.take(BLOCK)
    assert playing.ring.missing == BLOCK
    playing.play(BLOCK)
    assert playing.clock.position_at(playing.now) == 11 * BLOCK
