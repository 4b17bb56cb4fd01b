"""The follower of a level: how it rises and falls, whatever the pieces, and what of it reaches the noise."""

import numpy as np
import pytest

from making import Array, tone
from noizenet_daemon.level import (
    FALL_S,
    FULL_DB,
    RISE_S,
    SILENT_DB,
    follow,
    level_db,
    levels_db,
    new_follower,
    share_of,
)

RATE = 8000


def constant(seconds: float, value: float) -> Array:
    return np.full(round(seconds * RATE), value, np.float32)


def test_a_steady_level_is_told_in_db_of_full_scale() -> None:
    for value, expected in ((1.0, 0.0), (0.1, -20.0), (0.01, -40.0)):
        assert levels_db(constant(0.2, value), RATE, 1600) == [pytest.approx(expected, abs=0.01)]
    assert levels_db(constant(0.2, 1e-5), RATE, 1600) == [SILENT_DB]
    sine = levels_db(tone(1.0, RATE, amplitude=1.0), RATE, RATE)[0]
    assert -3.1 < sine < 0.0  # between its root mean square and its peak


def test_it_rises_at_once_and_falls_slowly() -> None:
    sound = np.concatenate([constant(0.5, 0.0), constant(0.5, 0.5), constant(1.0, 0.0)])
    levels = levels_db(sound, RATE, 8)  # each millisecond
    full = 20 * np.log10(0.5)
    assert levels[:500] == [SILENT_DB] * 500
    assert levels[500 + round(3000 * RISE_S)] == pytest.approx(full, abs=0.3)  # all but 5 % of the power
    assert levels[1000 + round(1000 * FALL_S)] == pytest.approx(full - 10 * np.log10(np.e), abs=0.1)
    assert np.all(np.diff(levels[1000:]) <= 0.0)


def test_pieces_of_any_length_and_channels_that_are_alike_give_the_same() -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, 4000).astype(np.float32)
    whole, pieces, stereo = new_follower(RATE, 1), new_follower(RATE, 1), new_follower(RATE, 2)
    follow(whole, sound, 4000)
    for start in range(0, 4000, 77):
        part = sound[start : start + 77]
        follow(pieces, part, len(part))
    follow(stereo, np.repeat(sound, 2), 4000)
    assert level_db(whole) == level_db(pieces) == level_db(stereo)


def test_what_is_no_sample_counts_as_silence_and_spoils_nothing() -> None:
    follower = new_follower(RATE, 1)
    follow(follower, np.array([np.nan, np.inf, -np.inf, 1e30], np.float32), 4)
    assert level_db(follower) == SILENT_DB
    follow(follower, constant(0.2, 0.1), 1600)
    assert level_db(follower) == pytest.approx(-20.0, abs=0.01)
    follow(follower, np.zeros(10 * RATE, np.float32), 10 * RATE)
    assert follower[0] == 0.0


def test_the_share_is_even_in_db() -> None:
    assert [share_of(level) for level in (-90.0, SILENT_DB, -33.0, FULL_DB, 0.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
