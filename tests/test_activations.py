"""Activations of lanes, against NumPy's in double precision."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit

from equations import sigmoid
from making import Array
from noizenet_daemon.kernels import activations
from noizenet_daemon.kernels.loading import WIDTH, load, store

POINTS = np.concatenate([np.linspace(-12.0, 12.0, 4001), [-1e30, 1e30]]).astype(np.float32)


def over_array(activation: Any) -> Callable[[Array], Array]:
    """Returns the function that applies an activation to each number of an array, float32 (n,)."""

    @njit
    def fill(x: Any, out: Any) -> None:
        for k in range(0, x.shape[0], WIDTH):
            store(activation(load(x, k, x.shape[0] - k, WIDTH)), out, k, x.shape[0] - k)

    def apply(x: Array) -> Array:
        out = np.zeros_like(x)
        fill(x, out)
        return out

    return apply


def test_tanh_and_sigmoid_are_as_near_as_they_say() -> None:
    exact = POINTS.astype(np.float64)
    assert np.abs(over_array(activations.tanh)(POINTS) - np.tanh(exact)).max() < 4e-7
    with np.errstate(over="ignore"):
        assert np.abs(over_array(activations.sigmoid)(POINTS) - sigmoid(exact)).max() < 4e-7


def test_exp_is_as_near_as_it_says_and_ends_in_zero() -> None:
    points = np.linspace(-86.9, 88.0, 20_001).astype(np.float32)
    exact = np.exp(points.astype(np.float64))
    assert np.abs(over_array(activations.exp)(points) / exact - 1.0).max() < 2e-7
    tiny = np.array([-87.1, -1e3, -1e30, -np.inf], np.float32)
    assert not over_array(activations.exp)(tiny).any()


@pytest.mark.parametrize("count", [1, 3, WIDTH - 1, WIDTH, WIDTH + 1, 3 * WIDTH + 5])
def test_each_number_comes_out_the_same_wherever_it_stands_and_nan_touches_no_other(count: int) -> None:
    x = np.random.default_rng(count).uniform(-3.0, 3.0, count).astype(np.float32)
    for activation in (activations.tanh, activations.sigmoid, activations.exp):
        apply = over_array(activation)
        whole = apply(x)
        assert [float(apply(x[k : k + 1])[0]) for k in range(count)] == whole.tolist()
        broken = x.copy()
        broken[count // 2] = np.nan
        assert np.flatnonzero(np.isnan(apply(broken))).tolist() == [count // 2]


def test_infinity_is_flat() -> None:
    ends = np.array([-np.inf, np.inf], np.float32)
    assert over_array(activations.tanh)(ends).tolist() == pytest.approx([-1.0, 1.0])
    assert over_array(activations.sigmoid)(ends).tolist() == pytest.approx([0.0, 1.0], abs=1e-6)
