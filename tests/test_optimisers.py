"""Optimisers against a step worked out by hand, the learning rate's schedule, and the clipping of gradients."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from noizenet_training.learning.optimisers import clip_gradients, learning_rate, new_optimiser
from noizenet_training.recipe import Recipe

WEIGHTS = np.array([1.0, -2.0])
GRADIENTS = [np.array([0.5, -1.5]), np.array([0.25, 3.0])]


def stepped(**options: Any) -> list[np.ndarray]:
    """Returns the weights after each of two steps with a rate of 0.1."""
    parameter = nn.Parameter(torch.tensor(WEIGHTS))
    optimiser = new_optimiser(Recipe(learning_rate=0.1, **options), [parameter])
    found = []
    for gradient in GRADIENTS:
        parameter.grad = torch.tensor(gradient)
        optimiser.step()
        found.append(parameter.detach().numpy().copy())
    return found


def test_sgd_steps_down_the_gradient() -> None:
    first, second = stepped(optimiser="sgd")
    assert np.allclose(first, [0.95, -1.85])
    assert np.allclose(second, [0.925, -2.15])


def test_sgd_with_momentum_carries_its_velocity_on() -> None:
    first, second = stepped(optimiser="sgd", momentum=0.9)
    assert np.allclose(first, [0.95, -1.85])
    assert np.allclose(second, first - 0.1 * (0.9 * GRADIENTS[0] + GRADIENTS[1]))


@pytest.mark.parametrize(("optimiser", "decay"), [("adam", 0.0), ("adamw", 0.5)])
def test_adam_divides_the_mean_gradient_by_its_root_mean_square(optimiser: str, decay: float) -> None:
    first, second = stepped(optimiser=optimiser, weight_decay=decay or 0.01)
    weights, mean, square = WEIGHTS, np.zeros(2), np.zeros(2)
    for turn, (gradient, found) in enumerate(zip(GRADIENTS, (first, second), strict=True), start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        weights = weights * (1.0 - 0.1 * decay)
        weights = weights - 0.1 * (mean / (1 - 0.9**turn)) / (np.sqrt(square / (1 - 0.999**turn)) + 1e-8)
        assert np.allclose(found, weights)


def test_adadelta_steps_by_the_ratio_of_what_it_has_seen() -> None:
    weights, square, moved = WEIGHTS, np.zeros(2), np.zeros(2)
    for gradient, found in zip(GRADIENTS, stepped(optimiser="adadelta"), strict=True):
        square = 0.9 * square + 0.1 * gradient**2
        step = gradient * np.sqrt(moved + 1e-6) / np.sqrt(square + 1e-6)
        moved = 0.9 * moved + 0.1 * step**2
        weights = weights - 0.1 * step
        assert np.allclose(found, weights)


def test_the_rate_falls_to_a_fiftieth_or_stays_and_is_halved_after_a_divergence() -> None:
    falling, staying = Recipe(learning_rate=1.0), Recipe(learning_rate=1.0, schedule="constant")
    assert [learning_rate(falling, spent, 0) for spent in (0.0, 0.25, 0.99, 1.0)] == [1.0, 0.75, 0.02, 0.02]
    assert [learning_rate(staying, spent, 0) for spent in (0.0, 0.99)] == [1.0, 1.0]
    assert learning_rate(falling, 0.5, 2) == 0.125


@pytest.mark.parametrize(
    ("by", "clip", "expected"),
    [
        ("norm", 1.0, [0.6, -0.8]),
        ("norm", 10.0, [3.0, -4.0]),
        ("value", 1.0, [1.0, -1.0]),
        ("value", 3.5, [3.0, -3.5]),
        ("norm", 0.0, [3.0, -4.0]),
        ("value", 0.0, [3.0, -4.0]),
    ],
)
def test_gradients_are_clipped_by_norm_or_by_value_and_0_clips_nothing(
    by: str, clip: float, expected: list[float]
) -> None:
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([3.0, -4.0])
    assert clip_gradients(Recipe(clip=clip, clip_by=by), [parameter]) == pytest.approx(5.0)
    assert parameter.grad.tolist() == pytest.approx(expected, rel=1e-5)


def test_a_gradient_that_is_not_finite_has_no_finite_norm() -> None:
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([float("nan"), 1.0])
    assert not np.isfinite(clip_gradients(Recipe(clip=0.0), [parameter]))
