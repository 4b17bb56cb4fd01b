"""Noise for injection, and when to inject it. Kinds, targets and modes as in `noizenet.protocol`."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from noizenet.protocol import NOISE_KINDS, NOISE_MODES, NOISE_TARGETS
from noizenet_daemon.kernels.rng import normal, uniform

NORMAL, UNIFORM, PERLIN = (NOISE_KINDS.index(kind) for kind in ("normal", "uniform", "perlin"))
INPUT, HIDDEN, CELL = (NOISE_TARGETS.index(target) for target in ("input", "hidden", "cell"))
OFF, CONTINUOUS, PERIODIC, ON_COLLAPSE = (
    NOISE_MODES.index(mode) for mode in ("off", "continuous", "periodic", "on_collapse")
)

PERLIN_HZ = 2.0  # one lattice cell lasts half a second: slow enough to be heard as drift
# Deviation of 1-D gradient noise with slopes evenly spread over -1..1: the root of the mean over 0 <= t <= 1 of
# ((1 - b) t)^2 / 3 + (b (t - 1))^2 / 3, where b is the blend at t.
PERLIN_DEVIATION = 0.140694
# Gradient noise is zero at whole positions: each unit is shifted by the golden ratio more than the last, so that the
# units are not silent all at once, nor for ever when the period is a whole number of cells.
PERLIN_SHIFT = 0.6180339887498949


class Controls(NamedTuple):
    """What the performer has set, as one block of steps takes it.

    Attributes:
        temperature: divides the logits.
        top_p: probability mass drawn from, 0..1.
        noise: amount, 0..1; the deviation of what is added, in units of its target's own scale.
        kind, target, mode: indices into the names of `noizenet.protocol`.
        period: steps between two periodic injections.
        perlin_step: lattice cells that Perlin noise moves in a step.
        hold: steps of sameness that count as collapse.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    noise: float = 0.0
    kind: int = NORMAL
    target: int = HIDDEN
    mode: int = CONTINUOUS
    period: int = 1
    perlin_step: float = 0.0
    hold: int = 1 << 62


@njit(cache=True, nogil=True)
def is_due(controls: Any, step: int, collapsed: bool) -> bool:
    """Returns whether noise is injected at this step."""
    if controls.noise <= 0.0 or controls.mode == OFF:
        return False
    if controls.mode == PERIODIC:
        return bool(step % max(controls.period, 1) == 0)
    if controls.mode == ON_COLLAPSE:
        return bool(collapsed)
    return True


@njit(cache=True, nogil=True, inline="always")
def _slope(cell: int, unit: int) -> float:
    """Returns the gradient at a lattice point, in -1..1: SplitMix64 of the point and the unit."""
    z = np.uint64(cell) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(unit) * np.uint64(0xD1B54A32D192ED03)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) / 4503599627370496.0 - 1.0


@njit(cache=True, nogil=True)
def perlin(position: float, unit: int) -> float:
    """Returns 1-D gradient noise of deviation 1; each unit is a walk of its own.

    Source: Perlin, "Improving noise", SIGGRAPH 2002: slopes at whole positions, blended by 6t^5 - 15t^4 + 10t^3.
    """
    cell = int(np.floor(position))
    t = position - cell
    blend = t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
    before = _slope(cell, unit) * t
    after = _slope(cell + 1, unit) * (t - 1.0)
    return (before + blend * (after - before)) / PERLIN_DEVIATION


@njit(cache=True, nogil=True)
def add_noise(values: Any, scale: float, controls: Any, step: int, rng: Any, first_unit: int) -> None:
    """Adds noise of deviation `noise` x `scale` to values, float32 (n,).

    Args:
        first_unit: number of the first value, so that no two values share a Perlin walk.
    """
    amount = controls.noise * scale
    for i in range(values.shape[0]):
        if controls.kind == NORMAL:
            values[i] += np.float32(amount * normal(rng))
        elif controls.kind == UNIFORM:
            values[i] += np.float32(amount * np.sqrt(3.0) * (2.0 * uniform(rng) - 1.0))
        else:
            position = step * controls.perlin_step + PERLIN_SHIFT * (first_unit + i + 1)
            values[i] += np.float32(amount * perlin(position, first_unit + i))
