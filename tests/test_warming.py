"""Warming up before the sound starts."""

import threading

import numpy as np
import pytest

from making import amplitude_checkpoint, mulaw_checkpoint, tiered_checkpoint, tokens_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet_daemon import warming
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states, render_frames
from noizenet_daemon.warming import said_if_slow, warm_up


@pytest.mark.parametrize(
    "checkpoint", [tokens_checkpoint(), mulaw_checkpoint(), tiered_checkpoint(), amplitude_checkpoint()]
)
def test_warming_up_changes_nothing_that_is_heard(checkpoint: Checkpoint) -> None:
    def sound(generator: Generator) -> np.ndarray:
        states = initial_states(generator, "corpus", 1, 1)
        performance = Performance(generator, states, sample_rate=generator.sample_rate, channels=2, block_frames=64)
        return render_frames(performance, 4000, 64)

    cold, warm = Generator(checkpoint), Generator(checkpoint)
    warm_up(warm)
    assert np.array_equal(sound(cold), sound(warm))


def test_what_is_slow_is_announced(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "SAY_AFTER_S", 0.0)
    before = set(threading.enumerate())
    with said_if_slow("Preparing ..."):
        for thread in set(threading.enumerate()) - before:
            thread.join()
    assert capsys.readouterr().err == "Preparing ...\n"


def test_what_is_quick_is_not(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "SAY_AFTER_S", 1000.0)
    with said_if_slow("Preparing ..."):
        pass
    assert capsys.readouterr().err == ""
