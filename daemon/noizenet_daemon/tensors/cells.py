"""The cells of `kernels.cells`, one turn of all voices."""

import torch
from torch import Tensor
from torch.nn import functional

from noizenet.network import NetworkShape
from noizenet_daemon.tensors.voices import Voices


class Layers:
    """The layers of a network, L of H units."""

    def __init__(self, shape: NetworkShape, weights: dict[str, Tensor]) -> None:
        self._cell = shape.cell
        kinds = ["weight_ih", "bias_ih"] if shape.cell == "conv" else ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
        self._weights = [[weights[f"rnn.{kind}_l{layer}"] for kind in kinds] for layer in range(shape.layers)]

    def turn(self, voices: Voices[Tensor], fed: Tensor, turns: Tensor | None = None) -> Tensor:
        """Lets the cells turn, and returns the top layer's hidden state, (V, H).

        Args:
            fed: what the first layer hears, (V, inputs).
            turns: the voices whose cells turn, bool (V, 1); all others stay as they are. None = all; always so of a
                convolution.
        """
        x = fed
        for layer in range(len(self._weights)):
            x = self._convolve(voices, layer, x) if self._cell == "conv" else self._recur(voices, layer, x, turns)
        voices.position.add_(1 if turns is None else turns)
        return x

    def disturb(self, voices: Voices[Tensor], noise: Tensor, to_cell: Tensor) -> None:
        """Adds noise, (V, L H), to the hidden states, or to the cell states of voices `to_cell`, bool (V, 1).

        Where each cell takes it: see `kernels.stepping.disturbed`.
        """
        if self._cell == "conv":
            for layer, part in enumerate(noise.chunk(len(self._weights), 1)):
                voices.cell.scatter_add_(1, _rows(layer, voices.position - (~to_cell).long(), part), part[:, None])
            return
        if self._cell == "lstm":
            voices.cell.view(noise.shape).add_(noise.masked_fill(~to_cell, 0.0))
            noise = noise.masked_fill(to_cell, 0.0)
        voices.hidden.view(noise.shape).add_(noise)

    def _recur(self, voices: Voices[Tensor], layer: int, x: Tensor, turns: Tensor | None) -> Tensor:
        weights, h = self._weights[layer], voices.hidden[:, layer]
        if self._cell == "lstm":
            c = voices.cell[:, layer]
            x, new = torch.lstm_cell(x, [h, c], *weights)
            _take(c, new, turns)
        else:
            x = torch.gru_cell(x, h, *weights) if self._cell == "gru" else torch.rnn_tanh_cell(x, h, *weights)
        _take(h, x, turns)
        return x

    def _convolve(self, voices: Voices[Tensor], layer: int, x: Tensor) -> Tensor:
        now, later = functional.linear(x, *self._weights[layer]).chunk(2, 1)
        row = _rows(layer, voices.position, now)
        put_out = torch.tanh(now + voices.cell.gather(1, row)[:, 0])
        voices.cell.scatter_(1, row, later[:, None])
        if layer:
            put_out = put_out + x
        voices.hidden[:, layer].copy_(put_out)
        return put_out


def _take(old: Tensor, new: Tensor, turns: Tensor | None) -> None:
    """Puts new numbers (V, H) in the place of the old ones of those voices that turn."""
    old.copy_(new if turns is None else torch.where(turns, new, old))


def _rows(layer: int, position: Tensor, like: Tensor) -> Tensor:
    """Returns the index of each voice's row in a layer's ring, int64 (V, 1, H): see `kernels.cells.ring_row`.

    Args:
        position: int64 (V, 1).
        like: anything (V, H).
    """
    length = 1 << layer
    return (position % length + (length - 1))[:, :, None].expand(-1, 1, like.shape[1])
