"""The engine thread."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fake_generator import ToneGenerator
from making import tokens_checkpoint
from noizenet.errors import ControlError
from noizenet_daemon.broadcast import Broadcast
from noizenet_daemon.engine import SILENCE_DB, Engine
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states, render_frames
from noizenet_daemon.ring import Ring
from waiting import PATIENCE_S, wait_until

Array = NDArray[Any]
BLOCK = 256
AHEAD = 2000
GENERATOR: Any = Generator(tokens_checkpoint())


def performance(generator: Any = GENERATOR) -> Performance:
    states = initial_states(generator, "corpus", 1, 1) if generator is GENERATOR else [generator.new_state()]
    return Performance(generator, states, sample_rate=generator.sample_rate, channels=2, block_frames=BLOCK)


class Rig:
    """An engine with its rings."""

    def __init__(self, generator: Any = GENERATOR) -> None:
        rate = generator.sample_rate
        self.ring = Ring(AHEAD + 1000, 2, AHEAD, 1)
        self.broadcast = Broadcast(rate, 2, BLOCK, None)
        self.engine = Engine(performance(generator), self.ring, self.broadcast, BLOCK)

    def heard(self, frames: int) -> Array:
        """Returns the next frames from the ring, once they are there."""
        out = np.zeros((frames, 2), np.float32)
        done = 0
        while done < frames:
            wait_until(lambda: self.ring.filled > 0)
            part = out[done : done + min(self.ring.filled, frames - done)]
            done += self.ring.read(part)
        return out

    def close(self) -> None:
        self.engine.stop()
        self.broadcast.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()


def test_the_ring_is_filled_to_its_virtual_capacity_and_kept_so(rig: Rig) -> None:
    rig.engine.start()
    for _ in range(3):
        wait_until(lambda: rig.ring.space <= 0)
        assert AHEAD <= rig.ring.filled < AHEAD + BLOCK
        rig.heard(900)
    assert rig.ring.missing == 0


def test_less_latency_means_less_sound_ahead(rig: Rig) -> None:
    rig.engine.start()
    wait_until(lambda: rig.ring.space <= 0)
    rig.ring.virtual_frames = 300
    rig.heard(AHEAD)
    wait_until(lambda: rig.ring.space <= 0)
    assert 300 <= rig.ring.filled < 300 + BLOCK


def test_what_comes_out_is_the_performance(rig: Rig) -> None:
    rig.engine.start()
    assert np.array_equal(rig.heard(20_000), render_frames(performance(), 20_000, 200))
    assert rig.engine.blocks * BLOCK == rig.engine.performance.position
    assert rig.engine.realtime_factor > 0.0


def test_posted_work_runs_on_the_engine_s_thread_between_two_blocks(rig: Rig) -> None:
    places: list[tuple[str, int]] = []
    rig.engine.start()
    for _ in range(20):
        rig.heard(333)
        rig.engine.post(
            lambda: places.append((threading.current_thread().name, rig.engine.performance.position % BLOCK))
        )
    rig.engine.call(lambda: None)
    assert places == [("engine", 0)] * 20


def test_posted_work_is_done_in_order_while_the_ring_is_full(rig: Rig) -> None:
    done: list[int] = []
    rig.engine.start()
    wait_until(lambda: rig.ring.space <= 0)
    for number in range(100):
        rig.engine.post(lambda number=number: done.append(number))  # type: ignore[misc]
    rig.engine.call(lambda: done.append(100))
    assert done == list(range(101))


def test_work_that_fails_is_logged_and_the_sound_goes_on(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.engine.start()
    rig.engine.post(lambda: [][0])
    rig.engine.call(lambda: None)
    assert "a change could not be carried out" in caplog.text
    assert rig.heard(5000).any()
    assert rig.engine.failure is None


def test_a_call_that_is_not_answered_is_refused_and_never_carried_out(rig: Rig) -> None:
    done: list[int] = []
    with pytest.raises(ControlError, match="didn't take the change"):
        rig.engine.call(lambda: done.append(1), patience_s=0.0)
    rig.engine.start()
    rig.engine.call(lambda: done.append(2))
    assert done == [2]


def test_a_call_raises_what_its_work_raises(rig: Rig) -> None:
    rig.engine.start()
    with pytest.raises(ZeroDivisionError):
        rig.engine.call(lambda: print(1 // 0))


def test_a_failure_while_rendering_ends_the_thread_and_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(ToneGenerator):
        def generate(self, state: Any, controls: Any, out: Array) -> None:
            if state.played > 1000:
                raise RuntimeError("out of order")
            super().generate(state, controls, out)

    rig = Rig(Failing())
    rig.engine.start()
    wait_until(lambda: rig.engine.failure is not None)
    rig.close()
    assert str(rig.engine.failure) == "out of order"
    assert rig.engine.blocks == 4
    assert "the engine stopped" in caplog.text


def test_the_level_is_the_peak_in_decibels() -> None:
    rig = Rig(ToneGenerator(440.0, 48000, 0.1))
    assert rig.engine.level_db == SILENCE_DB
    rig.engine.start()
    rig.heard(10_000)
    level = rig.engine.level_db
    assert level == pytest.approx(-20.0, abs=0.1)
    rig.engine.call(lambda: rig.engine.performance.set("mute", True))
    rig.heard(48_000)
    assert rig.engine.level_db == SILENCE_DB
    rig.close()


def test_remote_listeners_get_the_same_blocks() -> None:
    class Listener:
        def __init__(self) -> None:
            self.heard: list[Array] = []
            self.has_enough = threading.Event()

        def send(self, position: int, samples: Array) -> None:
            assert position == len(self.heard) * BLOCK
            self.heard.append(samples.copy())
            if len(self.heard) == 8:
                self.has_enough.set()

    listener = Listener()
    ring = Ring(AHEAD + 1000, 2, AHEAD, 1)
    broadcast = Broadcast(GENERATOR.sample_rate, 2, BLOCK, listener)
    engine = Engine(performance(), ring, broadcast, BLOCK)
    engine.start()
    assert listener.has_enough.wait(PATIENCE_S)
    engine.stop()
    broadcast.close()
    sound = np.concatenate(listener.heard)
    assert np.array_equal(sound, render_frames(performance(), len(sound), BLOCK))
