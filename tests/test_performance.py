"""Voices, events and the safety chain as one stream."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fake_generator import ToneGenerator
from making import broken_checkpoint, tokens_checkpoint
from noizenet.parameter import Value
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states, render_frames

Array = NDArray[Any]
RATE = 48000
BLOCK = 256
GENERATOR = Generator(tokens_checkpoint())


def performance(
    voices: int = 1, sample_rate: int = RATE, values: dict[str, Value] | None = None, block: int = 4000
) -> Performance:
    """A performance of a network's random weights."""
    states = initial_states(GENERATOR, "corpus", 1, voices)
    return Performance(GENERATOR, states, sample_rate=sample_rate, channels=2, block_frames=block, values=values)


def constant(voices: int = 1, level: float = 0.5, values: dict[str, Value] | None = None) -> Performance:
    """A performance of a tone at 0 Hz, which the high-pass lets through for some milliseconds."""
    generator: Any = ToneGenerator(0.0, RATE, level)
    states: Any = [generator.new_state() for _ in range(voices)]
    return Performance(generator, states, sample_rate=RATE, channels=2, block_frames=BLOCK, values=values)


def in_blocks(tested: Performance, sizes: list[int]) -> Array:
    blocks = [np.full((size, 2), np.nan, np.float32) for size in sizes]
    for block in blocks:
        tested.render(block)
    return np.concatenate(blocks)


def with_events(tested: Performance) -> Performance:
    """Schedules a change of each sort, some at frames where no block begins."""
    tested.at(100, lambda: tested.set("gain_db", -12.0, 1))
    tested.at(777, lambda: tested.set("temperature", 0.5))
    tested.at(778, lambda: tested.set("pan", -0.5, 2))
    tested.at(1500, lambda: tested.replace(GENERATOR, initial_states(GENERATOR, "corpus", 5, 2)))
    tested.at(1600, lambda: tested.set("limiter_db", -20.0))
    return tested


@pytest.mark.parametrize("sample_rate", [GENERATOR.sample_rate, RATE])
@settings(deadline=None, max_examples=15)
@given(cuts=st.lists(st.integers(0, 4000), max_size=8))
def test_the_samples_do_not_depend_on_the_blocks(sample_rate: int, cuts: list[int]) -> None:
    sizes = np.diff([0, *sorted(cuts), 4000]).tolist()
    pieces = in_blocks(with_events(performance(2, sample_rate)), sizes)
    whole = in_blocks(with_events(performance(2, sample_rate)), [4000])
    assert np.array_equal(pieces, whole)
    assert pieces.any()


def test_the_same_seed_gives_the_same_samples_and_another_gives_others() -> None:
    first, again = (render_frames(performance(), 4000, BLOCK) for _ in range(2))
    assert np.array_equal(first, again)
    other = Performance(
        GENERATOR, initial_states(GENERATOR, "corpus", 2, 1), sample_rate=RATE, channels=2, block_frames=BLOCK
    )
    assert not np.array_equal(first, render_frames(other, 4000, BLOCK))


@pytest.mark.parametrize("place", [0, 1, 255, 256, 1000])
def test_an_event_takes_effect_at_its_frame_and_not_before(place: int) -> None:
    changed, unchanged = performance(), performance()
    changed.at(place, lambda: changed.set("gain_db", -24.0))
    different = (render_frames(changed, 3000, BLOCK) != render_frames(unchanged, 3000, BLOCK)).any(axis=1)
    heard = place + changed.delay_frames
    assert not different[:heard].any()
    assert different[heard : heard + 3].any()


def test_an_event_in_the_past_takes_effect_at_once() -> None:
    tested = constant()
    render_frames(tested, BLOCK, BLOCK)
    positions: list[int] = []
    tested.at(3, lambda: positions.append(tested.position))
    render_frames(tested, BLOCK, BLOCK)
    assert positions == [BLOCK]


def test_events_come_by_their_frames_and_those_of_one_frame_in_their_order() -> None:
    tested = constant()
    seen: list[tuple[str, int]] = []
    for name, place in (("c", 300), ("a", 20), ("d", 300), ("b", 299)):
        tested.at(place, lambda name=name: seen.append((name, tested.position)))  # type: ignore[misc]
    render_frames(tested, 1000, BLOCK)
    assert seen == [("a", 20), ("b", 299), ("c", 300), ("d", 300)]
    assert tested.position == 1000


def test_voices_are_mixed() -> None:
    one = render_frames(constant(1, 0.125), BLOCK, BLOCK)
    three = render_frames(constant(3, 0.125), BLOCK, BLOCK)
    assert one.max() == pytest.approx(0.125, rel=0.01)
    assert np.allclose(three, 3 * one, atol=1e-6)


def test_a_knob_turns_for_one_voice_or_for_all() -> None:
    tested = performance(3)
    tested.set("gain_db", -6.0, 2)
    assert [voice.values["gain_db"] for voice in tested.voices] == [0.0, -6.0, 0.0]
    tested.set("gain_db", -9.0)
    assert [voice.values["gain_db"] for voice in tested.voices] == [-9.0, -9.0, -9.0]


def test_voices_of_one_seed_differ() -> None:
    states = initial_states(GENERATOR, "silence", 1, 2)
    sounds = [
        render_frames(Performance(GENERATOR, [state], sample_rate=RATE, channels=2, block_frames=BLOCK), 9000, BLOCK)
        for state in states
    ]
    assert not np.array_equal(*sounds)


def test_values_set_before_the_first_frame_do_not_glide() -> None:
    tested = constant(values={"gain_db": -20.0, "pan": 1.0})
    sound = render_frames(tested, BLOCK, BLOCK)
    first = sound[tested.delay_frames]
    assert first[0] == pytest.approx(0.0, abs=1e-12)
    assert first[1] == pytest.approx(0.05, rel=1e-3)


def test_the_limiter_is_a_master_s_knob() -> None:
    tested = constant(4, 0.5, values={"limiter_db": -6.0})
    assert tested.limiter_db == -6.0
    sound = render_frames(tested, 1000, BLOCK)
    assert 0.99 * 10 ** (-6 / 20) < sound.max() <= 10 ** (-6 / 20)


def test_what_was_quarantined_is_still_counted_after_another_checkpoint_is_loaded() -> None:
    bad = Generator(broken_checkpoint())
    tested = Performance(
        bad, initial_states(bad, "corpus", 1, 1), sample_rate=bad.sample_rate, channels=1, block_frames=640
    )
    tested.render(np.zeros((640, 1), np.float32))
    assert tested.quarantined == 10
    tested.replace(GENERATOR, initial_states(GENERATOR, "corpus", 1, 1))
    before = tested.quarantined
    tested.render(np.zeros((640, 1), np.float32))
    assert tested.quarantined == before >= 10


def test_a_sound_input_turns_the_noise_of_all_voices_before_each_block() -> None:
    tested, plain = performance(2), performance(2)
    levels = iter([-60.0, -20.0, -6.0])
    tested.live_level_db = lambda: next(levels)
    for one in (tested, plain):
        one.set("noise", 0.8)
        one.set("noise_kind", "live")
    heard = in_blocks(tested, [1000, 1000, 1000])
    expected = in_blocks(plain, [1000])
    for level in (-20.0, -6.0):
        plain.set("live_level_db", level)
        expected = np.concatenate([expected, in_blocks(plain, [1000])])
    assert np.array_equal(heard, expected)
    assert [voice.values["live_level_db"] for voice in tested.voices] == [-6.0, -6.0]
