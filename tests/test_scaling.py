"""Scalers: each beside scikit-learn's own, there and back, without allocating, and refused when malformed."""

import tracemalloc
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from making import Array
from noizenet.codecs.scaling import SCALERS, Scaler, zscore
from noizenet.errors import CheckpointError
from noizenet_training.codecs.scaler_fitting import LEAST_SCALE, fit_scaler

every_kind = pytest.mark.parametrize("kind", SCALERS)


@pytest.fixture(scope="module")
def values() -> Array:
    """Returns numbers of three sizes, two of them off zero, float32 (2000, 3)."""
    rng = np.random.default_rng(0)
    return (rng.standard_normal((2000, 3)) * [0.2, 5.0, 1e-3] + [0.01, 7.0, 1e-3]).astype(np.float32)


def back(scaler: Scaler, scaled: Array) -> Array:
    out = np.full(scaled.shape, np.nan, np.float32)
    scaler.inverse(scaled, out)
    return out


def as_sklearn(kind: str, values: Array) -> Array:
    """Returns what scikit-learn makes of values, in float64; `log` by its formula, of the largest magnitudes."""
    wide = values.astype(np.float64)
    if kind == "minmax":
        return MinMaxScaler().fit_transform(wide)
    if kind == "linear":
        return MaxAbsScaler().fit_transform(wide)
    if kind == "log":
        peak = np.abs(wide).max(axis=0)
        return np.sign(wide) * np.log(1.0 + 255.0 * np.abs(wide) / peak) / np.log(256.0)
    scaled = StandardScaler().fit_transform(wide)
    return np.clip(scaled, -3.0, 3.0) if kind == "clip" else scaled


@every_kind
def test_each_scaler_does_what_scikit_learn_s_does(kind: str, values: Array) -> None:
    scaler = fit_scaler(kind, [values])
    scaled = scaler.forward(values)
    assert scaled.dtype == np.float32
    assert np.abs(scaled - as_sklearn(kind, values)).max() < 2e-6


@every_kind
def test_fitting_in_blocks_equals_fitting_to_all_at_once(kind: str, values: Array) -> None:
    whole = fit_scaler(kind, [values])
    parts = fit_scaler(kind, [values[:1], values[1:1], values[1:700], values[700:]])
    assert parts.shift == pytest.approx(whole.shift, rel=1e-6)
    assert parts.scale == pytest.approx(whole.scale, rel=1e-6)


@every_kind
def test_the_inverse_brings_the_numbers_back(kind: str, values: Array) -> None:
    scaler = fit_scaler(kind, [values])
    kept = np.abs(as_sklearn("zscore", values)) < 2.999 if kind == "clip" else np.ones(values.shape, bool)
    error = np.abs(back(scaler, scaler.forward(values)) - values) / np.abs(values).max(axis=0)
    assert error[kept].max() < 1e-6
    assert kept.mean() > 0.99


def test_what_was_cut_off_comes_back_as_three_deviations(values: Array) -> None:
    scaler = fit_scaler("clip", [values])
    loud = np.full((1, 3), 1e3, np.float32)
    assert back(scaler, scaler.forward(loud))[0] == pytest.approx(scaler.shift + 3.0 * scaler.scale)


def test_log_is_odd_and_ends_at_one() -> None:
    scaler = Scaler("log", np.zeros(1, np.float32), np.full(1, 0.5, np.float32))
    scaled = scaler.forward(np.array([[-0.5], [-0.1], [0.0], [0.1], [0.5]]))[:, 0]
    assert scaled == pytest.approx(-scaled[::-1])
    assert scaled[-1] == pytest.approx(1.0)
    assert scaled[3] > 0.7  # a fifth of the peak: small numbers are drawn apart
    assert back(scaler, scaler.forward(np.array([[20.0]])))[0, 0] == pytest.approx(20.0, rel=1e-5)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_log_of_a_network_that_runs_wild_stays_finite(sign: float) -> None:
    scaler = Scaler("log", np.zeros(1, np.float32), np.ones(1, np.float32))
    assert back(scaler, np.full((1, 1), sign * 1e30, np.float32))[0, 0] == pytest.approx(sign * 257.0)


