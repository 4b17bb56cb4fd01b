"""The losses: what the network is asked to get right.

    categorical head   cross-entropy of each stage's code, in nats
    linear head        error e = y - y' of truth y and prediction y': mean of e^2 (mse), of |e| (mae), of e (mbe)
    Gaussian head      -ln of the density of the truth: ln sigma + ((y - mu) / sigma)^2 / 2 + ln(2 pi) / 2, in nats

The mean bias error is the paper's, signed: it falls without end if the prediction rises.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from noizenet.codecs import Codec
from noizenet.codecs.tokens import TokensCodec
from noizenet_training.learning.networks import Network

Array = NDArray[Any]

HELD_OUT_STEPS = 65_536  # looked at in a round, at most: a second and a half of samples, or 25 minutes of tokens
HELD_OUT_CHUNK = 1024  # steps at once, for modest memory


class HeldOut(NamedTuple):
    """What the held-out part says about a network.

    Attributes:
        losses: of the stages, (stages,); one number where the head has no stages.
        errors: mean squared, absolute and bias error of the predicted numbers, (3,); None for codes.
    """

    losses: Array
    errors: tuple[float, float, float] | None


def stage_weights(codec: Codec, stretches: Sequence[Array]) -> Array:
    """Returns each stage's share of the spectral variance that the codes describe, (stages,), sum 1.

    The first stage says most about what is heard; the last ones refine it, and are learnt by heart first.
    Weighed alike, they would choose weights that don't know yet how the music goes on.
    """
    if not isinstance(codec, TokensCodec):
        return np.ones(1)
    variances = np.zeros(codec.width)
    for stage, classes in enumerate(codec.codebooks.astype(np.float64)):
        counts = sum(np.bincount(steps[:, stage], minlength=len(classes)) for steps in stretches)
        shares = counts / np.sum(counts)
        variances[stage] = shares @ np.square(classes - shares @ classes).sum(axis=1)
    return variances / max(float(variances.sum()), 1e-12)


def step_tensor(steps: Array, device: torch.device) -> Tensor:
    """Returns steps as the network takes them: int64 codes or float32 numbers."""
    tensor = torch.from_numpy(steps).to(device)
    return tensor.long() if steps.dtype.kind == "i" else tensor


def summed_losses(network: Network, top: Tensor, targets: Tensor, counted: Tensor, loss: str) -> Tensor:
    """Returns the loss of each stage, (stages,), summed over steps; one number where the head has no stages.

    Args:
        top: the top layer's output (batch, time, hidden).
        targets: the steps to be predicted, (batch, time, width); a step's loss is the mean over its numbers.
        counted: which of them are real, bool (batch, time).
        loss: "mse", "mae" or "mbe"; of a linear head.
    """
    top, targets = top[counted], targets[counted]
    if network.shape.head == "categorical":
        stages = range(network.shape.stages)
        return torch.stack(
            [
                functional.cross_entropy(network.logits(top, i, targets).float(), targets[:, i], reduction="sum")
                for i in stages
            ]
        )
    if network.shape.head == "gaussian":
        means, log_deviations = (part.float() for part in network.distribution(top))
        distances = (targets - means) * torch.exp(-log_deviations)
        each = log_deviations + 0.5 * distances.square() + 0.5 * math.log(2.0 * math.pi)
    else:
        error = targets - network.predict(top).float()
        each = error.square() if loss == "mse" else error.abs() if loss == "mae" else error
    return each.mean(dim=-1).sum()[None]


def look_at_held_out(network: Network, stretches: Sequence[Array], loss: str) -> HeldOut:
    """Returns how the network predicts the held-out steps, undisturbed. Leaves training mode off.

    All stretches are read side by side, each from its first step; of long ones, only the beginning.
    """
    network.eval()
    device = network.device
    context, frame = network.shape.context, max(network.shape.frame, 1)
    chunk = max(HELD_OUT_CHUNK // frame, 1) * frame
    longest = min(max(len(steps) for steps in stretches) - context, max(2, HELD_OUT_STEPS // len(stretches))) - 1
    inputs = np.zeros((len(stretches), context + longest + 1, stretches[0].shape[1]), stretches[0].dtype)
    counted = np.zeros((len(stretches), longest), bool)
    for row, steps in enumerate(stretches):
        part = steps[: context + longest + 1]
        inputs[row, : len(part)] = part
        counted[row, : len(part) - 1 - context] = True
    losses: Array = np.zeros(1)
    errors: Array = np.zeros(3)
    state = network.new_state(len(stretches))
    with torch.inference_mode():
        for first in range(0, longest, chunk):
            last = min(first + chunk, longest)
            top, state = network.recur(step_tensor(inputs[:, first : context + last], device), state)
            real = torch.from_numpy(counted[:, first:last]).to(device)
            targets = step_tensor(inputs[:, context + first + 1 : context + last + 1], device)
            losses = losses + summed_losses(network, top, targets, real, loss).double().cpu().numpy()
            errors = errors + _summed_errors(network, top[real], targets[real])
    count = int(counted.sum())
    if network.shape.head == "categorical":
        return HeldOut(losses / count, None)
    mse, mae, mbe = (float(error) / count for error in errors)
    return HeldOut(losses / count, (mse, mae, mbe))


def _summed_errors(network: Network, top: Tensor, targets: Tensor) -> Array:
    """Returns squared, absolute and bias error (3,) of the predicted numbers, summed over steps; zeros for codes."""
    if network.shape.head == "categorical":
        return np.zeros(3)
    error = (targets - network.predict(top)).double()
    each = torch.stack([error.square(), error.abs(), error])
    return np.asarray(each.mean(dim=-1).sum(dim=-1).cpu().numpy())
