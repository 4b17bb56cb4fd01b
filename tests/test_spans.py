"""Spans: units of a new network forget as slowly as they were asked to, some at once and some hardly ever."""

import pytest
import torch

from making import Cell
from noizenet.errors import ConfigurationError
from noizenet.network import NetworkShape
from noizenet_training.learning.networks import Network
from noizenet_training.learning.spans import spread_spans
from noizenet_training.recipe_reading import load_recipe


def kept(network: Network, turns: int) -> torch.Tensor:
    """Returns the share of their content that the units keep, if gates hear nothing and nothing is taken in."""
    hidden = network.shape.hidden
    with torch.no_grad():
        for name, weights in network.rnn.named_parameters():
            if name.startswith("weight"):
                weights.zero_()
            elif network.shape.cell == "lstm":
                weights[2 * hidden : 3 * hidden] = 0.0
            else:
                weights[2 * hidden :] = 0.0
        content = torch.ones(1, 1, hidden)
        state = (torch.zeros(1, 1, hidden), content) if network.shape.cell == "lstm" else content
        _, state = network.rnn(torch.zeros(1, turns, network.shape.features), state)
    return (state[1] if network.shape.cell == "lstm" else state)[0, 0]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_half_of_the_units_remember_longer_than_the_middle_span(cell: Cell) -> None:
    torch.manual_seed(0)
    shape = NetworkShape(cell, 1, 2000, "linear", features=1)
    network = Network(shape)
    assert float((kept(network, 32) > 0.37).double().mean()) == 0.0  # as PyTorch makes them
    network = Network(shape)
    spread_spans(network, 512.0)
    shares = kept(network, 32)  # the middle of 2 and 512, in their logarithm
    assert float((shares > 0.37).double().mean()) == pytest.approx(0.5, abs=0.04)
    assert float(kept(network, 512).max()) == pytest.approx(0.37, abs=0.02)
    assert float(shares.min()) < 1e-6


def test_cells_without_gates_and_spans_shorter_than_a_turn_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="spans means nothing for cell=rnn, whose units have no gates"):
        load_recipe("tokens", ["cell=rnn", "spans=100"])
    with pytest.raises(ConfigurationError, match="spans is 1, neither 0 nor at least 2"):
        load_recipe("tokens", ["spans=1"])
    assert load_recipe("tokens", ["cell=rnn"]).spans == 0.0
