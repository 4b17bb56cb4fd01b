"""A generator as an endless stream at the output's rate."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fake_generator import ToneGenerator
from making import broken_checkpoint, mulaw_checkpoint, stereo_checkpoint, tokens_checkpoint
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.source import Source

Array = NDArray[Any]
GENERATORS = {
    "tokens": Generator(tokens_checkpoint()),
    "mulaw": Generator(mulaw_checkpoint()),
    "stereo": Generator(stereo_checkpoint()),
}


def source(kind: str, sample_rate: int = 0, channels: int = 1) -> Source:
    generator = GENERATORS[kind]
    return Source(generator, generator.new_state(1), sample_rate or generator.sample_rate, channels)


def pulled(tested: Source, sizes: list[int]) -> Array:
    """Returns what is pulled in blocks of these sizes, as one array (n, channels)."""
    blocks = [np.full((size, tested.channels), np.nan, np.float32) for size in sizes]
    for block in blocks:
        tested.pull(Controls(), block)
    return np.concatenate(blocks)


def tone_at(sample_rate: int, generator: Any, frames: int) -> Array:
    out = np.zeros((frames, 1), np.float32)
    Source(generator, generator.new_state(), sample_rate, 1).pull(Controls(), out)
    return out[:, 0]


@pytest.mark.parametrize(("kind", "channels"), [("tokens", 1), ("mulaw", 2), ("stereo", 1), ("stereo", 2)])
@pytest.mark.parametrize("sample_rate", [0, 48000, 11025])
@settings(deadline=None, max_examples=15)
@given(sizes=st.lists(st.integers(0, 700), min_size=1, max_size=12))
def test_the_samples_do_not_depend_on_how_they_are_pulled(
    kind: str, channels: int, sample_rate: int, sizes: list[int]
) -> None:
    whole = pulled(source(kind, sample_rate, channels), [sum(sizes)])
    assert np.isfinite(whole).all()
    assert np.array_equal(pulled(source(kind, sample_rate, channels), sizes), whole)


@pytest.mark.parametrize("sample_rate", [0, 48000])
def test_one_channel_plays_on_both_sides_and_two_are_averaged_into_one(sample_rate: int) -> None:
    mono, both = (pulled(source("tokens", sample_rate, channels), [3000]) for channels in (1, 2))
    assert np.array_equal(both, np.repeat(mono, 2, axis=1))
    wide, mean = (pulled(source("stereo", sample_rate, channels), [3000]) for channels in (2, 1))
    assert np.abs(wide[:, 0] - wide[:, 1]).max() > 1e-3
    assert mean[:, 0] == pytest.approx(wide.mean(axis=1), abs=1e-6)


def test_without_resampling_the_generator_s_blocks_come_as_they_are() -> None:
    generator = GENERATORS["tokens"]
    state = generator.new_state(1)
    expected = np.zeros((50, generator.chunk_frames, 1), np.float32)
    for chunk in expected:
        generator.generate(state, Controls(), chunk)
    assert expected.any()
    assert np.array_equal(pulled(source("tokens"), [expected.size]), expected.reshape(-1, 1))


@pytest.mark.parametrize(("model_rate", "sample_rate"), [(22050, 48000), (44100, 48000), (48000, 22050), (8000, 44100)])
def test_another_rate_keeps_pitch_and_level(model_rate: int, sample_rate: int) -> None:
    sound = tone_at(sample_rate, ToneGenerator(1000.0, model_rate, 0.5), 2 * sample_rate)[sample_rate:]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert np.argmax(spectrum) == 1000  # one second: a bin is one hertz
    assert np.abs(sound).max() == pytest.approx(0.5, rel=0.01)
    spectrum[990:1011] = 0.0
    assert spectrum.max() < 1e-4 * 0.25 * len(sound)  # nothing else is louder than -80 dB


@pytest.mark.parametrize("model_rate", [8000, 11025, 22050, 44100])
@pytest.mark.parametrize("sample_rate", [8000, 44101, 96000, 384000])
def test_lumps_of_the_resampler_always_fit(model_rate: int, sample_rate: int) -> None:
    sound = tone_at(sample_rate, ToneGenerator(200.0, model_rate), sample_rate)
    assert sound[-1000:].any()


def test_bad_blocks_are_counted() -> None:
    generator = Generator(broken_checkpoint())
    tested = Source(generator, generator.new_state(1), generator.sample_rate, 1)
    assert np.isfinite(pulled(tested, [10 * generator.chunk_frames])).all()
    assert tested.quarantined == 10