@every_kind
def test_a_number_that_never_changes_is_no_trouble(kind: str, recwarn: pytest.WarningsRecorder) -> None:
    for constant in (0.0, 0.25):
        scaler = fit_scaler(kind, [np.full((50, 1), constant, np.float32)])
        scaled = scaler.forward(np.full((2, 1), constant))
        assert np.isfinite(scaled).all()
        assert back(scaler, scaled)[0, 0] == pytest.approx(constant, abs=1e-6)
    assert len(recwarn) == 0


@every_kind
def test_scales_stay_above_what_16_bits_can_hold(kind: str) -> None:
    tiny = (1e-10 * np.random.default_rng(0).standard_normal((500, 1))).astype(np.float32)
    scaler = fit_scaler(kind, [tiny])
    assert scaler.scale[0] >= np.float32(LEAST_SCALE)
    assert np.float16(scaler.scale[0]) > 0


@every_kind
@pytest.mark.parametrize(("steps", "width"), [(100_000, 1), (50_000, 2), (100, 1000), (1, 100_000)])
def test_the_inverse_allocates_no_arrays(kind: str, steps: int, width: int) -> None:
    scaler = Scaler(kind, np.zeros(width, np.float32), np.ones(width, np.float32))
    scaled = np.full((steps, width), 0.5, np.float32)
    out = np.zeros_like(scaled)
    tracemalloc.start()
    try:
        scaler.inverse(scaled, out)
        borrowed = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert borrowed < 8192  # views and small objects: 1 to 2 kB were seen


@every_kind
def test_a_column_is_scaled_as_it_is_among_the_others(kind: str, values: Array) -> None:
    scaler = fit_scaler(kind, [values])
    column = scaler.column(1)
    assert column.width == 1
    assert np.array_equal(column.forward(values[:, 1:2])[:, 0], scaler.forward(values)[:, 1])


@every_kind
def test_a_scaler_survives_its_own_checkpoint_form(kind: str, values: Array) -> None:
    scaler = fit_scaler(kind, [values])
    again = Scaler.from_parts(scaler.options(), scaler.arrays(), 3)
    assert np.array_equal(again.forward(values), scaler.forward(values))


def test_parts_without_a_kind_are_a_z_score() -> None:
    scaler = Scaler.from_parts({}, zscore(0.1, 0.2).arrays(), 1)
    assert scaler.forward(np.array([[0.3]]))[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("options", "arrays", "sentence"),
    [
        ({"scaler": "robust"}, {}, "scaler is 'robust', not one of zscore, minmax, linear, clip, log"),
        ({"scaler": ["zscore"]}, {}, r"scaler is \['zscore'\]"),
        ({"scaler": None}, {}, "scaler is None"),
        ({}, {"mean": np.zeros(3, np.float32)}, r"need the shape \(2,\) both; they have \(3,\) and \(2,\)"),
        ({}, {"scale": np.ones((2, 1), np.float32)}, r"they have \(2,\) and \(2, 1\)"),
        ({}, {"scale": np.array([1.0, 0.0])}, "scale is 0, not a number above 0"),
        ({}, {"scale": np.array([1.0, -2.0])}, "scale is -2"),
        ({}, {"scale": np.array([np.nan, 1.0])}, "scale is nan"),
        ({}, {"scale": np.array([np.inf, 1.0])}, "scale is inf"),
        ({}, {"mean": np.array([np.inf, 1.0])}, "mean is not finite"),
    ],
)
def test_parts_that_make_no_scaler_are_refused(
    options: Mapping[str, Any], arrays: Mapping[str, Array], sentence: str
) -> None:
    whole = {"mean": np.zeros(2, np.float32), "scale": np.ones(2, np.float32)}
    with pytest.raises(CheckpointError, match=sentence):
        Scaler.from_parts(options, whole | arrays, 2)


def test_parts_without_numbers_are_refused() -> None:
    with pytest.raises(CheckpointError, match="they have none and none"):
        Scaler.from_parts({}, {}, 1)
