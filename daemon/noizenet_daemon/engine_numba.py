"""Engine `numba`: packs a checkpoint's weights for the kernels and steps them. The default, for any CPU."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.network import GATES, NetworkShape
from noizenet_daemon.kernels.cells import CELL_NUMBERS, CellState, Layers
from noizenet_daemon.kernels.collapse import LAGS
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.kernels.pink import new_pink
from noizenet_daemon.kernels.predicting import predict_codes, predict_features
from noizenet_daemon.kernels.rng import new_rng
from noizenet_daemon.kernels.stepping import (
    CategoricalWeights,
    LinearWeights,
    NetworkState,
    TierState,
    listen_codes,
    listen_features,
    run_codes,
    run_features,
)
from noizenet_daemon.kernels.tiers import TieredWeights, listen_tiers, predict_tiers, run_tiers

Array = NDArray[Any]


class NumbaEngine:
    """A network's weights, ready to step. Immutable: any number of voices and threads may share it."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.shape = checkpoint.network
        self.weights: CategoricalWeights | LinearWeights | TieredWeights
        self._run: Any
        self._listen: Any
        self._predict: Any
        if self.shape.frame:
            self.weights = pack_tiered(self.shape, checkpoint.weights)
            self._run, self._listen, self._predict = run_tiers, listen_tiers, predict_tiers
        elif self.shape.head == "categorical":
            self.weights = pack_categorical(self.shape, checkpoint.weights)
            self._run, self._listen, self._predict = run_codes, listen_codes, predict_codes
        else:
            self.weights = pack_linear(self.shape, checkpoint.weights)
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
        np.zeros(units, np.int64),
    )


def pack_layers(shape: NetworkShape, weights: dict[str, Array]) -> Layers:
    """Returns the weights of the layers as `kernels.cells` takes them."""
    layers, hidden, gates = range(shape.layers), shape.hidden, GATES[shape.cell] * shape.hidden
    between = [weights[f"rnn.weight_ih_l{layer}"].T for layer in layers if layer > 0]
    bias = np.stack([weights[f"rnn.bias_ih_l{layer}"] for layer in layers])
    candidate = np.zeros((shape.layers, hidden), np.float32)
    recurrent = np.zeros((shape.layers, 0, gates), np.float32)
    if shape.cell != "conv":
        recurrent = np.stack([weights[f"rnn.weight_hh_l{layer}"].T for layer in layers])
        of_hidden = np.stack([weights[f"rnn.bias_hh_l{layer}"] for layer in layers])
        if shape.cell == "gru":
            candidate = of_hidden[:, 2 * hidden :].copy()
            of_hidden[:, 2 * hidden :] = 0.0
        bias += of_hidden
    return Layers(
        CELL_NUMBERS[shape.cell],
        _stack(between) if between else np.zeros((1, 0, gates), np.float32),
        np.ascontiguousarray(recurrent, np.float32),
        np.ascontiguousarray(bias, np.float32),
        np.ascontiguousarray(candidate, np.float32),
    )


def pack_categorical(shape: NetworkShape, weights: dict[str, Array]) -> CategoricalWeights:
    """Returns the weights of a network over codes as `kernels.stepping` takes them."""
    embedding = weights["embedding"]
    of_input = weights["rnn.weight_ih_l0"].T
    size = shape.embedding
    table = [embedding[s] @ of_input[s * size : (s + 1) * size] for s in range(shape.stages)]
    known = shape.hidden + (shape.stages - 1) * size
    condition = np.zeros((shape.stages, known, shape.head_hidden), np.float32)
    for stage in range(shape.stages):
        matrix = weights[f"condition.{stage}.weight"].T
        condition[stage, : matrix.shape[0]] = matrix
    stages = range(shape.stages)
    return CategoricalWeights(
        pack_layers(shape, weights),
        _stack(table),
        np.ascontiguousarray(of_input, np.float32),
        float(np.sqrt(np.mean(np.square(embedding)))),
        np.ascontiguousarray(embedding, np.float32),
        condition,
        _stack([weights[f"condition.{stage}.bias"] for stage in stages]),
        _stack([weights[f"output.{stage}.weight"].T for stage in stages]),
        _stack([weights[f"output.{stage}.bias"] for stage in stages]),
    )


def pack_tiered(shape: NetworkShape, weights: dict[str, Array]) -> TieredWeights:
    """Returns the weights of a network of two tiers as `kernels.tiers` takes them."""
    embedding, size = weights["embedding"][0], shape.embedding
    near = weights["near.weight"].T
    return TieredWeights(
        pack_layers(shape, weights),
        np.ascontiguousarray(embedding, np.float32),
        np.ascontiguousarray(weights["rnn.weight_ih_l0"].T, np.float32),
        float(np.sqrt(np.mean(np.square(embedding)))),
        np.ascontiguousarray(weights["upsample.weight"].T, np.float32),
        weights["upsample.bias"].reshape(shape.frame, shape.conditioning),
        _stack([embedding @ near[n * size : (n + 1) * size] for n in range(shape.reach)]),
        np.ascontiguousarray(near[-size:], np.float32),
        weights["near.bias"],
        np.ascontiguousarray(weights["condition.0.weight"].T, np.float32),
        np.ascontiguousarray(weights["mix.weight"].T, np.float32),
        weights["mix.bias"],
        np.ascontiguousarray(weights["output.0.weight"].T, np.float32),
        weights["output.0.bias"],
    )


def pack_linear(shape: NetworkShape, weights: dict[str, Array]) -> LinearWeights:
    """Returns the weights of a network over real numbers as `kernels.stepping` takes them."""
    return LinearWeights(
        pack_layers(shape, weights),
        np.ascontiguousarray(weights["rnn.weight_ih_l0"].T, np.float32),
        1.0,  # features are z-scored
        shape.head == "gaussian",
        np.ascontiguousarray(weights["output.0.weight"].T, np.float32),
        np.ascontiguousarray(weights["output.0.bias"], np.float32),
    )


def _stack(arrays: list[Array]) -> Array:
    return np.ascontiguousarray(np.stack(arrays), np.float32)
