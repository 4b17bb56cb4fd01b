"""Collapse: constants and short cycles are found, and nothing else."""

import numpy as np
import pytest

from making import Array
from noizenet_daemon.kernels.collapse import LAGS, is_collapsed, watch

HOLD = 50


def first_collapse(values: Array) -> int | None:
    """Returns the step after which the values count as collapsed."""
    history, runs = np.zeros(LAGS), np.zeros(LAGS, np.int64)
    for step, value in enumerate(values):
        watch(history, runs, step, float(value))
        if is_collapsed(runs, HOLD):
            return step
    return None


@pytest.mark.parametrize("value", [0.0, 0.3, -1e6])
def test_a_constant_is_found_as_soon_as_it_has_lasted(value: float) -> None:
    assert first_collapse(np.full(200, value)) == HOLD


@pytest.mark.parametrize("length", range(2, LAGS + 1))
def test_a_cycle_is_found_as_soon_as_it_has_lasted(length: int) -> None:
    cycle = np.random.default_rng(length).permutation(length).astype(np.float64)
    assert first_collapse(np.resize(cycle, 200)) == HOLD + length - 1


def test_a_longer_cycle_is_not_collapse() -> None:
    assert first_collapse(np.resize(np.arange(LAGS + 1.0), 500)) is None


@pytest.mark.parametrize("amount", [0.01, 1.0])
def test_noise_is_not_collapse(amount: float) -> None:
    assert first_collapse(amount * np.random.default_rng(0).standard_normal(5000)) is None


def test_a_tone_is_not_collapse() -> None:
    assert first_collapse(0.5 * np.sin(2 * np.pi * 440.0 * np.arange(5000) / 22050)) is None


def test_a_tenth_of_a_per_cent_is_still_the_same() -> None:
    wobble = 4e-4 * np.random.default_rng(0).uniform(-1.0, 1.0, 200)
    assert first_collapse(0.2 + wobble) == HOLD


def test_collapse_ends_when_the_output_moves_on() -> None:
    history, runs = np.zeros(LAGS), np.zeros(LAGS, np.int64)
    values = np.concatenate([np.full(100, 0.5), np.random.default_rng(0).standard_normal(LAGS + 1)])
    for step, value in enumerate(values):
        watch(history, runs, step, float(value))
    assert not is_collapsed(runs, HOLD)


def test_nan_is_not_collapse() -> None:
    assert first_collapse(np.full(200, np.nan)) is None
