"""Perlin noise: zero on its lattice, one noise a seed, octaves that add what is faster, within its range."""

import numpy as np
import pytest

from making import Array
from noizenet.perlin import LARGEST, gradient_noise, perlin_noise

RATE = 22050.0


def power_above(noise: Array, frequency: float) -> float:
    """Returns the share of the power that lies above a frequency."""
    power = np.square(np.abs(np.fft.rfft(noise * np.hanning(len(noise)))))
    return float(power[np.fft.rfftfreq(len(noise), 1.0 / RATE) > frequency].sum() / power.sum())


def test_one_octave_is_zero_on_its_lattice_and_nowhere_still() -> None:
    noise = perlin_noise(1000, 1.0, 10.0, seed=3)
    assert not noise[::10].any()
    assert (np.abs(noise.reshape(100, 10)[:, 1:]).max(axis=1) > 0).all()


def test_noise_is_continuous_where_two_cells_meet() -> None:
    for whole in range(-20, 20):
        assert gradient_noise(float(whole), 4) == 0.0
        assert gradient_noise(whole - 1e-9, 4) == pytest.approx(gradient_noise(whole + 1e-9, 4), abs=1e-6)


def test_slope_and_curve_of_a_cell_are_the_written_ones() -> None:
    """Near a lattice point the noise is a line of that point's slope, and half way it is the mean of both lines."""
    reach = 1e-4
    for cell in range(20):
        before = gradient_noise(cell + reach, 9) / reach
        after = gradient_noise(cell + 1 - reach, 9) / -reach
        middle = 0.5 * (0.5 * before - 0.5 * after)
        assert gradient_noise(cell + 0.5, 9) == pytest.approx(middle, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("octaves", [1, 4])
def test_equal_seeds_give_equal_noise_and_others_do_not(octaves: int) -> None:
    assert np.array_equal(perlin_noise(5000, 100.0, RATE, octaves, 7), perlin_noise(5000, 100.0, RATE, octaves, 7))
    walks = [perlin_noise(88200, 100.0, RATE, octaves, seed) for seed in (0, 1, 2, 3, -1, 1 << 63)]
    assert np.abs(np.corrcoef(walks) - np.eye(6)).max() < 0.25  # five standard errors of 400 cells


def test_the_start_is_the_same_however_much_is_asked_for() -> None:
    assert np.array_equal(perlin_noise(100, 100.0, RATE, 3, 5), perlin_noise(4000, 100.0, RATE, 3, 5)[:100])


def test_each_octave_adds_higher_frequencies() -> None:
    shares = [power_above(perlin_noise(88200, 100.0, RATE, octaves), 200.0) for octaves in (1, 2, 3, 4, 5)]
    assert shares[0] < 1e-3
    assert (np.diff(shares) > 0).all()
    assert power_above(perlin_noise(88200, 100.0, RATE, 5), 800.0) > 20 * power_above(
        perlin_noise(88200, 100.0, RATE, 3), 800.0
    )


def test_persistence_and_lacunarity_say_how_strong_and_how_fast_octaves_are() -> None:
    soft = perlin_noise(88200, 100.0, RATE, 3, persistence=0.2)
    hard = perlin_noise(88200, 100.0, RATE, 3, persistence=0.9)
    wide = perlin_noise(88200, 100.0, RATE, 3, persistence=0.9, lacunarity=4.0)
    assert power_above(soft, 150.0) < 0.2 * power_above(hard, 150.0)
    assert power_above(wide, 500.0) > 10 * power_above(hard, 500.0)


def test_one_octave_lies_at_half_its_lattice_s_frequency() -> None:
    noise = perlin_noise(882_000, 100.0, RATE)
    assert power_above(noise, 90.0) == pytest.approx(0.05, abs=0.01)
    assert power_above(noise, 50.0) == pytest.approx(0.58, abs=0.05)


@pytest.mark.parametrize("octaves", [1, 3, 6])
def test_noise_has_a_deviation_of_one_and_keeps_its_range(octaves: int) -> None:
    noise = perlin_noise(882_000, 100.0, RATE, octaves)
    assert noise.dtype == np.float32
    assert noise.std() == pytest.approx(1.0, abs=0.03)
    assert abs(noise.mean()) < 0.03
    halves = 0.5 ** np.arange(octaves)
    assert np.abs(noise).max() <= LARGEST * halves.sum() / np.sqrt(np.square(halves).sum())
    if octaves == 1:
        assert np.abs(noise).max() > 0.9 * LARGEST
