"""Which half-seconds of a sound are alive."""

import numpy as np
import pytest

from making import melody, tone
from noizenet_training.judging.survival import is_alive, survival

RATE = 16000


def test_music_and_noise_are_alive() -> None:
    assert survival(melody(4.0, RATE), RATE) == 1.0
    assert survival(0.1 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32), RATE) == 1.0


@pytest.mark.parametrize(
    "dead",
    [
        np.zeros(RATE // 2, np.float32),
        np.full(RATE // 2, 0.4, np.float32),
        1e-4 * melody(0.5, RATE),
        np.tile(np.array([0.5, -0.2, 0.1], np.float32), RATE // 6),
        np.tile(np.random.default_rng(0).standard_normal(100).astype(np.float32), RATE // 200),
    ],
    ids=["silence", "constant", "too soft", "cycle of 3", "cycle of 100"],
)
def test_silence_constants_and_short_cycles_are_dead(dead: np.ndarray) -> None:
    assert not is_alive(dead, RATE)


def test_nan_kills_its_window_only() -> None:
    samples = melody(2.0, RATE)
    samples[RATE // 4] = np.nan
    assert survival(samples, RATE) == 0.75


def test_the_survival_of_what_is_shorter_than_a_window_is_not_known() -> None:
    assert np.isnan(survival(melody(0.2, RATE), RATE))


def test_a_steady_tone_is_dead_whatever_its_pitch_and_a_slow_sway_is_not() -> None:
    for frequency in (55.0, 440.0, 441.0, 3000.1):
        assert not is_alive(tone(0.5, RATE, frequency), RATE)
    assert is_alive(np.linspace(-0.3, 0.3, RATE // 2) ** 2 + 0.1 * melody(0.5, RATE), RATE)
    assert is_alive(np.linspace(-0.3, 0.3, RATE // 2), RATE)
