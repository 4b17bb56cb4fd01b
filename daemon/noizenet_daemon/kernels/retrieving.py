"""Where in its memory a voice goes on: a real frame that once followed a hidden state like its own.

Of each frame that may come before the next one played, the score is

    likeness of the hidden states / LIKENESS - SEAM x spectral distance - HEAT x how much its place was played of late

A frame whose continuation would sound like the one that is being left is no departure: such are taken only if there is
nothing else. Of the best CHOSEN_FROM one is drawn, by temperature and top_p, as a code is drawn from logits.

Source: hidden states that retrieve what followed like ones, after Khandelwal et al., "Generalization through
memorization: nearest neighbor language models", 2020; jumps between like contexts, after Assayag and Dubnov, "Using
factor oracles for machine improvisation", 2004.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from noizenet_daemon.kernels.cells import FAST
from noizenet_daemon.kernels.drawing import draw_class
from noizenet_daemon.kernels.rng import uniform

Array = NDArray[Any]

LIKENESS = np.float32(0.1)  # of cosines: one that is 0.1 higher is e times as likely
SEAM = np.float32(3.0)  # for a distance as of a frame from the mean of all
HEAT = np.float32(4.0)  # for a place that was played as often as places were on average
CHOSEN_FROM = 12
LEAST_DEPARTURE = 1.4  # distance of two continuations; of two from random places it is 2 on average
DEPARTURE_SHARE = 0.85  # of the median over all places, where that is less: music that hardly changes
FARTHER = 0.6  # by so much more at stray 1 than at 0.5, of both; below, they fall to nothing at 0
LEFT_BEHIND = 8  # departures, to whose continuations a voice doesn't come back
AHEAD_STRIDE = 4  # frames: of continuations, each fourth is compared
MOST_SCORED = 8192  # frames; of longer memories, evenly spread ones from a random first
BARRED = np.float32(-1e30)
NO_DEPARTURE = np.float32(1e6)


class MemoryTables(NamedTuple):
    """A memory as the kernels take it. n frames, S stages, C classes, A axes of spectra, K of keys, H hidden units.

    Attributes:
        sound: (samples, channels).
        places, firsts, lasts: of each frame where it plays from, and its stretch's first and last, int32 (n,).
        codes: int32 (n, S).
        keys: (n, K), of length 1.
        points: spectra, scaled so that the mean square of their length is 1, (n, A).
        code_points: what each code adds to a spectrum, as `points` are scaled, (S, C, A).
        axes, centre: see `noizenet.memory.Memory`.
        pace: steps from jump to jump.
        second: steps in a second.
        hop: samples of a frame.
    """

    sound: Array
    places: Array
    firsts: Array
    lasts: Array
    codes: Array
    keys: Array
    points: Array
    code_points: Array
    axes: Array
    centre: Array
    pace: float
    second: int
    hop: int


class Search(NamedTuple):
    """Workspace of a search, and how much each place was played of late.

    Attributes:
        left: frames that were left last, int64 (LEFT_BEHIND,), a ring; -1 where there is none yet.
        heat: one for each step that a frame was played, decaying, (n,).
        sums: heat of all frames before each, (n + 1,).
        scores, departures: of each frame scored, (n,).
        key, point: the hidden state as the keys see it (K,), and the spectrum that is being left (A,).
        likely, chosen: the best scores, float32, and their frames, int32, (CHOSEN_FROM,).
    """

    left: Array
    heat: Array
    sums: Array
    scores: Array
    departures: Array
    key: Array
    point: Array
    likely: Array
    chosen: Array


@njit(cache=True, nogil=True, fastmath=FAST, boundscheck=False)
def look(tables: Any, search: Any, hidden: Any) -> None:
    """Sets `search.key` to a hidden state (H,), as the keys see it."""
    square = np.float32(1e-12)
    for k in range(search.key.shape[0]):
        total = np.float32(0.0)
        for h in range(hidden.shape[0]):
            total += tables.axes[k, h] * (hidden[h] - tables.centre[h])
        search.key[k] = total
        square += total * total
    search.key[:] /= np.sqrt(square)


@njit(cache=True, nogil=True, fastmath=FAST, boundscheck=False)
def likeness(tables: Any, search: Any, frame: int) -> float:
    """Returns the cosine between `search.key` and the key of a frame."""
    total = np.float32(0.0)
    for k in range(search.key.shape[0]):
        total += search.key[k] * tables.keys[frame, k]
    return float(total)


@njit(cache=True, nogil=True, fastmath=FAST, boundscheck=False)
def cool(search: Any) -> None:
    """Lets the heat decay by a step: to 1/e in the time that playing the whole memory four times would take."""
    factor = np.float32(1.0 - 0.25 / search.heat.shape[0])
    for n in range(search.heat.shape[0]):
        search.heat[n] *= factor


@njit(cache=True, nogil=True, fastmath=FAST, boundscheck=False)
def _distance(points: Any, frame: int, point: Any) -> Any:
    total = np.float32(0.0)
    for k in range(point.shape[0]):
        difference = points[frame, k] - point[k]
        total += difference * difference
    return total


@njit(cache=True, nogil=True, fastmath=FAST, boundscheck=False)
def _departure(tables: Any, frame: int, other: int) -> Any:
    """Returns the mean squared distance between what follows two frames in a second, as far as both go on."""
    total = np.float32(0.0)
    count = 0
    most = min(tables.second, tables.lasts[frame] - frame, tables.lasts[other] - other)
    for ahead in range(1, most + 1, AHEAD_STRIDE):
        total += _distance(tables.points, frame + ahead, tables.points[other + ahead])
        count += 1
    return total / np.float32(count) if count else np.float32(2.0)


@njit(cache=True, nogil=True, boundscheck=False)
def _median(values: Any, first: int, stride: int) -> Any:
    """Returns about the median of each `stride`th value, all between 0 and 16, by bisection; 2 of none."""
    count = 0
    for n in range(first, values.shape[0], stride):
        count += values[n] >= 0.0
    if count == 0:
        return np.float32(2.0)
    low, high = np.float32(0.0), np.float32(16.0)
    for _ in range(12):
        middle = np.float32(0.5) * (low + high)
        below = 0
        for n in range(first, values.shape[0], stride):
            below += 0.0 <= values[n] < middle
        if 2 * below < count:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True, nogil=True, inline="always")
def _is_near(left: Any, frame: int, second: int) -> bool:
    """Returns whether a frame lies within a second before or after one of those left."""
    near = False
    for n in range(left.shape[0]):
        near |= left[n] >= 0 and abs(left[n] - frame) < second
    return near


@njit(cache=True, nogil=True, fastmath=FAST, boundscheck=False)
def _score(tables: Any, search: Any, frame: int, ahead: int, first: int, stride: int) -> None:
    """Fills `scores` and `departures` of each `stride`th frame; a departure of -1 marks one that is barred."""
    count = search.heat.shape[0]
    search.sums[0] = 0.0
    for n in range(count):
        search.sums[n + 1] = search.sums[n] + search.heat[n]
    half = tables.second // 2
    reach = ahead if ahead > 2 * tables.second else half
    per_frame = max(search.sums[count] / count, np.float32(1e-9))
    for n in range(first, count, stride):
        if n + half > tables.lasts[n] or _is_near(search.left, n, tables.second):
            search.scores[n], search.departures[n] = BARRED, -1.0
            continue
        low, high = max(n - half, 0), min(n + reach, tables.lasts[n] + 1)
        heat = (search.sums[high] - search.sums[low]) / (np.float32(high - low) * per_frame)
        search.scores[n] = (
            np.float32(likeness(tables, search, n)) / LIKENESS
            - SEAM * _distance(tables.points, n, search.point)
            - HEAT * heat
        )
        search.departures[n] = _departure(tables, frame, n) if frame >= 0 else np.float32(2.0)


@njit(cache=True, nogil=True, boundscheck=False)
def retrieve(tables: Any, search: Any, frame: int, ahead: int, controls: Any, rng: Any) -> int:
    """Returns the frame after which to go on; `search.key` and `search.point` say what it is to be like.

    Args:
        frame: the one that is being left; -1 if none of the memory's.
        ahead: frames that are likely to be played from the one found: beyond two seconds, how often all of them were
            played counts, not only how often the second around it was.
    """
    count = search.heat.shape[0]
    stride = -(-count // MOST_SCORED)
    first = int(uniform(rng) * stride)
    _score(tables, search, frame, ahead, first, stride)
    farther = min(2.0 * controls.stray, 1.0) + FARTHER * max(2.0 * controls.stray - 1.0, 0.0)
    least = farther * min(LEAST_DEPARTURE, DEPARTURE_SHARE * _median(search.departures, first, stride))
    for n in range(first, count, stride):
        if search.departures[n] < least:
            search.scores[n] -= NO_DEPARTURE
    for rank in range(search.likely.shape[0]):
        best = first
        for n in range(first, count, stride):
            if search.scores[n] > search.scores[best]:
                best = n
        search.chosen[rank], search.likely[rank] = best, search.scores[best]
        search.scores[best] = 2.0 * BARRED
    if search.likely[0] <= BARRED:  # nothing is allowed: a memory that is too short
        return int(uniform(rng) * count)
    drawn = draw_class(search.likely, controls.temperature, controls.top_p, uniform(rng))
    return int(search.chosen[max(drawn, 0)])
