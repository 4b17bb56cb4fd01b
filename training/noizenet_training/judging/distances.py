"""How far a sound is from its corpus, beside how far the corpus is from itself: 1 = as near as its own halves.

fidelity    what it sounds like: mean and deviation of each band in each second
coherence   how it moves: differences of frames 1, 4, 16 and 48 apart (23 ms to 1.1 s), jointly

Each is a Frechet distance between the features of the sound and of the corpus, over that between two halves of the
corpus: its even and its odd seconds. Interleaved, both hear the same passages, so their distance is that of sampling
alone. First half against second half would measure how much the piece changes, and call a poor imitation of either
good.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet_training.judging.bands import MEL_BANDS

Array = NDArray[Any]

LAGS = (1, 4, 16, 48)  # frames
LEAST_DISTANCE = 1e-9  # of a corpus whose halves are the same


def seconds_of(levels: Array, frame_rate: float) -> Array:
    """Returns mean and deviation of each band in each full second, in dB, (seconds, 2 x MEL_BANDS).

    Args:
        levels: of `noizenet_training.judging.bands.log_mel`.
    """
    borders = np.round(np.arange(int(len(levels) / frame_rate + 0.05) + 1) * frame_rate).astype(int)
    parts = [levels[first:last] for first, last in pairwise(borders)]
    if not parts:
        return np.zeros((0, 2 * MEL_BANDS))
    return np.array([np.concatenate([part.mean(axis=0), part.std(axis=0)]) for part in parts], np.float64)


def movements_of(levels: Array) -> Array:
    """Returns how all bands move from each frame on, in dB, (frames - 48, 4 x MEL_BANDS)."""
    count = max(0, len(levels) - LAGS[-1])
    return np.concatenate([levels[lag : lag + count] - levels[:count] for lag in LAGS], axis=1).astype(np.float64)


def frechet_distance(first: Array, second: Array) -> float:
    """Returns the Frechet distance between two sets of features (n, d), each taken as a Gaussian.

    Source: Dowson and Landau, "The Frechet distance between multivariate normal distributions", 1982:
    |mean difference|^2 + tr(A + B - 2 (A B)^1/2) for covariances A and B. With A = X'X and B = Y'Y, the
    last trace is the nuclear norm of X Y', which is exact also with fewer rows than features.
    """
    means = float(np.square(first.mean(axis=0) - second.mean(axis=0)).sum())
    x, y = (_spread(rows) for rows in (first, second))
    shared = float(np.linalg.norm(x @ y.T, ord="nuc"))
    return max(0.0, means + float(np.square(x).sum() + np.square(y).sum()) - 2.0 * shared)


def distance_of_halves(parts: Sequence[Array], rate: float) -> float:
    """Returns the distance between even and odd seconds of recordings; never quite 0, NaN of less than two seconds.

    Args:
        parts: features of each recording, (n, d).
        rate: rows of them in a second.
    """
    is_odd = np.concatenate([(np.arange(len(part)) / rate).astype(int) % 2 == 1 for part in parts])
    rows = np.concatenate(parts)
    if is_odd.all() or not is_odd.any():
        return float("nan")
    return max(frechet_distance(rows[~is_odd], rows[is_odd]), LEAST_DISTANCE)


def _spread(rows: Array) -> Array:
    """Returns a matrix X with X'X the covariance of rows (n, d), of at most d rows."""
    centred = (rows - rows.mean(axis=0)) / np.sqrt(len(rows))
    return np.asarray(np.linalg.qr(centred, mode="r")) if len(rows) > rows.shape[1] else centred
