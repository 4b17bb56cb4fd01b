"""Activation functions, as the paper defines them, and their pictures."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[Any]

FARTHEST = 5.0  # drawn on both sides of 0
POINTS = 1001


def heaviside(x: Array) -> Array:
    """Returns 1 where x > 0, else 0."""
    return np.asarray(np.where(x > 0, 1.0, 0.0))


def relu(x: Array) -> Array:
    """Returns x where x > 0, else 0."""
    return np.asarray(np.maximum(x, 0.0))


def sigmoid(x: Array) -> Array:
    """Returns 1 / (1 + exp(-x)), computed so that no x overflows."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


def tanh(x: Array) -> Array:
    """Returns (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return np.asarray(np.tanh(x))


ACTIVATIONS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "heaviside": ("Heaviside step: 1 if x > 0, else 0", heaviside),
    "relu": ("Rectified linear unit: max(0, x)", relu),
    "sigmoid": ("Sigmoid: 1 / (1 + exp(−x))", sigmoid),
    "tanh": ("Hyperbolic tangent: tanh x", tanh),
}


def activation_figure(name: str) -> Figure:
    """Returns the picture of one of `ACTIVATIONS`."""
    title, function = ACTIVATIONS[name]
    x = np.linspace(-FARTHEST, FARTHEST, POINTS)
    y = function(x)
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    if name == "heaviside":  # a step has no slope: two lines, and which end of each belongs to it
        axes.plot(x[x <= 0], y[x <= 0], linewidth=2)
        axes.plot(x[x > 0], y[x > 0], linewidth=2, color=axes.lines[0].get_color())
        axes.plot(0, 0, "o", color=axes.lines[0].get_color())
        axes.plot(0, 1, "o", color=axes.lines[0].get_color(), markerfacecolor="white")
    else:
        axes.plot(x, y, linewidth=2)
    axes.set(title=title, xlabel="x", ylabel="f(x)", xlim=(-FARTHEST, FARTHEST))
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.axvline(0.0, color="black", linewidth=0.6)
    axes.grid(alpha=0.3)
    return figure
