"""One update after another: a batch forward and back, the gradients clipped, a step of the optimiser."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from noizenet_training.learning.batches import Batch
from noizenet_training.learning.distributed import Group
from noizenet_training.learning.disturbing import disturbed
from noizenet_training.learning.losses import step_tensor
from noizenet_training.learning.networks import HiddenState, Network
from noizenet_training.learning.optimisers import clip_gradients, new_optimiser
from noizenet_training.learning.precision import Precision
from noizenet_training.learning.propagation import Learner, Steps, propagate
from noizenet_training.learning.update_history import UpdateHistory
from noizenet_training.recipe import Recipe

Array = NDArray[Any]

LEAST_FACTOR = 1.0  # of mixed precision; gradients that are infinite even at that are
HUGE = 300.0  # times the first error has diverged; a rate of 250 with Adam brings 1,500 at once
# How losses grow with the error. A density divides squares by squares; the bias drifts, which is said beforehand.
HUGE_POWER = {"categorical": 1, "mae": 1, "mse": 2, "mbe": 2, "gaussian": 4}


class DivergedError(Exception):
    """An update's loss isn't finite, or is huge; its message says what it became."""


class Learning:
    """What updates change: weights, the optimiser's moments, hidden states, and the record of the updates.

    Attributes:
        updates: so far.
        passes: over all training steps so far; with shifted readings, over all of these.
        history: losses of single updates.
        first_loss: of the first update.
        precision: see `Precision`.
    """

    def __init__(self, network: Network, recipe: Recipe, stage_weights: Array, group: Group) -> None:
        self.network = network
        self.updates = 0
        self.passes = 0.0
        self.history = UpdateHistory()
        self.first_loss: float | None = None
        self._recipe = recipe
        self._stage_weights = stage_weights
        self._group = group
        self.precision = Precision(recipe.precision, network.device)
        self._learner = group.wrap(Learner(network, recipe.loss, self.precision))
        self._optimiser = new_optimiser(recipe, network.parameters())
        self._generator = torch.Generator()
        self._state = network.new_state(0)

    def start_round(self, key: Sequence[int]) -> None:
        """Takes new random numbers, which depend on the key alone; and new hidden states, unless feeding windows."""
        seed = int(np.random.SeedSequence(key).generate_state(1)[0])
        self._generator.manual_seed(seed)  # the same in all processes: each disturbs the whole batch
        own = [*key, self._group.rank] if self._group.rank else key
        torch.manual_seed(int(np.random.SeedSequence(own).generate_state(1)[0]))  # for dropout
        self.network.train()
        if self._recipe.feeding != "windows":
            self._state = self.network.new_state(0)

    def propagate(self, batch: Batch, elapsed: Callable[[], float]) -> tuple[float, float]:
        """Finds the gradients of a batch; returns its loss and the seconds so far, as all processes know them.

        Raises:
            DivergedError: loss or gradients aren't finite, or the loss is huge.
        """
        group = self._group
        rows = group.rows(len(batch.fresh))
        inputs = disturbed(
            step_tensor(batch.inputs, torch.device("cpu")), self.network.shape, self._recipe, self._generator
        )
        device = self.network.device
        counted = self._drawn(torch.from_numpy(batch.counted))
        count = int(counted.sum())
        steps = Steps(inputs[rows].to(device), step_tensor(batch.targets[rows], device), counted[rows].to(device))
        self._optimiser.zero_grad(set_to_none=True)
        # DistributedDataParallel takes the mean over processes: times their number, it is the mean over steps
        factor = self.precision.factor()
        losses, self._state = propagate(
            self._learner, self.network, steps, self._carried(batch.fresh[rows]), factor * group.size / count
        )
        share = float(self._stage_weights @ losses.double().cpu().numpy()) / count
        loss, elapsed_s = group.total(share, elapsed() if group.is_first else 0.0)
        if found := self.divergence(loss):
            raise DivergedError(found)
        self.precision.unscale(self._optimiser)
        norm = clip_gradients(self._recipe, self.network.parameters())
        if not math.isfinite(norm) and factor <= LEAST_FACTOR:
            raise DivergedError("its gradient became NaN or infinite")
        return loss, elapsed_s

    def step(self, batch: Batch, loss: float, rate: float) -> None:
        """Updates the weights from the gradients that `propagate` found."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self.precision.step(self._optimiser)
        self.updates += 1
        self.passes += batch.share
        self.history.add(self.updates, loss, batch.song)
        if self.first_loss is None:
            self.first_loss = loss

    def _drawn(self, counted: Tensor) -> Tensor:
        """Returns which targets count, bool (streams, time): of tiers, `draws` of the samples of each frame."""
        frame, draws = self.network.shape.frame, self._recipe.draws
        if not frame or not draws:
            return counted
        is_drawn = torch.zeros(frame, dtype=torch.bool)
        is_drawn[torch.randperm(frame, generator=self._generator)[:draws]] = True
        return counted & is_drawn.repeat(counted.shape[1] // frame)

    def divergence(self, loss: float) -> str:
        """Returns how a loss has diverged, in words; "" if it hasn't."""
        if not math.isfinite(loss):
            return "the loss became NaN or infinite"
        head = self.network.shape.head
        power = HUGE_POWER[self._recipe.loss if head == "linear" else head]
        first = self.first_loss or 0.0
        is_huge = abs(loss) > max(1.0, abs(first)) * HUGE**power
        return f"the loss went from {first:.3g} to {loss:.3g}" if is_huge else ""

    def _carried(self, fresh: Array) -> HiddenState:
        """Returns the hidden state before a batch: zeros where it starts anew."""
        if len(fresh) != self._state[0].shape[1]:
            return self.network.new_state(len(fresh))
        carried = torch.from_numpy(~fresh).to(self.network.device, torch.float32)[None, :, None]
        return self._state[0] * carried, self._state[1] * carried

    def to_plain(self) -> dict[str, Any]:
        """Returns a copy of what updates change: tensors, numbers, strings, lists and dicts."""
        moments = self._optimiser.state_dict()
        return {
            "updates": self.updates,
            "passes": self.passes,
            "history": self.history.to_plain(),
            "first_loss": self.first_loss,
            "scaler": self.precision.to_plain(),
            "state": [part.clone() for part in self._state],
            "weights": {name: torch.from_numpy(array) for name, array in self.network.weights().items()},
            "moments": {
                "state": {index: _copies(entry) for index, entry in moments["state"].items()},
                "param_groups": moments["param_groups"],
            },
        }

    def take_up(self, plain: dict[str, Any]) -> None:
        """Goes back to where `to_plain` was called."""
        self.updates = plain["updates"]
        self.passes = plain["passes"]
        self.history = UpdateHistory.from_plain(plain["history"])
        self.first_loss = plain["first_loss"]
        self.precision.take_up(plain["scaler"])
        hidden, cell = (part.to(self.network.device) for part in plain["state"])
        self._state = (hidden, cell)
        self.network.load_weights({name: tensor.numpy() for name, tensor in plain["weights"].items()})
        self._optimiser.load_state_dict(plain["moments"])


def _copies(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value.clone() if isinstance(value, Tensor) else value for name, value in entry.items()}
