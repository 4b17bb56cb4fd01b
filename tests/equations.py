"""The cells' equations, written out in NumPy in double precision: what the kernels are held against."""

import numpy as np

from making import Array
from noizenet.network import NetworkShape


def sigmoid(values: Array) -> Array:
    """Returns 1 / (1 + e^-x)."""
    return 1.0 / (1.0 + np.exp(-values))


def next_cells(shape: NetworkShape, weights: dict[str, Array], x: Array, hidden: Array, cell: Array) -> None:
    """Steps all layers: `hidden` (layers, hidden) and `cell` (cell_rows, hidden), float64, are changed in place.

    Args:
        x: input of the first layer, (input_size,).
    """
    if shape.cell == "conv":
        _next_convolutions(shape, weights, x, hidden, cell)
        return
    for layer in range(shape.layers):
        names = [f"rnn.{kind}_l{layer}" for kind in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")]
        input_weights, input_bias, hidden_weights, hidden_bias = (weights[name].astype(np.float64) for name in names)
        by_input = input_weights @ x + input_bias
        by_hidden = hidden_weights @ hidden[layer] + hidden_bias
        if shape.cell == "rnn":
            hidden[layer] = np.tanh(by_input + by_hidden)
        elif shape.cell == "lstm":
            i, f, g, o = np.split(by_input + by_hidden, 4)
            cell[layer] = sigmoid(f) * cell[layer] + sigmoid(i) * np.tanh(g)
            hidden[layer] = sigmoid(o) * np.tanh(cell[layer])
        else:
            (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(by_input, 3), np.split(by_hidden, 3)
            z = sigmoid(z_x + z_h)
            candidate = np.tanh(n_x + sigmoid(r_x + r_h) * n_h)
            hidden[layer] = (1.0 - z) * candidate + z * hidden[layer]
        x = hidden[layer]


def _next_convolutions(shape: NetworkShape, weights: dict[str, Array], x: Array, hidden: Array, cell: Array) -> None:
    """y(t) = tanh(W x(t) + b + V x(t - 2^l) + c) + x(t), the last not in layer 0; `cell` remembers V x + c."""
    for layer in range(shape.layers):
        both, biases = (weights[f"rnn.{kind}_l{layer}"].astype(np.float64) for kind in ("weight_ih", "bias_ih"))
        (w, v), (b, c) = np.split(both, 2), np.split(biases, 2)
        memory = cell[(1 << layer) - 1 : (2 << layer) - 1]  # a view; the oldest row is of 2^layer steps ago
        hidden[layer] = np.tanh(w @ x + b + memory[0]) + (x if layer else 0.0)
        memory[:] = np.concatenate([memory[1:], (v @ x + c)[None]])
        x = hidden[layer]
