"""Noise for injection, and when to inject it. Kinds, targets and modes as in `noizenet.protocol`."""

from typing import Any, NamedTuple

import numpy as np

from noizenet.compiling import kernel
from noizenet.perlin import GOLDEN_SHIFT, gradient_noise
from noizenet.protocol import NOISE_KINDS, NOISE_MODES, NOISE_TARGETS
from noizenet_daemon.kernels.pink import next_pink
from noizenet_daemon.kernels.rng import OWN, normal, uniform

# `live` is normal noise whose amount follows a level: see `noizenet_daemon.noise_amount`.
NORMAL, UNIFORM, PERLIN, PINK, LIVE = map(NOISE_KINDS.index, ("normal", "uniform", "perlin", "pink", "live"))
INPUT, HIDDEN, CELL = map(NOISE_TARGETS.index, ("input", "hidden", "cell"))
OFF, CONTINUOUS, PERIODIC, ON_COLLAPSE = map(NOISE_MODES.index, ("off", "continuous", "periodic", "on_collapse"))

PERLIN_HZ = 2.0  # one lattice cell lasts half a second: slow enough to be heard as drift


class Controls(NamedTuple):
    """What the performer has set, as one block of steps takes it.

    Attributes:
        temperature: divides the logits, or multiplies the deviations that the head "gaussian" puts out.
        top_p: probability mass drawn from, 0..1.
        stray: how far from the corpus, 0..1: see `kernels.roaming`.
        noise: the deviation of what is added, in units of its target's own scale: see `noizenet_daemon.noise_amount`.
        kind, target, mode: indices into the names of `noizenet.protocol`.
        period: steps between two periodic injections.
        perlin_step: lattice cells that Perlin noise moves in a step.
        hold: steps of sameness that count as collapse.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    stray: float = 0.5
    noise: float = 0.0
    kind: int = NORMAL
    target: int = HIDDEN
    mode: int = CONTINUOUS
    period: int = 1
    perlin_step: float = 0.0
    hold: int = 1 << 62


@kernel
def is_due(controls: Any, step: int, collapsed: bool) -> bool:
    """Returns whether noise is injected at this step."""
    if controls.noise <= 0.0 or controls.mode == OFF:
        return False
    if controls.mode == PERIODIC:
        return bool(step % max(controls.period, 1) == 0)
    if controls.mode == ON_COLLAPSE:
        return bool(collapsed)
    return True


@kernel
def add_noise(values: Any, scale: float, controls: Any, step: int, rng: Any, pink: Any, first_unit: int) -> None:
    """Adds noise of deviation `noise` x `scale` to values, float32 (n,).

    Args:
        rng: see `kernels.rng`; its seed's own word says which Perlin walks these are.
        pink: filters of all units, see `kernels.pink`.
        first_unit: number of the first value, so that no two values share a Perlin walk or a filter.
    """
    amount = controls.noise * scale
    walks = rng[OWN]
    for i in range(values.shape[0]):
        if controls.kind == NORMAL or controls.kind == LIVE:
            values[i] += np.float32(amount * normal(rng))
        elif controls.kind == PINK:
            values[i] += np.float32(amount * next_pink(pink[first_unit + i], normal(rng)))
        elif controls.kind == UNIFORM:
            values[i] += np.float32(amount * np.sqrt(3.0) * (2.0 * uniform(rng) - 1.0))
        else:
            position = step * controls.perlin_step + GOLDEN_SHIFT * (first_unit + i + 1)
            values[i] += np.float32(amount * gradient_noise(position, walks + np.uint64(first_unit + i)))
