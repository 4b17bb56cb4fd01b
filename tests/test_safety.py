"""The chain that keeps what is not finite, DC and peaks out of the output."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from making import melody, tone
from noizenet_daemon.safety import DC_BLOCK_HZ, Safety

Array = NDArray[Any]
RATE = 48000


def made_safe(samples: Array, ceiling_db: float = -1.0, block: int = 1 << 30, rate: int = RATE) -> Array:
    """Returns samples (n,) or (n, channels) after the chain, in blocks."""
    out = samples.reshape(len(samples), -1).astype(np.float32)
    chain = Safety(rate, out.shape[1])
    for start in range(0, len(out), block):
        chain.process(out[start : start + block], ceiling_db)
    return out


def without_dc(samples: Array, rate: int = RATE) -> Array:
    """Returns samples (n,) after a one-pole high-pass, computed apart."""
    pole = np.exp(-2 * np.pi * DC_BLOCK_HZ / rate)
    out = np.zeros(len(samples))
    before = last = 0.0
    for n, sample in enumerate(samples.astype(np.float64)):
        last = sample - before + pole * last
        before = sample
        out[n] = last
    return out


def impulses(place: int, length: int, level: float) -> Array:
    samples = np.zeros(length, np.float32)
    samples[place::97] = level
    return samples


def square(period: int, length: int, level: float) -> Array:
    return np.where(np.arange(length) // period % 2, -level, level).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(
    st.one_of(
        st.builds(square, st.integers(1, 400), st.just(2000), st.floats(0.125, 1e6, width=32)),
        st.builds(impulses, st.integers(0, 96), st.just(2000), st.floats(-1e6, 1e6, width=32)),
        st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=500).map(lambda x: np.array(x, np.float32)),
        st.lists(st.floats(width=32), min_size=1, max_size=500).map(lambda x: np.array(x, np.float32)),
    ),
    st.floats(-24.0, -1.0),
)
def test_nothing_is_ever_above_the_ceiling(samples: Array, ceiling_db: float) -> None:
    out = made_safe(samples, ceiling_db)
    assert np.isfinite(out).all()
    assert np.abs(out).max().astype(np.float64) <= 10 ** (ceiling_db / 20)


def test_a_ceiling_that_falls_while_loud_sound_plays_holds_at_once() -> None:
    chain = Safety(RATE, 1)
    chain.process(square(50, 4800, 1.0)[:, None], -1.0)
    block = square(50, 4800, 1.0)[:, None]
    chain.process(block, -24.0)
    assert np.abs(block).max() <= 10 ** (-24 / 20)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_becomes_zero_and_is_counted(bad: float) -> None:
    chain = Safety(RATE, 2)
    block = 0.25 * np.ones((1000, 2), np.float32) * tone(1000 / RATE, RATE)[:, None]
    expected = block.copy()
    block[500, 0] = block[600, 1] = bad
    expected[500, 0] = expected[600, 1] = 0.0
    chain.process(block, -1.0)
    assert chain.replaced == 2
    assert np.array_equal(block, made_safe(expected))


def test_a_monstrous_sample_leaves_no_lasting_trace() -> None:
    samples = tone(3.0, RATE, amplitude=0.1)
    samples[1000] = 1e30
    out = made_safe(samples)
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 10 ** (-1 / 20)
    late = slice(2 * RATE, None)
    assert np.allclose(out[late], made_safe(tone(3.0, RATE, amplitude=0.1))[late], atol=1e-3)


def test_dc_is_taken_out() -> None:
    out = made_safe(0.5 + tone(2.0, RATE, amplitude=0.25))
    assert abs(out[RATE:].mean()) < 1e-4
    assert np.abs(out[RATE:]).max() == pytest.approx(0.25, rel=0.01)


@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_quiet_sound_passes_with_nothing_but_a_delay_and_the_high_pass(rate: int) -> None:
    samples = melody(0.25, rate)
    out = made_safe(samples, rate=rate)[:, 0]
    delay = Safety(rate, 1).delay_frames
    assert delay == pytest.approx(0.0015 * rate, abs=1.5)
    assert not out[:delay].any()
    assert np.allclose(out[delay:], without_dc(samples, rate)[: len(out) - delay], atol=1e-6)


def test_the_limiter_turns_both_channels_down_alike() -> None:
    loud = np.stack([4.0 * melody(0.5, RATE), 0.5 * melody(0.5, RATE)], axis=1)
    out = made_safe(loud)
    assert np.allclose(out[:, 0], 8.0 * out[:, 1], atol=1e-5)


def test_after_a_peak_the_level_comes_back() -> None:
    samples = tone(1.0, RATE, 1000.0, 0.5)
    samples[4800:4900] *= 10.0
    out = made_safe(samples)[:, 0]
    assert np.abs(out[5000:5100]).max() < 0.3
    assert np.abs(out[RATE // 2 :]).max() == pytest.approx(0.5, rel=0.01)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3000), st.integers(0, 2**32 - 1))
def test_the_samples_do_not_depend_on_the_blocks(block: int, seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((3000, 2)).astype(np.float32)
    assert np.array_equal(made_safe(samples, block=block), made_safe(samples))
