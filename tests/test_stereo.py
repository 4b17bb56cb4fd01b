"""Two channels as a middle and a few numbers of each band: they lean and spread as they did, and the middle stays.

On two made melodies, encoded and decoded with each frame a class of its own, the envelope of the side correlates
by 0.99 with what it was.
"""

import numpy as np
import pytest

from making import Array, melody, stereo_melody, tokens_codec
from noizenet.codecs.bands import BANDS, band_levels, bring_to_levels, new_bands
from noizenet.codecs.refinement import put_out_refined, refined_state
from noizenet.codecs.stereo import MOST_LEAN, NARROWEST, side_spectrum, side_state, stereo_numbers
from noizenet.codecs.stft import analysis_state, transform
from noizenet.codecs.token_kernels import REFINED_TOLERANCE, reconstruct, stereo_frame
from noizenet.codecs.tokens import TokensCodec, encoder_state, middle_and_side, number_weights
from noizenet.codecs.whole import decode_whole, encode_whole

RATE, WINDOW, HOP, FLOOR = 8000, 512, 128, 1e-5


def numbers_of(sound: Array) -> Array:
    """Returns the numbers of all frames of sound (n, 2)."""
    state = encoder_state(WINDOW, 2, 0, len(number_weights(RATE, WINDOW, 2)))
    edges = new_bands(RATE, WINDOW).edges
    padded = np.pad(sound, ((WINDOW - HOP, WINDOW), (0, 0)))
    frames = []
    for start in range(0, len(padded) - WINDOW, HOP):
        state.middle.history[:], state.side.history[:] = middle_and_side(padded[start : start + WINDOW])
        stereo_frame(state, edges, FLOOR)
        frames.append(state.numbers.copy())
    return np.array(frames)


def memorising_codec(sound: Array) -> TokensCodec:
    """Returns a codec in which each frame of the sound is a class of its own: nothing but the phases is lost."""
    numbers = numbers_of(sound)
    mean = numbers.mean(axis=0)
    points = (numbers - mean) * number_weights(RATE, WINDOW, 2)
    axes = np.eye(len(mean), dtype=np.float32)
    return TokensCodec(RATE, WINDOW, HOP, FLOOR, mean, axes, points[None].astype(np.float32), 2, levels=True)


def there_and_back(sound: Array) -> Array:
    codec = memorising_codec(sound)
    return decode_whole(codec, encode_whole(codec, sound), len(sound))


