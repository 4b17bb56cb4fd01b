"""Four voices of one network, stepped side by side: see `noizenet_daemon.kernels.together`.

A voice's state stays its own. For a block it is copied into a row of the four's arrays, and back: a hundredth of what
128 steps take.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.states import arrays_of
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.kernels.shared_products import TOGETHER
from noizenet_daemon.kernels.stepping import NetworkState
from noizenet_daemon.kernels.together import run_codes_together, run_features_together, settings_of
from noizenet_daemon.packing import pack_shared_layers

Array = NDArray[Any]


def can_share(engine: NumbaEngine) -> bool:
    """Returns whether voices of an engine can step side by side: whether its precision and kind of network can."""
    return engine.precision == "f32" and engine.shape.cell != "conv" and not engine.shape.frame


class SharedEngine:
    """An engine's weights, packed for four voices, and room for four states. Used by one thread at a time.

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
        self._shared = pack_shared_layers(shape, checkpoint.weights)
        self._states = _in_rows(new_network_state(shape, 0))
        is_categorical = shape.head == "categorical"
        self._run: Any = run_codes_together if is_categorical else run_features_together
        width = shape.stages if is_categorical else shape.features
        self._out: Array = np.zeros((TOGETHER, steps, width), np.int32 if is_categorical else np.float32)

    def run(self, states: Sequence[NetworkState], controls: Sequence[Controls], outs: Sequence[Array]) -> None:
        """Generates steps of four voices into `outs`, each as `NumbaEngine.run` takes it, of a block's length."""
        rows = arrays_of(self._states)
        for voice, state in enumerate(states):
            for row, array in zip(rows, arrays_of(state), strict=True):
                row[voice] = array
        self._run(self._weights, self._shared, self._states, settings_of(controls), self._out)
        for voice, (state, out) in enumerate(zip(states, outs, strict=True)):
            for row, array in zip(rows, arrays_of(state), strict=True):
                array[...] = row[voice]
            out[:] = self._out[voice]


def _in_rows(state: Any) -> Any:
    """Returns a state like this, each of whose arrays has a row for each of four voices."""
    if isinstance(state, np.ndarray):
        return np.zeros((TOGETHER, *state.shape), state.dtype)
    return type(state)(*map(_in_rows, state))
