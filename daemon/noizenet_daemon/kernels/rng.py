"""Random numbers whose generator is an explicit value: uint64 (5,), part of a voice's state.

xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), seeded by SplitMix64
as its authors advise. The same seed gives the same numbers on every machine. The fifth word never changes: it tells
what comes from one seed from what comes from another, where noise is a function of time.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import inlined, kernel

Array = NDArray[Any]
MASK = (1 << 64) - 1
OWN = 4  # index of the word that never changes


def new_rng(seed: int) -> Array:
    """Returns a generator's state, uint64 (5,), for any whole number."""
    words = []
    counter = seed & MASK
    for _ in range(OWN + 1):
        counter = (counter + 0x9E3779B97F4A7C15) & MASK
        z = counter
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        words.append(z ^ (z >> 31))
    return np.array(words, np.uint64)


@inlined
def _rotate(x: Any, k: int) -> Any:
    return (x << np.uint64(k)) | (x >> np.uint64(64 - k))


@kernel
def uniform(rng: Any) -> float:
    """Returns the next number, evenly spread over 0 <= x < 1, with 53 random bits."""
    result = _rotate(rng[0] + rng[3], 23) + rng[0]
    t = rng[1] << np.uint64(17)
    rng[2] ^= rng[0]
    rng[3] ^= rng[1]
    rng[1] ^= rng[2]
    rng[0] ^= rng[3]
    rng[2] ^= t
    rng[3] = _rotate(rng[3], 45)
    return float(result >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def normal(rng: Any) -> float:
    """Returns the next number of a normal distribution, mean 0, deviation 1 (Box and Muller, 1958)."""
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(rng)))
    return float(radius * np.cos(2.0 * np.pi * uniform(rng)))
