"""Noise for injection, and when to inject it, for all voices at once: what `kernels.noise` and `kernels.pink` state.

All kinds are computed for all voices, and a mask chooses: which voice is disturbed, and how, is a matter of numbers
that lie in tensors, and never of which operations are carried out.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from noizenet.network import NetworkShape
from noizenet.perlin import GOLDEN_SHIFT, GRADIENT_DEVIATION
from noizenet_daemon.kernels.noise import (
    CELL,
    INPUT,
    OFF,
    ON_COLLAPSE,
    PERIODIC,
    PERLIN,
    PINK,
    UNIFORM,
)
from noizenet_daemon.kernels.pink import DECAYS, DEVIATION, GAINS
from noizenet_daemon.kernels.rng import MASK, OWN
from noizenet_daemon.tensors.draws import normals, shifted_right
from noizenet_daemon.tensors.voices import Voices


class Knobs(NamedTuple):
    """The controls of all voices, named as `kernels.noise.Controls`, each float64 (V, 1)."""

    temperature: Tensor
    top_p: Tensor
    stray: Tensor
    noise: Tensor
    kind: Tensor
    target: Tensor
    mode: Tensor
    period: Tensor
    perlin_step: Tensor
    hold: Tensor


def knobs_of(controls: Tensor) -> Knobs:
    """Returns the knobs of controls, float64 (V, 10)."""
    return Knobs(*controls.tensor_split(controls.shape[1], 1))


def is_due(knobs: Knobs, voices: Voices[Tensor]) -> Tensor:
    """Returns which voices noise is injected into at this step, bool (V, 1)."""
    is_time = voices.steps % knobs.period.clamp_min(1.0) == 0.0
    is_collapsed = voices.runs.amax(1, keepdim=True) >= knobs.hold
    is_now = (is_time | (knobs.mode != PERIODIC)) & (is_collapsed | (knobs.mode != ON_COLLAPSE))
    return is_now & (knobs.noise > 0.0) & (knobs.mode != OFF)


class Noise:
    """Noise for the input or the states of a network.

    Attributes:
        units: that noise is made for: as many as the larger of its targets has.
        input_units, state_units: of its targets.
        counts: how many random numbers it may take in a step.
    """

    def __init__(self, shape: NetworkShape, input_scale: float, device: torch.device) -> None:
        """Args:
        input_scale: the unit of noise on the input.
        """
        # of two tiers, the perceptron's newest code
        self.input_units = shape.embedding if shape.frame else shape.input_size
        self.state_units = shape.layers * shape.hidden
        self.units = max(self.input_units, self.state_units)
        self.counts = [per_unit * units for units in (self.input_units, self.state_units) for per_unit in range(3)]
        self._numbers = torch.arange(self.units, device=device)
        self._shifts = GOLDEN_SHIFT * (self._numbers + 1).double()
        self._counts = torch.tensor(self.counts, device=device)
        self._decays, self._gains, self._scales = (
            torch.tensor(values, dtype=torch.float64, device=device) for values in (DECAYS, GAINS, (1.0, input_scale))
        )

    def taken(self, knobs: Knobs, due: Tensor) -> tuple[Tensor, Tensor]:
        """Returns how many random numbers noise takes, and that figure's place in `counts`, int64 (V, 1) both.

        Args:
            due: the voices that it is injected into, bool (V, 1).
        """
        per_unit = 2 - (knobs.kind == UNIFORM).long() - 2 * (knobs.kind == PERLIN).long()
        place = (per_unit + 3 * (knobs.target != INPUT)) * due
        return self._counts[place], place

    def __call__(self, knobs: Knobs, due: Tensor, uniforms: Tensor, voices: Voices[Tensor]) -> Tensor:
        """Returns what is added to the target's units, float32 (V, units); 0 where nothing is.

        It moves the filters of pink noise on.

        Args:
            due: the voices that it is injected into, bool (V, 1).
            uniforms: evenly spread random numbers, float64 (V, 2 units or more).
        """
        is_input = knobs.target == INPUT
        is_reached = due & (self._numbers < torch.where(is_input, self._counts[1], self._counts[4]))
        normal = normals(uniforms[:, : 2 * self.units])
        is_pink = knobs.kind == PINK
        filters = self._decays * voices.pink[:, : self.units] + self._gains * normal[:, :, None]
        kept = torch.where((is_reached & is_pink)[:, :, None], filters.float(), voices.pink[:, : self.units])
        voices.pink[:, : self.units].copy_(kept)
        made = torch.where(is_pink, filters.sum(2) / DEVIATION, normal)
        made = torch.where(knobs.kind == UNIFORM, 3.0**0.5 * (2.0 * uniforms[:, : self.units] - 1.0), made)
        position = voices.steps * knobs.perlin_step + self._shifts
        made = torch.where(knobs.kind == PERLIN, _gradient_noise(position, voices.rng[:, OWN:] + self._numbers), made)
        return (knobs.noise * self._scales[is_input.long()] * made).float().masked_fill(~is_reached, 0.0)


def to_cell(knobs: Knobs) -> Tensor:
    """Returns which voices' noise goes to the cell state, bool (V, 1)."""
    return knobs.target == CELL


def _gradient_noise(position: Tensor, walk: Tensor) -> Tensor:
    """Returns `noizenet.perlin.gradient_noise` of positions, float64, and walks, int64, of one shape."""
    cell = position.floor()
    t = position - cell
    blend = t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
    before = _slope(cell.long(), walk) * t
    after = _slope(cell.long() + 1, walk) * (t - 1.0)
    return (before + blend * (after - before)) / GRADIENT_DEVIATION


def _slope(cell: Tensor, walk: Tensor) -> Tensor:
    z = cell * _signed(0x9E3779B97F4A7C15) + walk * _signed(0xD1B54A32D192ED03)
    z = (z ^ shifted_right(z, 30)) * _signed(0xBF58476D1CE4E5B9)
    z = (z ^ shifted_right(z, 27)) * _signed(0x94D049BB133111EB)
    z = z ^ shifted_right(z, 31)
    return shifted_right(z, 11).double() / 4503599627370496.0 - 1.0


def _signed(word: int) -> int:
    """Returns the number that a word of 64 bits is, taken as int64."""
    return word - MASK - 1 if word >> 63 else word
