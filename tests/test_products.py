"""Products with packed matrices, against NumPy: odd sizes, all precisions, NaN."""

import numpy as np
import pytest

from making import Array
from noizenet_daemon.kernels.matrices import PANEL, pack, panels
from noizenet_daemon.kernels.products import product, rectified_product
from noizenet_daemon.precision import PRECISIONS, Precision

SIZES = [1, 3, 17, 48, 130]
# Of the sum of all magnitudes. A weight is off by half a unit in its last place at most: in bfloat16 2^-8 of itself, in
# int8 1 / 254 of its output's largest. Float32 rounds sums alone: 1.2e-7 was the most.
TOLERANCES: dict[Precision, float] = {"f32": 5e-7, "bf16": 2.0**-8, "int8": 1.001 / 254.0}


def matrix(inputs: int, outputs: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal((inputs, outputs)).astype(np.float32)


def vector(count: int) -> Array:
    return np.random.default_rng(count).standard_normal(count).astype(np.float32)


def largest_error(weights: Array, x: Array, found: Array, precision: Precision) -> float:
    """Returns how far a product is off, in units of what its weights could add up to."""
    magnitudes = np.abs(weights)
    if precision == "int8":
        magnitudes = np.broadcast_to(magnitudes.max(axis=0), weights.shape)
    error = np.abs(found - x.astype(np.float64) @ weights)
    return float((error / (np.abs(x) @ magnitudes)).max())


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("outputs", SIZES)
@pytest.mark.parametrize("inputs", SIZES)
def test_products_are_numpy_s_within_the_precision_of_the_weights(
    inputs: int, outputs: int, precision: Precision
) -> None:
    weights = [matrix(inputs, outputs, seed) for seed in range(3)]
    packed = pack(weights, precision)
    x = vector(inputs)
    for which, expected in enumerate(weights):
        out = np.full(outputs + 2, 7.0, np.float32)
        product(x, packed, which, np.zeros(outputs, np.float32), out[:outputs])
        assert largest_error(expected, x, out[:outputs], precision) < TOLERANCES[precision]
        assert out[outputs:].tolist() == [7.0, 7.0]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_product_is_added_to_a_base_that_may_be_what_it_writes_to(precision: Precision) -> None:
    packed = pack([matrix(17, 130)], precision)
    base, x = vector(130), vector(17)
    apart, onto, alone = np.zeros(130, np.float32), base.copy(), np.zeros(130, np.float32)
    product(x, packed, 0, base, apart)
    product(x, packed, 0, onto, onto)
    product(x, packed, 0, np.zeros(130, np.float32), alone)
    assert np.array_equal(apart, onto)
    np.testing.assert_allclose(apart, base + alone, atol=1e-5)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_first_inputs_alone_make_the_product_of_a_smaller_matrix(precision: Precision) -> None:
    weights = matrix(30, 70)
    weights[9:] = 0.0  # the units of int8 come from what is there
    zeros, out, expected = (np.zeros(70, np.float32) for _ in range(3))
    product(vector(9), pack([weights], precision), 0, zeros, out)
    product(vector(9), pack([weights[:9]], precision), 0, zeros, expected)
    assert np.array_equal(out, expected)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_weights_that_are_zero_stay_zero_whatever_lies_beside_them(precision: Precision) -> None:
    weights = matrix(40, 64)
    weights[:, ::3] = 0.0
    out = np.zeros(64, np.float32)
    product(vector(40), pack([weights], precision), 0, np.zeros(64, np.float32), out)
    assert np.abs(out[::3]).max() < 1e-30  # in bfloat16 denormals, which are 0 where a block is made
    assert np.abs(out[1::3]).min() > 0.01


@pytest.mark.parametrize("outputs", [*SIZES, 64, 128, 129, 200])
def test_panels_hold_each_output_once(outputs: int) -> None:
    found = panels(outputs)
    ends = [column + width for column, width in found]
    assert [column for column, _ in found] == [0, *ends[:-1]]
    assert ends[-1] >= outputs
    assert all(width == PANEL for _, width in found[:-1])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_nan_and_infinity_go_through(precision: Precision) -> None:
    packed = pack([np.abs(matrix(17, 9)) + np.float32(0.1)], precision)
    for bad in (np.nan, np.inf):
        x = np.ones(17, np.float32)
        x[5] = bad
        out = np.zeros(9, np.float32)
        product(x, packed, 0, np.zeros(9, np.float32), out)
        assert not np.isfinite(out).any()


@pytest.mark.parametrize("outputs", SIZES)
def test_inputs_that_are_not_positive_add_nothing_and_nan_goes_through(outputs: int) -> None:
    rng = np.random.default_rng(0)
    workspace = np.zeros(13, np.int64)
    weights = matrix(13, outputs)
    packed, base, out = pack([weights]), np.ones(outputs, np.float32), np.zeros(outputs, np.float32)
    for count in range(14):
        x = -np.ones(13, np.float32)
        x[rng.permutation(13)[:count]] = 2.0
        rectified_product(x, packed, 0, base, out, workspace)
        np.testing.assert_allclose(out, 1.0 + np.maximum(x, 0.0) @ weights, atol=1e-5)
    x[3] = np.nan
    rectified_product(x, packed, 0, base, out, workspace)
    assert np.isnan(out).all()
