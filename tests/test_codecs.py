"""The codecs: blocks of any size give the same as all at once, round trips, delays, refusals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import Array, listening_codec, melody, stereo_melody, tokens_codec, tone
from noizenet.codecs import Codec, codec_type, sound_shape
from noizenet.codecs.amplitude import AmplitudeCodec
from noizenet.codecs.bands import band_levels, new_bands
from noizenet.codecs.mulaw import MulawCodec
from noizenet.codecs.scaling import zscore
from noizenet.codecs.tokens import TokensCodec, ear_weights, number_weights
from noizenet.errors import CheckpointError
from spectra import analyse, convergence_db

RATE = 8000
CODECS: list[Codec] = [
    AmplitudeCodec(RATE, zscore(0.01, 0.2)),
    listening_codec(RATE),
    MulawCodec(RATE, 0.7),
    tokens_codec(RATE),
    tokens_codec(RATE, window=128, hop=16, stages=3),
    tokens_codec(RATE, levels=True),
    tokens_codec(RATE, channels=2),
    tokens_codec(RATE, window=64, hop=16, channels=2),
]
BLOCKS = st.lists(st.integers(0, 400), max_size=40)
every_codec = pytest.mark.parametrize(
    "codec", CODECS, ids=lambda codec: f"{codec.name}-{codec.hop}-{codec.width}-{codec.channels}"
)


def memorising_codec(samples: Array, window: int = 512, hop: int = 128, levels: bool = False) -> TokensCodec:
    """Returns a codec in which each frame of `samples` is a class of its own: nothing but the phases is lost."""
    numbers = analyse(samples, window, hop, floor=1e-5)
    if levels:
        edges = new_bands(RATE, window).edges
        rows = np.zeros((len(numbers), len(edges) - 1), np.float32)
        for logs, row in zip(numbers, rows, strict=True):
            band_levels(edges, logs, 1e-5, row)
        numbers = np.concatenate([numbers, rows], axis=1)
    mean = numbers.mean(axis=0)
    points = (numbers - mean) * number_weights(RATE, window, 1, levels)
    axes = np.eye(len(mean), dtype=np.float32)
    return TokensCodec(RATE, window, hop, 1e-5, mean, axes, points[None].astype(np.float32), levels=levels)


def encode(codec: Codec, samples: Array) -> Array:
    return codec.encode(codec.new_encoder_state(), samples)


def decode(codec: Codec, steps: Array, seed: int = 0) -> Array:
    out = np.full(sound_shape(codec, len(steps) * codec.hop), np.nan, np.float32)
    codec.decode(codec.new_decoder_state(seed), steps, out)
    return out


def sound_for(codec: Codec) -> Array:
    """Returns a fifth of a second in the codec's channels."""
    return melody(0.2, RATE) if codec.channels == 1 else stereo_melody(0.2, RATE)


def parts(whole: Array, sizes: list[int]) -> list[Array]:
    """Returns the whole, cut into parts of these sizes and one of what is left."""
    return np.split(whole, np.minimum(np.cumsum(sizes, dtype=int), len(whole)))


@every_codec
@settings(deadline=None)  # the first call compiles
@given(sizes=BLOCKS)
def test_encoding_in_blocks_equals_encoding_at_once(codec: Codec, sizes: list[int]) -> None:
    samples = sound_for(codec)
    state = codec.new_encoder_state()
    steps = np.concatenate([codec.encode(state, part) for part in parts(samples, sizes)])
    assert np.array_equal(steps, encode(codec, samples))


