"""Perlin noise along one axis: a smooth random walk that always comes back to zero, alone or in octaves.

A lattice of whole positions has a random slope at each; between two of them the two lines are blended. So all
waves are about two cells long; octaves, each on a finer lattice and weaker than the last, add shorter ones.
Source: Perlin, "Improving noise", SIGGRAPH 2002; Perlin, "An image synthesizer", SIGGRAPH 1985, for the octaves.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import inlined, kernel

Array = NDArray[Any]

# Of slopes evenly spread over -1..1: the root of the mean over 0 <= t <= 1 of
# ((1 - b) t)^2 / 3 + (b (t - 1))^2 / 3, where b is the blend at t.
GRADIENT_DEVIATION = 0.140694
LARGEST = 0.5 / GRADIENT_DEVIATION  # half way between the slopes 1 and -1: 3.55 deviations
# Noise is zero at whole positions. Each octave, like each unit that is given noise, is shifted by the golden ratio
# more than the last, so that they are not zero all at once.
GOLDEN_SHIFT = 0.6180339887498949
MASK = (1 << 64) - 1


@inlined
def _slope(cell: int, walk: Any) -> float:
    """Returns the slope at a lattice point, in -1..1: SplitMix64 of the point and the walk."""
    z = np.uint64(cell) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(walk) * np.uint64(0xD1B54A32D192ED03)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) / 4503599627370496.0 - 1.0


@kernel
def gradient_noise(position: float, walk: Any) -> float:
    """Returns noise of deviation 1 within ±`LARGEST`, zero at whole positions.

    Args:
        position: in lattice cells.
        walk: any whole number of 64 bits; each is a noise of its own.
    """
    cell = int(np.floor(position))
    t = position - cell
    blend = t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
    before = _slope(cell, walk) * t
    after = _slope(cell + 1, walk) * (t - 1.0)
    return (before + blend * (after - before)) / GRADIENT_DEVIATION


@kernel
def fill_perlin(out: Any, step: float, walk: Any, octaves: int, persistence: float, lacunarity: float) -> None:
    amplitude = 1.0
    power = 0.0
    for octave in range(octaves):
        own_walk = np.uint64(walk) + np.uint64(octave)
        for i in range(out.shape[0]):
            out[i] += amplitude * gradient_noise(i * step + GOLDEN_SHIFT * octave, own_walk)
        power += amplitude * amplitude
        amplitude *= persistence
        step *= lacunarity
    for i in range(out.shape[0]):
        out[i] /= np.sqrt(power)


def perlin_noise(
    count: int,
    frequency: float,
    sample_rate: float,
    octaves: int = 1,
    seed: int = 0,
    *,
    persistence: float = 0.5,
    lacunarity: float = 2.0,
) -> Array:
    """Returns Perlin noise of deviation 1 from position 0 on, float32 (count,).

    Args:
        frequency: lattice cells of the first octave in a second. Its power lies around half of that, 95 % of it
            below 0.9 of that (measured).
        sample_rate: values in a second.
        octaves: lattices, at least 1. One alone is zero at each whole cell, and within ±`LARGEST`.
        seed: of the slopes; any whole number, of which 64 bits count.
        persistence: amplitude of an octave beside the one before it.
        lacunarity: cells of an octave for one cell of the octave before it.
    """
    out = np.zeros(count, np.float64)
    # far apart, so that the first octave of seed 1 isn't the second of seed 0
    walk = np.uint64((seed * 0xBF58476D1CE4E5B9) & MASK)
    fill_perlin(out, frequency / sample_rate, walk, octaves, persistence, lacunarity)
    return out.astype(np.float32)
