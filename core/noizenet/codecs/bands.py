"""Bands of the ear, and how loud each is: what a vocabulary of spectra would get wrong.

A class of log-magnitudes stands for frames that differ, and its mean lies below the loudness of all of them: what is
decoded is 1 to 2 dB too soft, and quiet or loud by chance. So the level of each band is coded beside its bins, and
what is decoded from the bins is raised or lowered to it.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.codecs.elementary import exponential
from noizenet.compiling import inlined, njit

Array = NDArray[Any]

BANDS = 22  # over the whole mel scale: 120 Hz wide at the bottom of 44,100 Hz, fewer where the bins don't suffice
MOST_CORRECTED = 1.0  # nepers; 9 dB


class Bands(NamedTuple):
    """How bins and bands belong together; B bands, M bins.

    Attributes:
        edges: first bin of each band, and one past the last, int64 (B + 1,).
        lower: the band whose middle lies at or below a bin, int64 (M,).
        upper: the one above that, int64 (M,).
        share: of the upper band in a bin, 0..1, float32 (M,).
        turn: 1 in the bins of every other band, -1 in the others, float32 (M,).
    """

    edges: Array
    lower: Array
    upper: Array
    share: Array
    turn: Array


def new_bands(sample_rate: int, window: int) -> Bands:
    """Returns the bands of spectra of `window` samples, equally wide in mel; at least one bin each.

    Source: mel(f) = 2595 log10(1 + f / 700), O'Shaughnessy 1987; the factor cancels out.
    """
    frequency = np.fft.rfftfreq(window, 1.0 / sample_rate)
    place = BANDS * np.log1p(frequency / 700.0) / np.log1p(frequency[-1] / 700.0)
    edges = np.unique(np.searchsorted(place, np.arange(BANDS + 1)))
    edges[-1] = len(frequency)
    bins, count = np.arange(len(frequency)), len(edges) - 1
    where = np.interp(bins, 0.5 * (edges[:-1] + edges[1:] - 1), np.arange(count))
    lower = where.astype(np.int64)
    band = np.searchsorted(edges, bins, side="right") - 1
    return Bands(
        edges.astype(np.int64),
        lower,
        np.minimum(lower + 1, count - 1),
        (where - lower).astype(np.float32),
        np.where(band % 2 == 0, 1.0, -1.0).astype(np.float32),
    )


@inlined
def between(bands: Any, values: Any, m: int) -> Any:
    """Returns the value at bin `m` of a line through the bands' values (B,)."""
    low = values[bands.lower[m]]
    return low + bands.share[m] * (values[bands.upper[m]] - low)


@njit(fastmath=True)
def band_levels(edges: Any, logs: Any, floor: float, out: Any) -> None:
    """Writes ln of the root of each band's power to `out`, float32 (B,), from ln(|X| + floor), (M,)."""
    for band in range(edges.shape[0] - 1):
        power = np.float32(floor * floor) * np.float32(edges[band + 1] - edges[band])
        for m in range(edges[band], edges[band + 1]):
            magnitude = max(exponential(logs[m]) - np.float32(floor), np.float32(0.0))
            power += magnitude * magnitude
        out[band] = np.float32(0.5) * np.log(power)


@inlined
def bring_to_levels(bands: Any, levels: Any, floor: float, logs: Any, corrections: Any) -> None:
    """Raises or lowers log-magnitudes (M,), in place, to the levels (B,) of their bands; `corrections` is workspace."""
    band_levels(bands.edges, logs, floor, corrections)
    for band in range(corrections.shape[0]):
        corrections[band] = min(max(levels[band] - corrections[band], -MOST_CORRECTED), MOST_CORRECTED)
    for m in range(logs.shape[0]):
        logs[m] += between(bands, corrections, m)
