"""The network in PyTorch, as it is trained.

Its weights are exactly those of `NetworkShape.tensor_shapes`, so that the daemon's engine, which knows
nothing of PyTorch, computes the same from the checkpoint. Regularisation is only in training: it leaves no
trace in the shape.

    codes of the last step -> embedding per stage, side by side -> layers of cells -> top
    stage i: relu(condition_i(top, embeddings of the stages before i of the step drawn)) -> output_i -> logits

With the linear head a step's numbers go in as they are, and output_0 of the top are the next step's. With the
Gaussian head output_0 of the top are the means of the next step's numbers, then their log-deviations.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from noizenet.checkpoint import Array
from noizenet.codecs import Codec
from noizenet.network import LOG_DEVIATION_RANGE, NetworkShape
from noizenet_training.learning.convolution import Convolutions
from noizenet_training.recipe import Recipe

# (hidden, cell): (layers, batch, hidden) and (cell_rows, batch, hidden); the cell of rnn and gru is zeros
HiddenState = tuple[Tensor, Tensor]


def network_shape(recipe: Recipe, codec: Codec) -> NetworkShape:
    """Returns the shape of a recipe's network for a codec."""
    if codec.classes == 0:
        head: Literal["linear", "gaussian"] = "gaussian" if recipe.head == "gaussian" else "linear"
        return NetworkShape(recipe.cell, recipe.layers, recipe.hidden, head, features=codec.width)
    tiers = recipe.codec == "mulaw" and recipe.frame > 0
    return NetworkShape(
        recipe.cell,
        recipe.layers,
        recipe.hidden,
        "categorical",
        codec.width,
        codec.classes,
        recipe.embedding,
        recipe.head_hidden,
        frame=recipe.frame if tiers else 0,
        reach=recipe.reach if tiers else 0,
        conditioning=recipe.conditioning if tiers else 0,
    )


class Network(nn.Module):
    """A network of a given shape.

    Args:
        shape: what the weights must be.
        dropout: share of the embeddings, and of every layer's output, that is left out in training.
    """

    def __init__(self, shape: NetworkShape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        between = dropout if shape.layers > 1 else 0.0
        self.rnn: nn.Module
        if shape.cell == "conv":
            self.rnn = Convolutions(shape.input_size, shape.hidden, shape.layers, between)
        else:
            layers = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[shape.cell]
            self.rnn = layers(shape.input_size, shape.hidden, shape.layers, batch_first=True, dropout=between)
        if shape.head != "categorical":
            outputs = 2 * shape.features if shape.head == "gaussian" else shape.features
            self.output = nn.ModuleList([nn.Linear(shape.hidden, outputs)])
            return
        self.embedding = nn.Parameter(torch.randn(shape.stages, shape.classes, shape.embedding))
        self.build_head()

    def build_head(self) -> None:
        """Makes the layers between the cells and the codes."""
        shape = self.shape
        self.condition = nn.ModuleList(
            nn.Linear(shape.hidden + stage * shape.embedding, shape.head_hidden) for stage in range(shape.stages)
        )
        self.output = nn.ModuleList(nn.Linear(shape.head_hidden, shape.classes) for _ in range(shape.stages))

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.parameters()).device

    def new_state(self, batch: int) -> HiddenState:
        """Returns the hidden state before the first step: zeros."""
        rows = (self.shape.layers, self.shape.cell_rows)
        hidden, cell = (torch.zeros(count, batch, self.shape.hidden, device=self.device) for count in rows)
        return hidden, cell

    def embed(self, codes: Tensor) -> Tensor:
        """Returns the embeddings of codes (batch, time, n), side by side: (batch, time, n x embedding)."""
        stages = codes.shape[-1]
        offsets = torch.arange(stages, device=codes.device) * self.shape.classes
        table = self.embedding.reshape(-1, self.shape.embedding)
        return functional.embedding(codes + offsets, table).flatten(-2)

    def recur(self, steps: Tensor, state: HiddenState) -> tuple[Tensor, HiddenState]:
        """Returns the top layer's output (batch, time, hidden) after each step, and the state after the last.

        Args:
            steps: codes, int64 (batch, time, stages), or numbers, float32 (batch, time, features).
        """
        inputs = self._drop(self.embed(steps)) if self.shape.head == "categorical" else steps
        top, state = self.turn(inputs, state)
        return self._drop(top), state

    def turn(self, inputs: Tensor, state: HiddenState) -> tuple[Tensor, HiddenState]:
        """Returns the top layer's output (batch, turns, hidden), and the state after the last turn of the cells.

        Args:
            inputs: what the cells are fed, (batch, turns, `NetworkShape.input_size`).
        """
        if inputs.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            inputs = inputs.to(torch.get_autocast_dtype("cpu"))  # oneDNN's LSTM refuses 32 bits beside 16
        if self.shape.cell in ("lstm", "conv"):
            top, state = self.rnn(inputs, state)
            return top, state
        top, hidden = self.rnn(inputs, state[0])
        return top, (hidden, state[1])

    def hear(self, steps: Tensor, state: HiddenState) -> HiddenState:
        """Returns the state after all of some steps but the last, as a checkpoint keeps it: that one is its `last`."""
        return self.recur(steps[:, :-1], state)[1] if steps.shape[1] > 1 else state

    def predict(self, top: Tensor) -> Tensor:
        """Returns the next step's numbers (batch, time, features) of a linear head; of a Gaussian one their means."""
        predicted: Tensor = self.output[0](top)
        return predicted[..., : self.shape.features]

    def distribution(self, top: Tensor) -> tuple[Tensor, Tensor]:
        """Returns means and log-deviations of the next step's numbers, each (batch, time, features), Gaussian head."""
        means, log_deviations = self.output[0](top).chunk(2, dim=-1)
        return means, log_deviations.clamp(*LOG_DEVIATION_RANGE)

    def logits(self, top: Tensor, stage: int, known: Tensor) -> Tensor:
        """Returns the logits (batch, time, classes) of one stage.

        Args:
            known: codes of at least the stages before it of the step to be drawn, int64 (batch, time, n).
        """
        inputs = torch.cat([top, self._drop(self.embed(known[..., :stage]))], -1) if stage else top
        drawn: Tensor = self.output[stage](torch.relu(self.condition[stage](inputs)))
        return drawn

    def weights(self) -> dict[str, Array]:
        """Returns a copy of the weights for a checkpoint, float32."""
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.state_dict().items()}

    def load_weights(self, weights: dict[str, Array]) -> None:
        """Takes over the weights of a checkpoint."""
        self.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})

    def _drop(self, values: Tensor) -> Tensor:
        return functional.dropout(values, self.dropout, self.training)
