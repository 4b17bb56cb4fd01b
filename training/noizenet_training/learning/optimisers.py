"""What updates the weights: optimisers, the learning rate over a training, and the clipping of gradients."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from noizenet_training.recipe import Recipe

LAST_RATE = 0.02  # of the first, at the end of the schedule "decay"


def new_optimiser(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Returns the recipe's optimiser.

    Sources: Loshchilov and Hutter, arXiv:1711.05101 (adamw); Kingma and Ba, arXiv:1412.6980 (adam); Zeiler,
    arXiv:1212.5701 (adadelta), which finds its own step size: its learning rate is a factor, 1 in the source.
    """
    rate = recipe.learning_rate
    if recipe.optimiser == "adam":
        return torch.optim.Adam(parameters, lr=rate)
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=recipe.momentum)
    if recipe.optimiser == "adadelta":
        return torch.optim.Adadelta(parameters, lr=rate)
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=recipe.weight_decay)


def learning_rate(recipe: Recipe, spent: float, halvings: int) -> float:
    """Returns the rate when a share of the budget is spent, after some halvings for losses that diverged."""
    falling = max(LAST_RATE, 1.0 - spent) if recipe.schedule == "decay" else 1.0
    return recipe.learning_rate * 0.5**halvings * falling


def clip_gradients(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> float:
    """Bounds the gradients as the recipe says; returns their norm as it was before."""
    parameters = list(parameters)
    by_norm = recipe.clip if recipe.clip and recipe.clip_by == "norm" else math.inf
    norm = float(nn.utils.clip_grad_norm_(parameters, by_norm))
    if recipe.clip and recipe.clip_by == "value":
        nn.utils.clip_grad_value_(parameters, recipe.clip)
    return norm
