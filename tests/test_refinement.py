"""Refined phases: nearer to the magnitudes than those they begin with, one frame late, whatever comes in.

Measured on the made melody, spectral convergence from its true magnitudes, causal phases in brackets: window 2048 hop
512 -25.9 dB (-15.2), 512/128 -30.9 dB (-24.2), 512/64 -32.3 dB (-26.5).
"""

import numpy as np
import pytest

from making import Array, melody
from noizenet.codecs.fourier_in_lanes import forward_in_lanes, inverse_in_lanes, lanes_plan
from noizenet.codecs.refinement import put_out_refined, refined_state
from spectra import FLOOR, analyse, convergence_db, synthesise

TOLERANCE = 1e-2


def refined(logs: Array, window: int, hop: int, seed: int = 0) -> Array:
    """Returns the samples (frames x hop,) of log-magnitudes (frames, bins), with refined phases."""
    state = refined_state(window, hop, seed)
    out = np.full(len(logs) * hop, np.nan, np.float32)
    for n, frame in enumerate(logs):
        put_out_refined(state, frame, hop, FLOOR, TOLERANCE, out[n * hop : (n + 1) * hop])
    return out


@pytest.mark.parametrize("size", [4, 8, 16, 64, 128, 256, 512, 4096])
def test_the_transform_in_lanes_is_the_fourier_transform(size: int) -> None:
    plan, frame = lanes_plan(size), np.random.default_rng(0).standard_normal(size).astype(np.float32)
    re, im = (np.zeros(size // 2 + 1, np.float32) for _ in range(2))
    back = np.zeros(size, np.float32)
    forward_in_lanes(plan, frame, re, im)
    assert re + 1j * im == pytest.approx(np.fft.rfft(frame), abs=1e-5 * np.sqrt(size))
    inverse_in_lanes(plan, re, im, back)
    assert back == pytest.approx(frame, abs=1e-5)


@pytest.mark.parametrize(("window", "hop"), [(2048, 512), (512, 128), (512, 64)])
def test_refined_phases_come_nearer(window: int, hop: int) -> None:
    samples = melody(3.0)
    logs = analyse(samples, window, hop)
    causal = convergence_db(samples, synthesise(logs, window, hop)[window - hop :], window, hop)
    assert convergence_db(samples, refined(logs, window, hop)[window:], window, hop) < causal - 4.5


def test_what_is_refined_is_one_hop_later_than_what_is_not() -> None:
    samples = np.zeros(8000, np.float32)
    samples[3000:3400] = np.hanning(400) * melody(1.0)[:400]
    logs = analyse(samples, 512, 128)
    power = [np.square(copy.astype(np.float64)) for copy in (refined(logs, 512, 128), synthesise(logs, 512, 128))]
    places = [float((np.arange(len(x)) * x).sum() / x.sum()) for x in power]
    assert places[0] - places[1] == pytest.approx(128, abs=32)


def test_equal_seeds_give_equal_samples_and_silence_stays_silent() -> None:
    logs = analyse(melody(0.5), 512, 128)
    assert np.array_equal(refined(logs, 512, 128, seed=3), refined(logs, 512, 128, seed=3))
    assert not refined(np.full((20, 257), np.log(FLOOR), np.float32), 512, 128).any()


@pytest.mark.parametrize("level", [-30.0, 0.0, 5.0])
def test_any_magnitudes_give_finite_samples(level: float) -> None:
    logs = np.random.default_rng(0).normal(level, 4.0, (60, 257)).astype(np.float32)
    assert np.isfinite(refined(logs, 512, 128)).all()
