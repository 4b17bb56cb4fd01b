"""How the next step is drawn from what a head puts out: codes from logits, numbers from normal distributions."""

from typing import Any

import numpy as np

from noizenet.compiling import kernel, njit
from noizenet.network import LOG_DEVIATION_RANGE
from noizenet_daemon.kernels.activations import exp
from noizenet_daemon.kernels.arithmetic import at_least, largest_lane, total, zero_below
from noizenet_daemon.kernels.cells import FAST
from noizenet_daemon.kernels.loading import WIDTH, load, store
from noizenet_daemon.kernels.rng import normal

LEAST_LOG_DEVIATION, MOST_LOG_DEVIATION = (np.float32(bound) for bound in LOG_DEVIATION_RANGE)


@kernel
def draw_class(probabilities: Any, temperature: float, top_p: float, chance: float) -> int:
    """Turns logits (in place) into probabilities and returns the class that `chance`, 0 <= chance < 1, falls on.

    Returns -1 if NaN or plus infinity is among the logits: then no class is the right one.
    """
    count = probabilities.shape[0]
    largest = _largest(probabilities)
    sharpness = np.float32(1.0 / temperature)
    for c in range(0, count, WIDTH):
        logits = load(probabilities, c, count - c, WIDTH)
        store(exp((logits - largest) * sharpness), probabilities, c, count - c)
    mass = _mass(probabilities, np.float32(0.0))
    if np.isnan(mass):
        return -1
    if top_p < 1.0:
        mass = _keep_likeliest(probabilities, top_p, mass)
    left = chance * mass
    first = 0
    while first + WIDTH < count:
        part = total(load(probabilities, first, WIDTH, WIDTH))
        if left < part:
            break
        left -= part
        first += WIDTH
    chosen = -1
    for c in range(first, count):
        if probabilities[c] > 0.0:
            chosen = c
            left -= probabilities[c]
            if left < 0.0:
                break
    # rounding may leave a little over behind the last that is possible
    return chosen if chosen >= 0 else _last_possible(probabilities)


@kernel
def _largest(values: Any) -> Any:
    """Returns the largest of values (n,), float32."""
    count = values.shape[0]
    whole = count - count % WIDTH
    largest = values[0]
    if whole > 0:
        most = load(values, 0, WIDTH, WIDTH)
        for c in range(WIDTH, whole, WIDTH):
            most = at_least(most, load(values, c, WIDTH, WIDTH))
        largest = largest_lane(most)
    for c in range(whole, count):
        largest = max(largest, values[c])
    return largest


@kernel
def _mass(weights: Any, least: Any) -> float:
    """Returns the sum of those of weights (n,), float32, that are at least `least`."""
    mass = 0.0
    count = weights.shape[0]
    for c in range(0, count, WIDTH):
        part = load(weights, c, count - c, WIDTH)
        mass += total(zero_below(part, part, least))
    return mass


@kernel
def _last_possible(probabilities: Any) -> int:
    """Returns the last class whose probability isn't 0, or -1."""
    for c in range(probabilities.shape[0] - 1, -1, -1):
        if probabilities[c] > 0.0:
            return int(c)
    return -1


@kernel
def likeliest(logits: Any) -> int:
    """Returns the first class with the largest logit."""
    found = 0
    for c in range(1, logits.shape[0]):
        if logits[c] > logits[found]:
            found = c
    return found


@kernel
def _keep_likeliest(probabilities: Any, top_p: float, mass: float) -> float:
    """Zeroes all but the likeliest classes that hold `top_p` of the mass; returns the mass kept.

    The threshold is found by bisection, which needs no sorted copy. The likeliest class is always kept.
    """
    low, high = np.float32(0.0), np.float32(1.0)  # weights are relative to the largest, which is 1
    for _ in range(30):
        middle = np.float32(0.5) * (low + high)
        if _mass(probabilities, middle) >= top_p * mass:
            low = middle
        else:
            high = middle
    count = probabilities.shape[0]
    for c in range(0, count, WIDTH):
        part = load(probabilities, c, count - c, WIDTH)
        store(zero_below(part, part, low), probabilities, c, count - c)
    return _mass(probabilities, low)


@njit(fastmath=FAST)
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
