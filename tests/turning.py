"""Knobs that ask for something else in each block, and states to turn them on."""

from collections.abc import Callable

import numpy as np

from making import (
    Array,
    amplitude_checkpoint,
    gaussian_checkpoint,
    mulaw_checkpoint,
    tiered_checkpoint,
    tokens_checkpoint,
)
from noizenet.checkpoint import Checkpoint
from noizenet_daemon.engine_numba import new_network_state
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import (
    CELL,
    HIDDEN,
    INPUT,
    LIVE,
    OFF,
    ON_COLLAPSE,
    PERIODIC,
    PERLIN,
    PINK,
    UNIFORM,
    Controls,
)

MAKERS: list[Callable[..., Checkpoint]] = [
    tokens_checkpoint,
    mulaw_checkpoint,
    amplitude_checkpoint,
    gaussian_checkpoint,
    tiered_checkpoint,
]
TURNED = [
    Controls(),
    Controls(noise=0.3, kind=PINK, target=HIDDEN),
    Controls(noise=0.2, kind=PERLIN, target=CELL, perlin_step=0.1, temperature=0.8),
    Controls(top_p=0.7),
    Controls(noise=0.5, kind=UNIFORM, target=INPUT, mode=PERIODIC, period=3),
    Controls(noise=0.3, kind=LIVE, target=CELL, mode=ON_COLLAPSE, hold=2),
    Controls(noise=0.3, mode=OFF, temperature=1.3),
]


def state_of(checkpoint: Checkpoint, seed: int) -> NetworkState:
    """Returns a state that begins where the checkpoint's first does, with random numbers of its own."""
    state, start = new_network_state(checkpoint.network, seed), next(iter(checkpoint.states.values()))
    state.cells.hidden[:], state.cells.cell[:], state.last[:] = start["hidden"], start["cell"], start["last"]
    if "recent" in start:
        state.tiers.recent[:] = start["recent"]
    return state


def room(state: NetworkState, count: int) -> Array:
    """Returns room for steps."""
    return np.zeros((count, len(state.last)), state.last.dtype)
