"""How far sounds are from one another: features, and the distance of their distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import melody
from noizenet_training.judging.bands import MEL_BANDS, log_mel
from noizenet_training.judging.distances import LAGS, distance_of_halves, frechet_distance, movements_of, seconds_of

RATE = 16000


def test_bands_do_not_depend_on_level_and_what_is_not_finite_is_silence() -> None:
    samples = melody(2.0, RATE)
    levels, frame_rate = log_mel(samples, RATE)
    assert levels.shape == (pytest.approx(2.0 * frame_rate, abs=2), MEL_BANDS)
    assert np.allclose(levels, log_mel(0.1 * samples, RATE)[0], atol=0.01)
    assert log_mel(samples[:100], RATE)[0].shape == (0, MEL_BANDS)
    holes = samples.copy()
    holes[5000:5100] = np.nan
    silent = samples.copy()
    silent[5000:5100] = 0.0
    assert np.array_equal(log_mel(holes, RATE)[0], log_mel(silent, RATE)[0])


def test_each_full_second_is_described_by_its_own_frames() -> None:
    levels = np.repeat(np.arange(4.0), 43)[:, None] * np.ones(MEL_BANDS)
    found = seconds_of(levels, 43.0)
    assert found.shape == (4, 2 * MEL_BANDS)
    assert np.allclose(found[:, :MEL_BANDS], np.arange(4.0)[:, None])
    assert np.allclose(found[:, MEL_BANDS:], 0.0)
    assert seconds_of(levels[:20], 43.0).shape == (0, 2 * MEL_BANDS)


def test_movements_are_differences_over_all_lags() -> None:
    levels = np.arange(100.0)[:, None] * np.ones(MEL_BANDS)
    found = movements_of(levels)
    assert found.shape == (100 - LAGS[-1], 4 * MEL_BANDS)
    assert np.array_equal(found[7].reshape(4, MEL_BANDS)[:, 3], LAGS)
    assert movements_of(levels[: LAGS[-1]]).shape == (0, 4 * MEL_BANDS)


@pytest.mark.parametrize("rows", [(50, 40), (3, 40), (3, 2)], ids=str)
@settings(max_examples=10, deadline=None)
@given(shift=st.floats(0, 10), scale=st.floats(0.5, 3), seed=st.integers(0, 1000))
def test_the_frechet_distance_is_that_of_the_formula(
    rows: tuple[int, int], shift: float, scale: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((rows[0], 4)), shift + scale * rng.standard_normal((rows[1], 4))
    a, b = np.cov(first.T, bias=True), np.cov(second.T, bias=True)
    means = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    # of a product of two such matrices all eigenvalues are real, and none is below 0
    shared = np.sqrt(np.maximum(np.linalg.eigvals(a @ b).real, 0.0)).sum()
    expected = means + np.trace(a + b) - 2.0 * shared
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_halves_are_even_and_odd_seconds_of_all_recordings() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((18, 3)), rng.standard_normal((8, 3))]
    odd = np.concatenate([(np.arange(len(part)) // 2) % 2 == 1 for part in parts])
    rows = np.concatenate(parts)
    assert distance_of_halves(parts, 2.0) == pytest.approx(frechet_distance(rows[~odd], rows[odd]))
    assert distance_of_halves([np.zeros((4, 2))], 1.0) > 0.0
    assert np.isnan(distance_of_halves([np.zeros((4, 2))], 43.0))
