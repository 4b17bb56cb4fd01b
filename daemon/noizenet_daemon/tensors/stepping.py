"""Steps of all voices at once: what `kernels.stepping`, `kernels.tiers` and `kernels.predicting` state, on tensors.

What is carried out depends on the network's shape and the block's length alone, and never on a number in a tensor: no
branch, no size, nothing that would have to be fetched from the device. So a block can be captured as a CUDA graph, and
plays on whatever the knobs are turned to.
"""

import torch
from torch import Tensor
from torch.nn import functional

from noizenet.network import NetworkShape
from noizenet_daemon.kernels.collapse import GOLDEN_RATIO, LAGS, TOLERANCE
from noizenet_daemon.kernels.noise import INPUT, PERIODIC
from noizenet_daemon.tensors.cells import Layers
from noizenet_daemon.tensors.draws import Draws
from noizenet_daemon.tensors.heads import CodeHead, FeatureHead, drawn_code
from noizenet_daemon.tensors.noise import Knobs, Noise, is_due, knobs_of, to_cell
from noizenet_daemon.tensors.voices import Voices

NUMBERS_AT_ONCE = 256  # that steps without noise are given together: the table that they come from grows with them


class Steps:
    """A network, ready to step. Its methods change voices and steps in place, and may be captured."""

    def __init__(self, shape: NetworkShape, weights: dict[str, Tensor], device: torch.device) -> None:
        """Args:
        weights: as in a checkpoint, on the device.
        """
        self.shape = shape
        self._weights = weights
        self._layers = Layers(shape, weights)
        input_scale, numbers = 1.0, 0
        if shape.head == "categorical":
            embedding = weights["embedding"]
            input_scale = float(embedding.double().square().mean().sqrt())
            self._codes, numbers = CodeHead(shape, weights), shape.stages
            self._embedding = embedding.flatten(0, 1)
            self._firsts = torch.arange(0, len(self._embedding), shape.classes, device=device)
        else:
            self._features = FeatureHead(shape, weights)
            numbers = 2 * shape.features if shape.head == "gaussian" else 0
        self._numbers = numbers  # that a step draws without noise
        self._noise = Noise(shape, input_scale, device)
        self._draws = {count: Draws(count * numbers, [count * numbers], device) for count in (1, self._at_once)}
        counts = self._noise.counts
        self._noisy_draws = Draws(2 * self._noise.units + numbers, [count + numbers for count in counts], device)
        self._drawn = torch.arange(numbers, device=device)
        self._lags = torch.arange(1, LAGS + 1, device=device)
        place = torch.arange(1, shape.features + 1, dtype=torch.float64, device=device) * GOLDEN_RATIO
        self._signature = (0.5 + place - place.floor()) / (shape.features * 13.0 / 12.0) ** 0.5

    @property
    def _at_once(self) -> int:
        return max(1, NUMBERS_AT_ONCE // max(self._numbers, 1))

    def run(self, voices: Voices[Tensor], controls: Tensor, steps: Tensor) -> None:
        """Generates steps, (V, n, width), without noise and of the whole probability mass."""
        knobs = knobs_of(controls)
        place = 0
        while place < steps.shape[1]:
            count = self._at_once if place + self._at_once <= steps.shape[1] else 1
            uniforms, after = self._draws[count](voices.rng)
            voices.rng[:, :4].copy_(after[:, 0])
            for own in uniforms.chunk(count, 1):
                self._step(voices, knobs, self._fed(voices), own, None)
                steps[:, place].copy_(voices.last)
                place += 1

    def run_fully(self, voices: Voices[Tensor], controls: Tensor, steps: Tensor) -> None:
        """Generates steps, (V, n, width), whatever the controls ask for."""
        knobs = knobs_of(controls)
        for place in range(steps.shape[1]):
            due = is_due(knobs, voices)
            if self.shape.frame:
                is_border = voices.place == self.shape.frame
                due &= is_border | (knobs.target == INPUT) | (knobs.mode == PERIODIC)
            uniforms, after = self._noisy_draws(voices.rng)
            taken, which = self._noise.taken(knobs, due)
            voices.rng[:, :4].copy_(after.gather(1, which[:, :, None].expand(-1, 1, 4))[:, 0])
            fed = self._disturbed(voices, knobs, self._noise(knobs, due, uniforms, voices))
            self._step(voices, knobs, fed, uniforms.gather(1, taken + self._drawn), knobs.top_p)
            steps[:, place].copy_(voices.last)

    def listen(self, voices: Voices[Tensor], controls: Tensor, steps: Tensor) -> None:  # noqa: ARG002
        """Hears steps, (V, n, width), each after the network has taken in the one before."""
        for place in range(steps.shape[1]):
            self._told(voices, self._fed(voices))
            self._take_in(voices, steps[:, place])

    def predict(self, voices: Voices[Tensor], controls: Tensor, steps: Tensor) -> None:  # noqa: ARG002
        """Hears steps, (V, n, width), and writes into the place of each what was expected there."""
        for place in range(steps.shape[1]):
            told = self._told(voices, self._fed(voices))
            self._take_in(voices, steps[:, place])
            if self.shape.head == "categorical":
                codes: list[Tensor] = []
                for _ in range(self.shape.stages):
                    codes.append(self._codes.logits(told, codes).argmax(1))
                steps[:, place].copy_(torch.stack(codes, 1))
            else:
                steps[:, place].copy_(self._features.expected(told))

    def _fed(self, voices: Voices[Tensor]) -> Tensor:
        """Returns what the network hears of the last step, (V, inputs); of two tiers, the perceptron."""
        if self.shape.head != "categorical":
            return voices.last.clone()
        if self.shape.frame:
            return functional.embedding(voices.recent[:, -self.shape.reach :], self._embedding).flatten(1)
        return functional.embedding(voices.last.clamp_min(0) + self._firsts, self._embedding).flatten(1)

    def _disturbed(self, voices: Voices[Tensor], knobs: Knobs, noise: Tensor) -> Tensor:
        """Adds noise, (V, units), to the states, and returns what the network hears with it."""
        is_input = knobs.target == INPUT
        heard = noise[:, : self._noise.input_units].masked_fill(~is_input, 0.0)
        of_states = noise[:, : self._noise.state_units].masked_fill(is_input, 0.0)
        fed = self._fed(voices)
        self._layers.disturb(voices, of_states, to_cell(knobs))
        return fed + functional.pad(heard, (fed.shape[1] - heard.shape[1], 0))

    def _step(self, voices: Voices[Tensor], knobs: Knobs, fed: Tensor, uniforms: Tensor, top_p: Tensor | None) -> None:
        """Makes the next step of all voices, into `voices.last`."""
        told = self._told(voices, fed)
        if self.shape.head == "categorical":
            codes: list[Tensor] = []
            for stage in range(self.shape.stages):
                logits = self._codes.logits(told, codes)
                codes.append(drawn_code(logits, knobs.temperature, top_p, uniforms[:, stage : stage + 1]))
            self._take_in(voices, torch.stack(codes, 1))
        else:
            self._take_in(voices, self._features.drawn(told, knobs.temperature, uniforms))
        self._watch(voices)
        voices.steps.add_(1)

    def _told(self, voices: Voices[Tensor], fed: Tensor) -> Tensor:
        """Returns what the layers say, the top hidden state (V, H), or what both tiers tell the perceptron, (V, D)."""
        if not self.shape.frame:
            return self._layers.turn(voices, fed)
        weights, frame = self._weights, self.shape.frame
        turns = voices.place == frame
        frames = functional.embedding(voices.recent[:, -frame:], self._embedding).flatten(1)
        top = self._layers.turn(voices, frames, turns)
        told = functional.linear(top, weights["upsample.weight"], weights["upsample.bias"]).view(voices.told.shape)
        voices.told.copy_(torch.where(turns[:, :, None], told, voices.told))
        voices.place.masked_fill_(turns, 0)
        conditioning = voices.told.gather(1, voices.place[:, :, None].expand(-1, 1, voices.told.shape[2]))[:, 0]
        near = functional.linear(fed, weights["near.weight"], weights["near.bias"])
        return near + functional.linear(conditioning, weights["condition.0.weight"])

    def _take_in(self, voices: Voices[Tensor], step: Tensor) -> None:
        """Takes a step, (V, width), as the last."""
        voices.last.copy_(step)
        if self.shape.frame:
            # of a code that could not be drawn, any: the block is thrown away
            voices.recent.copy_(torch.cat([voices.recent[:, 1:], voices.last.clamp_min(0)], 1))
            voices.place.add_(1)

    def _watch(self, voices: Voices[Tensor]) -> None:
        """Watches for collapse: see `kernels.collapse`."""
        if self.shape.head == "categorical":
            value = voices.last[:, :1].double()
            for stage in range(1, self.shape.stages):
                value = (value * 257.0 + voices.last[:, stage : stage + 1]) % 1000003.0
        elif self.shape.features == 1:
            value = voices.last.double()
        else:
            value = (voices.last * self._signature).sum(1, keepdim=True)
        before = voices.history.gather(1, (voices.steps - self._lags) % LAGS)
        is_same = ((before - value).abs() <= TOLERANCE) & (voices.steps >= self._lags)
        voices.runs.add_(1).mul_(is_same)
        voices.history.scatter_(1, voices.steps % LAGS, value)
