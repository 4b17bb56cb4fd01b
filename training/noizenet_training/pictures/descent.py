"""Gradient descent in two dimensions, small enough to be seen: on a surface of sines, and over a cliff.

The cliff is that of Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013),
figure 6: a recurrent network of one unit, x(t) = w sigmoid(x(t - 1)) + b, from x(0) = 0.5, whose loss is
(sigmoid(x(n)) - 0.7)^2. Where w and b make its memory unstable, the gradient grows with each step. Theirs had
n = 50; here it is 12, so that the cliff's face is wide enough for a path to be seen to meet it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet_training.pictures.activations import sigmoid

Array = NDArray[Any]
Gradient = Callable[[Array], Array]

CLIFF_STEPS = 12
CLIFF_START = 0.5
CLIFF_TARGET = 0.7


def descend(
    gradient: Gradient,
    start: tuple[float, float],
    rate: float,
    steps: int,
    momentum: float = 0.0,
    clip: Callable[[Array], Array] = lambda slope: slope,
) -> Array:
    """Returns the places that gradient descent visits, float64 (steps + 1, 2), from `start` on.

    v <- momentum v + clip(gradient(place));  place <- place - rate v, as torch.optim.SGD has it.
    """
    place = np.asarray(start, np.float64)
    path = [place]
    velocity = np.zeros(2)
    for _ in range(steps):
        velocity = momentum * velocity + clip(gradient(place))
        place = place - rate * velocity
        path.append(place)
    return np.stack(path)


def clip_by_value(largest: float) -> Callable[[Array], Array]:
    """Returns a function that cuts each component to ±largest, which turns the gradient."""
    return lambda slope: np.clip(slope, -largest, largest)


def clip_by_norm(largest: float) -> Callable[[Array], Array]:
    """Returns a function that shortens a gradient to `largest` and keeps its direction."""
    return lambda slope: slope * min(1.0, largest / max(float(np.hypot(*slope)), 1e-300))


def sines(x: Array, y: Array) -> Array:
    """Returns f(x, y) = sin x + sin y, whose minima of -2 lie a quarter turn before 0, 2 pi and so on."""
    return np.asarray(np.sin(x) + np.sin(y))


def sines_gradient(place: Array) -> Array:
    """Returns the gradient of `sines`, (2,)."""
    return np.cos(place)


def cliff(w: Array, b: Array) -> Array:
    """Returns the loss of the network of one unit."""
    x = np.full(np.broadcast(w, b).shape, CLIFF_START)
    for _ in range(CLIFF_STEPS):
        x = w * sigmoid(x) + b
    return np.asarray((sigmoid(x) - CLIFF_TARGET) ** 2)


def cliff_gradient(place: Array) -> Array:
    """Returns the gradient of `cliff` by w and b, (2,), carried along from step to step."""
    w, b = place
    x = CLIFF_START
    slope = np.zeros(2)
    for _ in range(CLIFF_STEPS):
        s = float(sigmoid(np.asarray(x)))
        slope = np.array([s, 1.0]) + w * s * (1.0 - s) * slope
        x = w * s + b
    s = float(sigmoid(np.asarray(x)))
    return np.asarray(2.0 * (s - CLIFF_TARGET) * s * (1.0 - s) * slope)
