"""Steps until collapse: what is stuck for the rest is found where it begins, and music, noise and rests are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import Array, melody, tone
from noizenet_training.judging.collapse import STILL, WINDOW_S, steps_until_collapse
from noizenet_training.judging.survival import is_alive

RATE = 22050
DEVIATION = 0.1


def found(*parts: Array, rate: int = RATE) -> int | None:
    return steps_until_collapse(np.concatenate(parts), DEVIATION, rate)


def noise(seconds: float, amount: float = DEVIATION) -> Array:
    return amount * np.random.default_rng(0).standard_normal(round(seconds * RATE))


@pytest.mark.parametrize("value", [0.0, 0.3, -50.0])
def test_a_constant_is_stuck_from_its_first_sample(value: float) -> None:
    assert found(np.full(2 * RATE, value)) == 0
    assert found(noise(1.0), np.full(2 * RATE, value)) == RATE


def test_what_is_not_finite_is_as_stuck_as_silence() -> None:
    assert found(noise(1.0), np.full(2 * RATE, np.nan)) == RATE


@pytest.mark.parametrize("length", [2, 3, 7, 50, 400])
def test_a_short_cycle_is_stuck_from_its_first_sample(length: int) -> None:
    cycle = np.resize(np.random.default_rng(1).uniform(-0.3, 0.3, length), 2 * RATE)
    assert found(cycle) == 0
    assert found(noise(1.0), cycle) == pytest.approx(RATE, abs=2)


@pytest.mark.parametrize("frequency", [30.0, 82.4, 440.0, 2345.6])
def test_a_sine_that_goes_on_for_the_rest_is_a_cycle_as_it_is_to_survival(frequency: float) -> None:
    steady = tone(3.0, RATE, frequency)
    assert found(noise(1.0), steady) == pytest.approx(RATE, abs=5)
    assert not is_alive(steady[: RATE // 2], RATE)


def test_a_tone_that_fades_or_trembles_is_not_a_cycle() -> None:
    time = np.arange(3 * RATE) / RATE
    assert found(tone(3.0, RATE) * np.exp(-time)) is None
    assert found(tone(3.0, RATE) * (1.0 + 0.1 * np.sin(2 * np.pi * 0.7 * time))) is None


@pytest.mark.parametrize("frequency", [1.0, 5.0, 20.0])
def test_a_tone_too_low_to_hear_is_no_constant(frequency: float) -> None:
    swaying = np.sin(2 * np.pi * frequency * np.arange(4 * RATE) / RATE) * np.linspace(0.3, 0.1, 4 * RATE)
    assert found(swaying) is None


def test_a_slow_decay_is_no_cycle_though_it_is_near_itself() -> None:
    assert found(np.exp(-np.arange(4 * RATE) / RATE)) is None


def test_noise_and_music_are_not_stuck() -> None:
    assert found(noise(3.0)) is None
    assert found(noise(3.0, 0.01 * DEVIATION)) is None
    assert found(melody(5.0, RATE)) is None


def test_a_rest_is_not_collapse_but_a_long_silence_at_the_end_is() -> None:
    music = melody(3.0, RATE)
    assert found(music, np.zeros(2 * RATE), music) is None
    assert found(music, np.zeros(RATE // 2)) is None
    assert found(music, np.zeros(2 * RATE)) == 3 * RATE


@settings(max_examples=20, deadline=None)
@given(factor=st.floats(0.9, 0.999), start=st.floats(0.05, 1.0), rest=st.floats(-0.5, 0.5))
def test_a_decay_counts_from_where_it_is_under_the_threshold(factor: float, start: float, rest: float) -> None:
    # the first of a window of w is start * factor^n * (1 - (1 - factor^w) / (w (1 - factor))) above its mean
    window = round(WINDOW_S * RATE)
    above_mean = 1.0 - (1.0 - factor**window) / (window * (1.0 - factor))
    expected = np.log(STILL * DEVIATION / (start * above_mean)) / np.log(factor)
    values = rest + start * factor ** np.arange(2.0 * RATE)
    assert found(values) == pytest.approx(expected, abs=1.0)


def test_a_few_hundred_values_are_judged_too() -> None:
    values = np.concatenate([noise(1.0)[:60], np.full(240, 0.2)])
    assert steps_until_collapse(values, DEVIATION, RATE) == 60
    assert steps_until_collapse(values[:80], DEVIATION, RATE) == 60
    assert steps_until_collapse(values[:70], DEVIATION, RATE) is None
    assert steps_until_collapse(values[:0], DEVIATION, RATE) is None
    assert steps_until_collapse(np.zeros(3), DEVIATION, RATE) is None


def test_the_rate_decides_what_is_short() -> None:
    slow = np.resize(np.random.default_rng(2).uniform(-0.3, 0.3, 1500), 60_000)
    assert found(slow, rate=48_000) == 0
    assert found(slow, rate=8000) is None
