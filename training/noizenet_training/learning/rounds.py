"""Rounds of a training: how many there may be, what each brought, and which brought the best weights."""

import math
from dataclasses import dataclass

MOST_HELD_OUT = 1.0  # nats of held-out loss above the least, that weigh as much as a distance of e


@dataclass(frozen=True)
class Budget:
    """How long to train: seconds, or updates; of both, what ends first."""

    seconds: float | None = None
    updates: int | None = None

    def spent(self, elapsed_s: float, updates: int) -> float:
        """Returns the share that is used up; 1 or more: stop."""
        shares = [updates / self.updates] if self.updates else []
        shares += [elapsed_s / self.seconds] if self.seconds else []
        return max(shares, default=1.0)

    def left_s(self, elapsed_s: float, updates: int) -> float:
        """Returns the seconds left; estimated from the pace so far if the budget is in updates."""
        left = [elapsed_s / max(updates, 1) * max(0, self.updates - updates)] if self.updates else []
        left += [max(0.0, self.seconds - elapsed_s)] if self.seconds else []
        return min(left, default=0.0)


@dataclass(frozen=True)
class Round:
    """What one round brought. Losses are means over the stages, as `Fitting.stage_weights` weighs them.

    Attributes:
        distance: of the network's playing from the corpus, see `FreeRunning`; None if it didn't play.
        mse, mae, mbe: mean squared, absolute and bias error of the held-out numbers, whatever was trained; None for
            codes, which have no distance from one another.
        passes: over the training steps so far.
    """

    updates: int
    elapsed_s: float
    loss: float
    held_out: float
    distance: float | None = None
    mse: float | None = None
    mae: float | None = None
    mbe: float | None = None
    passes: float = 0.0

    def score(self, least_held_out: float) -> float:
        """Returns what the best weights have least of: held-out loss above the least so far, plus ln of the distance.

        Both are in nats. A distance below 1 is no merit: nearer than its own halves is the piece by heart. And the loss
        counts up to `MOST_HELD_OUT` only: of music that never comes again, it rises without end as soon as anything is
        learnt, and would choose weights that know nothing yet.
        """
        return min(self.held_out - least_held_out, MOST_HELD_OUT) + math.log(max(self.distance or 1.0, 1.0))
