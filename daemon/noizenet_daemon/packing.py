"""A checkpoint's weights as the kernels take them: transposed, packed, and in the precision asked for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.network import GATES, NetworkShape
from noizenet_daemon.kernels.cells import CELL_NUMBERS, Layers
from noizenet_daemon.kernels.matrices import Matrices, pack
from noizenet_daemon.kernels.networks import CategoricalWeights, LinearWeights
from noizenet_daemon.kernels.shared_products import pack_shared
from noizenet_daemon.kernels.tiers import TieredWeights
from noizenet_daemon.kernels.together import SharedLayers
from noizenet_daemon.precision import Precision

Array = NDArray[Any]


def pack_layers(shape: NetworkShape, weights: dict[str, Array], precision: Precision = "f32") -> Layers:
    """Returns the weights of the layers as `kernels.cells` takes them."""
    layers, gates = range(shape.layers), GATES[shape.cell] * shape.hidden
    between = [weights[f"rnn.weight_ih_l{layer}"].T for layer in layers if layer > 0]
    recurrent = [np.zeros((0, gates), np.float32)]
    bias = np.stack([weights[f"rnn.bias_ih_l{layer}"] for layer in layers])
    of_hidden = np.zeros_like(bias)
    if shape.cell != "conv":
        recurrent = [weights[f"rnn.weight_hh_l{layer}"].T for layer in layers]
        of_hidden = np.stack([weights[f"rnn.bias_hh_l{layer}"] for layer in layers])
    if shape.cell != "gru":
        bias = bias + of_hidden
    return Layers(
        CELL_NUMBERS[shape.cell],
        pack(between or [np.zeros((0, gates), np.float32)], precision),
        pack(recurrent, precision),
        np.ascontiguousarray(bias, np.float32),
        np.ascontiguousarray(of_hidden, np.float32),
    )


def pack_shared_layers(shape: NetworkShape, weights: dict[str, Array], precision: Precision = "f32") -> SharedLayers:
    """Returns the matrices of the layers as `kernels.together` takes them; not in int8."""
    between = [weights[f"rnn.weight_ih_l{layer}"].T for layer in range(1, shape.layers)]
    return SharedLayers(
        pack_shared(between or [np.zeros((0, GATES[shape.cell] * shape.hidden), np.float32)], precision),
        pack_shared([weights[f"rnn.weight_hh_l{layer}"].T for layer in range(shape.layers)], precision),
    )


def pack_categorical(
    shape: NetworkShape, weights: dict[str, Array], precision: Precision = "f32"
) -> CategoricalWeights:
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
        pack_layers(shape, weights, precision),
        _stack(table),
        pack([of_input], precision),
        float(np.sqrt(np.mean(np.square(embedding)))),
        np.ascontiguousarray(embedding, np.float32),
        pack(list(condition), precision),
        _stack([weights[f"condition.{stage}.bias"] for stage in stages]),
        pack([weights[f"output.{stage}.weight"].T for stage in stages], precision),
        _stack([weights[f"output.{stage}.bias"] for stage in stages]),
    )


def pack_tiered(shape: NetworkShape, weights: dict[str, Array], precision: Precision = "f32") -> TieredWeights:
    """Returns the weights of a network of two tiers as `kernels.tiers` takes them."""
    embedding, size = weights["embedding"][0], shape.embedding
    near = weights["near.weight"].T

    def packed(name: str) -> Matrices:
        return pack([weights[f"{name}.weight"].T], precision)

    return TieredWeights(
        pack_layers(shape, weights, precision),
        np.ascontiguousarray(embedding, np.float32),
        pack([weights["rnn.weight_ih_l0"].T], precision),
        float(np.sqrt(np.mean(np.square(embedding)))),
        packed("upsample"),
        weights["upsample.bias"],
        _stack([embedding @ near[n * size : (n + 1) * size] for n in range(shape.reach)]),
        pack([near[-size:]], precision),
        weights["near.bias"],
        packed("condition.0"),
        packed("mix"),
        weights["mix.bias"],
        packed("output.0"),
        weights["output.0.bias"],
    )


def pack_linear(shape: NetworkShape, weights: dict[str, Array], precision: Precision = "f32") -> LinearWeights:
    """Returns the weights of a network over real numbers as `kernels.stepping` takes them."""
    return LinearWeights(
        pack_layers(shape, weights, precision),
        pack([weights["rnn.weight_ih_l0"].T], precision),
        1.0,  # features are z-scored
        shape.head == "gaussian",
        pack([weights["output.0.weight"].T], precision),
        np.ascontiguousarray(weights["output.0.bias"], np.float32),
    )


def _stack(arrays: list[Array]) -> Array:
    return np.ascontiguousarray(np.stack(arrays), np.float32)
