"""The losses of single updates: few enough for a header, and of every song."""

from collections import Counter

import pytest

from noizenet_training.learning.update_history import MOST, UpdateHistory


def test_a_short_training_is_told_in_full() -> None:
    history = UpdateHistory()
    for update in range(1, 101):
        history.add(update, update + 0.123456789, update % 5)
    columns = history.columns()
    assert columns["updates"] == list(range(1, 101))
    assert columns["losses"][0] == 1.1235
    assert columns["songs"][:6] == [1, 2, 3, 4, 0, 1]
    assert UpdateHistory().columns() == {"updates": [], "losses": [], "songs": []}


@pytest.mark.parametrize("songs", [2, 4, 5, 8, 89])
def test_a_long_one_is_thinned_evenly_over_time_and_songs(songs: int) -> None:
    history = UpdateHistory()
    for update in range(1, 50_001):
        history.add(update, 1.0, update % songs)
    columns = history.columns()
    assert MOST // 2 - 50 < len(columns["updates"]) <= MOST
    per_song = Counter(columns["songs"])
    assert len(per_song) == songs
    assert min(per_song.values()) > 0.5 * max(per_song.values())
    quarters = Counter(update * 4 // 50_001 for update in columns["updates"])
    assert min(quarters.values()) > 0.9 * max(quarters.values())


def test_what_is_resumed_goes_on_as_it_would_have() -> None:
    whole, stopped = UpdateHistory(), UpdateHistory()
    for update in range(1, 9000):
        whole.add(update, 0.5, None)
        stopped.add(update, 0.5, None)
        if update == 5000:
            stopped = UpdateHistory.from_plain(stopped.to_plain())
    assert whole.columns() == stopped.columns()
