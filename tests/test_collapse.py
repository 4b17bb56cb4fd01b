"""Collapse: constants and short cycles are found, and nothing else."""

import numpy as np
import pytest

from making import Array
from noizenet_daemon.kernels.collapse import LAGS, code_signature, feature_signature, is_collapsed, watch

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


def test_one_feature_stands_for_itself() -> None:
    assert feature_signature(np.array([0.25], np.float32)) == 0.25


@pytest.mark.parametrize("count", [2, 3, 15, 130])
def test_several_features_stand_for_a_number_of_their_deviation_that_moves_with_each(count: int) -> None:
    steps = np.random.default_rng(0).standard_normal((20_000, count)).astype(np.float32)
    signatures = np.array([feature_signature(step) for step in steps])
    assert signatures.std() == pytest.approx(1.0, rel=0.1)
    moved = []
    for feature in range(count):
        step = steps[0].copy()
        step[feature] += 1.0
        moved.append(feature_signature(step) - signatures[0])
    assert min(moved) > 0.4 / np.sqrt(count)
    assert len(np.unique(np.round(moved, 6))) == count


def test_codes_stand_for_numbers_that_differ() -> None:
    codes = np.array([(a, b, c) for a in range(10) for b in range(10) for c in range(10)], np.int32)
    assert len({code_signature(step) for step in codes}) == 1000
