"""Engine `numba`: a checkpoint's weights, packed for the kernels, which step them. The default, for any CPU."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.network import GATES, NetworkShape
from noizenet_daemon.kernels.cells import CellState
from noizenet_daemon.kernels.collapse import LAGS
from noizenet_daemon.kernels.networks import CategoricalWeights, LinearWeights, NetworkState, TierState
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.kernels.pink import new_pink
from noizenet_daemon.kernels.predicting import predict_codes, predict_features
from noizenet_daemon.kernels.rng import new_rng
from noizenet_daemon.kernels.stepping import listen_codes, listen_features, run_codes, run_features
from noizenet_daemon.kernels.tiers import TieredWeights, listen_tiers, predict_tiers, run_tiers
from noizenet_daemon.packing import pack_categorical, pack_linear, pack_tiered
from noizenet_daemon.precision import PrecisionChoice, chosen_precision

Array = NDArray[Any]


class NumbaEngine:
    """A network's weights, ready to step. Immutable: any number of voices and threads may share it.

    Attributes:
        precision: of the weights, "f32", "bf16" or "int8"; sums and states are float32 with all of them.
    """

    def __init__(self, checkpoint: Checkpoint, precision: PrecisionChoice = "auto") -> None:
        self.shape = checkpoint.network
        self.precision = chosen_precision(precision, self.shape)
        self.weights: CategoricalWeights | LinearWeights | TieredWeights
        self._run: Any
        self._listen: Any
        self._predict: Any
        if self.shape.frame:
            self.weights = pack_tiered(self.shape, checkpoint.weights, self.precision)
            self._run, self._listen, self._predict = run_tiers, listen_tiers, predict_tiers
        elif self.shape.head == "categorical":
            self.weights = pack_categorical(self.shape, checkpoint.weights, self.precision)
            self._run, self._listen, self._predict = run_codes, listen_codes, predict_codes
        else:
            self.weights = pack_linear(self.shape, checkpoint.weights, self.precision)
            self._run, self._listen, self._predict = run_features, listen_features, predict_features

    def run(self, state: NetworkState, controls: Controls, out: Array) -> None:
        """Generates steps into `out`: codes int32 (n, stages) or features float32 (n, features)."""
        self._run(self.weights, state, controls, out)

    def listen(self, state: NetworkState, steps: Array) -> None:
        """Hears given steps, as if the network had just put them out."""
        self._listen(self.weights, state, steps)

    def predict(self, state: NetworkState, steps: Array, out: Array) -> None:
        """Hears given steps, and writes what it had expected in the place of each into `out`, of the same kind."""
        self._predict(self.weights, state, steps, out)


def new_network_state(shape: NetworkShape, seed: int) -> NetworkState:
    """Returns the state of a network that has heard nothing."""
    gates = GATES[shape.cell] * shape.hidden
    categorical = shape.head == "categorical"
    cells = CellState(
        np.zeros((shape.layers, shape.hidden), np.float32),
        np.zeros((shape.cell_rows, shape.hidden), np.float32),
        np.zeros(1, np.int64),
        np.zeros(gates, np.float32),
        np.zeros(gates, np.float32),
    )
    known = shape.embedding if shape.frame else shape.hidden + max(shape.stages - 1, 0) * shape.embedding
    units = shape.head_hidden if categorical else (2 if shape.head == "gaussian" else 1) * shape.features
    return NetworkState(
        cells,
        np.zeros(shape.stages, np.int32) if categorical else np.zeros(shape.features, np.float32),
        new_rng(seed),
        new_pink(max(shape.layers * shape.hidden, shape.input_size), seed),
        np.zeros(1, np.int64),
        np.zeros(LAGS, np.float64),
        np.zeros(LAGS, np.int64),
        np.zeros(shape.input_size, np.float32),
        np.zeros(known, np.float32),
        np.zeros(units, np.float32),
        np.zeros(units, np.int64),
        np.zeros(max(shape.classes, 1), np.float32),
        _new_tier_state(shape),
    )


def _new_tier_state(shape: NetworkShape) -> TierState:
    """Returns the state of two tiers that have heard silence, the middle code; the cells are due to turn."""
    units = shape.head_hidden if shape.frame else 0
    return TierState(
        np.full(shape.span, shape.classes // 2, np.int32),
        np.full(1, shape.frame, np.int64),
        np.zeros((shape.frame, shape.conditioning), np.float32),
        np.zeros(units, np.float32),
    )
