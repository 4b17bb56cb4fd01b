"""Fitted codecs: orthonormal axes, classes that the corpus fills, equal for equal seeds."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from making import Array, melody, stereo_melody, tone
from noizenet.codecs.amplitude import AmplitudeCodec
from noizenet.codecs.mulaw import MulawCodec
from noizenet.codecs.stft import window_length
from noizenet.codecs.tokens import BAND_WEIGHTS, EARLIER_BAND_WEIGHTS, TokensCodec
from noizenet.codecs.whole import decode_whole, encode_whole
from noizenet.errors import SoundFileError
from noizenet_training.codecs.codec_fitting import fit_codec
from noizenet_training.codecs.token_fitting import fit_tokens
from noizenet_training.recipe import Recipe

RATE = 8000
SMALL = Recipe(axes=16, stages=3, classes=32, window_s=0.03)


@pytest.fixture(scope="module")
def music() -> Array:
    return melody(12.0, RATE)


@pytest.fixture(scope="module")
def tokens(music: Array) -> TokensCodec:
    return fit_tokens(SMALL, [music], RATE, seed=3)


@pytest.mark.parametrize(("rate", "window"), [(22050, 2048), (44100, 4096), (48000, 4096), (16000, 1024)])
def test_the_window_is_the_power_of_two_nearest_to_93_ms(rate: int, window: int) -> None:
    assert window_length(0.08, rate) == window
    assert window_length(0.093, 22050) == 2048
    assert window_length(0.093, 44100) == 4096


def test_axes_are_orthonormal_and_all_classes_are_used(tokens: TokensCodec, music: Array) -> None:
    assert tokens.codebooks.shape == (3, 32, 16)
    assert tokens.hop == tokens.window // 4
    assert np.allclose(tokens.components @ tokens.components.T, np.eye(16), atol=1e-4)
    codes = tokens.encode(tokens.new_encoder_state(), music)[3:]
    for stage in range(3):
        assert len(np.unique(codes[:, stage])) >= 30


def test_each_stage_brings_the_spectrum_nearer(tokens: TokensCodec, music: Array) -> None:
    state = tokens.new_encoder_state()
    codes = tokens.encode(state, music)[3:]
    points = sum(tokens.codebooks[stage][codes[:, stage]] for stage in range(3))
    errors = []
    partial = np.zeros_like(points)
    for stage in range(3):
        partial = partial + tokens.codebooks[stage][codes[:, stage]]
        errors.append(float(np.square(points - partial).sum()))
    assert errors[0] > errors[1] > errors[2] == 0.0


def test_equal_seeds_give_equal_codecs_and_others_do_not(tokens: TokensCodec, music: Array) -> None:
    again = fit_tokens(SMALL, [music], RATE, seed=3)
    other = fit_tokens(SMALL, [music], RATE, seed=4)
    assert np.array_equal(again.codebooks, tokens.codebooks)
    assert not np.array_equal(other.codebooks, tokens.codebooks)


def test_decoding_what_was_encoded_keeps_the_level(tokens: TokensCodec, music: Array) -> None:
    codes = tokens.encode(tokens.new_encoder_state(), music)
    out = np.zeros(len(codes) * tokens.hop, np.float32)
    tokens.decode(tokens.new_decoder_state(), codes, out)
    assert out.std() == pytest.approx(music.std(), rel=0.25)


def test_a_short_corpus_gets_fewer_classes_and_axes() -> None:
    codec = fit_tokens(SMALL, [melody(0.7, RATE)], RATE, seed=0)
    assert 2 <= codec.classes < 32
    with pytest.raises(SoundFileError, match=r"too short for the codec tokens, which needs at least 0\.1 s"):
        fit_tokens(SMALL, [melody(0.05, RATE)], RATE, seed=0)


def test_a_corpus_of_equal_frames_is_fitted_without_complaint(recwarn: pytest.WarningsRecorder) -> None:
    codec = fit_tokens(SMALL, [np.zeros(RATE, np.float32), tone(1.0, RATE, 1000.0)], RATE, seed=0)
    assert np.isfinite(codec.components).all()
    assert np.isfinite(codec.codebooks).all()
    assert [str(warning.message) for warning in recwarn] == []


def test_a_fitted_codec_survives_its_own_checkpoint_form(tokens: TokensCodec) -> None:
    again = TokensCodec.from_parts(tokens.options(), tokens.arrays())
    assert np.array_equal(again.mean, tokens.mean)


def test_a_checkpoint_that_says_no_band_weights_sounds_as_it_did() -> None:
    sound = stereo_melody(4.0, RATE)
    codec = fit_tokens(SMALL, [sound], RATE, seed=0)
    earlier = replace(codec, band_weights=EARLIER_BAND_WEIGHTS)
    options = earlier.options()
    assert options.pop("band_weights") == list(EARLIER_BAND_WEIGHTS)
    steps = encode_whole(codec, sound)
    as_now, as_then, unsaid = (
        decode_whole(each, steps, len(sound))
        for each in (codec, earlier, TokensCodec.from_parts(options, codec.arrays()))
    )
    assert np.array_equal(unsaid, as_then)
    assert not np.array_equal(unsaid, as_now)
    assert TokensCodec.from_parts(codec.options(), codec.arrays()).band_weights == BAND_WEIGHTS


def test_mulaw_spans_the_peak_of_the_corpus() -> None:
    codec = fit_codec(Recipe(codec="mulaw"), [tone(1.0, RATE, amplitude=0.3)], RATE, seed=0)
    assert isinstance(codec, MulawCodec)
    assert codec.peak == pytest.approx(0.3, rel=1e-3)


def test_amplitude_holds_what_the_standard_scaler_finds(music: Array) -> None:
    codec = fit_codec(Recipe(codec="amplitude"), [music[:5000], music[5000:]], RATE, seed=0)
    assert isinstance(codec, AmplitudeCodec)
    scaler = StandardScaler().fit(music[:, None])
    assert codec.scaler.kind == "zscore"
    assert codec.scaler.shift == pytest.approx(scaler.mean_, abs=1e-6)
    assert codec.scaler.scale == pytest.approx(scaler.scale_, rel=1e-5)


def test_a_stereo_corpus_is_fitted_with_levels_leans_and_widths() -> None:
    codec = fit_codec(SMALL, [stereo_melody(6.0, RATE), stereo_melody(4.0, RATE, seed=5)], RATE, seed=3)
    assert isinstance(codec, TokensCodec)
    assert (codec.channels, codec.levels) == (2, True)
    bands = len(codec.bands.edges) - 1
    assert codec.components.shape == (16, codec.window // 2 + 1 + 3 * bands)
    sound = stereo_melody(4.0, RATE)
    copy = decode_whole(codec, encode_whole(codec, sound), len(sound))
    assert copy.shape == sound.shape
    for true, found in zip(sound.T, copy.T, strict=True):
        assert found.std() == pytest.approx(true.std(), rel=0.25)
