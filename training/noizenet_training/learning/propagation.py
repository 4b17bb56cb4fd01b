"""Forward and back through a batch: a very long one in segments, so that its memory stays bounded.

What a segment's backward pass needs is only made when it is its turn: the way forward keeps no more than the hidden
state at each border, and each segment is computed again from there before errors are propagated back through it,
from the last segment to the first. The gradient is the same as of the whole, for a third more time.

Source: Chen et al., "Training deep nets with sublinear memory cost", arXiv:1604.06174.
"""

from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from noizenet.network import NetworkShape
from noizenet_training.learning.losses import summed_losses
from noizenet_training.learning.networks import HiddenState, Network
from noizenet_training.learning.precision import Precision
from noizenet_training.learning.sample_rnn import SampleRnn

MOST_BYTES = 3 << 30  # of what one batch keeps for its way back, before it is cut into segments
SEGMENT_BYTES = 1 << 28
UNIT_BYTES = 64  # a unit, step and stream: gates, states and their copies; measured 61 of the LSTM
# A layer and step, whatever its size: without a fused kernel each operation is a node of its own in PyTorch's graph.
NODE_BYTES = {"rnn": 5_000, "gru": 16_000, "lstm": 0, "conv": 0}
NODE_BYTES_WITHOUT_MKLDNN = 20_000  # of the LSTM, which has a fused kernel there


class Steps(NamedTuple):
    """One batch, or a part of it, as tensors on the network's device.

    Attributes:
        inputs, targets: int64 (streams, time, stages) or float32 (streams, time, features). Before the inputs proper
            stand those that the network looks back to, `NetworkShape.context` of them.
        counted: which targets are real, bool (streams, time).
    """

    inputs: Tensor
    targets: Tensor
    counted: Tensor

    def part(self, first: int, last: int) -> "Steps":
        """Returns the steps from `first` to before `last`."""
        context = self.inputs.shape[1] - self.targets.shape[1]
        return Steps(self.inputs[:, first : last + context], self.targets[:, first:last], self.counted[:, first:last])


class Learner(nn.Module):
    """Network and loss in one module, as DistributedDataParallel wraps them.

    Args:
        loss: the recipe's; means nothing for a head that has a likelihood.
        precision: of the products; None = single.
    """

    def __init__(self, network: Network, loss: str, precision: Precision | None = None) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.precision = precision or Precision("single", network.device)

    def forward(self, steps: Steps, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the summed losses of the stages, (stages,), and the hidden state after the last step."""
        network, targets, counted = self.network, steps.targets, steps.counted
        with self.precision.autocast():
            if isinstance(network, SampleRnn):
                asked = torch.nonzero(counted.any(dim=0))[:, 0]
                targets, counted = targets[:, asked], counted[:, asked]
                top, (hidden, cell) = network.recur(steps.inputs, (hidden, cell), asked)
            else:
                top, (hidden, cell) = network.recur(steps.inputs, (hidden, cell))
            losses = summed_losses(network, top, targets, counted, self.loss)
        return losses, hidden.float(), cell.float()


def propagate(
    learner: Learner | DistributedDataParallel,
    network: Network,
    steps: Steps,
    state: HiddenState,
    weight: float,
    segment: int | None = None,
) -> tuple[Tensor, HiddenState]:
    """Adds the gradients of `weight` x the summed losses of all stages to those of the weights.

    Args:
        learner: a `Learner` of the network, wrapped or not.
        state: before the first step.
        segment: steps that are propagated through at once; None = as memory suggests.

    Returns:
        the stages' summed losses, (stages,), and the state after the last step, both cut off from their past.
    """
    streams, time = steps.targets.shape[:2]
    segment = segment or segment_steps(network.shape, streams, time, network.device)
    if segment < time:
        return _in_segments(learner, network, steps, state, weight, range(0, time, segment))
    losses, hidden, cell = learner(steps, *state)
    (weight * losses.sum()).backward()
    return losses.detach(), (hidden.detach(), cell.detach())


def segment_steps(shape: NetworkShape, streams: int, time: int, device: torch.device) -> int:
    """Returns how many steps to propagate through at once: all of them, if memory allows it.

    On a GPU it is always all of them: its kernels keep less, and their dropout can't be drawn a second time.
    """
    if device.type != "cpu":
        return time
    nodes = NODE_BYTES[shape.cell]
    if shape.cell == "lstm" and not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        nodes = NODE_BYTES_WITHOUT_MKLDNN
    turn = max(shape.frame, 1)  # steps
    step = shape.layers * (UNIT_BYTES * shape.hidden * streams + nodes) // turn
    step += 12 * streams * shape.stages * (shape.classes + shape.head_hidden)
    step += 12 * streams * shape.embedding * shape.reach
    return time if time * step <= MOST_BYTES else max(1, SEGMENT_BYTES // step // turn) * turn


def _in_segments(
    learner: Learner | DistributedDataParallel,
    network: Network,
    steps: Steps,
    state: HiddenState,
    weight: float,
    borders: range,
) -> tuple[Tensor, HiddenState]:
    """Does what `propagate` does; `borders` are the first steps of the segments."""
    plain = learner.module if isinstance(learner, DistributedDataParallel) else learner
    states, random = _states_at(network, plain.precision, steps, state, borders)
    later: list[Tensor | None] = [None, None]  # gradients of the state that the segment ends with
    total, ends, random_after = torch.zeros(1), state, random[-1]
    for index in reversed(range(len(borders))):
        is_first, is_last = index == 0, index == len(borders) - 1
        torch.set_rng_state(random[index])
        before = [part.detach().requires_grad_(not is_first) for part in states[index]]
        # processes that train together exchange their gradients once, when all are there
        with learner.no_sync() if isinstance(learner, DistributedDataParallel) and not is_first else nullcontext():
            losses, *after = learner(steps.part(borders[index], borders[index] + borders.step), *before)
            known = [(part, gradient) for part, gradient in zip(after, later, strict=True) if gradient is not None]
            objective = weight * losses.sum() + sum((part * gradient).sum() for part, gradient in known)
            objective.backward()
        if is_last:
            ends, random_after = (after[0].detach(), after[1].detach()), torch.get_rng_state()
        later = [part.grad for part in before]
        total = total + losses.detach()
    torch.set_rng_state(random_after)
    return total, ends


def _states_at(
    network: Network, precision: Precision, steps: Steps, state: HiddenState, borders: range
) -> tuple[list[HiddenState], list[Tensor]]:
    """Returns the hidden state before each segment, and that of the random numbers, which dropout draws from."""
    states, random = [state], [torch.get_rng_state()]
    with torch.no_grad(), precision.autocast():
        for first in borders[:-1]:
            _, (hidden, cell) = network.recur(steps.part(first, first + borders.step).inputs, state)
            state = hidden.float(), cell.float()
            states.append(state)
            random.append(torch.get_rng_state())
    return states, random
