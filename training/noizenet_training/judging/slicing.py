"""The trivial rival: slices of the corpus in random order, crossfaded. It can't be played, and makes nothing new."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SLICE_S = 2.0
FADE_S = 0.05


def slices(corpus: Sequence[Array], sample_rate: int, seconds: float, seed: int, slice_s: float = SLICE_S) -> Array:
    """Returns so many seconds of slices from random places, float32 (samples,); equal power at the seams.

    Args:
        corpus: stretches of samples, float32 (samples,) each; a shorter one than a slice is taken whole.
    """
    rng = np.random.default_rng(seed)
    fade = max(1, round(FADE_S * sample_rate))
    length = round(slice_s * sample_rate) + fade
    wanted = round(seconds * sample_rate)
    out = np.zeros(wanted + 2 * length, np.float32)
    ramp = np.sin(0.5 * np.pi * np.arange(fade) / fade).astype(np.float32)
    starts = np.array([max(1, len(stretch) - length + 1) for stretch in corpus])
    place = 0
    while place < wanted + fade:  # the last fade is cut off, as the first is
        stretch = corpus[rng.choice(len(corpus), p=starts / starts.sum())]
        first = int(rng.integers(max(1, len(stretch) - length + 1)))
        part = stretch[first : first + length].copy()
        if len(part) < 2 * fade:
            raise ValueError(f"a stretch of {len(part)} samples is shorter than two fades of {fade}")
        part[:fade] *= ramp
        part[-fade:] *= ramp[::-1]
        out[place : place + len(part)] += part
        place += len(part) - fade
    return out[fade : wanted + fade]
