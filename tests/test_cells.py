"""The recurrent cells: against their equations in double precision, and against PyTorch's own modules."""

import numpy as np
import pytest
import torch

from equations import next_cells, sigmoid
from making import Array, Cell, random_weights
from noizenet.network import NetworkShape
from noizenet_daemon.engine_numba import new_network_state, pack_layers
from noizenet_daemon.kernels import cells as kernel

CELLS: list[Cell] = ["rnn", "lstm", "gru"]
INPUTS = 5
STEPS = 40


def shape_of(cell: Cell, layers: int, hidden: int = 13) -> NetworkShape:
    return NetworkShape(cell, layers, hidden, "linear", features=INPUTS)


def inputs() -> Array:
    return np.random.default_rng(1).standard_normal((STEPS, INPUTS)).astype(np.float32)


def run_kernel(shape: NetworkShape, weights: dict[str, Array]) -> tuple[Array, Array, Array]:
    """Returns the top hidden state after each step, (STEPS, hidden), and all hidden and cell states at the end."""
    layers, state = pack_layers(shape, weights), new_network_state(shape, 0).cells
    tops = np.zeros((STEPS, shape.hidden), np.float32)
    for n, x in enumerate(inputs()):
        state.gates[:] = weights["rnn.weight_ih_l0"] @ x
        kernel.step_layers(layers, state)
        tops[n] = state.hidden[-1]
    return tops, state.hidden, state.cell


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_the_kernel_equals_the_equations(cell: Cell, layers: int) -> None:
    shape = shape_of(cell, layers)
    weights = {name: 3.0 * array for name, array in random_weights(shape).items()}
    hidden, memory = np.zeros((layers, shape.hidden)), np.zeros((layers, shape.hidden))
    expected = []
    for x in inputs():
        next_cells(shape, weights, x, hidden, memory)
        expected.append(hidden[-1].copy())
    tops, found_hidden, found_memory = run_kernel(shape, weights)
    assert np.abs(tops - np.array(expected)).max() < 1e-5
    assert np.abs(found_hidden - hidden).max() < 1e-5
    assert np.abs(found_memory - memory).max() < 1e-5


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_the_kernel_equals_pytorch(cell: Cell, layers: int) -> None:
    shape = shape_of(cell, layers)
    weights = random_weights(shape)
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](INPUTS, shape.hidden, layers)
    module.load_state_dict(
        {name.removeprefix("rnn."): torch.from_numpy(array) for name, array in weights.items() if "rnn." in name}
    )
    with torch.inference_mode():
        expected = module(torch.from_numpy(inputs()))[0].numpy()
    assert np.abs(run_kernel(shape, weights)[0] - expected).max() < 1e-5


@pytest.mark.parametrize("hidden", [1, 2, 3, 4, 7, 32])
def test_any_number_of_units_is_right(hidden: int) -> None:
    shape = shape_of("gru", 2, hidden)
    weights = random_weights(shape)
    states = np.zeros((2, hidden)), np.zeros((2, hidden))
    for x in inputs():
        next_cells(shape, weights, x, *states)
    assert np.abs(run_kernel(shape, weights)[1] - states[0]).max() < 1e-5


def test_tanh_and_sigmoid_are_as_near_as_they_say() -> None:
    points = np.concatenate([np.linspace(-12.0, 12.0, 4001), [-1e30, 1e30]]).astype(np.float32)
    exact = points.astype(np.float64)
    assert np.abs([kernel.tanh(x) for x in points] - np.tanh(exact)).max() < 4e-7
    with np.errstate(over="ignore"):
        assert np.abs([kernel.sigmoid(x) for x in points] - sigmoid(exact)).max() < 4e-7


@pytest.mark.parametrize("cell", CELLS)
def test_nan_is_not_hidden_away(cell: Cell) -> None:
    shape = shape_of(cell, 1)
    layers, state = pack_layers(shape, random_weights(shape)), new_network_state(shape, 0).cells
    state.hidden[0, 3] = np.nan
    state.gates[:] = 0.0
    kernel.step_layers(layers, state)
    assert np.isnan(state.hidden).all()
    assert np.isnan(kernel.tanh(np.float32(np.nan)))
    assert kernel.tanh(np.float32(np.inf)) == pytest.approx(1.0)
