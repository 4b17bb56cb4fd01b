"""How long it will take: said once, from the first updates."""

import itertools

import pytest

from noizenet_training.learning.rounds import Budget
from noizenet_training.pace import Pace


def said(budget: Budget, update_s: float = 0.5, look_s: float = 0.0, count: int = 20) -> list[str]:
    """Returns what is said after each update, of which the first two are slow, 40 of them a pass, 10 a round."""
    times = itertools.chain([9.0, 12.0], itertools.count(12.0 + update_s, update_s))
    passes = itertools.count(1)
    pace = Pace(budget, lambda: next(times), lambda: 0.025 * next(passes), lambda: look_s, 10)
    return [pace.after_update(updates) for updates in range(1, count)]


@pytest.mark.parametrize(
    ("budget", "look_s", "sentence"),
    [
        (Budget(seconds=300.0), 0.0, "about 580 updates in 5 minutes, 14 passes over the corpus"),
        (Budget(seconds=300.0), 5.0, "about 420 updates in 5 minutes, 10 passes over the corpus"),  # 16 looks
        (Budget(seconds=60.0), 5.0, "about 52 updates in 60 s, 1.3 passes over the corpus"),  # one a round
        (Budget(updates=100), 0.0, "100 updates take about 61 s, 2.5 passes over the corpus"),
        (Budget(updates=1000), 5.0, "1,000 updates take about 9.85 minutes, 25 passes over the corpus"),
        (Budget(updates=90_000), 0.0, "90,000 updates take about 12.5 hours, 2,250 passes over the corpus"),
        (Budget(seconds=60.0, updates=10_000), 0.0, "about 98 updates in 60 s, 2.5 passes over the corpus"),
    ],
)
def test_a_budget_is_told_in_updates_time_and_passes(budget: Budget, look_s: float, sentence: str) -> None:
    found = said(budget, look_s=look_s)
    assert [each for each in found if each] == [f"an update takes 0.5 s: {sentence}"]
    assert found.index(max(found)) == 6  # five were timed


def test_slow_updates_are_not_waited_for_and_fast_ones_told_in_milliseconds() -> None:
    assert said(Budget(seconds=600.0), 30.0)[2].startswith("an update takes 30 s: about 22 updates in 10 minutes")
    assert max(said(Budget(seconds=600.0), 0.012)).startswith(
        "an update takes 12 ms: about 49,000 updates in 10 minutes"
    )