def envelope(samples: Array) -> Array:
    """Returns the RMS of each 184 samples, 23 ms."""
    return np.sqrt(np.square(samples[: len(samples) // 184 * 184]).reshape(-1, 184).mean(axis=1))


def rms(samples: Array) -> float:
    return float(np.sqrt(np.square(samples).mean()))


@pytest.mark.parametrize(("rate", "window"), [(44100, 4096), (48000, 4096), (8000, 64), (22050, 256)])
def test_every_bin_is_in_one_band_and_between_two(rate: int, window: int) -> None:
    found = new_bands(rate, window)
    assert found.edges[0] == 0
    assert found.edges[-1] == window // 2 + 1
    assert (np.diff(found.edges) >= 1).all()
    assert len(found.edges) <= BANDS + 1
    assert len(found.edges) == BANDS + 1 or window < 512
    assert ((found.share >= 0) & (found.share <= 1)).all()
    assert (found.upper - found.lower <= 1).all()
    assert set(found.turn) == {1.0, -1.0}


def test_a_level_is_the_loudness_of_its_band_and_what_is_decoded_is_brought_to_it() -> None:
    found = new_bands(RATE, WINDOW)
    logs = np.random.default_rng(0).normal(-4.0, 1.0, WINDOW // 2 + 1).astype(np.float32)
    levels, corrections = (np.zeros(len(found.edges) - 1, np.float32) for _ in range(2))
    band_levels(found.edges, logs, FLOOR, levels)
    power = [np.square(np.exp(part) - FLOOR).sum() for part in np.split(logs, found.edges[1:-1])]
    assert levels == pytest.approx(0.5 * np.log(power), abs=1e-4)
    softer = logs - np.float32(0.5)
    bring_to_levels(found, levels, FLOOR, softer, corrections)
    assert softer == pytest.approx(logs, abs=1e-3)
    beyond = logs - np.float32(3.0)
    bring_to_levels(found, levels, FLOOR, beyond, corrections)
    assert beyond == pytest.approx(logs - 2.0, abs=1e-3)  # by no more than a neper


@pytest.mark.parametrize("place", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_one_sound_leans_to_its_place_and_has_no_width(place: float) -> None:
    sound = melody(0.5, RATE)[:, None] * np.array([1.0 + place, 1.0 - place], np.float32)
    levels, leans, widths = np.split(numbers_of(sound)[10, -3 * BANDS :], 3)
    loud = levels > -7.0  # 40 dB above the floor and more
    assert loud.sum() >= 3
    assert leans[loud] == pytest.approx(place, abs=1e-3)
    assert (widths[loud] < -6.0).all()


def test_what_is_out_of_phase_stays_within_the_numbers_ranges() -> None:
    sound = melody(0.5, RATE)[:, None] * np.array([1.0, -0.9], np.float32)
    leans, widths = np.split(numbers_of(sound)[:, -2 * BANDS :], 2, axis=1)
    assert np.abs(leans).max() == pytest.approx(MOST_LEAN)
    assert widths.min() >= NARROWEST - 1e-6
    assert np.isfinite(numbers_of(sound)).all()


def test_lean_and_width_tell_the_power_of_the_side() -> None:
    rng = np.random.default_rng(0)
    found = new_bands(RATE, WINDOW)
    states = [analysis_state(WINDOW) for _ in range(2)]
    states[0].history[:] = rng.standard_normal(WINDOW)
    states[1].history[:] = 0.3 * states[0].history + 0.5 * rng.standard_normal(WINDOW)
    for state in states:
        transform(state)
    numbers = np.zeros(2 * (len(found.edges) - 1), np.float32)
    stereo_numbers(found.edges, *states, FLOOR, numbers)
    leans, widths = np.split(numbers.astype(np.float64), 2)
    middle, side = (
        np.add.reduceat(state.re.astype(np.float64) ** 2 + state.im**2, found.edges[:-1]) for state in states
    )
    assert (leans**2 + np.exp(2.0 * widths)) * middle == pytest.approx(side, rel=1e-3)
    made = side_state(WINDOW, HOP, len(leans))
    flat = np.concatenate([np.full(len(leans), 0.3), np.full(len(leans), np.log(0.5))]).astype(np.float32)
    side_spectrum(found, flat, states[0].re, states[0].im, made)
    turned = (made.re + 1j * made.im)[1:-1]
    straight = (states[0].re + 1j * states[0].im)[1:-1]
    assert (turned / straight).real == pytest.approx(0.3, abs=1e-4)
    assert np.abs((turned / straight).imag) == pytest.approx(0.5, abs=1e-4)


def test_two_melodies_come_back_on_their_sides() -> None:
    sound = stereo_melody(4.0, RATE)
    copy = there_and_back(sound)
    sides = [envelope(x[:, 0] - x[:, 1]) for x in (sound, copy)]
    assert np.corrcoef(*sides)[0, 1] > 0.95
    for channel in range(2):
        assert rms(copy[:, channel]) == pytest.approx(rms(sound[:, channel]), rel=0.15)


def test_a_sound_on_one_side_stays_there() -> None:
    sound = np.stack([melody(2.0, RATE), np.zeros(2 * RATE, np.float32)], axis=1)
    copy = there_and_back(sound)
    assert rms(copy[:, 1]) < 0.02 * rms(copy[:, 0])


def test_equal_channels_stay_equal() -> None:
    copy = there_and_back(np.repeat(melody(2.0, RATE)[:, None], 2, axis=1))
    assert rms(copy[:, 0] - copy[:, 1]) < 3e-3 * rms(copy)


def test_the_mean_of_what_is_played_is_what_the_middle_alone_would_be() -> None:
    codec = tokens_codec(RATE, channels=2)
    codes = np.random.default_rng(0).integers(0, codec.classes, (50, codec.width), np.int32)
    both = np.zeros((50 * codec.hop, 2), np.float32)
    codec.decode(codec.new_decoder_state(), codes, both)
    middle = np.zeros(len(both), np.float32)
    bins, bands = codec.window // 2 + 1, len(codec.bands.edges) - 1
    state, corrections = refined_state(codec.window, codec.hop), np.zeros(bands, np.float32)
    numbers, point = np.zeros(len(codec.mean), np.float32), np.zeros(len(codec.components), np.float32)
    for row, part in zip(codes, middle.reshape(50, codec.hop), strict=True):
        reconstruct(codec.tables, row, point, numbers)
        bring_to_levels(codec.bands, numbers[bins : bins + bands], codec.floor, numbers[:bins], corrections)
        put_out_refined(state, numbers[:bins], codec.hop, codec.floor, REFINED_TOLERANCE, part)
    assert np.abs(middle).max() > 1e-2
    assert both.mean(axis=1) == pytest.approx(middle, abs=1e-5)
