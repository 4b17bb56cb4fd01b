"""Pink noise: its spectrum, its size from the first step on, and that it goes on where it was."""

from itertools import pairwise

import numpy as np
import pytest

from making import Array
from noizenet_daemon.kernels.pink import DEVIATION, POLES, new_pink, next_pink
from noizenet_daemon.kernels.rng import new_rng, normal


def walks(units: int, steps: int, seed: int = 0) -> Array:
    """Returns the pink noise of some units, (units, steps)."""
    filters, rng = new_pink(units, seed), new_rng(seed)
    return np.array([[next_pink(row, normal(rng)) for _ in range(steps)] for row in filters])


def test_its_power_falls_by_10_db_a_decade() -> None:
    length = 16_384
    heard = walks(24, length, seed=3)
    power = np.square(np.abs(np.fft.rfft(heard * np.hanning(length)))).mean(axis=0)
    frequency = np.fft.rfftfreq(length)
    edges = np.logspace(-3.5, np.log10(0.45), 13)
    bands = [(frequency >= low) & (frequency < high) for low, high in pairwise(edges)]
    levels = [10.0 * np.log10(power[band].mean()) for band in bands]
    middles = [np.log10(frequency[band].mean()) for band in bands]
    slope, height = np.polyfit(middles, levels, 1)
    assert slope == pytest.approx(-10.0, abs=0.5)
    assert np.abs(slope * np.array(middles) + height - levels).max() < 1.5


def test_it_has_deviation_1_from_the_first_step_on() -> None:
    begun = walks(8000, 4)
    assert begun.std(axis=0) == pytest.approx(1.0, rel=0.04)
    assert abs(begun.mean()) < 0.05


def test_its_filters_lean_on_each_other_as_those_that_ran_for_ever() -> None:
    filters = new_pink(20_000, 1)
    assert filters.shape == (20_000, POLES)
    assert filters.std(axis=0) == pytest.approx(1.0, rel=0.03)
    assert filters.sum(axis=1).std() == pytest.approx(DEVIATION, rel=0.03)
    assert 0.75 < np.corrcoef(filters[:, 4], filters[:, 5])[0, 1] < 0.85  # 2 sqrt(4) / (1 + 4)


def test_units_and_seeds_go_ways_of_their_own_and_equal_seeds_the_same() -> None:
    first, again, other = walks(3, 50, 1), walks(3, 50, 1), walks(3, 50, 2)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len({tuple(walk) for walk in first}) == 3
