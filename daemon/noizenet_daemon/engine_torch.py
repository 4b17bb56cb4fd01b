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
from noizenet.network import LOG_DEVIATION_RANGE
from noizenet_daemon.kernels.cells import CELL_NUMBERS, ring_row
from noizenet_daemon.kernels.collapse import code_signature, feature_signature, is_collapsed, watch
from noizenet_daemon.kernels.noise import INPUT, PERIODIC, Controls, add_noise, is_due
from noizenet_daemon.kernels.rng import normal, uniform
from noizenet_daemon.kernels.stepping import NetworkState, disturbed

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
            if is_due(controls, state.steps[0], is_collapsed(state.runs, controls.hold)) and (
                self._is_heard(state, controls)
            ):
                fed = fed + self._inject(state, controls, len(fed))
            top = self._step(state, fed)
            if self.shape.head == "categorical":
                for stage in range(self.shape.stages):
                    state.last[stage] = self._drawn(self._logits(top, state.last, stage), controls, uniform(state.rng))
                self._remember(state)
                signature = code_signature(state.last)
            else:
                state.last[:] = self._features(top, controls.temperature, state.rng)
                signature = feature_signature(state.last)
            out[n] = state.last
            watch(state.history, state.runs, state.steps[0], signature)
            state.steps[0] += 1

    @torch.inference_mode()
    def listen(self, state: NetworkState, steps: Array) -> None:
        """Hears given steps, as if the network had just put them out."""
        for n in range(len(steps)):
            if n > 0 or self.shape.frame:
                self._step(state, self._input(state))
            state.last[:] = steps[n]
            self._remember(state)

    @torch.inference_mode()
    def predict(self, state: NetworkState, steps: Array, out: Array) -> None:
        """Hears given steps, and writes what it had expected in the place of each into `out`, of the same kind."""
        for n in range(len(steps)):
            top = self._step(state, self._input(state))
            if self.shape.head == "categorical":
                for stage in range(self.shape.stages):
                    out[n, stage] = int(torch.argmax(self._logits(top, out[n], stage)))
            else:
                out[n] = self._features(top, 0.0, state.rng.copy())
            state.last[:] = steps[n]
            self._remember(state)

    def _input(self, state: NetworkState) -> Tensor:
        last = torch.from_numpy(state.last)
        if self.shape.head != "categorical":
            return last
        embedding = self._weights["embedding"]
        if self.shape.frame:
            return embedding[0, torch.from_numpy(state.tiers.recent[-self.shape.reach :]).long()].flatten()
        return torch.cat([embedding[stage, code] for stage, code in enumerate(last.tolist())])

    def _inject(self, state: NetworkState, controls: Controls, count: int) -> Tensor:
        """Returns the noise on the input, (count,); adds that on hidden or cell state in place."""
        noise = np.zeros(count, np.float32)
        if controls.target == INPUT:
            heard = noise[-self.shape.embedding :] if self.shape.frame else noise
            add_noise(heard, self._input_scale, controls, state.steps[0], state.rng, state.pink, 0)
            return torch.from_numpy(noise)
        for layer in range(self.shape.layers):
            values = disturbed(CELL_NUMBERS[self.shape.cell], state.cells, layer, controls.target)
            add_noise(values, 1.0, controls, state.steps[0], state.rng, state.pink, layer * self.shape.hidden)
        return torch.from_numpy(noise)

    def _is_heard(self, state: NetworkState, controls: Controls) -> bool:
        """Returns whether noise that is due is injected, too, where two tiers stand: see `kernels.tiers`."""
        is_border = state.tiers.place[0] == self.shape.frame
        return bool(is_border or controls.target == INPUT or controls.mode == PERIODIC)

    def _remember(self, state: NetworkState) -> None:
        """Takes the last code as the newest of a network of two tiers."""
        if self.shape.frame:
            state.tiers.recent[:-1] = state.tiers.recent[1:].copy()
            state.tiers.recent[-1] = max(state.last[0], 0)
            state.tiers.place[0] += 1

    def _step(self, state: NetworkState, fed: Tensor) -> Tensor:
        """Steps all layers and returns the top hidden state (hidden,); of two tiers, what the perceptron is told."""
        return self._perceive(state, fed) if self.shape.frame else self._turn(state, fed)

    def _perceive(self, state: NetworkState, fed: Tensor) -> Tensor:
        """Lets the cells turn if they are due; returns what both tiers tell the perceptron, (head_hidden,)."""
        weights, tiers, frame = self._weights, state.tiers, self.shape.frame
        if tiers.place[0] == frame:
            top = self._turn(state, weights["embedding"][0, torch.from_numpy(tiers.recent[-frame:]).long()].flatten())
            told = functional.linear(top, weights["upsample.weight"], weights["upsample.bias"])
            tiers.told[:] = told.view(frame, -1).numpy()
            tiers.place[0] = 0
        near = functional.linear(fed, weights["near.weight"], weights["near.bias"])
        return near + functional.linear(torch.from_numpy(tiers.told[tiers.place[0]]), weights["condition.0.weight"])

    def _turn(self, state: NetworkState, fed: Tensor) -> Tensor:
        """Steps all layers and returns the top hidden state (hidden,)."""
        x = fed[None]
        for layer in range(self.shape.layers):
            x = self._convolve(state, layer, x) if self.shape.cell == "conv" else self._recur(state, layer, x)
            state.cells.hidden[layer] = x[0].numpy()
        state.cells.position[0] += 1
        return x[0]

    def _recur(self, state: NetworkState, layer: int, x: Tensor) -> Tensor:
        weights = [self._weights[f"rnn.{kind}_l{layer}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        h = torch.from_numpy(state.cells.hidden[layer])[None]
        if self.shape.cell == "lstm":
            c = torch.from_numpy(state.cells.cell[layer])[None]
            h, c = torch.lstm_cell(x, [h, c], *weights)
            state.cells.cell[layer] = c[0].numpy()
            return h
        return torch.gru_cell(x, h, *weights) if self.shape.cell == "gru" else torch.rnn_tanh_cell(x, h, *weights)

    def _convolve(self, state: NetworkState, layer: int, x: Tensor) -> Tensor:
        now, later = functional.linear(
            x, self._weights[f"rnn.weight_ih_l{layer}"], self._weights[f"rnn.bias_ih_l{layer}"]
        ).chunk(2, dim=-1)
        row = state.cells.cell[ring_row(layer, state.cells.position[0])]
        put_out = torch.tanh(now + torch.from_numpy(row))
        row[:] = later[0].numpy()
        return put_out + x if layer else put_out

    def _features(self, top: Tensor, temperature: float, rng: Array) -> Array:
        """Returns the next features (features,); of the head "gaussian", at temperature 0, their means."""
        outputs = functional.linear(top, self._weights["output.0.weight"], self._weights["output.0.bias"])
        if self.shape.head == "linear":
            return outputs.numpy()
        mean, log_deviation = outputs.chunk(2)
        draws = torch.tensor([normal(rng) for _ in range(self.shape.features)], dtype=torch.float32)
        return (mean + temperature * draws * torch.exp(log_deviation.clamp(*LOG_DEVIATION_RANGE))).numpy()

    def _logits(self, top: Tensor, codes: Array, stage: int) -> Tensor:
        """Returns the logits (classes,) of a stage, given the codes of those before it."""
        weights = self._weights
        if self.shape.frame:
            mixed = functional.linear(torch.relu(top), weights["mix.weight"], weights["mix.bias"])
            return functional.linear(torch.relu(mixed), weights["output.0.weight"], weights["output.0.bias"])
        embeddings = [weights["embedding"][before, int(codes[before])] for before in range(stage)]
        known = torch.cat([top, *embeddings])
        units = functional.linear(known, weights[f"condition.{stage}.weight"], weights[f"condition.{stage}.bias"])
        return functional.linear(torch.relu(units), weights[f"output.{stage}.weight"], weights[f"output.{stage}.bias"])

    def _drawn(self, logits: Tensor, controls: Controls, chance: float) -> int:
        """Returns the class that `chance`, 0 <= chance < 1, falls on; -1 if there is none for NaN."""
        probabilities = torch.softmax(logits.double() / controls.temperature, 0)
        if torch.isnan(probabilities).any():
            return -1
        if controls.top_p < 1.0:
            ordered, order = torch.sort(probabilities, descending=True, stable=True)
            kept = torch.cumsum(ordered, 0) - ordered < controls.top_p
            probabilities = torch.zeros_like(probabilities).scatter(0, order[kept], ordered[kept])
            probabilities /= probabilities.sum()
        code = int(torch.searchsorted(torch.cumsum(probabilities, 0), chance, right=True))
        return min(code, self.shape.classes - 1)
