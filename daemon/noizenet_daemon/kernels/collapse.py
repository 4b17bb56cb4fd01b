"""Collapse, watched for step by step: output that repeats itself with a lag of 1 to 16 steps.

Lag 1 is a constant (silence included); longer lags are short cycles.
"""

from typing import Any

import numpy as np

from noizenet.compiling import kernel

LAGS = 16
TOLERANCE = 1e-3  # 0.1 % of the deviation of a z-scored corpus, the paper's measure; codes differ by 1 or more

GOLDEN_RATIO = 0.6180339887498949


@kernel
def code_signature(codes: Any) -> float:
    """Returns a whole number that stands for the codes of a step, int32 (S,)."""
    signature = 0.0
    for stage in range(codes.shape[0]):
        signature = (signature * 257.0 + codes[stage]) % 1000003.0
    return signature


@kernel
def feature_signature(features: Any) -> float:
    """Returns a number that stands for the features of a step, float32 (F,), and moves when any of them does.

    A single feature stands for itself. Several are summed with weights spread over 0.5..1.5, no two alike, such that
    independent features of deviation 1 have a sum of deviation 1.
    """
    count = features.shape[0]
    if count == 1:
        return float(features[0])
    total = 0.0
    for f in range(count):
        place = (f + 1) * GOLDEN_RATIO
        total += (0.5 + place - np.floor(place)) * features[f]
    return float(total / np.sqrt(count * 13.0 / 12.0))  # 13 / 12 is the mean square of the weights


@kernel
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


@kernel
def is_collapsed(runs: Any, hold: int) -> bool:
    """Returns whether some lag has repeated for `hold` steps or longer."""
    longest = 0
    for lag in range(LAGS):
        longest = max(longest, runs[lag])
    return bool(longest >= hold)
