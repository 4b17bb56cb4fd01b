"""How the next step is drawn from what a head puts out: codes from logits, numbers from normal distributions."""

from typing import Any

import numpy as np
from numba import njit

from noizenet.network import LOG_DEVIATION_RANGE
from noizenet_daemon.kernels.cells import FAST
from noizenet_daemon.kernels.rng import normal

LEAST_LOG_DEVIATION, MOST_LOG_DEVIATION = (np.float32(bound) for bound in LOG_DEVIATION_RANGE)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def draw_class(probabilities: Any, temperature: float, top_p: float, chance: float) -> int:
    """Turns logits (in place) into probabilities and returns the class that `chance`, 0 <= chance < 1, falls on.

    Returns -1 if NaN or plus infinity is among the logits: then no class is the right one.
    """
    count = probabilities.shape[0]
    largest = probabilities[0]
    for c in range(count):
        largest = max(largest, probabilities[c])
    total = 0.0
    sharpness = np.float32(1.0 / temperature)
    for c in range(count):
        probabilities[c] = np.exp((probabilities[c] - largest) * sharpness)
        total += probabilities[c]
    if np.isnan(total):
        return -1
    if top_p < 1.0:
        total = _keep_likeliest(probabilities, top_p, total)
    left = chance * total
    chosen = -1
    for c in range(count):
        if probabilities[c] > 0.0:
            chosen = c
            left -= probabilities[c]
            if left < 0.0:
                break
    return chosen


@njit(cache=True, nogil=True, boundscheck=False)
def likeliest(logits: Any) -> int:
    """Returns the first class with the largest logit."""
    found = 0
    for c in range(1, logits.shape[0]):
        if logits[c] > logits[found]:
            found = c
    return found


@njit(cache=True, nogil=True, boundscheck=False)
def _keep_likeliest(probabilities: Any, top_p: float, total: float) -> float:
    """Zeroes all but the likeliest classes that hold `top_p` of the mass; returns the mass kept.

    The threshold is found by bisection, which needs no sorted copy. The likeliest class is always kept.
    """
    low, high = 0.0, 1.0  # weights are relative to the largest, which is 1
    for _ in range(30):
        middle = 0.5 * (low + high)
        mass = 0.0
        for c in range(probabilities.shape[0]):
            if probabilities[c] >= middle:
                mass += probabilities[c]
        if mass >= top_p * total:
            low = middle
        else:
            high = middle
    kept = 0.0
    for c in range(probabilities.shape[0]):
        if probabilities[c] >= low:
            kept += probabilities[c]
        else:
            probabilities[c] = 0.0
    return kept


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def draw_features(outputs: Any, temperature: float, rng: Any, features: Any) -> None:
    """Draws features (F,) from the normal distributions that a head puts out; NaN goes through.

    Args:
        outputs: means and log-deviations, float32 (2 F,).
        temperature: the deviations are multiplied by it.
    """
    count = features.shape[0]
    for f in range(count):
        log_deviation = outputs[count + f]
        # not min and max: those turn NaN into a number
        log_deviation = LEAST_LOG_DEVIATION if log_deviation < LEAST_LOG_DEVIATION else log_deviation
        log_deviation = MOST_LOG_DEVIATION if log_deviation > MOST_LOG_DEVIATION else log_deviation
        features[f] = outputs[f] + np.float32(temperature * normal(rng)) * np.exp(log_deviation)