@every_codec
@settings(deadline=None)  # the first call compiles
@given(sizes=BLOCKS)
def test_decoding_in_blocks_equals_decoding_at_once(codec: Codec, sizes: list[int]) -> None:
    rng = np.random.default_rng(0)
    shape = (100, codec.width)
    steps = rng.integers(0, codec.classes, shape, dtype=np.int32) if codec.classes else rng.standard_normal(shape)
    steps = steps if codec.classes else steps.astype(np.float32)
    state = codec.new_decoder_state(5)
    blocks = []
    for part in parts(steps, [size // codec.hop for size in sizes]):
        blocks.append(np.full(sound_shape(codec, len(part) * codec.hop), np.nan, np.float32))
        codec.decode(state, part, blocks[-1])
    assert np.array_equal(np.concatenate(blocks), decode(codec, steps, 5))


@every_codec
def test_steps_are_of_the_kind_and_number_promised(codec: Codec) -> None:
    samples = sound_for(codec)
    steps = encode(codec, samples)
    assert steps.shape == (len(samples) // codec.hop, codec.width)
    assert steps.dtype == (np.int32 if codec.classes else np.float32)
    if codec.classes:
        assert steps.min() >= 0
        assert steps.max() < codec.classes
    assert encode(codec, samples[: codec.hop - 1]).shape == (0, codec.width)
    assert np.isfinite(decode(codec, steps)).all()


@every_codec
def test_a_codec_survives_its_own_checkpoint_form(codec: Codec) -> None:
    samples = sound_for(codec)
    again = codec_type(codec.name).from_parts(codec.options(), codec.arrays())
    steps = encode(codec, samples)
    assert np.array_equal(encode(again, samples), steps)
    assert np.array_equal(decode(again, steps), decode(codec, steps))
    assert again.delay == codec.delay


def test_amplitude_brings_the_samples_back_at_once() -> None:
    codec = AmplitudeCodec(RATE, zscore(0.01, 0.2))
    samples = melody(0.2, RATE)
    steps = encode(codec, samples)
    assert steps[:, 0] == pytest.approx((samples - 0.01) / 0.2, abs=1e-6)
    assert codec.delay == 0
    assert np.abs(decode(codec, steps) - samples).max() < 1e-6


def test_mulaw_codes_survive_decoding_and_encoding() -> None:
    codec = MulawCodec(RATE, 0.7)
    codes = np.arange(256, dtype=np.int32)[:, None]
    levels = decode(codec, codes)
    assert np.array_equal(encode(codec, levels), codes)
    assert (np.diff(levels) > 0).all()
    assert np.allclose(levels, -levels[::-1])


def test_mulaw_is_finest_near_zero() -> None:
    codec = MulawCodec(RATE)
    samples = np.linspace(-1.0, 1.0, 20001).astype(np.float32)
    error = np.abs(decode(codec, encode(codec, samples)) - samples)
    # half a code is ln(256) / 256 of (|x| + 1 / 255): the slope of the companding curve
    assert (error <= 0.0225 * (np.abs(samples) + 1.0 / 255.0)).all()
    assert codec.delay == 0


def test_mulaw_clips_what_is_beyond_its_peak() -> None:
    codec = MulawCodec(RATE, 0.5)
    codes = encode(codec, np.array([-9.0, -0.5, 0.5, 9.0], np.float32))
    assert codes[:, 0].tolist() == [0, 0, 255, 255]


def test_pre_emphasis_is_undone_in_blocks_of_any_size_and_drowns_less_of_the_high_bands() -> None:
    samples = melody(0.5, RATE)
    errors = {}
    for amount in (0.0, 0.86):
        codec = MulawCodec(RATE, 0.5, amount)
        steps = encode(codec, samples)
        whole = decode(codec, steps)
        encoder, decoder = codec.new_encoder_state(), codec.new_decoder_state()
        pieces = [codec.encode(encoder, samples[start : start + 7]) for start in range(0, len(samples), 7)]
        assert np.array_equal(np.concatenate(pieces), steps)
        out = np.zeros_like(whole)
        for start in range(0, len(steps), 11):
            codec.decode(decoder, steps[start : start + 11], out[start : start + 11])
        assert np.array_equal(out, whole)
        spectrum = np.abs(np.fft.rfft((whole - samples) * np.hanning(len(samples))))
        errors[amount] = np.sqrt(np.mean(spectrum[-len(spectrum) // 4 :] ** 2))
    assert errors[0.86] < 0.5 * errors[0.0]


def test_mulaw_without_pre_emphasis_is_described_as_it_always_was() -> None:
    assert MulawCodec(RATE, 0.5).options() == {"sample_rate": RATE, "peak": 0.5}
    assert MulawCodec.from_parts({"sample_rate": RATE, "peak": 0.5}, {}) == MulawCodec(RATE, 0.5)
    emphasised = MulawCodec(RATE, 0.5, 0.86)
    assert MulawCodec.from_parts(emphasised.options(), {}) == emphasised


@pytest.mark.parametrize(("levels", "convergence"), [(False, -15.0), (True, -22.0)])
def test_tokens_lose_nothing_but_the_phases_when_each_frame_is_a_class(levels: bool, convergence: float) -> None:
    samples = melody(1.0, RATE)
    codec = memorising_codec(samples, levels=levels)
    codes = encode(codec, samples)
    assert codes[:, 0].tolist() == list(range(len(codes)))
    copy = decode(codec, codes)[codec.delay :]
    assert convergence_db(samples, copy, codec.window, codec.hop) < convergence


@pytest.mark.parametrize("levels", [False, True])
@pytest.mark.parametrize(("window", "hop"), [(512, 128), (512, 64), (256, 64)])
def test_tokens_lag_behind_by_the_delay_they_state(window: int, hop: int, levels: bool) -> None:
    samples = np.zeros(4000, np.float32)
    samples[1700:2100] = np.hanning(400) * tone(0.05, RATE, 700.0)
    codec = memorising_codec(samples, window, hop, levels)
    copy = decode(codec, encode(codec, samples)).astype(np.float64)
    centres = [float((np.arange(len(x)) * x**2).sum() / (x**2).sum()) for x in (samples.astype(np.float64), copy)]
    assert codec.delay == (window if levels else window - hop)
    assert centres[1] - centres[0] == pytest.approx(codec.delay, abs=0.25 * hop)


def test_each_token_is_the_class_nearest_to_what_the_stages_before_left() -> None:
    codec = tokens_codec(RATE)
    samples = melody(0.2, RATE)
    logs = analyse(samples, codec.window, codec.hop, floor=codec.floor)
    points = ((logs - codec.mean) * ear_weights(RATE, codec.window)) @ codec.components.T
    for stage in range(codec.width):
        distances = np.square(points[:, None] - codec.codebooks[stage][None]).sum(axis=2)
        codes = distances.argmin(axis=1)
        assert np.array_equal(encode(codec, samples)[:, stage], codes)
        points = points - codec.codebooks[stage][codes]


def test_the_ear_s_weights_fall_with_frequency_and_have_a_mean_square_of_one() -> None:
    weights = ear_weights(44100, 2048)
    assert np.square(weights).mean() == pytest.approx(1.0, rel=1e-5)
    assert (np.diff(weights) < 0).all()


TOKENS = tokens_codec(RATE)
AMPLITUDE = {"mean": np.zeros(1, np.float32), "scale": np.ones(1, np.float32)}


@pytest.mark.parametrize(
    ("name", "options", "arrays", "sentence"),
    [
        ("amplitude", {"sample_rate": RATE}, {}, r"need the shape \(1,\) both; they have none and none"),
        ("amplitude", {"sample_rate": RATE}, AMPLITUDE | {"mean": np.zeros(2)}, r"they have \(2,\) and \(1,\)"),
        ("amplitude", {"sample_rate": RATE}, AMPLITUDE | {"scale": np.zeros(1)}, "scale is 0, not a number above 0"),
        ("amplitude", {"sample_rate": RATE}, AMPLITUDE | {"scale": np.array([np.nan])}, "scale is nan"),
        ("amplitude", {"sample_rate": "8000"}, AMPLITUDE, "sample_rate is '8000', not a whole number"),
        ("amplitude", {}, AMPLITUDE, "sample_rate is None"),
        ("mulaw", {"sample_rate": RATE, "peak": 0.0}, {}, "needs a peak above 0"),
        ("mulaw", {"sample_rate": RATE, "peak": float("nan")}, {}, "needs a peak above 0"),
        ("mulaw", {"sample_rate": RATE, "peak": "1"}, {}, "needs a peak above 0"),
        ("mulaw", {"sample_rate": RATE, "peak": 1.0}, AMPLITUDE, "no arrays"),
        (
            "mulaw",
            {"sample_rate": RATE, "peak": 1.0, "pre_emphasis": 1.0},
            {},
            "pre_emphasis is 1.0, not a number from",
        ),
        ("mulaw", {"sample_rate": RATE, "peak": 1.0, "pre_emphasis": "a"}, {}, "pre_emphasis is 'a', not a number"),
        ("mulaw", {"sample_rate": True, "peak": 1.0}, {}, "sample_rate is True"),
        ("tokens", {"window": 300}, {}, "window 300 is no power of two"),
        ("tokens", {"window": 32}, {}, "window is 32"),
        ("tokens", {"hop": 0}, {}, "hop is 0"),
        ("tokens", {"hop": 60}, {}, "not a multiple of 4 or more of its hop 60"),
        ("tokens", {"hop": 256}, {}, "multiple of 4 or more of its hop 256"),
        ("tokens", {"floor": 0.0}, {}, "floor is 0.0"),
        ("tokens", {"floor": float("nan")}, {}, "floor is nan"),
        ("tokens", {}, {"mean": np.zeros(7, np.float32)}, "don't fit together"),
        ("tokens", {}, {"codebooks": np.zeros((2, 8, 5), np.float32)}, "don't fit together"),
        ("tokens", {}, {"codebooks": np.zeros((0, 8, 6), np.float32)}, "don't fit together"),
        ("tokens", {}, {"components": np.zeros(129, np.float32)}, "don't fit together"),
        ("tokens", {"channels": 3}, {}, "channels is 3, not a whole number from 1 to 2"),
        ("tokens", {"channels": 2, "levels": True}, {}, "don't fit together"),
        ("tokens", {"channels": 2}, {}, "levels is False with 2 channels, not true"),
        ("tokens", {"levels": 1}, {}, "levels is 1 with 1 channels"),
        ("tokens", {"band_weights": 1.0}, {}, "band_weights are 1.0, not three numbers above 0"),
        ("tokens", {"band_weights": [1.0, 1.0]}, {}, r"band_weights are \[1.0, 1.0\], not three"),
        ("tokens", {"band_weights": [1.0, 0.0, 1.0]}, {}, "not three numbers above 0"),
        ("tokens", {"band_weights": [1.0, float("nan"), 1.0]}, {}, "not three numbers above 0"),
        ("tokens", {"band_weights": [1.0, "1", True]}, {}, "not three numbers above 0"),
        ("tokens", {}, {"extra": np.zeros(1, np.float32)}, "has the arrays"),
    ],
)
def test_parts_that_make_no_codec_are_refused(
    name: str, options: Mapping[str, Any], arrays: Mapping[str, Array], sentence: str
) -> None:
    if name == "tokens":
        options, arrays = {**TOKENS.options(), **options}, {**TOKENS.arrays(), **arrays}
    with pytest.raises(CheckpointError, match=sentence):
        codec_type(name).from_parts(options, arrays)


def test_an_unknown_codec_is_refused_by_name() -> None:
    with pytest.raises(CheckpointError, match="'opus' is not known here, only tokens, mulaw, amplitude, fft and"):
        codec_type("opus")


@pytest.mark.parametrize("channels", [1, 2])
def test_the_same_codes_give_the_same_samples_wherever_the_arrays_lie_in_memory(channels: int) -> None:
    codec = tokens_codec(RATE, channels=channels, levels=True)
    rng = np.random.default_rng(0)
    steps = rng.integers(0, codec.classes, (60, codec.width), dtype=np.int32)
    first = decode(codec, steps)
    in_between = []
    for _ in range(60):
        in_between.append([np.zeros(size, np.float32) for size in rng.integers(1, 700, 5)])
        assert np.array_equal(decode(codec, steps), first)
