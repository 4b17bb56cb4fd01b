"""What the processes of a distributed training have in common, and what those after the first do."""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray

from noizenet.network import NetworkShape
from noizenet_training.learning.distributed import Group
from noizenet_training.learning.fitting import Fitting
from noizenet_training.learning.free_running import FreeRunning
from noizenet_training.learning.sample_rnn import new_network
from noizenet_training.learning.spans import spread_spans
from noizenet_training.task import Task

Array = NDArray[Any]

MOST_THREADS = 8  # networks of this size gain nothing from more


class Material(NamedTuple):
    """What all processes must know before they train.

    Attributes:
        training: steps (n, width) of every stretch to learn from.
        stage_weights: see `Fitting`.
        resumed: what `Fitting.take_up` takes, of a training that goes on.
    """

    shape: NetworkShape
    training: list[Array]
    stage_weights: Array
    resumed: dict[str, Any] | None


def new_fitting(
    material: Material, task: Task, group: Group, held_out: Sequence[Array] = (), playing: FreeRunning | None = None
) -> Fitting:
    """Returns a fitting of a new network, or of that of a training that goes on."""
    torch.manual_seed(task.seed)
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(MOST_THREADS, usable_cores()))
    network = new_network(material.shape, task.recipe.dropout)
    if task.recipe.spans:
        spread_spans(network, task.recipe.spans)
    network.to(group.device)
    weights = material.stage_weights
    fitting = Fitting(network, task.recipe, material.training, held_out, weights, task.seed, playing, group)
    if material.resumed:
        fitting.take_up(material.resumed)
    return fitting


def follow(task: Task, group: Group) -> None:
    """Trains along with the first process until that says that it is enough."""
    material: Material = group.share()
    fitting = new_fitting(material, task, group)
    while group.share(False):
        fitting.run_round(task.budget, lambda: 0.0, lambda updates, loss: None)  # noqa: ARG005


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(affinity(0)) if affinity else os.cpu_count() or 1
