"""The codec fft: its numbers are those of the textbook, sound comes back, and nothing that comes in does harm."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.runtime import _nrt_python, rtsys
from sklearn.preprocessing import StandardScaler

from making import Array, fft_checkpoint, fft_codec, melody, tone
from noizenet.checkpoint import Checkpoint
from noizenet.codecs.fft import LOUDEST, FftCodec, encoder_state, spectral_numbers
from noizenet.codecs.fft_kernels import VIEWS
from noizenet.codecs.scaling import SCALERS
from noizenet.codecs.stft import hann
from noizenet.errors import CheckpointError, ConfigurationError, SoundFileError
from noizenet.protocol import PARAMETERS
from noizenet_daemon.generator import Generator
from noizenet_training.codecs.codec_fitting import fit_codec
from noizenet_training.codecs.spectral_fitting import HEADROOM
from noizenet_training.recipe import Recipe
from spectra import convergence_db

RATE = 8000
WINDOW, HOP, BINS = 256, 64, 129
BLOCKS = st.lists(st.integers(0, 400), max_size=40)
every_view = pytest.mark.parametrize("view", VIEWS)


def fitted(samples: Array, view: str, scaler: str = "zscore") -> FftCodec:
    recipe = Recipe(codec="fft", view=view, scaler=scaler, window_s=WINDOW / RATE, floor=1e-5)
    codec = fit_codec(recipe, [samples], RATE, 0)
    assert isinstance(codec, FftCodec)
    return codec


def encode(codec: FftCodec, samples: Array) -> Array:
    return codec.encode(codec.new_encoder_state(), samples)


def decode(codec: FftCodec, steps: Array) -> Array:
    out = np.full(len(steps) * codec.hop, np.nan, np.float32)
    codec.decode(codec.new_decoder_state(5), steps, out)
    return out


def there_and_back(codec: FftCodec, samples: Array) -> Array:
    """Returns what comes back of the samples, at their own place."""
    return decode(codec, encode(codec, samples))[codec.delay :]


def parts(whole: Array, sizes: list[int]) -> list[Array]:
    return np.split(whole, np.minimum(np.cumsum(sizes, dtype=int), len(whole)))


def textbook(samples: Array) -> Array:
    """Returns the spectra (frames, bins) of the frames that end with each full hop, by NumPy."""
    padded = np.concatenate([np.zeros(WINDOW), samples])
    ends = np.arange(HOP, len(samples) + 1, HOP) + WINDOW
    frames = np.stack([padded[end - WINDOW : end] for end in ends]) * hann(WINDOW).astype(np.float64)
    return np.asarray(np.fft.rfft(frames) * 2.0 / WINDOW)


@every_view
@settings(deadline=None)  # the first call compiles
@given(sizes=BLOCKS)
def test_encoding_in_blocks_equals_encoding_at_once(view: str, sizes: list[int]) -> None:
    codec, samples = fft_codec(view), melody(0.2, RATE)
    state = codec.new_encoder_state()
    steps = np.concatenate([codec.encode(state, part) for part in parts(samples, sizes)])
    assert steps.shape == (len(samples) // HOP, codec.width)
    assert steps.dtype == np.float32
    assert np.array_equal(steps, encode(codec, samples))


@every_view
@settings(deadline=None)  # the first call compiles
@given(sizes=BLOCKS)
def test_decoding_in_blocks_equals_decoding_at_once(view: str, sizes: list[int]) -> None:
    codec = fft_codec(view)
    steps = np.random.default_rng(0).standard_normal((60, codec.width)).astype(np.float32)
    state = codec.new_decoder_state(5)
    blocks = []
    for part in parts(steps, [size // HOP for size in sizes]):
        blocks.append(np.full(len(part) * HOP, np.nan, np.float32))
        codec.decode(state, part, blocks[-1])
    assert np.array_equal(np.concatenate(blocks), decode(codec, steps))


def test_the_numbers_are_those_of_the_textbook() -> None:
    samples = melody(0.5, RATE)
    spectra = textbook(samples)
    found = {view: spectral_numbers(encoder_state(WINDOW), samples, HOP, 1e-5, view) for view in VIEWS}
    expected = np.concatenate([spectra.real, spectra.imag[:, 1:-1]], axis=1)
    assert np.abs(found["complex"] - expected).max() < 1e-7  # measured: 1e-8
    logs = np.log(np.abs(spectra) + 1e-5)
    assert np.abs(found["magnitude"] - logs).max() < 5e-3  # near the floor; measured: 8e-4
    assert np.array_equal(found["polar"][:, :BINS], found["magnitude"])
    middle = spectra * (-1.0) ** np.arange(BINS)
    carrier = 2.0 * np.pi * np.arange(BINS) * HOP / WINDOW
    turned = middle[1:] * np.conj(middle[:-1]) * np.exp(-1j * carrier)
    loud = np.abs(spectra[1:]) > 1e-3
    loud &= np.abs(spectra[:-1]) > 1e-3
    gap = np.angle(np.exp(1j * (found["polar"][1:, BINS:] - np.angle(turned))))
    assert np.abs(gap[loud]).max() < 1e-4  # measured: 4e-6
    assert np.abs(found["polar"][:, BINS:]).max() <= np.float32(np.pi)


def test_the_phase_advance_tells_where_in_its_bin_a_partial_lies() -> None:
    per_bin = RATE / WINDOW
    for offset in (0.0, 0.3, -0.4):
        samples = tone(0.2, RATE, (20.0 + offset) * per_bin)
        advance = spectral_numbers(encoder_state(WINDOW), samples, HOP, 1e-5, "polar")[8, BINS + 20]
        assert advance == pytest.approx(2.0 * np.pi * offset * HOP / WINDOW, abs=1e-4)


def test_silence_has_no_phase_advance() -> None:
    numbers = spectral_numbers(encoder_state(WINDOW), np.zeros(1000, np.float32), HOP, 1e-5, "polar")
    assert (numbers[:, BINS:] == 0.0).all()


# measured: complex 1.2e-7, polar 1.2e-6, each with its worst scaler
@pytest.mark.parametrize("scaler", sorted({*SCALERS} - {"clip"}))
@pytest.mark.parametrize(("view", "bound"), [("complex", 1e-6), ("polar", 1e-5)])
def test_what_is_encoded_comes_back(view: str, bound: float, scaler: str) -> None:
    samples = np.concatenate([np.zeros(WINDOW, np.float32), melody(2.0, RATE)])
    back = there_and_back(fitted(samples, view, scaler), samples)
    assert len(back) == len(samples) - len(samples) % HOP - (WINDOW - HOP)
    assert np.abs(back - samples[: len(back)]).max() < bound


def test_magnitudes_alone_bring_the_spectrogram_back() -> None:
    samples = melody(2.0, RATE)
    back = there_and_back(fitted(samples, "magnitude"), samples)
    assert convergence_db(samples, back, WINDOW, HOP) < -18.0  # measured: -21.5
    assert back.std() == pytest.approx(samples[: len(back)].std(), rel=0.05)


def test_numbers_that_are_cut_off_still_sound_like_the_original() -> None:
    samples = melody(2.0, RATE)
    back = there_and_back(fitted(samples, "polar", "clip"), samples)
    assert convergence_db(samples, back, WINDOW, HOP) < -12.0  # measured: -15.7


@every_view
@pytest.mark.parametrize("scaler", SCALERS)
def test_wild_numbers_make_no_more_than_loud_sound(view: str, scaler: str) -> None:
    samples = melody(1.0, RATE)
    codec = fitted(samples, view, scaler)
    rng = np.random.default_rng(0)
    for size in (10.0, 1e4, 1e30):
        out = decode(codec, (size * rng.standard_normal((50, codec.width))).astype(np.float32))
        assert np.isfinite(out).all()
        # all bins at their ceilings, in phase, in every frame
        loudest = np.exp(np.minimum(codec.ceiling, LOUDEST)).sum() * np.sqrt(2.0)
        assert np.abs(out).max() <= 4.0 * loudest


@every_view
def test_nan_goes_through_and_is_forgotten_with_the_state(view: str) -> None:
    codec = fft_codec(view)
    steps = np.zeros((8, codec.width), np.float32)
    steps[2, 5] = np.nan
    assert np.isnan(decode(codec, steps)).any()
    assert np.isfinite(decode(codec, np.zeros((8, codec.width), np.float32))).all()


@every_view
def test_decoding_allocates_nothing(view: str) -> None:
    """What is measured: numba's own count of allocations for a frame, the same for each and for a longer window.

    Those there are wrap the arrays handed in from Python; none is made for the frame.
    """
    counts = []
    for window in (WINDOW, WINDOW, 4 * WINDOW):
        codec = fft_codec(view, window=window, hop=window // 4)
        state, out = codec.new_decoder_state(), np.zeros(codec.hop, np.float32)
        steps = np.random.default_rng(0).standard_normal((100, 1, codec.width)).astype(np.float32)
        codec.decode(state, steps[0], out)
        _nrt_python.memsys_enable_stats()
        try:
            for step in steps:
                before = rtsys.get_allocation_stats().alloc
                codec.decode(state, step, out)
                counts.append(rtsys.get_allocation_stats().alloc - before)
        finally:
            _nrt_python.memsys_disable_stats()
    assert set(counts) == {counts[0]}


def test_the_codec_is_fitted_to_every_frame_of_the_corpus() -> None:
    samples = [melody(1.0, RATE, seed) for seed in (0, 1)]
    recipe = Recipe(codec="fft", view="complex", window_s=WINDOW / RATE)
    codec = fit_codec(recipe, samples, RATE, 0)
    assert isinstance(codec, FftCodec)
    spectra = np.concatenate([textbook(part)[WINDOW // HOP - 1 :] for part in samples])
    numbers = np.concatenate([spectra.real, spectra.imag[:, 1:-1]], axis=1)
    scaler = StandardScaler().fit(numbers)
    assert codec.scaler.shift == pytest.approx(scaler.mean_, abs=1e-6)
    assert codec.scaler.scale == pytest.approx(np.maximum(scaler.scale_, 1e-6), rel=1e-3)
    loudest = np.log(np.abs(spectra).max() + recipe.floor) + HEADROOM
    assert codec.ceiling == pytest.approx(np.full(BINS, loudest), abs=1e-4)


@pytest.mark.parametrize("view", ["polar", "magnitude"])
def test_each_bin_may_become_as_loud_as_it_was_and_six_decibels(view: str) -> None:
    samples = melody(1.0, RATE)
    codec = fitted(samples, view)
    loudest = np.log(np.abs(textbook(samples)[WINDOW // HOP - 1 :]).max(axis=0) + codec.floor)
    assert codec.ceiling == pytest.approx(loudest + HEADROOM, abs=1e-2)


def test_a_corpus_that_is_too_short_and_a_window_that_is_too_long_are_refused() -> None:
    with pytest.raises(SoundFileError, match=r"too short for the codec fft, which needs 0\.16 s in one piece"):
        fit_codec(Recipe(codec="fft"), [melody(0.1, RATE)], RATE, 0)
    with pytest.raises(ConfigurationError, match=r"window of 65,536 samples at 96,000 Hz.* choose 0\.34 or less"):
        fit_codec(Recipe(codec="fft", window_s=0.5), [np.zeros(96_000, np.float32)], 96_000, 0)


CODEC = fft_codec("polar")


@pytest.mark.parametrize(
    ("options", "arrays", "sentence"),
    [
        ({"sample_rate": "8000"}, {}, "sample_rate is '8000'"),
        ({"window": 300}, {}, "window 300 is no power of two"),
        ({"window": 1 << 16}, {}, "window is 65536"),
        ({"hop": 128}, {}, "multiple of 4 or more of its hop 128"),
        ({"view": "wide"}, {}, "view is 'wide', not one of complex, polar, magnitude"),
        ({"view": None}, {}, "view is None"),
        ({"view": "complex"}, {}, r"need the shape \(256,\)"),
        ({"floor": 0.0}, {}, r"floor is 0\.0"),
        ({"scaler": "best"}, {}, "scaler is 'best'"),
        ({}, {"scale": np.zeros(2 * BINS, np.float32)}, "scale is 0, not a number above 0"),
        ({}, {"extra": np.zeros(1, np.float32)}, "has the arrays"),
        ({}, {"ceiling": np.zeros(7, np.float32)}, r"ceiling has the shape \(7,\), not \(129,\)"),
        ({}, {"ceiling": np.full(BINS, 11.0, np.float32)}, "ceiling is 11, not at most 10"),
        ({}, {"ceiling": np.full(BINS, np.nan, np.float32)}, "ceiling is nan"),
    ],
)
def test_parts_that_make_no_codec_are_refused(options: dict[str, Any], arrays: dict[str, Array], sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        FftCodec.from_parts({**CODEC.options(), **options}, {**CODEC.arrays(), **arrays})


@every_view
def test_a_checkpoint_keeps_the_codec_and_plays(view: str, tmp_path: Path) -> None:
    fft_checkpoint(view=view).save(tmp_path / "m.safetensors")
    checkpoint = Checkpoint.load(tmp_path / "m.safetensors")
    samples = melody(0.2, RATE)
    assert isinstance(checkpoint.codec, FftCodec)
    assert np.array_equal(encode(checkpoint.codec, samples), encode(fft_codec(view), samples))
    generator = Generator(checkpoint)
    state = generator.new_state(1)
    controls = generator.controls({name: parameter.default for name, parameter in PARAMETERS.items()})
    blocks = np.full((125, generator.chunk_frames, 1), np.nan, np.float32)
    for block in blocks:
        generator.generate(state, controls, block)
    assert np.isfinite(blocks).all()
    assert state.guard.counts[0] == 0
    assert np.abs(blocks).max() > 1e-3
