"""The cell "conv" in PyTorch: causal convolutions with kernels of two steps, each layer looking back twice as far.

Source: van den Oord et al., "WaveNet: a generative model for raw audio", arXiv:1609.03499, for dilated causal
convolutions; the gates and skip connections of that network are left out.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Convolutions(nn.Module):
    """The layers of the cell "conv", as `noizenet.network.NetworkShape` states their equation.

    Weights have the names and shapes of a recurrent network's: `weight_ih_l<layer>` (2 hidden, inputs), whose rows
    are W, then V, and `bias_ih_l<layer>` (2 hidden,), which is b, then c.

    Args:
        dropout: share of every layer's output that the kernels of the next don't hear in training. What a layer
            passes on unchanged is left whole: it goes through all layers, and would be left out again in each.
    """

    def __init__(self, inputs: int, hidden: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = layers
        self.dropout = dropout
        bound = 1.0 / math.sqrt(hidden)
        for layer in range(layers):
            width = hidden if layer else inputs
            for name, shape in (("weight", (2 * hidden, width)), ("bias", (2 * hidden,))):
                values = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
                self.register_parameter(f"{name}_ih_l{layer}", values)

    def forward(self, steps: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Returns the top layer's output (batch, time, hidden), and the state after the last step.

        Args:
            steps: (batch, time, inputs), at least one step.
            state: each layer's last output (layers, batch, hidden); and what `V x + c` was, layer by layer in the
                last 2^layer steps, oldest first, (2^layers - 1, batch, hidden).
        """
        time = steps.shape[1]
        last, memories = [], []
        for layer in range(self.layers):
            heard = functional.dropout(steps, self.dropout, self.training) if layer else steps
            weight, bias = self.get_parameter(f"weight_ih_l{layer}"), self.get_parameter(f"bias_ih_l{layer}")
            now, later = functional.linear(heard, weight, bias).chunk(2, dim=-1)
            memory = state[1][(1 << layer) - 1 : (2 << layer) - 1].transpose(0, 1)
            delayed = torch.cat([memory, later], dim=1)
            output = torch.tanh(now + delayed[:, :time])
            steps = output + steps if layer else output
            last.append(steps[:, -1])
            memories.append(delayed[:, time:].transpose(0, 1))
        return steps, (torch.stack(last), torch.cat(memories))
