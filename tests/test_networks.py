"""The network in PyTorch, against its equations written out in NumPy."""

from typing import Any

import numpy as np
import pytest
import torch

from making import Array, Cell, random_weights
from noizenet.network import NetworkShape
from noizenet_training.networks import Network

CELLS: list[Cell] = ["rnn", "lstm", "gru"]


def sigmoid(values: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-values))


def next_hidden(cell: Cell, weights: dict[str, Array], layer: int, x: Array, h: Array, c: Array) -> tuple[Any, Any]:
    """Returns hidden and cell state of one layer after one step, by the textbook."""
    by_input = weights[f"rnn.weight_ih_l{layer}"] @ x + weights[f"rnn.bias_ih_l{layer}"]
    by_hidden = weights[f"rnn.weight_hh_l{layer}"] @ h + weights[f"rnn.bias_hh_l{layer}"]
    if cell == "rnn":
        return np.tanh(by_input + by_hidden), c
    if cell == "lstm":
        i, f, g, o = np.split(by_input + by_hidden, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(by_input, 3), np.split(by_hidden, 3)
    z = sigmoid(z_x + z_h)
    return (1.0 - z) * np.tanh(n_x + sigmoid(r_x + r_h) * n_h) + z * h, c


@pytest.mark.parametrize("cell", CELLS)
def test_weights_are_exactly_those_of_the_shape(cell: Cell) -> None:
    for shape in (
        NetworkShape(cell, 2, 8, "categorical", 3, 5, 4, 6),
        NetworkShape(cell, 1, 8, "linear", features=2),
    ):
        weights = Network(shape).weights()
        assert {name: array.shape for name, array in weights.items()} == shape.tensor_shapes()
        assert all(array.dtype == np.float32 for array in weights.values())


@pytest.mark.parametrize("cell", CELLS)
def test_the_categorical_network_equals_its_equations(cell: Cell) -> None:
    shape = NetworkShape(cell, 2, 8, "categorical", 3, 5, 4, 6)
    weights = random_weights(shape)
    network = Network(shape)
    network.load_weights(weights)
    network.eval()
    codes = np.random.default_rng(1).integers(0, 5, (7, 3))
    hidden, memory = np.zeros((2, 8)), np.zeros((2, 8))
    with torch.inference_mode():
        steps = torch.from_numpy(codes)[None]
        top, state = network.recur(steps[:, :-1], network.new_state(1))
        found = [network.logits(top, stage, steps[:, 1:])[0].numpy() for stage in range(3)]
    for step in range(6):
        x = np.concatenate([weights["embedding"][stage, codes[step, stage]] for stage in range(3)])
        for layer in range(2):
            hidden[layer], memory[layer] = next_hidden(cell, weights, layer, x, hidden[layer], memory[layer])
            x = hidden[layer]
        known = x
        for stage in range(3):
            between = weights[f"condition.{stage}.weight"] @ known + weights[f"condition.{stage}.bias"]
            expected = weights[f"output.{stage}.weight"] @ np.maximum(between, 0.0) + weights[f"output.{stage}.bias"]
            assert np.allclose(found[stage][step], expected, atol=1e-5)
            known = np.concatenate([known, weights["embedding"][stage, codes[step + 1, stage]]])
    assert np.allclose(state[0][:, 0].numpy(), hidden, atol=1e-5)
    assert np.allclose(state[1][:, 0].numpy(), memory, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_the_linear_network_equals_its_equations(cell: Cell) -> None:
    shape = NetworkShape(cell, 1, 8, "linear", features=2)
    weights = random_weights(shape)
    network = Network(shape)
    network.load_weights(weights)
    network.eval()
    steps = np.random.default_rng(1).standard_normal((6, 2)).astype(np.float32)
    with torch.inference_mode():
        top, _ = network.recur(torch.from_numpy(steps)[None], network.new_state(1))
        found = network.predict(top)[0].numpy()
    hidden, memory = np.zeros(8), np.zeros(8)
    for step in range(6):
        hidden, memory = next_hidden(cell, weights, 0, steps[step], hidden, memory)
        assert np.allclose(found[step], weights["output.0.weight"] @ hidden + weights["output.0.bias"], atol=1e-5)


def test_reading_in_parts_equals_reading_at_once() -> None:
    shape = NetworkShape("lstm", 2, 8, "categorical", 2, 5, 4, 6)
    network = Network(shape)
    network.eval()
    steps = torch.randint(5, (3, 20, 2))
    with torch.inference_mode():
        whole, _ = network.recur(steps, network.new_state(3))
        state = network.new_state(3)
        parts = []
        for first, last in ((0, 1), (1, 8), (8, 20)):
            part, state = network.recur(steps[:, first:last], state)
            parts.append(part)
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-6)


def test_dropout_works_in_training_only() -> None:
    shape = NetworkShape("gru", 1, 8, "categorical", 2, 5, 4, 6)
    network = Network(shape, dropout=0.5)
    steps = torch.randint(5, (1, 4, 2))
    network.train()
    assert not torch.equal(network.recur(steps, network.new_state(1))[0], network.recur(steps, network.new_state(1))[0])
    network.eval()
    assert torch.equal(network.recur(steps, network.new_state(1))[0], network.recur(steps, network.new_state(1))[0])
