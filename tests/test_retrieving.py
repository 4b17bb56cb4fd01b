"""Retrieving: which place of a memory is chosen, on tables whose answer is known."""

from typing import Any

import numpy as np
import pytest

from making import Array
from noizenet.compiling import kernel
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.kernels.retrieving import retrieve
from noizenet_daemon.kernels.rng import new_rng
from noizenet_daemon.kernels.searching import CHOSEN_FROM, LEFT_BEHIND, MemoryTables, Search

FRAMES, AXES, SECOND, KEYS = 600, 6, 20, 8
DRAWS = 200


@kernel
def retrieved(tables: Any, search: Any, frame: int, ahead: int, controls: Any, rng: Any) -> int:
    """Returns what `retrieve` does, which is a part of each kernel that calls it."""
    return retrieve(tables, search, frame, ahead, controls, rng)


def random_tables() -> MemoryTables:
    """Returns a memory of one stretch: random keys and movements; spectra, outlooks and pulses are all the same."""
    rng = np.random.default_rng(0)
    keys = rng.standard_normal((FRAMES, KEYS)).astype(np.float32)
    movements = rng.standard_normal((FRAMES, AXES)).astype(np.float32)
    still = np.zeros((FRAMES, AXES), np.float32)
    return MemoryTables(
        np.zeros((FRAMES * 64, 1), np.float32),
        np.arange(FRAMES, dtype=np.int32) * 64,
        np.zeros(FRAMES, np.int32),
        np.full(FRAMES, FRAMES - 1, np.int32),
        np.zeros((FRAMES, 2), np.int32),
        keys / np.linalg.norm(keys, axis=1, keepdims=True),
        still,
        still.copy(),
        movements / np.sqrt(np.float32(AXES)),
        np.zeros(FRAMES, np.float32),
        np.zeros((2, 4, AXES), np.float32),
        np.eye(KEYS, dtype=np.float32),
        np.zeros(KEYS, np.float32),
        1.0,
        SECOND,
        64,
    )


def new_search() -> Search:
    """Returns a search that has played nothing."""
    return Search(
        np.full(LEFT_BEHIND, -1, np.int64),
        np.zeros(LEFT_BEHIND, np.int64),
        np.zeros(FRAMES, np.float32),
        np.zeros(FRAMES + 1, np.float32),
        np.zeros(FRAMES, np.float32),
        np.zeros(FRAMES, np.float32),
        np.zeros(KEYS, np.float32),
        np.zeros(AXES, np.float32),
        np.zeros(CHOSEN_FROM, np.float32),
        np.zeros(CHOSEN_FROM, np.int32),
    )


def hidden_states() -> Array:
    """Returns one for each draw, as the keys see it, float32 (DRAWS, KEYS)."""
    keys = np.random.default_rng(1).standard_normal((DRAWS, KEYS)).astype(np.float32)
    return np.asarray(keys / np.linalg.norm(keys, axis=1, keepdims=True))


def choices(tables: MemoryTables, search: Search) -> Array:
    """Returns the frames chosen in many draws, each when another frame is left, int64 (DRAWS,)."""
    rng, controls = new_rng(3), Controls(stray=0.5)
    found = []
    for n, key in enumerate(hidden_states()):
        search.key[:] = key
        found.append(retrieved(tables, search, 2 * n + SECOND, 0, controls, rng))
    return np.array(found)


@pytest.fixture(name="is_other")
def _is_other() -> Array:
    """Which frames differ in what a test is about: half of them, at random."""
    return np.random.default_rng(2).permutation(FRAMES) < FRAMES // 2


def test_where_nothing_else_differs_all_places_are_alike(is_other: Array) -> None:
    assert 0.4 < np.mean(is_other[choices(random_tables(), new_search())]) < 0.6


def test_a_voice_goes_on_where_the_next_second_is_alike_on_the_whole(is_other: Array) -> None:
    """Of two kinds of second, one of them as loud as what is being left."""
    tables = random_tables()
    tables.outlooks[is_other, 0] = 1.0
    left = is_other[2 * np.arange(DRAWS) + SECOND]
    assert np.mean(is_other[choices(tables, new_search())] == left) > 0.9


def test_a_voice_goes_on_from_a_spectrum_alike(is_other: Array) -> None:
    tables = random_tables()
    tables.points[is_other, 0] = 1.5
    assert np.mean(is_other[choices(tables, new_search())]) < 0.1


def test_a_voice_goes_on_on_the_beat() -> None:
    tables = random_tables()
    beat = SECOND // 2
    tables.pulses[:] = np.sqrt(2.0) * np.cos(2 * np.pi * np.arange(FRAMES) / beat)
    late = choices(tables, new_search()) - (2 * np.arange(DRAWS) + SECOND)
    assert np.mean(np.cos(2 * np.pi * late / beat)) > 0.6


def test_a_voice_goes_on_where_it_was_not_of_late() -> None:
    search = new_search()
    search.heat[: FRAMES // 2] = 2.0
    assert np.mean(choices(random_tables(), search) < FRAMES // 2) < 0.1


def test_a_recording_that_is_ahead_of_its_share_is_left() -> None:
    """One half of it was played often and the other never, and the other recording now and then."""
    half = FRAMES // 2
    ends = np.repeat([[0, half - 1], [half, FRAMES - 1]], half, axis=0).astype(np.int32)
    tables, search = random_tables()._replace(firsts=ends[:, 0], lasts=ends[:, 1]), new_search()
    search.heat[: half // 2], search.heat[half:] = 16.0, 4.0
    assert np.mean(choices(tables, search) >= half) > 0.9


def test_a_voice_goes_on_from_a_like_hidden_state() -> None:
    tables = random_tables()
    cosines = hidden_states() @ tables.keys.T
    chosen = cosines[np.arange(DRAWS), choices(tables, new_search())]
    assert np.mean(chosen) > np.quantile(cosines, 0.95)
