"""Collapse, measured on a sound: after how many steps does the output stay stuck for the rest?

Stuck is what stays constant, silence included, or repeats one short cycle:

constant   in every 20 ms from there on, the deviation is under 0.1 % of that of the sound that the network was
           primed with, and the first sample is as near to the mean: else the last of a fast decay would be lost
           among the many that follow it. 20 ms hold a whole period of all from 50 Hz up, so that no tone is still
           in them; below, a tone is only at its crest, and not for the rest of the sound.
cycle      from there on, the sound is its own copy up to 100 ms later, to 1e-5 of its power, having been something
           else in between; a steady sine is. The copy may lie several periods on, for a period is seldom a whole
           number of samples. `survival` asks the same of half a second.

The rest has to last for a second, or a quarter of the sound if that is less: a shorter silence at the end is a rest
in the music. A sound that dies away counts from where it is under the threshold.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

WINDOW_S = 0.02
STILL = 1e-3  # deviation over the prime's: the paper's constant
LONGEST_LAG_S = 0.1
AWAY_SHARE = 0.5  # power of the difference from itself, over its own power: what is slow is near itself, and no cycle
CYCLE_SHARE = 1e-5  # power of the difference from itself a cycle later, over its own power
REST_S = 1.0
REST_SHARE = 0.25
LEAST_SAMPLES = 8  # of fewer, nothing can be said


@dataclass(frozen=True)
class Collapse:
    """Where a sound got stuck.

    Attributes:
        steps: of the network before that.
        seconds: of sound before that.
        share: of the training corpus' length.
    """

    steps: int
    seconds: float
    share: float


def steps_until_collapse(values: Array, reference_deviation: float, sample_rate: int) -> int | None:
    """Returns how many of the values (n,) come before they are stuck for the rest; None if they never are.

    What isn't finite counts as silence.

    Args:
        reference_deviation: standard deviation of what the network was primed with.
    """
    if len(values) < LEAST_SAMPLES:
        return None
    values = np.where(np.isfinite(values), values, 0.0).astype(np.float64)
    values -= values[-1]  # the sums below stay exact to where it matters, whatever the constant
    rest = max(2, min(round(REST_S * sample_rate), int(REST_SHARE * len(values))))
    window = max(2, min(round(WINDOW_S * sample_rate), rest))
    means, squares = _rolling_means(values, window), _rolling_means(np.square(values), window)
    threshold = STILL * reference_deviation
    still = (squares - np.square(means) < threshold**2) & (np.abs(values[: len(means)] - means) < threshold)
    place = _start_of_last_run(still)
    if place is None:
        place = _start_of_cycle(values, window, rest, sample_rate)
    return place if place is not None and len(values) - place >= rest else None


def cycle_lag(values: Array, sample_rate: int) -> int | None:
    """Returns the lag in samples at which values (n,) are most nearly their own copy, if they are; else None."""
    longest = min(int(sample_rate * LONGEST_LAG_S), len(values) // 2)
    moving = values.astype(np.float64) - values.mean()
    # |a - b|^2 = |a|^2 + |b|^2 - 2ab: one correlation gives the differences at all lags
    head = moving[: len(moving) - longest]
    spectrum = np.fft.rfft(moving, 2 * len(moving))
    shared = np.fft.irfft(spectrum * np.conj(np.fft.rfft(head, 2 * len(moving))))[: longest + 1]
    squares = np.concatenate([[0.0], np.cumsum(np.square(moving))])
    shifted = squares[len(head) : len(head) + longest + 1] - squares[: longest + 1]
    power = squares[len(head)]
    difference = power + shifted - 2.0 * shared
    away = np.flatnonzero(difference > AWAY_SHARE * power)
    if not len(away):
        return None
    best = int(away[0] + difference[away[0] :].argmin())
    return best if difference[best] <= CYCLE_SHARE * power else None


def _start_of_cycle(values: Array, window: int, rest: int, sample_rate: int) -> int | None:
    """Returns from where on the values repeat the cycle that they end in; None if they end in none."""
    lag = cycle_lag(values[-rest:], sample_rate)
    if lag is None:
        return None
    change = _rolling_means(np.square(values[lag:] - values[:-lag]), window)
    return _start_of_last_run(change <= CYCLE_SHARE * float(values[-rest:].var()))


def _rolling_means(values: Array, window: int) -> Array:
    """Returns the mean of each window, (n - window + 1,)."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray((sums[window:] - sums[:-window]) / window)


def _start_of_last_run(true: Array) -> int | None:
    """Returns the first place from which on all are true; None if the last isn't."""
    if not len(true) or not true[-1]:
        return None
    false = np.flatnonzero(~true)
    return int(false[-1]) + 1 if len(false) else 0
