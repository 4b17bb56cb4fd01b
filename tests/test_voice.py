"""A voice's knobs and crossfades, measured on a tone."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fake_generator import ToneGenerator
from noizenet_daemon.source import Source
from noizenet_daemon.voice import CROSSFADE_S, VOICE_DEFAULTS, Voice

Array = NDArray[Any]
RATE = 48000
BLOCK = 64
STILL = 0.0  # a "tone" of 0 Hz is a constant: what a knob does to it is the knob's own movement
GAIN_S = 0.02  # in which a gain arrives but for 5 %


def source(frequency: float = STILL, amplitude: float = 1.0, channels: int = 2) -> Source:
    generator: Any = ToneGenerator(frequency, RATE, amplitude)
    return Source(generator, generator.new_state(), RATE, channels)


def voice(frequency: float = STILL, amplitude: float = 1.0, channels: int = 2) -> Voice:
    return Voice(source(frequency, amplitude, channels), RATE, channels, BLOCK)


def played(tested: Voice, seconds: float, channels: int = 2) -> Array:
    """Returns the voice's next frames (n, channels), in blocks."""
    out = np.zeros((int(seconds * RATE) // BLOCK * BLOCK, channels), np.float32)
    for start in range(0, len(out), BLOCK):
        tested.mix_into(out[start : start + BLOCK])
    return out


def largest_step(sound: Array) -> float:
    return float(np.abs(np.diff(sound, axis=0)).max())


def test_a_new_voice_plays_at_full_level_on_both_sides() -> None:
    assert np.allclose(played(voice(), 0.1), 1.0)


def test_it_is_added_to_what_is_there() -> None:
    out = np.full((BLOCK, 2), 0.5, np.float32)
    voice(amplitude=0.25).mix_into(out)
    assert np.allclose(out, 0.75)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("gain_db", -6.0206, (0.5, 0.5)),
        ("gain_db", 6.0206, (2.0, 2.0)),
        ("gain_db", -60.0, (0.0, 0.0)),
        ("mute", True, (0.0, 0.0)),
        ("pan", -1.0, (1.0, 0.0)),
        ("pan", 1.0, (0.0, 1.0)),
        ("pan", 0.5, (np.sqrt(0.5), 1.0)),
    ],
)
def test_gain_mute_and_pan_glide_to_their_values(name: str, value: float, expected: tuple[float, float]) -> None:
    tested = voice()
    before = played(tested, 0.05)
    tested.set(name, value)
    after = played(tested, 0.5)
    assert np.allclose(after[-1], expected, atol=1e-4)
    assert largest_step(np.concatenate([before, after])) < 1.1 * 3.0 / (GAIN_S * RATE)
    place = int(GAIN_S * RATE)
    assert np.allclose(after[place], expected, atol=0.06)
    tested.set(name, VOICE_DEFAULTS[name])
    assert np.allclose(played(tested, 0.5)[-1], 1.0, atol=1e-4)


def test_a_muted_voice_is_really_silent() -> None:
    tested = voice(440.0)
    tested.set("mute", True)
    played(tested, 0.5)
    assert not played(tested, 0.1).any()


def test_settled_knobs_do_not_glide() -> None:
    tested = voice()
    tested.set("gain_db", -20.0)
    tested.settle()
    assert np.allclose(played(tested, 0.01), 0.1)


def test_a_mono_voice_ignores_pan() -> None:
    tested = voice(channels=1)
    tested.set("pan", 1.0)
    tested.settle()
    assert np.allclose(played(tested, 0.01, channels=1), 1.0)


def test_a_new_source_fades_in_over_the_old_one() -> None:
    tested = voice(STILL, 0.25)
    played(tested, 0.02)
    tested.replace(source(STILL, -0.5))
    sound = played(tested, 2 * CROSSFADE_S)[:, 0]
    length = round(CROSSFADE_S * RATE)
    assert sound[0] == pytest.approx(0.25, abs=0.001)
    assert sound[length // 2] == pytest.approx((0.25 - 0.5) * np.sqrt(0.5), abs=0.001)
    assert np.allclose(sound[length:], -0.5)
    assert largest_step(sound) < np.pi / 2 / length


def test_the_old_tone_goes_on_while_it_fades() -> None:
    tested = voice(440.0, 0.5)
    old = played(tested, 0.02)
    tested.replace(source(880.0, 0.5))
    sound = np.concatenate([old, played(tested, 0.1)])
    # a 440 Hz and an 880 Hz tone at a time move by no more than this from sample to sample
    assert largest_step(sound) < 0.5 * 2 * np.pi * (440 + 880) / RATE + 0.001


@pytest.mark.parametrize("apart", [BLOCK, 5 * BLOCK, 20 * BLOCK])
def test_sources_that_follow_each_other_faster_than_they_fade_in_make_no_step(apart: int) -> None:
    tested = voice(STILL, 1.0)
    sound = [played(tested, 0.02)]
    for level in (-1.0, 1.0, 0.0, 1.0):
        tested.replace(source(STILL, level))
        sound.append(played(tested, apart / RATE + 1e-9))
    sound.append(played(tested, 0.1))
    assert largest_step(np.concatenate(sound)) < 4 * np.pi / 2 / (CROSSFADE_S * RATE)


def test_a_replaced_voice_keeps_its_knobs() -> None:
    tested = voice()
    tested.set("gain_db", -20.0)
    tested.settle()
    tested.replace(source())
    assert np.allclose(played(tested, 0.2)[-1], 0.1)
    assert tested.values["gain_db"] == -20.0


@pytest.mark.parametrize("block", [1, 17, 64])
def test_the_samples_do_not_depend_on_the_blocks(block: int) -> None:
    def sound(size: int) -> Array:
        tested = voice(440.0)
        tested.set("pan", 0.3)
        out = np.zeros((64 * 17 * 10, 2), np.float32)
        for start in range(0, len(out), size):
            if start == 64 * 17:
                tested.set("gain_db", -30.0)
                tested.replace(source(220.0))
            tested.mix_into(out[start : start + size])
        return out

    assert np.array_equal(sound(block), sound(64))
