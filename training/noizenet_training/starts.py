"""The hidden states that a checkpoint carries: the network after hearing parts of its corpus.

Free running starts from one of them, in the middle of the music rather than out of silence.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from noizenet.checkpoint import State
from noizenet_training.learning.losses import step_tensor
from noizenet_training.learning.networks import Network

Array = NDArray[Any]

STARTS = 8
LEAST_HEARD = 64  # steps: a second and a half of spectral frames
MOST_HEARD = 4096  # steps: a recurrent network forgets what lies further back; also bounds the time this takes


def start_states(network: Network, stretches: Sequence[Array], group: int = 1) -> dict[str, State]:
    """Returns the states `start-1` to `start-8`, after hearing steps (n, width) up to evenly spaced places.

    In each, `last` is the step at that place, which the network has yet to take in, as the engine does first.

    Args:
        group: steps that are decoded together: a place is at the end of a whole group.
    """
    total = sum(len(steps) for steps in stretches)
    return {
        f"start-{number + 1}": _state_after(
            network, _heard_up_to(stretches, int((number + 0.5) * total / STARTS), group, network.shape.span)
        )
        for number in range(STARTS)
    }


def _heard_up_to(stretches: Sequence[Array], place: int, group: int, least: int) -> Array:
    """Returns the steps of one stretch up to a place in all of them; later if those are too few, or no whole groups."""
    for steps in stretches:
        if place < len(steps):
            break
        place -= len(steps)
    wanted = max(place + 1, LEAST_HEARD, least)
    end = min(-(-wanted // group) * group, len(steps))
    return steps[max(0, end - MOST_HEARD) : end]


def _state_after(network: Network, heard: Array) -> State:
    """Returns the state after all but the last step heard, and that one."""
    network.eval()
    device = network.device
    with torch.inference_mode():
        hidden, cell = network.hear(step_tensor(heard[None], device), network.new_state(1))
    kind = np.int32 if network.shape.head == "categorical" else np.float32
    state = {
        "hidden": hidden[:, 0].cpu().numpy().astype(np.float32),
        "cell": cell[:, 0].cpu().numpy().astype(np.float32),
        "last": heard[-1].astype(kind),
    }
    if network.shape.frame:
        state["recent"] = heard[-network.shape.span :, 0].astype(kind)
    return state
