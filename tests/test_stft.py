"""The streaming transform: frames as documented, the same for blocks of any size, and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import Array, melody, tone
from noizenet.codecs.stft import hann
from spectra import FLOOR, analyse, synthesise

WINDOW = 256
HOPS = [32, 64]


def textbook(samples: Array, window: int, hop: int) -> Array:
    """Returns the log-magnitudes of the frames that end with each full hop, by NumPy."""
    padded = np.concatenate([np.zeros(window), samples])
    ends = np.arange(hop, len(samples) + 1, hop) + window
    frames = np.stack([padded[end - window : end] for end in ends]) * hann(window).astype(np.float64)
    return np.log(np.abs(np.fft.rfft(frames)) * 2.0 / window + FLOOR)


@pytest.mark.parametrize("hop", HOPS)
def test_frames_are_those_of_the_textbook(hop: int) -> None:
    samples = melody(0.3, 8000)
    found = np.exp(analyse(samples, WINDOW, hop))
    assert np.abs(found - np.exp(textbook(samples, WINDOW, hop))).max() < 1e-6


@settings(deadline=None)  # the first call compiles
@given(st.integers(1, 700), st.sampled_from(HOPS))
def test_blocks_of_any_size_give_the_same_frames(block: int, hop: int) -> None:
    samples = melody(0.15, 8000)
    assert np.array_equal(analyse(samples, WINDOW, hop, block), analyse(samples, WINDOW, hop))


def test_a_sine_has_a_peak_of_half_its_amplitude() -> None:
    samples = tone(0.5, 8000, frequency=1000.0, amplitude=0.5)  # 32 periods a window: exactly bin 32
    last = np.exp(analyse(samples, WINDOW, 64)[-1])
    assert last.argmax() == 32
    assert last[32] == pytest.approx(0.25, rel=1e-3)


def test_silence_is_the_floor() -> None:
    logs = analyse(np.zeros(1000, np.float32), WINDOW, 64)
    assert logs == pytest.approx(np.log(FLOOR), rel=1e-5)
    assert np.abs(synthesise(logs, WINDOW, 64)).max() < 1e-6


@pytest.mark.parametrize("hop", HOPS)
def test_a_tone_comes_back_at_its_level_and_pitch(hop: int) -> None:
    samples = tone(1.0, 8000, frequency=440.0, amplitude=0.5)
    back = synthesise(analyse(samples, WINDOW, hop), WINDOW, hop)[2000:-500]
    assert np.isfinite(back).all()
    assert back.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    spectrum = np.abs(np.fft.rfft(back * np.hanning(len(back))))
    assert spectrum.argmax() * 8000 / len(back) == pytest.approx(440.0, abs=2.0)
