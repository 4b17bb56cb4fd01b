"""Runs of recital: found whatever the tempo and the noise, and nothing else."""

import numpy as np
import pytest

from making import Array
from noizenet_training.judging.recital import ALIKE_DB, LONG_S, MOVING_DB, is_moving, recital

FRAME_RATE = 43.0
BANDS = 32


def moving(frames: int, seed: int, step_db: float = 3.0) -> Array:
    """Levels that wander, (frames, BANDS)."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.standard_normal((frames, BANDS)) * step_db, axis=0)
    return (-30.0 + 20.0 * np.sin(walk / 10.0)).astype(np.float32)


def stretched(levels: Array, factor: float) -> Array:
    """Levels played faster by a factor."""
    places = np.arange(0, len(levels) - 1, factor)
    return levels[places.astype(int)]


KNOWN = moving(1000, 0)


def test_nothing_of_another_sound_is_recital() -> None:
    found = recital(moving(600, 1), [KNOWN], FRAME_RATE)
    assert found.share == 0.0
    assert found.longest_s < 0.5


@pytest.mark.parametrize("first", [0, 300, 700])
def test_a_passage_is_found_where_it_is_and_as_long_as_it_is(first: int) -> None:
    sound = np.concatenate([moving(200, 1), KNOWN[first : first + 250], moving(150, 2)])
    found = recital(sound, [KNOWN], FRAME_RATE)
    assert found.longest_s == pytest.approx(250 / FRAME_RATE, abs=0.4)
    inside = found.following_s >= LONG_S
    assert inside[205:445].all()
    assert not inside[:185].any()
    assert not inside[470:].any()
    assert found.share == pytest.approx(250 / 600, abs=0.05)


@pytest.mark.parametrize("factor", [0.93, 1.07])
def test_small_drifts_of_tempo_and_noise_are_forgiven(factor: float) -> None:
    sound = stretched(KNOWN[:600], factor)
    noisy = sound + np.random.default_rng(3).standard_normal(sound.shape).astype(np.float32)
    assert recital(noisy, [KNOWN], FRAME_RATE).share > 0.9


def test_backwards_it_is_another_sound() -> None:
    assert recital(KNOWN[::-1].copy(), [KNOWN], FRAME_RATE).share == 0.0


def test_pieces_shorter_than_a_run_are_no_recital() -> None:
    rng = np.random.default_rng(4)
    pieces = [KNOWN[first : first + 40] for first in rng.permutation(900)[:20]]
    found = recital(np.concatenate(pieces), [KNOWN], FRAME_RATE)
    assert found.share < 0.2
    assert found.longest_s < LONG_S + 0.5


def test_held_notes_say_nothing() -> None:
    held = np.repeat(KNOWN[:1], 400, axis=0)
    assert not is_moving(held).any()
    found = recital(held, [held], FRAME_RATE)
    assert found.longest_s == 0.0
    assert np.isnan(found.share)
    assert is_moving(KNOWN)[2:-2].mean() > 0.9
    assert recital(KNOWN[:3], [KNOWN], FRAME_RATE).longest_s == 0.0


def test_a_run_goes_on_through_a_held_note_that_is_longer_than_the_other() -> None:
    note = np.repeat(KNOWN[300:301], 30, axis=0)
    known = np.concatenate([KNOWN[:300], note, KNOWN[300:600]])
    longer = np.concatenate([KNOWN[:300], note, note[:15], KNOWN[300:600]])
    assert recital(longer, [known], FRAME_RATE).longest_s > 500 / FRAME_RATE


def test_thresholds_are_what_they_say() -> None:
    rng = np.random.default_rng(5)
    signs = rng.choice([-1.0, 1.0], KNOWN.shape).astype(np.float32)
    assert recital(KNOWN + 0.9 * ALIKE_DB * signs, [KNOWN], FRAME_RATE).share > 0.9
    assert recital(KNOWN + 1.2 * ALIKE_DB * signs, [KNOWN], FRAME_RATE).share == 0.0
    ramp = np.arange(50.0)[:, None] * np.ones(BANDS) / 4.0
    assert is_moving(1.1 * MOVING_DB * ramp)[2:-2].all()
    assert not is_moving(0.9 * MOVING_DB * ramp).any()


def test_any_recording_of_the_corpus_may_be_followed() -> None:
    found = recital(KNOWN[200:500], [moving(300, 6), KNOWN, moving(500, 7)], FRAME_RATE)
    assert found.share == 1.0
