"""Collapse, watched for step by step: output that repeats itself with a lag of 1 to 16 steps.

Lag 1 is a constant (silence included); longer lags are short cycles.
"""

from typing import Any

from numba import njit

LAGS = 16
TOLERANCE = 1e-3  # 0.1 % of the deviation of a z-scored corpus, the paper's measure; codes differ by 1 or more


@njit(cache=True, nogil=True)
def watch(history: Any, runs: Any, step: int, value: float) -> None:
    """Takes in what step `step` put out.

    Args:
        history: the last LAGS values, float64 (LAGS,), a ring.
        runs: for each lag the number of steps in a row that repeated themselves, int64 (LAGS,).
        value: one number that stands for the step's output.
    """
    for lag in range(1, LAGS + 1):
        if step >= lag and abs(history[(step - lag) % LAGS] - value) <= TOLERANCE:
            runs[lag - 1] += 1
        else:
            runs[lag - 1] = 0
    history[step % LAGS] = value


@njit(cache=True, nogil=True)
def is_collapsed(runs: Any, hold: int) -> bool:
    """Returns whether some lag has repeated for `hold` steps or longer."""
    longest = 0
    for lag in range(LAGS):
        longest = max(longest, runs[lag])
    return bool(longest >= hold)
