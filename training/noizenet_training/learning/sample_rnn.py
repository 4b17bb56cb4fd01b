"""SampleRNN in PyTorch: cells that turn once in a frame of samples, above a perceptron that draws each of them.

`noizenet.network.NetworkShape` states the equations. The cells cost a frame's share of what they would cost at each
sample, and see as much further back through the same number of turns; what is fast is left to the perceptron, which
is told the last samples themselves and needs no back-propagation through time.

Source: Mehri et al., "SampleRNN: an unconditional end-to-end neural audio generation model", arXiv:1612.07837. What is
left out: its weight normalisation and its learnt first state.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from noizenet.codecs.mulaw import code_levels
from noizenet.network import NetworkShape
from noizenet_training.learning.networks import HiddenState, Network

USUAL_LEVEL = 0.1  # of samples whose peak is 1, after pre-emphasis: RMS


def new_network(shape: NetworkShape, dropout: float = 0.0) -> Network:
    """Returns the network of a shape, with tiers or without."""
    return SampleRnn(shape, dropout) if shape.frame else Network(shape, dropout)


class SampleRnn(Network):
    """A network of two tiers. Its steps are told with `NetworkShape.context` steps before them."""

    def build_head(self) -> None:
        """Makes the layers of the perceptron, and the embedding that both tiers share."""
        shape, units = self.shape, self.shape.head_hidden
        self.embedding.data = first_embedding(shape.classes, shape.embedding)[None]
        self.upsample = nn.Linear(shape.hidden, shape.frame * shape.conditioning)
        self.near = nn.Linear(shape.reach * shape.embedding, units)
        self.condition = nn.ModuleList([nn.Linear(shape.conditioning, units, bias=False)])
        self.mix = nn.Linear(units, units)
        self.output = nn.ModuleList([nn.Linear(units, shape.classes)])

    def recur(self, steps: Tensor, state: HiddenState, asked: Tensor | None = None) -> tuple[Tensor, HiddenState]:
        """Returns what both tiers tell the perceptron of each step, and the state after the last turn of the cells.

        Args:
            steps: codes, int64 (batch, context + time, 1); the cells turn before the first one after the context, and
                then with each full frame.
            asked: of which steps, int64 (n,), each 0 to time - 1; None = of all. The cells hear all of them.

        Returns:
            (batch, n or time, head_hidden), before the first nonlinearity, and the state.
        """
        shape, time = self.shape, steps.shape[1] - self.shape.context
        embedded = self._drop(self.embed(steps))
        turns = -(-time // shape.frame)
        first = shape.context + 1 - shape.frame
        top, state = self._turn(embedded[:, first : first + turns * shape.frame], state)
        if asked is None:
            asked = torch.arange(time, device=steps.device)
        phases, phase = torch.unique(asked % shape.frame, return_inverse=True)
        weight = self.upsample.weight.view(shape.frame, shape.conditioning, -1)[phases].flatten(0, 1)
        bias = self.upsample.bias.view(shape.frame, -1)[phases].flatten()
        told = functional.linear(self._drop(top), weight, bias).view(len(steps), turns, len(phases), -1)
        near = embedded[:, shape.context + 1 - shape.reach :].unfold(1, shape.reach, 1)[:, asked]
        heard = self.near(near.transpose(2, 3).flatten(2))
        return heard + self.condition[0](told[:, asked // shape.frame, phase]), state

    def hear(self, steps: Tensor, state: HiddenState) -> HiddenState:
        """Returns the state after all full frames of some steps but the last, counted from their end."""
        frame = self.shape.frame
        turns = max(steps.shape[1] // frame - 1, 0)
        if not turns:
            return state
        last = steps.shape[1] - frame
        return self._turn(self.embed(steps[:, last - turns * frame : last]), state)[1]

    def logits(self, top: Tensor, stage: int, known: Tensor) -> Tensor:  # noqa: ARG002
        """Returns the logits (..., classes) of the next step.

        Args:
            top: what `recur` returned, (..., head_hidden).
        """
        drawn: Tensor = self.output[0](torch.relu(self.mix(torch.relu(top))))
        return drawn

    def _turn(self, embedded: Tensor, state: HiddenState) -> tuple[Tensor, HiddenState]:
        """Returns the top layer's output (batch, turns, hidden) and the state after whole frames of embedded codes."""
        return self.turn(embedded.reshape(len(embedded), -1, self.shape.input_size), state)


def first_embedding(classes: int, size: int) -> Tensor:
    """Returns the embedding that training starts from, (classes, size): smooth functions of the code.

    The first is the value that the code stands for, the others are cosines along the codes, slow ones first. What is
    near in sound is so near in the embedding; from random numbers, that has to be learnt, code by code.
    """
    levels = np.interp(np.linspace(0.0, 255.0, classes), np.arange(256.0), code_levels()) / USUAL_LEVEL
    places = (np.arange(classes) + 0.5) / classes
    waves = [math.sqrt(2.0) * np.cos(np.pi * number * places) for number in range(1, size)]
    return torch.tensor(np.stack([levels, *waves], axis=1), dtype=torch.float32)
