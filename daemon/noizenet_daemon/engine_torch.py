"""Engine `torch`: the same steps written plainly in PyTorch. The reference that the others are tested against.

Only the network's arithmetic is PyTorch's; random numbers and noise come from the kernels, so that the same seed
draws the same codes on both engines. It may allocate, and is slow.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from noizenet.checkpoint import Checkpoint
from noizenet_daemon.kernels.collapse import is_collapsed, watch
from noizenet_daemon.kernels.noise import CELL, INPUT, Controls, add_noise, is_due
from noizenet_daemon.kernels.rng import uniform
from noizenet_daemon.kernels.stepping import NetworkState

Array = NDArray[Any]


class TorchEngine:
    """A network's weights as tensors; same interface and same states as `NumbaEngine`."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.shape = checkpoint.network
        self._weights = {name: torch.from_numpy(array) for name, array in checkpoint.weights.items()}
        embedding = checkpoint.weights.get("embedding")
        self._input_scale = 1.0 if embedding is None else float(np.sqrt(np.mean(np.square(embedding))))

    @torch.inference_mode()
    def run(self, state: NetworkState, controls: Controls, out: Array) -> None:
        """Generates steps into `out`: codes int32 (n, stages) or features float32 (n, features)."""
        for n in range(len(out)):
            fed = self._input(state)
            if is_due(controls, state.steps[0], is_collapsed(state.runs, controls.hold)):
                fed = fed + self._inject(state, controls)
            top = self._step(state, fed)
            if self.shape.head == "linear":
                features = functional.linear(top, self._weights["output.0.weight"], self._weights["output.0.bias"])
                state.last[:] = features.numpy()
                signature = float(state.last[0])
            else:
                self._draw(state, controls, top)
                signature = 0.0
                for code in state.last:
                    signature = (signature * 257.0 + float(code)) % 1000003.0
            out[n] = state.last
            watch(state.history, state.runs, state.steps[0], signature)
            state.steps[0] += 1

    @torch.inference_mode()
    def listen(self, state: NetworkState, steps: Array) -> None:
        """Hears given steps, as if the network had just put them out."""
        for n in range(len(steps)):
            if n > 0:
                self._step(state, self._input(state))
            state.last[:] = steps[n]

    def _input(self, state: NetworkState) -> Tensor:
        last = torch.from_numpy(state.last)
        if self.shape.head == "linear":
            return last
        embedding = self._weights["embedding"]
        return torch.cat([embedding[stage, code] for stage, code in enumerate(last.tolist())])

    def _inject(self, state: NetworkState, controls: Controls) -> Tensor:
        """Returns the noise on the input; adds that on hidden or cell state in place."""
        noise = np.zeros(self.shape.input_size, np.float32)
        if controls.target == INPUT:
            add_noise(noise, self._input_scale, controls, state.steps[0], state.rng, 0)
            return torch.from_numpy(noise)
        cells = state.cells
        values = cells.cell if controls.target == CELL and self.shape.cell == "lstm" else cells.hidden
        for layer in range(self.shape.layers):
            add_noise(values[layer], 1.0, controls, state.steps[0], state.rng, layer * self.shape.hidden)
        return torch.from_numpy(noise)

    def _step(self, state: NetworkState, fed: Tensor) -> Tensor:
        """Steps all layers and returns the top hidden state (hidden,)."""
        x = fed[None]
        for layer in range(self.shape.layers):
            weights = [
                self._weights[f"rnn.{kind}_l{layer}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            ]
            h = torch.from_numpy(state.cells.hidden[layer])[None]
            if self.shape.cell == "lstm":
                c = torch.from_numpy(state.cells.cell[layer])[None]
                x, c = torch.lstm_cell(x, [h, c], *weights)
                state.cells.cell[layer] = c[0].numpy()
            elif self.shape.cell == "gru":
                x = torch.gru_cell(x, h, *weights)
            else:
                x = torch.rnn_tanh_cell(x, h, *weights)
            state.cells.hidden[layer] = x[0].numpy()
        return x[0]

    def _draw(self, state: NetworkState, controls: Controls, top: Tensor) -> None:
        known = top
        weights = self._weights
        for stage in range(self.shape.stages):
            units = functional.linear(known, weights[f"condition.{stage}.weight"], weights[f"condition.{stage}.bias"])
            logits = functional.linear(
                torch.relu(units), weights[f"output.{stage}.weight"], weights[f"output.{stage}.bias"]
            )
            probabilities = torch.softmax(logits.double() / controls.temperature, 0)
            if controls.top_p < 1.0:
                ordered, order = torch.sort(probabilities, descending=True, stable=True)
                kept = torch.cumsum(ordered, 0) - ordered < controls.top_p
                probabilities = torch.zeros_like(probabilities).scatter(0, order[kept], ordered[kept])
                probabilities /= probabilities.sum()
            chance = uniform(state.rng)
            code = int(torch.searchsorted(torch.cumsum(probabilities, 0), chance, right=True))
            state.last[stage] = min(code, self.shape.classes - 1)
            known = torch.cat([known, weights["embedding"][stage, int(state.last[stage])]])
