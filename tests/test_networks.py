"""The network in PyTorch, against its equations written out in NumPy."""

import numpy as np
import pytest
import torch

from equations import next_cells
from making import Cell, amplitude_checkpoint, tokens_codec
from noizenet.network import LOG_DEVIATION_RANGE, NetworkShape
from noizenet_daemon.benchmark.fresh import fresh_weights
from noizenet_training.learning.networks import Network, network_shape
from noizenet_training.recipe import Recipe

CELLS: list[Cell] = ["rnn", "lstm", "gru", "conv"]


@pytest.mark.parametrize("cell", CELLS)
def test_weights_are_exactly_those_of_the_shape(cell: Cell) -> None:
    for shape in (
        NetworkShape(cell, 2, 8, "categorical", 3, 5, 4, 6),
        NetworkShape(cell, 1, 8, "linear", features=2),
        NetworkShape(cell, 3, 8, "gaussian", features=2),
    ):
        weights = Network(shape).weights()
        assert {name: array.shape for name, array in weights.items()} == shape.tensor_shapes()
        assert all(array.dtype == np.float32 for array in weights.values())


@pytest.mark.parametrize("cell", CELLS)
def test_the_categorical_network_equals_its_equations(cell: Cell) -> None:
    shape = NetworkShape(cell, 2, 8, "categorical", 3, 5, 4, 6)
    weights = fresh_weights(shape)
    network = Network(shape)
    network.load_weights(weights)
    network.eval()
    codes = np.random.default_rng(1).integers(0, 5, (7, 3))
    hidden, memory = np.zeros((2, 8)), np.zeros((shape.cell_rows, 8))
    with torch.inference_mode():
        steps = torch.from_numpy(codes)[None]
        top, state = network.recur(steps[:, :-1], network.new_state(1))
        found = [network.logits(top, stage, steps[:, 1:])[0].numpy() for stage in range(3)]
    for step in range(6):
        x = np.concatenate([weights["embedding"][stage, codes[step, stage]] for stage in range(3)])
        next_cells(shape, weights, x, hidden, memory)
        known = hidden[-1]
        for stage in range(3):
            between = weights[f"condition.{stage}.weight"] @ known + weights[f"condition.{stage}.bias"]
            expected = weights[f"output.{stage}.weight"] @ np.maximum(between, 0.0) + weights[f"output.{stage}.bias"]
            assert np.allclose(found[stage][step], expected, atol=1e-5)
            known = np.concatenate([known, weights["embedding"][stage, codes[step + 1, stage]]])
    assert np.allclose(state[0][:, 0].numpy(), hidden, atol=1e-5)
    assert np.allclose(state[1][:, 0].numpy(), memory, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_the_linear_network_equals_its_equations(cell: Cell) -> None:
    shape = NetworkShape(cell, 3, 8, "linear", features=2)
    weights = fresh_weights(shape)
    network = Network(shape)
    network.load_weights(weights)
    network.eval()
    steps = np.random.default_rng(1).standard_normal((20, 2)).astype(np.float32)
    with torch.inference_mode():
        top, state = network.recur(torch.from_numpy(steps)[None], network.new_state(1))
        found = network.predict(top)[0].numpy()
    hidden, memory = np.zeros((3, 8)), np.zeros((shape.cell_rows, 8))
    for step in range(20):
        next_cells(shape, weights, steps[step], hidden, memory)
        expected = weights["output.0.weight"] @ hidden[-1] + weights["output.0.bias"]
        assert np.allclose(found[step], expected, atol=1e-5)
    assert np.allclose(state[0][:, 0].numpy(), hidden, atol=1e-5)
    assert np.allclose(state[1][:, 0].numpy(), memory, atol=1e-5)


def test_a_gaussian_head_puts_out_means_then_log_deviations_cut_off() -> None:
    shape = NetworkShape("gru", 1, 8, "gaussian", features=3)
    weights = fresh_weights(shape)
    weights["output.0.bias"][3:] = [-50.0, 0.5, 50.0]
    network = Network(shape)
    network.load_weights(weights)
    top = torch.randn(1, 4, 8)
    means, log_deviations = network.distribution(top)
    raw = top.numpy() @ weights["output.0.weight"].T + weights["output.0.bias"]
    assert np.allclose(means.detach().numpy(), raw[..., :3], atol=1e-6)
    assert torch.equal(network.predict(top), means)
    assert np.allclose(log_deviations.detach().numpy(), np.clip(raw[..., 3:], *LOG_DEVIATION_RANGE), atol=1e-6)
    assert log_deviations[..., 0].unique().tolist() == [LOG_DEVIATION_RANGE[0]]
    assert log_deviations[..., 2].unique().tolist() == [LOG_DEVIATION_RANGE[1]]


def test_a_recipe_says_cell_and_head_and_the_codec_the_width() -> None:
    codec = amplitude_checkpoint().codec
    recipe = Recipe(codec="amplitude", cell="conv", layers=3, hidden=16, head="gaussian")
    assert network_shape(recipe, codec) == NetworkShape("conv", 3, 16, "gaussian", features=1)
    assert network_shape(Recipe(cell="conv"), tokens_codec()).head == "categorical"


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
