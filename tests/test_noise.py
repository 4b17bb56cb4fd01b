"""Noise: its size and shape, and when it is due."""

import numpy as np
import pytest

from making import Array
from noizenet_daemon.kernels.noise import (
    CONTINUOUS,
    LIVE,
    NORMAL,
    OFF,
    ON_COLLAPSE,
    PERIODIC,
    PERLIN,
    PINK,
    UNIFORM,
    Controls,
    add_noise,
    is_due,
)
from noizenet_daemon.kernels.pink import new_pink
from noizenet_daemon.kernels.rng import new_rng, uniform

STEP_RATE = 43.0
NO_PINK = new_pink(0, 0)


def walk(kind: int, amount: float, steps: int, units: int, scale: float = 1.0, step_size: int = 1) -> Array:
    """Returns the noise of some steps, (steps, units)."""
    controls = Controls(noise=amount, kind=kind, perlin_step=2.0 / STEP_RATE)
    rng, pink = new_rng(3), new_pink(units, 3)
    out = np.zeros((steps, units), np.float32)
    for n in range(steps):
        add_noise(out[n], scale, controls, n * step_size, rng, pink, 0)
    return out


@pytest.mark.parametrize("kind", [NORMAL, UNIFORM, PERLIN, LIVE])
@pytest.mark.parametrize(("amount", "scale"), [(1.0, 1.0), (0.1, 0.5)])
def test_noise_has_mean_zero_and_the_deviation_asked_for(kind: int, amount: float, scale: float) -> None:
    values = walk(kind, amount, 800, 100, scale)
    assert abs(values.mean()) < 0.03 * amount * scale
    assert values.std() == pytest.approx(amount * scale, rel=0.03)


def test_pink_noise_has_them_too_over_many_units() -> None:
    values = walk(PINK, 0.1, 100, 5000, 0.5)  # a unit by itself drifts for minutes
    assert abs(values.mean()) < 0.03 * 0.05
    assert values.std() == pytest.approx(0.05, rel=0.03)


def test_uniform_noise_stays_within_its_bounds() -> None:
    values = walk(UNIFORM, 0.5, 200, 100)
    assert np.abs(values).max() <= 0.5 * np.sqrt(3.0)
    assert np.abs(values).max() > 0.5 * np.sqrt(3.0) * 0.99


def test_noise_is_added_to_what_is_there() -> None:
    values = np.full(1000, 5.0, np.float32)
    add_noise(values, 1.0, Controls(noise=0.1), 0, new_rng(0), new_pink(1, 0), 0)
    assert values.mean() == pytest.approx(5.0, abs=0.02)
    assert values.std() == pytest.approx(0.1, rel=0.1)


def test_perlin_noise_is_smooth_and_a_walk_of_its_own_for_each_unit() -> None:
    values = walk(PERLIN, 1.0, 2000, 20)
    # 0.05 cells a step: no step is far from the last, where other noise jumps by 1.4 deviations
    assert np.diff(values, axis=0).std() < 0.25
    assert np.diff(walk(NORMAL, 1.0, 2000, 20), axis=0).std() > 1.3
    assert np.abs(np.corrcoef(values.T) - np.eye(20)).max() < 0.5  # six standard errors: 93 cells were heard


def test_each_seed_has_perlin_walks_of_its_own() -> None:
    controls = Controls(noise=1.0, kind=PERLIN, perlin_step=2.0 / STEP_RATE)
    heard = np.zeros((20, 4000), np.float32)
    for seed in range(20):
        rng = new_rng(seed)
        for n in range(4000):
            uniform(rng)  # what else is drawn changes nothing
            add_noise(heard[seed, n : n + 1], 1.0, controls, n, rng, NO_PINK, 0)
    assert np.abs(np.corrcoef(heard) - np.eye(20)).max() < 0.35  # six standard errors
    assert np.array_equal(heard[3], walk(PERLIN, 1.0, 4000, 1)[:, 0])


def test_perlin_noise_never_leaves_all_units_still_at_once() -> None:
    at_any_step = walk(PERLIN, 1.0, 500, 200).std(axis=1)
    assert at_any_step.min() > 0.8


def test_perlin_noise_works_at_periods_of_whole_cells() -> None:
    values = walk(PERLIN, 1.0, 500, 50, step_size=43)  # once a second: two cells
    assert values.std() == pytest.approx(1.0, rel=0.05)


def test_no_noise_is_due_when_off_or_at_zero() -> None:
    for mode in (OFF, CONTINUOUS, PERIODIC, ON_COLLAPSE):
        assert not is_due(Controls(noise=0.0, mode=mode), 0, True)
    assert not any(is_due(Controls(noise=1.0, mode=OFF), step, True) for step in range(10))


def test_continuous_noise_is_due_at_each_step() -> None:
    assert all(is_due(Controls(noise=0.5, mode=CONTINUOUS), step, False) for step in range(10))


@pytest.mark.parametrize("period", [1, 3, 7])
def test_periodic_noise_is_due_once_a_period(period: int) -> None:
    controls = Controls(noise=0.5, mode=PERIODIC, period=period)
    assert [step for step in range(22) if is_due(controls, step, False)] == list(range(0, 22, period))


def test_noise_on_collapse_is_due_only_then() -> None:
    controls = Controls(noise=0.5, mode=ON_COLLAPSE)
    assert is_due(controls, 5, True)
    assert not is_due(controls, 5, False)
