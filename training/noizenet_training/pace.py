"""How long a training will take, said as soon as its first updates have been timed."""

from collections.abc import Callable

from noizenet_training.learning.fitting import PLAYS
from noizenet_training.learning.rounds import Budget

FIRST = 2  # updates that are not timed: they find memory and choose kernels
TIMED = 5
PATIENCE_S = 20.0  # that slow updates are waited for


class Pace:
    """Times the first updates of a training, which count like all others.

    Args:
        elapsed: the clock, in seconds.
        passes: returns the passes over the corpus so far.
        look_s: returns the seconds that each look at the network's playing takes.
        round_updates: updates between two looks, at least.
    """

    def __init__(
        self,
        budget: Budget,
        elapsed: Callable[[], float],
        passes: Callable[[], float],
        look_s: Callable[[], float],
        round_updates: int,
    ) -> None:
        self._budget = budget
        self._elapsed = elapsed
        self._passes = passes
        self._look_s = look_s
        self._round_updates = round_updates
        self._times: list[tuple[float, float]] = []
        self._is_said = False

    def after_update(self, updates: int) -> str:
        """Returns a sentence after the update by which enough is known, else "".

        Args:
            updates: so far, those of an earlier command included.
        """
        if self._is_said:
            return ""
        self._times.append((self._elapsed(), self._passes()))
        first = min(FIRST, len(self._times)) - 1
        count = len(self._times) - 1 - first
        seconds = self._times[-1][0] - self._times[first][0]
        if count < 1 or (count < TIMED and seconds < PATIENCE_S):
            return ""
        self._is_said = True
        update_s, passes = seconds / count, (self._times[-1][1] - self._times[first][1]) / count
        left = self._budget.updates - updates if self._budget.updates else None
        about = f"an update takes {_seconds(update_s)}"
        if left is not None:
            # at most one look a round, and a sixteenth of the budget
            whole_s = self._times[-1][0] + left * update_s + min(left / self._round_updates, PLAYS) * self._look_s()
            if not self._budget.seconds or whole_s <= self._budget.seconds:
                total = updates + left
                return f"{about}: {total:,} updates take about {_time(whole_s)}, {_passes(total * passes)}"
        assert self._budget.seconds is not None
        left_s = max(0.0, self._budget.seconds - self._times[-1][0])
        by_rounds = left_s / (update_s + self._look_s() / self._round_updates)
        by_budget = (left_s - PLAYS * self._look_s()) / update_s
        count = round(float(f"{updates + max(by_rounds, by_budget):.2g}"))
        return f"{about}: about {count:,} updates in {_time(self._budget.seconds)}, {_passes(count * passes)}"


def _passes(passes: float) -> str:
    return f"{passes:.2g} passes over the corpus" if passes < 100 else f"{passes:,.0f} passes over the corpus"


def _seconds(seconds: float) -> str:
    return f"{1000.0 * seconds:.2g} ms" if seconds < 0.1 else f"{seconds:.2g} s"


def _time(seconds: float) -> str:
    """Returns a time in the unit that suits it."""
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.3g} minutes" if seconds < 7200.0 else f"{seconds / 3600.0:.3g} hours"
