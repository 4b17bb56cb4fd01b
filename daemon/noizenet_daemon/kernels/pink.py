"""Pink noise, value by value: each unit has a few one-pole filters, driven by one normal number a step, and their sum.

The filters' times lie evenly spread on a logarithmic scale, from half a step to 8,192 steps, and each has deviation 1
by itself: so each octave holds as much as the next, within 0.7 dB from 1/10,000 of the steps' rate up. In frames that
is a drift over minutes, in samples one over half a second.

Source: van der Ziel, "On the noise spectra of semi-conductor noise and of flicker effect", Physica 16, 1950, for the
sum of relaxations whose times are spread like that; that one number drives them all is ours, and costs one draw
instead of eight.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import kernel
from noizenet_daemon.kernels.rng import new_rng, normal

Array = NDArray[Any]

POLES = 8
SHORTEST = 0.5  # steps in which the fastest filter forgets all but 1 / e
RATIO = 4.0  # from one filter's time to the next
STREAM = 0x9E3779B9  # keeps the numbers that a state begins with apart from those that are drawn while it plays

_decays = np.exp(-1.0 / (SHORTEST * RATIO ** np.arange(POLES)))
_gains = np.sqrt(1.0 - _decays**2)
# of two filters that one number drives: the sum over time of the product of their responses
_covariance = np.outer(_gains, _gains) / (1.0 - np.outer(_decays, _decays))
_root = np.linalg.cholesky(_covariance)
DECAYS = tuple(map(float, _decays))
GAINS = tuple(map(float, _gains))
DEVIATION = float(np.sqrt(_covariance.sum()))  # of the sum


def new_pink(units: int, seed: int) -> Array:
    """Returns the filters of each unit, float32 (units, POLES), as if they had run for ever."""
    rng = new_rng(seed ^ STREAM)
    draws = np.zeros((units, POLES))
    fill_normal(draws, rng)
    return (draws @ _root.T).astype(np.float32)


@kernel
def fill_normal(draws: Any, rng: Any) -> None:
    for i in range(draws.size):
        draws.flat[i] = normal(rng)


@kernel
def next_pink(filters: Any, drive: float) -> float:
    """Moves one unit's filters, float32 (POLES,), on by a step; returns the next value, of deviation 1.

    Args:
        drive: the next number of a normal distribution of deviation 1.
    """
    total = 0.0
    for pole in range(POLES):
        value = DECAYS[pole] * filters[pole] + GAINS[pole] * drive
        filters[pole] = value
        total += value
    return total / DEVIATION
