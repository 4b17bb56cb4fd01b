"""The cells: against their equations in double precision, and the recurrent ones against PyTorch's own modules."""

import numpy as np
import pytest
import torch

from equations import next_cells
from making import Array, Cell
from noizenet.network import NetworkShape
from noizenet_daemon.benchmark.fresh import fresh_weights
from noizenet_daemon.engine_numba import new_network_state
from noizenet_daemon.kernels import cells as kernel
from noizenet_daemon.kernels.cells import CellState
from noizenet_daemon.packing import pack_layers
from rolling import cell_oldest_first

RECURRENT: list[Cell] = ["rnn", "lstm", "gru"]
CELLS: list[Cell] = [*RECURRENT, "conv"]
INPUTS = 5
STEPS = 40
TOLERANCE = 2e-5  # measured: 1.1e-5 at most, in five layers that amplify what is rounded


def shape_of(cell: Cell, layers: int, hidden: int = 13) -> NetworkShape:
    return NetworkShape(cell, layers, hidden, "linear", features=INPUTS)


def inputs() -> Array:
    return np.random.default_rng(1).standard_normal((STEPS, INPUTS)).astype(np.float32)


def run_kernel(shape: NetworkShape, weights: dict[str, Array]) -> tuple[Array, CellState]:
    """Returns the top hidden state after each step, (STEPS, hidden), and what all layers remember at the end."""
    layers, state = pack_layers(shape, weights), new_network_state(shape, 0).cells
    tops = np.zeros((STEPS, shape.hidden), np.float32)
    for n, x in enumerate(inputs()):
        state.gates[:] = weights["rnn.weight_ih_l0"] @ x
        kernel.step_layers(layers, state)
        tops[n] = state.hidden[-1]
    return tops, state


def run_equations(shape: NetworkShape, weights: dict[str, Array]) -> tuple[Array, Array, Array]:
    """Returns the same in double precision: the tops, and hidden and cell state at the end."""
    hidden, cell = np.zeros((shape.layers, shape.hidden)), np.zeros((shape.cell_rows, shape.hidden))
    tops = []
    for x in inputs():
        next_cells(shape, weights, x, hidden, cell)
        tops.append(hidden[-1].copy())
    return np.array(tops), hidden, cell


@pytest.mark.parametrize("layers", [1, 2, 3, 5])
@pytest.mark.parametrize("cell", CELLS)
def test_the_kernel_equals_the_equations(cell: Cell, layers: int) -> None:
    shape = shape_of(cell, layers)
    weights = {name: 3.0 * array for name, array in fresh_weights(shape).items()}
    tops, state = run_kernel(shape, weights)
    expected_tops, hidden, memory = run_equations(shape, weights)
    assert np.abs(tops - expected_tops).max() < TOLERANCE
    assert np.abs(state.hidden - hidden).max() < TOLERANCE
    assert np.abs(cell_oldest_first(shape, state) - memory).max() < TOLERANCE


def test_a_convolution_looks_back_as_far_as_its_kernels_reach_and_no_further() -> None:
    shape = shape_of("conv", 3)
    layers = pack_layers(shape, fresh_weights(shape))
    tops = []
    for first in (0.0, 1.0):
        state = new_network_state(shape, 0).cells
        tops.append([])
        for n in range(12):
            state.gates[:] = first if n == 0 else 0.0
            kernel.step_layers(layers, state)
            tops[-1].append(state.hidden[-1].copy())
    # 1 + 2 + 4 steps back
    assert [bool((a != b).any()) for a, b in zip(*tops, strict=True)] == [True] * 8 + [False] * 4


@pytest.mark.parametrize("steps", [1, 7, 40])
def test_a_convolution_goes_on_from_a_memory_that_was_stored_oldest_first(steps: int) -> None:
    shape = shape_of("conv", 4)
    layers = pack_layers(shape, fresh_weights(shape))
    played, loaded = (new_network_state(shape, 0).cells for _ in range(2))
    rng = np.random.default_rng(2)
    for _ in range(steps):
        played.gates[:] = rng.standard_normal(played.gates.shape)
        kernel.step_layers(layers, played)
    loaded.hidden[:] = played.hidden
    loaded.cell[:] = cell_oldest_first(shape, played)
    assert loaded.position[0] == 0
    for _ in range(40):
        gates = rng.standard_normal(played.gates.shape)
        for state in (played, loaded):
            state.gates[:] = gates
            kernel.step_layers(layers, state)
        assert np.array_equal(played.hidden, loaded.hidden)
    assert np.array_equal(cell_oldest_first(shape, played), cell_oldest_first(shape, loaded))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", RECURRENT)
def test_the_kernel_equals_pytorch(cell: Cell, layers: int) -> None:
    shape = shape_of(cell, layers)
    weights = fresh_weights(shape)
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](INPUTS, shape.hidden, layers)
    module.load_state_dict(
        {name.removeprefix("rnn."): torch.from_numpy(array) for name, array in weights.items() if "rnn." in name}
    )
    with torch.inference_mode():
        expected = module(torch.from_numpy(inputs()))[0].numpy()
    assert np.abs(run_kernel(shape, weights)[0] - expected).max() < TOLERANCE


@pytest.mark.parametrize("hidden", [1, 2, 3, 4, 7, 32])
@pytest.mark.parametrize("cell", ["gru", "conv"])
def test_any_number_of_units_is_right(cell: Cell, hidden: int) -> None:
    shape = shape_of(cell, 2, hidden)
    weights = fresh_weights(shape)
    assert np.abs(run_kernel(shape, weights)[1].hidden - run_equations(shape, weights)[1]).max() < TOLERANCE


@pytest.mark.parametrize("cell", RECURRENT)
def test_nan_is_not_hidden_away(cell: Cell) -> None:
    shape = shape_of(cell, 1)
    layers, state = pack_layers(shape, fresh_weights(shape)), new_network_state(shape, 0).cells
    state.hidden[0, 3] = np.nan
    state.gates[:] = 0.0
    kernel.step_layers(layers, state)
    assert np.isnan(state.hidden).all()


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_nan_in_a_convolution_s_memory_comes_out_when_it_is_read(layer: int) -> None:
    shape = shape_of("conv", 3)
    layers, state = pack_layers(shape, fresh_weights(shape)), new_network_state(shape, 0).cells
    state.cell[kernel.ring_row(layer, -1), 3] = np.nan  # written last: read 2^layer steps on
    for step in range(1 << layer):
        state.gates[:] = 0.0
        assert np.isfinite(state.hidden).all(), step
        kernel.step_layers(layers, state)
    assert np.isnan(state.hidden[layer, 3])
    assert np.isnan(state.hidden[layer + 1 :]).all()
