"""The losses: what the network is asked to get right, with noise on what it hears in training.

Categorical heads: cross-entropy of each stage's code, in nats. Linear heads: mean squared error.
Inputs are disturbed, targets stay clean: the network learns to find its way back, as it must when it plays on
from its own mistakes. Source: Valin and Skoglund, "LPCNet", ICASSP 2019, for noise on the inputs of
free-running audio networks.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from noizenet.codecs import Codec
from noizenet.codecs.tokens import TokensCodec
from noizenet.network import NetworkShape
from noizenet_training.batches import Batch
from noizenet_training.networks import HiddenState, Network
from noizenet_training.recipe import Recipe

Array = NDArray[Any]

HELD_OUT_STEPS = 65_536  # looked at in a round, at most: a second and a half of samples, or 25 minutes of tokens
HELD_OUT_CHUNK = 1024  # steps at once, for modest memory


def stage_weights(codec: Codec, stretches: Sequence[Array]) -> Array:
    """Returns each stage's share of the spectral variance that the codes describe, (stages,), sum 1.

    The first stage says most about what is heard; the last ones refine it, and are learnt by heart first.
    Weighed alike, they would choose weights that don't know yet how the music goes on.
    """
    if not isinstance(codec, TokensCodec):
        return np.ones(1)
    steps = np.concatenate(stretches)
    variances = [codec.codebooks[stage][steps[:, stage]].var(axis=0).sum() for stage in range(codec.width)]
    return np.asarray(variances, np.float64) / max(float(np.sum(variances)), 1e-12)


def step_tensor(steps: Array, device: torch.device) -> Tensor:
    """Returns steps as the network takes them: int64 codes or float32 numbers."""
    tensor = torch.from_numpy(steps).to(device)
    return tensor.long() if steps.dtype.kind == "i" else tensor


def disturbed(inputs: Tensor, shape: NetworkShape, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Returns inputs with some codes replaced (`corruption`), or numbers made noisy (`input_noise`)."""
    if shape.head == "linear":
        if not recipe.input_noise:
            return inputs
        return inputs + recipe.input_noise * torch.randn(inputs.shape, generator=generator).to(inputs.device)
    if not recipe.corruption:
        return inputs
    struck = torch.rand(inputs.shape, generator=generator) < recipe.corruption
    drawn = torch.randint(shape.classes, inputs.shape, generator=generator)
    return torch.where(struck.to(inputs.device), drawn.to(inputs.device), inputs)


def stage_losses(network: Network, top: Tensor, targets: Tensor, counted: Tensor) -> Tensor:
    """Returns the mean loss of each stage, (stages,); one number for a linear head.

    Args:
        top: the top layer's output (batch, time, hidden).
        targets: the steps to be predicted, (batch, time, width).
        counted: which of them are real, bool (batch, time).
    """
    top, targets = top[counted], targets[counted]
    if network.shape.head == "linear":
        return functional.mse_loss(network.predict(top), targets)[None]
    stages = range(network.shape.stages)
    losses = [functional.cross_entropy(network.logits(top, i, targets), targets[:, i]) for i in stages]
    return torch.stack(losses)


def batch_losses(
    network: Network, batch: Batch, state: HiddenState, recipe: Recipe, generator: torch.Generator
) -> tuple[Tensor, HiddenState]:
    """Returns the stages' losses on a batch, and the hidden state after it, cut off from its past."""
    device = state[0].device
    carried = torch.from_numpy(~batch.fresh).to(device, state[0].dtype)[None, :, None]
    inputs = disturbed(step_tensor(batch.inputs, device), network.shape, recipe, generator)
    top, state = network.recur(inputs, (state[0] * carried, state[1] * carried))
    counted = torch.from_numpy(batch.counted).to(device)
    losses = stage_losses(network, top, step_tensor(batch.targets, device), counted)
    return losses, (state[0].detach(), state[1].detach())


def held_out_losses(network: Network, stretches: Sequence[Array]) -> Array:
    """Returns the stages' losses on the held-out steps, undisturbed, (stages,). Leaves training mode off.

    All stretches are read side by side, each from its first step; of long ones, only the beginning.
    """
    network.eval()
    device = network.device
    longest = min(max(len(steps) for steps in stretches), max(2, HELD_OUT_STEPS // len(stretches))) - 1
    inputs = np.zeros((len(stretches), longest + 1, stretches[0].shape[1]), stretches[0].dtype)
    counted = np.zeros((len(stretches), longest), bool)
    for row, steps in enumerate(stretches):
        part = steps[: longest + 1]
        inputs[row, : len(part)] = part
        counted[row, : len(part) - 1] = True
    total: Array = np.zeros(1)
    state = network.new_state(len(stretches))
    with torch.inference_mode():
        for first in range(0, longest, HELD_OUT_CHUNK):
            last = min(first + HELD_OUT_CHUNK, longest)
            top, state = network.recur(step_tensor(inputs[:, first:last], device), state)
            real = torch.from_numpy(counted[:, first:last]).to(device)
            if not real.any():
                break
            targets = step_tensor(inputs[:, first + 1 : last + 1], device)
            losses = stage_losses(network, top, targets, real).double().cpu().numpy()
            total = total + losses * int(real.sum())
    return total / int(counted.sum())
