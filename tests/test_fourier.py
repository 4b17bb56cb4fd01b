"""The Fourier transform, against NumPy's."""

import numpy as np
import pytest

from making import Array
from noizenet.codecs.fourier import forward, fourier_plan, inverse

SIZES = [4, 8, 16, 64, 256, 1024, 2048, 4096, 8192]


def noise(size: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


def bins_of(frame: Array) -> Array:
    re, im = (np.full(len(frame) // 2 + 1, np.nan, np.float32) for _ in range(2))
    forward(fourier_plan(len(frame)), frame, re, im)
    return re + 1j * im


@pytest.mark.parametrize("size", SIZES)
def test_forward_equals_numpy(size: int) -> None:
    frame = noise(size)
    expected = np.fft.rfft(frame.astype(np.float64))
    assert np.abs(bins_of(frame) - expected).max() < 1e-6 * np.abs(expected).max() * np.log2(size)


@pytest.mark.parametrize("size", SIZES)
def test_inverse_equals_numpy(size: int) -> None:
    bins = np.fft.rfft(noise(size)).astype(np.complex64)
    out = np.full(size, np.nan, np.float32)
    inverse(fourier_plan(size), bins.real.copy(), bins.imag.copy(), out)
    assert np.abs(out - np.fft.irfft(bins)).max() < 1e-5


@pytest.mark.parametrize("size", SIZES)
def test_there_and_back_is_where_it_began(size: int) -> None:
    frame = noise(size, 1)
    plan = fourier_plan(size)
    re, im = (np.zeros(size // 2 + 1, np.float32) for _ in range(2))
    out = np.zeros(size, np.float32)
    for _ in range(2):  # twice, so that what the first left in the workspace would show
        forward(plan, frame, re, im)
        inverse(plan, re, im, out)
    assert np.abs(out - frame).max() < 1e-5


def test_a_cosine_of_whole_periods_fills_one_bin() -> None:
    frame = np.cos(2 * np.pi * 5 * np.arange(64) / 64).astype(np.float32)
    bins = bins_of(frame)
    assert bins[5] == pytest.approx(32.0, abs=1e-4)
    assert np.abs(np.delete(bins, 5)).max() < 1e-4


def test_the_ends_of_the_spectrum_are_real() -> None:
    bins = bins_of(noise(128))
    assert bins[0].imag == bins[64].imag == 0.0
    assert bins[0].real == pytest.approx(noise(128).sum(), abs=1e-4)
