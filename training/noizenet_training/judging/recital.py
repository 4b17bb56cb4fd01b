"""How far a sound follows its corpus: the stretches of it that are the corpus' own, played again.

Frames of both are compared by the levels of their bands. A run is a path through pairs of frames that are alike, along
which both go forward, the one up to twice as fast as the other: so small drifts of tempo are forgiven. Pairs that are
not alike count against a run, and end it when they outweigh what it has gained of late. Only moving frames count: a
held note is like any other of the same pitch, and says nothing.

Source: Smith and Waterman, "Identification of common molecular subsequences", 1981, for local alignment; Altschul et
al., "Gapped BLAST and PSI-BLAST", 1997, for ending a path where it has lost too much.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

LONG_S = 2.0  # of moving sound: a run that is called recital
ALIKE_DB = 4.25  # root mean square difference of the bands, below which two frames are alike; see docs/experiments.md
MOVING_DB = 3.5  # the same, from 46 ms before to 46 ms after: below, a sound is held
MOST_LOST_S = 0.25  # of moving sound, that is not alike: then a run is over
TEMPO_PRICE = 0.1  # of a frame, for going on faster or slower


class Recital(NamedTuple):
    """How far a sound follows its corpus.

    Attributes:
        longest_s: moving sound in the longest run, in seconds.
        share: of the moving sound that lies in runs of `LONG_S` and more; NaN if nothing moves.
        following_s: of each frame, moving sound in the longest run that it lies in, (frames,).
    """

    longest_s: float
    share: float
    following_s: Array


def recital(levels: Array, known: list[Array], frame_rate: float) -> Recital:
    """Returns how far a sound follows any of the recordings of its corpus.

    Args:
        levels: of the sound, (frames, bands) in dB.
        known: the same of each recording.
    """
    moving = is_moving(levels)
    in_run: Array = np.zeros(len(levels), np.float32)
    for recording in known:
        np.maximum(in_run, follow(levels, moving, recording, ALIKE_DB, MOST_LOST_S * frame_rate), out=in_run)
    seconds = in_run / frame_rate
    share = float(np.mean(seconds[moving] >= LONG_S)) if moving.any() else float("nan")
    return Recital(float(seconds.max(initial=0.0)), share, seconds)


def is_moving(levels: Array) -> Array:
    """Returns which frames of (frames, bands) are no held sound, bool (frames,)."""
    if len(levels) < 5:
        return np.zeros(len(levels), bool)
    change = np.sqrt(np.mean(np.square(levels[4:] - levels[:-4]), axis=1))
    return np.pad(change > MOVING_DB, 2)


@njit(cache=True, nogil=True)
def follow(levels: Any, moving: Any, known: Any, alike_db: float, most_lost: float) -> Any:
    """Returns, for each frame of a sound, how many moving frames the longest run has that it lies in, (frames,).

    Args:
        levels: (frames, bands) in dB.
        moving: bool (frames,).
        known: (n, bands) in dB.
        alike_db: root mean square difference of the bands from which on two frames are not alike.
        most_lost: moving frames' worth by which a run may fall below its best before it is over.
    """
    frames, columns, bands = levels.shape[0], known.shape[0], levels.shape[1]
    longest = np.zeros(frames, np.float32)
    # Of the path that ends in each column, at the last three frames: what it is worth, the most that it was worth, the
    # moving frames in it that are alike, and the frame that it began at.
    worth = np.zeros((3, columns), np.float32)
    best = np.zeros((3, columns), np.float32)
    count = np.zeros((3, columns), np.int32)
    begin = np.zeros((3, columns), np.int32)
    for i in range(frames):
        now, before, earlier = i % 3, (i - 1) % 3, (i - 2) % 3
        counted, counted_begin = 0, i
        for j in range(columns):
            total = np.float32(0.0)
            for band in range(bands):
                difference = levels[i, band] - known[j, band]
                total += difference * difference
            like = max(np.float32(1.0) - total / np.float32(bands * alike_db * alike_db), np.float32(-1.0))
            step = 1 if moving[i] and like > 0.0 else 0
            # the path to go on from: straight, slower (the corpus has moved one frame, the sound two), or faster
            row, column, value = -1, -1, np.float32(0.0)
            if i > 0 and j > 0 and worth[before, j - 1] > value:
                row, column, value = before, j - 1, worth[before, j - 1]
            if i > 1 and j > 0 and worth[earlier, j - 1] - TEMPO_PRICE > value:
                row, column, value = earlier, j - 1, worth[earlier, j - 1] - np.float32(TEMPO_PRICE)
            if i > 0 and j > 1 and worth[before, j - 2] - TEMPO_PRICE > value:
                row, column, value = before, j - 2, worth[before, j - 2] - np.float32(TEMPO_PRICE)
            if row < 0:
                best[now, j], count[now, j], begin[now, j] = np.float32(0.0), 0, i
            else:
                best[now, j], count[now, j], begin[now, j] = best[row, column], count[row, column], begin[row, column]
            value += like if moving[i] else min(like, np.float32(0.0))
            count[now, j] += step
            if value <= 0.0 or value < best[now, j] - most_lost:
                worth[now, j] = np.float32(0.0)
                continue
            worth[now, j] = value
            if value >= best[now, j]:
                best[now, j] = value
                if count[now, j] > counted:
                    counted, counted_begin = count[now, j], begin[now, j]
        for k in range(counted_begin, i + 1):
            longest[k] = max(longest[k], np.float32(counted))
    return longest
