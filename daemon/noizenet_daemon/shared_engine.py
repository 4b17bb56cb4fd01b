"""Four voices of one network, stepped side by side: see `noizenet_daemon.kernels.together`.

A voice's state stays its own. For a block it is copied into a row of the four's arrays, and back: a hundredth of what
128 steps take.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.states import arrays_of
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.kernels.shared_products import TOGETHER
from noizenet_daemon.kernels.together import run_codes_together, run_features_together, settings_of
from noizenet_daemon.packing import pack_shared_layers

Array = NDArray[Any]


def can_share(engine: NumbaEngine) -> bool:
    """Returns whether voices of an engine can step side by side: whether its precision and kind of network can."""
    return engine.precision != "int8" and engine.shape.cell != "conv" and not engine.shape.frame


class _Room(NamedTuple):
    """Where four voices step: their states, arrays with a row for each, and their steps (4, steps, width)."""

    states: Any
    out: Array


class SharedEngine:
    """An engine's weights, packed for four voices, and rooms for four states: one for each thread that uses it.

    Attributes:
        together: how many voices it steps, four.
    """

    together = TOGETHER

    def __init__(self, checkpoint: Checkpoint, engine: NumbaEngine, steps: int) -> None:
        """Args:
        engine: one that can share.
        steps: of a block.
        """
        shape = engine.shape
        self._weights = engine.weights
        self._shared = pack_shared_layers(shape, checkpoint.weights, engine.precision)
        self._shape, self._steps = shape, steps
        self._run: Any = run_codes_together if shape.head == "categorical" else run_features_together
        self._free_rooms = deque([self._new_room()])

    def run(self, states: Sequence[NetworkState], controls: Sequence[Controls], outs: Sequence[Array]) -> None:
        """Generates steps of four voices into `outs`, each as `NumbaEngine.run` takes it, of a block's length."""
        try:
            room = self._free_rooms.pop()
        except IndexError:  # another thread is in each
            room = self._new_room()
        rows = arrays_of(room.states)
        for voice, state in enumerate(states):
            for row, array in zip(rows, arrays_of(state), strict=True):
                row[voice] = array
        self._run(self._weights, self._shared, room.states, settings_of(controls), room.out)
        for voice, (state, out) in enumerate(zip(states, outs, strict=True)):
            for row, array in zip(rows, arrays_of(state), strict=True):
                array[...] = row[voice]
            out[:] = room.out[voice]
        self._free_rooms.append(room)

    def _new_room(self) -> _Room:
        shape = self._shape
        is_categorical = shape.head == "categorical"
        width = shape.stages if is_categorical else shape.features
        out = np.zeros((TOGETHER, self._steps, width), np.int32 if is_categorical else np.float32)
        return _Room(_in_rows(new_network_state(shape, 0)), out)


def _in_rows(state: Any) -> Any:
    """Returns a state like this, each of whose arrays has a row for each of four voices."""
    if isinstance(state, np.ndarray):
        return np.zeros((TOGETHER, *state.shape), state.dtype)
    return type(state)(*map(_in_rows, state))
