"""How long the units of a new network remember, before training has said anything about it.

A gate that is half open, as all are where biases are about 0, halves a unit's content with each turn: what lasts for
seconds can't be held, and gradients through fewer turns than that don't teach it. With biases for spans of all lengths,
some units hold for long whatever they are told from the first update on.

Source: Tallec and Ollivier, "Can recurrent neural networks warp time?", arXiv:1804.11188: a forget gate's
bias of ln(T - 1) for a span of T turns, and the opposite for the input gate. Here ln(T) is uniform, not T.
"""

import math

import torch
from torch import nn

from noizenet_training.learning.networks import Network
from noizenet_training.recipe import SHORTEST_SPAN


def spread_spans(network: Network, longest: float) -> None:
    """Sets the gates' biases of all layers, so that units remember for 2 to `longest` turns.

    Args:
        network: of the cell lstm or gru; its random numbers are PyTorch's.
        longest: turns of the cells, at least 2.
    """
    shape = network.shape
    assert isinstance(network.rnn, nn.LSTM | nn.GRU)
    for layer in range(shape.layers):
        spans = torch.exp(torch.empty(shape.hidden).uniform_(math.log(SHORTEST_SPAN), math.log(longest)))
        keeping = torch.log(spans - 1.0)
        of_input, of_hidden = (getattr(network.rnn, f"bias_{side}_l{layer}") for side in ("ih", "hh"))
        with torch.no_grad():
            if shape.cell == "lstm":  # input, forget, cell, output
                of_input[: 2 * shape.hidden] = torch.cat([-keeping, keeping])
                of_hidden[: 2 * shape.hidden] = 0.0
            else:  # reset, update, new
                of_input[shape.hidden : 2 * shape.hidden] = keeping
                of_hidden[shape.hidden : 2 * shape.hidden] = 0.0
