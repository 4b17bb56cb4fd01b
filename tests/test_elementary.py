"""Elementary functions without a branch, against NumPy's."""

import numpy as np
import pytest
from numba import njit

from making import Array
from noizenet.codecs.elementary import MOST, angle, cosine_and_sine, exponential


@njit
def exponentials(x, out):  # type: ignore[no-untyped-def]
    for n in range(x.shape[0]):
        out[n] = exponential(x[n])


@njit
def cosines_and_sines(x, cosine, sine):  # type: ignore[no-untyped-def]
    for n in range(x.shape[0]):
        cosine[n], sine[n] = cosine_and_sine(x[n])


@njit
def angles(re, im, out):  # type: ignore[no-untyped-def]
    for n in range(re.shape[0]):
        out[n] = angle(re[n], im[n])


def test_the_exponential_is_right_and_stays_finite() -> None:
    x = np.linspace(-MOST, MOST, 10001).astype(np.float32)
    out = np.zeros_like(x)
    exponentials(x, out)
    assert out == pytest.approx(np.exp(x.astype(np.float64)), rel=3e-7)
    beyond: Array = np.array([-np.inf, -1e6, -100.0, 100.0, np.inf], np.float32)
    exponentials(beyond, out[:5])
    assert out[:5] == pytest.approx(np.exp([-MOST, -MOST, -MOST, MOST, MOST]), rel=1e-6)


def test_cosine_and_sine_are_right_in_half_a_turn_either_way() -> None:
    x = np.linspace(-np.pi, np.pi, 1001).astype(np.float32)
    cosine, sine = np.zeros_like(x), np.zeros_like(x)
    cosines_and_sines(x, cosine, sine)
    assert cosine == pytest.approx(np.cos(x), abs=2e-5)
    assert sine == pytest.approx(np.sin(x), abs=2e-5)


@pytest.mark.parametrize("size", [1.0, 1e-12, 1e12])
def test_angles_are_right_all_around(size: float) -> None:
    x = np.linspace(-np.pi, np.pi, 1001).astype(np.float32)[1:-1]
    re, im = (size * part(x.astype(np.float64)) for part in (np.cos, np.sin))
    out = np.zeros_like(x)
    angles(re.astype(np.float32), im.astype(np.float32), out)
    assert out == pytest.approx(x, abs=1e-6)


def test_along_the_axes_and_at_nothing() -> None:
    out: Array = np.zeros(5, np.float32)
    re, im = np.array([1.0, 0.0, -1.0, 0.0, 0.0], np.float32), np.array([0.0, 1.0, 0.0, -1.0, 0.0], np.float32)
    angles(re, im, out)
    assert out == pytest.approx([0.0, np.pi / 2, np.pi, -np.pi / 2, 0.0], abs=1e-6)
