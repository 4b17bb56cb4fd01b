"""Whether a place in the memory is a departure: whether what follows it would sound unlike what is being left.

Music comes again. Who jumps from a place to its repetition goes on as if nothing had happened, and recites. What moves
is compared, not what stays for a second: who jumps to the same notes, only louder, recites them; who jumps to others of
the same loudness and colour does not.
"""

from typing import Any

import numpy as np

from noizenet.compiling import inlined, kernel, njit
from noizenet_daemon.kernels.cells import FAST

LEAST_DEPARTURE = 1.4  # distance of two continuations; of two from random places it is 2 on average
DEPARTURE_SHARE = 0.85  # of the median over all places, where that is less: music that hardly changes
FARTHER = 0.6  # by so much more at stray 1 than at 0.5, of both; below, they fall to nothing at 0
OFF_BEAT_AT_MOST = np.float32(4.0)
AHEAD_STRIDE = 4  # frames: of continuations, each fourth is compared


@njit(fastmath=FAST)
def distance(points: Any, frame: int, point: Any) -> Any:
    """Returns the squared distance between a frame's spectrum, of `points` (n, A), and one (A,)."""
    total = np.float32(0.0)
    for k in range(point.shape[0]):
        difference = points[frame, k] - point[k]
        total += difference * difference
    return total


@njit(fastmath=FAST)
def departure(tables: Any, frame: int, other: int) -> Any:
    """Returns the mean squared distance between movements in the second after two frames, as far as both go on."""
    total = np.float32(0.0)
    count = 0
    most = min(tables.second, tables.lasts[frame] - frame, tables.lasts[other] - other)
    for ahead in range(1, most + 1, AHEAD_STRIDE):
        total += distance(tables.movements, frame + ahead, tables.movements[other + ahead])
        count += 1
    return total / np.float32(count) if count else np.float32(2.0)


@njit(fastmath=FAST)
def off_beat(tables: Any, frame: int, other: int) -> Any:
    """Returns how far pulses lie apart in the second after two frames, as far as both go on; 1 is random."""
    total = np.float32(0.0)
    most = min(tables.second, tables.lasts[frame] - frame, tables.lasts[other] - other)
    for ahead in range(1, most + 1):
        difference = tables.pulses[frame + ahead] - tables.pulses[other + ahead]
        total += difference * difference
    return min(np.float32(0.5) * total / np.float32(most), OFF_BEAT_AT_MOST) if most > 0 else np.float32(1.0)


@kernel
def _median(values: Any, first: int, end: int, stride: int) -> Any:
    """Returns about the median of each `stride`th value that isn't below 0, up to 16, by bisection; 2 of none."""
    count = 0
    for n in range(first, end, stride):
        count += values[n] >= 0.0
    if count == 0:
        return np.float32(2.0)
    low, high = np.float32(0.0), np.float32(16.0)
    for _ in range(12):
        middle = np.float32(0.5) * (low + high)
        below = 0
        for n in range(first, end, stride):
            below += 0.0 <= values[n] < middle
        if 2 * below < count:
            low = middle
        else:
            high = middle
    return low


@inlined
def is_near(left: Any, frame: int, second: int) -> bool:
    """Returns whether a frame lies within a second before or after one of those left."""
    near = False
    for n in range(left.shape[0]):
        near |= left[n] >= 0 and abs(left[n] - frame) < second
    return near


@njit(fastmath=FAST)
def takes_up(tables: Any, search: Any, frame: int, least: float) -> bool:
    """Returns whether a frame's continuation is like what would sound by now, had one left of late been gone on with.

    A voice that goes from place to place quickly would otherwise come back to the same music, where it comes again.
    """
    for k in range(search.left.shape[0]):
        now = search.left[k] + search.since[k]
        is_recent = search.left[k] >= 0 and search.since[k] < tables.second and now < tables.lasts[search.left[k]]
        if is_recent and departure(tables, now, frame) < least:
            return True
    return False


@inlined
def least_departure(tables: Any, departures: Any, frame: int, first: int, stride: int, stray: float) -> float:
    """Returns how far a continuation has to be from the one that is being left.

    Other recordings are farther away than anything in the one that is being left: only its own places say what is far.

    Args:
        departures: of each `stride`th place from `first` on; below 0 where it isn't known.
        frame: the one that is being left, or -1.
    """
    low, high = first, departures.shape[0]
    if frame >= 0:
        low += -(-max(tables.firsts[frame] - first, 0) // stride) * stride
        high = tables.lasts[frame] + 1
    farther = min(2.0 * stray, 1.0) + FARTHER * max(2.0 * stray - 1.0, 0.0)
    return float(farther * min(LEAST_DEPARTURE, DEPARTURE_SHARE * _median(departures, low, high, stride)))
