"""How near one sound comes to another: the figures against NumPy and against what can be told in advance."""

import numpy as np
import pytest

from making import Array, melody, tone
from noizenet.nearness import FLOOR, HOP, WINDOW, compare, log_spectral_distance


def noise(count: int, seed: int = 0, level: float = 0.1) -> Array:
    return (level * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


@pytest.mark.parametrize("level", [1e-4, 0.03, 1.0])
def test_errors_and_signal_to_noise_ratio_are_those_of_their_definitions(level: float) -> None:
    true = melody(1.0)
    error = noise(len(true), level=level)
    figures = compare(true, true + error)
    assert figures.mean_squared_error == pytest.approx(np.mean(np.square(error)), rel=1e-3)
    assert figures.mean_absolute_error == pytest.approx(np.mean(np.abs(error)), rel=1e-3)
    expected = 20.0 * np.log10(np.linalg.norm(true) / np.linalg.norm(error))
    assert figures.snr_db == pytest.approx(expected, abs=0.01)


def test_a_tenth_of_the_amplitude_is_missed_by_20_db() -> None:
    true = tone(1.0)
    assert compare(true, np.float32(0.9) * true).snr_db == pytest.approx(20.0, abs=1e-4)
    assert compare(true, np.zeros_like(true)).snr_db == pytest.approx(0.0, abs=1e-9)


def test_without_error_or_without_sound_there_is_no_ratio() -> None:
    true = melody(0.5)
    same = compare(true, true.copy())
    assert (same.mean_squared_error, same.mean_absolute_error, same.snr_db) == (0.0, 0.0, None)
    assert same.log_spectral_distance_db == 0.0
    assert compare(np.zeros_like(true), true).snr_db is None


@pytest.mark.parametrize("factor", [0.1, 0.5, 2.0])
def test_the_log_spectral_distance_of_a_change_in_level_is_that_change(factor: float) -> None:
    true = noise(22050)
    assert log_spectral_distance(true, factor * true) == pytest.approx(abs(20.0 * np.log10(factor)), rel=0.03)


def test_the_log_spectral_distance_hears_no_polarity_and_hardly_a_delay() -> None:
    true = melody(2.0)
    assert log_spectral_distance(true, -true) == 0.0
    later = np.roll(true, 100)
    assert log_spectral_distance(true, later) < 0.2 * log_spectral_distance(true, noise(len(true)))
    assert compare(true, later).snr_db < 0.0


def test_the_log_spectral_distance_is_the_one_of_each_frame_alone() -> None:
    first, second = noise(5 * HOP + 70, 1), noise(5 * HOP + 70, 2, 0.01)
    padded = [np.pad(sound, (WINDOW // 2, WINDOW)) for sound in (first, second)]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)
    distances = []
    for start in range(0, 5 * HOP + 1, HOP):
        spectra = [np.fft.rfft(window * sound[start : start + WINDOW]) * 2.0 / WINDOW for sound in padded]
        difference = np.subtract(*(20.0 * np.log10(np.abs(spectrum) + FLOOR) for spectrum in spectra))
        distances.append(np.sqrt(np.mean(difference**2)))
    assert log_spectral_distance(first, second) == pytest.approx(np.mean(distances), rel=1e-4)


@pytest.mark.parametrize("count", [1, 2, WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + HOP + 1])
def test_sounds_of_any_length_have_figures(count: int) -> None:
    figures = compare(noise(count, 1), noise(count, 2))
    assert figures.log_spectral_distance_db > 1.0
    assert np.isfinite(figures.snr_db)
