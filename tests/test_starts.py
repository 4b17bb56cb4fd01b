"""The hidden states that a checkpoint carries."""

import numpy as np
import pytest
import torch

from making import Cell
from noizenet.network import NetworkShape
from noizenet_training.learning.networks import Network
from noizenet_training.starts import LEAST_HEARD, start_states


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "conv"])
def test_there_are_eight_states_of_the_right_shapes(cell: Cell) -> None:
    shape = NetworkShape(cell, 2, 8, "categorical", 3, 5, 4, 6)
    stretches = [np.random.default_rng(0).integers(0, 5, (length, 3)).astype(np.int32) for length in (300, 2, 100)]
    states = start_states(Network(shape), stretches)
    assert sorted(states) == [f"start-{number}" for number in range(1, 9)]
    for state in states.values():
        assert {name: array.shape for name, array in state.items()} == shape.state_shapes()
        assert state["hidden"].dtype == np.float32
        assert state["last"].dtype == np.int32
        assert (state["cell"] == 0.0).all() == (cell in ("rnn", "gru"))


def test_a_state_is_the_network_s_after_hearing_all_but_its_last_step() -> None:
    shape = NetworkShape("lstm", 1, 8, "categorical", 1, 400, 4, 6)
    network = Network(shape)
    steps = np.arange(400, dtype=np.int32)[:, None]
    state = start_states(network, [steps])["start-4"]
    place = int(state["last"][0])
    assert place == 175
    network.eval()
    with torch.inference_mode():
        heard = torch.from_numpy(steps[None, :place]).long()
        _, (hidden, cell) = network.recur(heard, network.new_state(1))
    assert np.allclose(state["hidden"], hidden[:, 0], atol=1e-6)
    assert np.allclose(state["cell"], cell[:, 0], atol=1e-6)


def test_a_place_at_the_start_is_moved_until_enough_was_heard() -> None:
    network = Network(NetworkShape("gru", 1, 8, "categorical", 1, 400, 4, 6))
    state = start_states(network, [np.arange(400, dtype=np.int32)[:, None]])["start-1"]
    assert int(state["last"][0]) == LEAST_HEARD - 1


def test_a_linear_network_keeps_its_last_numbers() -> None:
    network = Network(NetworkShape("rnn", 1, 8, "linear", features=2))
    steps = np.random.default_rng(0).standard_normal((200, 2)).astype(np.float32)
    state = start_states(network, [steps])["start-8"]
    assert state["last"].dtype == np.float32
    assert any(np.array_equal(state["last"], step) for step in steps)
