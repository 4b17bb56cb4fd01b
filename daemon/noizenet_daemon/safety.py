"""The last link before any output: nothing but finite, DC-free sound below the limit leaves it.

Per frame: NaN and infinity become zero; a high-pass at 5 Hz takes out DC; a limiter that looks 1.5 ms ahead holds
every peak at or below its ceiling. The limiter's gain is a moving average of the lowest gain needed within its
window, so that it turns down before the peak arrives and never overshoots; it recovers over 80 ms.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import kernel

Array = NDArray[Any]
DC_BLOCK_HZ = 5.0
LOOK_AHEAD_S = 0.0015
RELEASE_S = 0.08
UNIT = 2.0**-52  # of gains that are summed: in whole numbers a running sum stays exact


class SafetyState(NamedTuple):
    """Memory of the chain for one stream of C channels; L frames of look-ahead.

    Attributes:
        dc_in, dc_out: last input and output of the high-pass, float64 (C,).
        delay: the frames looked at but not yet let out, (L, C).
        needed: gain that each frame of the window needs, (L,).
        queue: places of those frames of the window that need less than all after them, in order, int64 (L,), a ring:
            the first needs the least of all. Source: Lemire, "Streaming maximum-minimum filter using no more than
            three comparisons per element", 2006.
        held: for each frame of the window the lowest gain needed around it, in units of UNIT, int64 (L,).
        gain: the released gain, float64 (1,).
        places: in the rings above, the next; in the queue, its first; how many are in it; int64 (3,).
        counts: the sum of `held`; samples that were not finite; int64 (2,).
    """

    dc_in: Array
    dc_out: Array
    delay: Array
    needed: Array
    queue: Array
    held: Array
    gain: Array
    places: Array
    counts: Array


class Safety:
    """The chain for one stream. Used by one thread at a time."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        length = max(2, round(LOOK_AHEAD_S * sample_rate))
        self.delay_frames = length - 1
        self._dc = float(np.exp(-2.0 * np.pi * DC_BLOCK_HZ / sample_rate))
        self._release = float(1.0 - np.exp(-1.0 / (RELEASE_S * sample_rate)))
        self._state = SafetyState(
            np.zeros(channels),
            np.zeros(channels),
            np.zeros((length, channels), np.float32),
            np.ones(length),
            np.zeros(length, np.int64),
            np.full(length, round(1.0 / UNIT)),
            np.ones(1),
            np.zeros(3, np.int64),
            np.array([length * round(1.0 / UNIT), 0]),
        )

    @property
    def replaced(self) -> int:
        """Samples that were not finite and became zero."""
        return int(self._state.counts[1])

    def process(self, block: Array, ceiling_db: float) -> None:
        """Makes block (n, channels) safe, in place; what comes out is `delay_frames` late."""
        make_safe(self._state, block, 10.0 ** (ceiling_db / 20.0), self._dc, self._release)


@kernel
def _least_needed(state: Any, place: int, gain: float) -> float:
    """Puts the gain that the newest frame needs in its place; returns the lowest that the window needs."""
    needed, queue = state.needed, state.queue
    length = needed.shape[0]
    first, count = state.places[1], state.places[2]
    if count > 0 and queue[first] == place:  # the oldest frame leaves the window
        first = first + 1 if first + 1 < length else 0
        count -= 1
    while count > 0:
        last = first + count - 1
        if needed[queue[last if last < length else last - length]] < gain:
            break
        count -= 1
    end = first + count
    queue[end if end < length else end - length] = place
    needed[place] = gain
    state.places[1], state.places[2] = first, count + 1
    return float(needed[queue[first]])


@kernel
def make_safe(state: Any, block: Any, ceiling: float, dc: float, release: float) -> None:
    frames, channels = block.shape
    length = state.needed.shape[0]
    # the largest float32 that does not exceed the ceiling, so that rounding can't lift a peak over it
    limit = np.float32(ceiling) * np.float32(0.9999999)
    place, total, released = state.places[0], state.counts[0], state.gain[0]
    for n in range(frames):
        peak = 0.0
        for c in range(channels):
            x = float(block[n, c])
            if not np.isfinite(x):
                x = 0.0
                state.counts[1] += 1
            x = min(max(x, -1.0e4), 1.0e4)
            y = x - state.dc_in[c] + dc * state.dc_out[c]
            state.dc_in[c] = x
            state.dc_out[c] = y if abs(y) > 1e-20 else 0.0  # no denormals in a fading tail
            peak = max(peak, abs(y))
            block[n, c] = y
        lowest = _least_needed(state, place, ceiling / peak if peak > ceiling else 1.0)
        released = min(released + release * (1.0 - released), lowest)
        held = np.int64(released * (1.0 / UNIT))
        total += held - state.held[place]
        state.held[place] = held
        gain = total * UNIT / length
        # the oldest frame of the window leaves; the newest takes its place
        oldest = place + 1 if place + 1 < length else 0
        for c in range(channels):
            newest = block[n, c]
            out = np.float32(state.delay[oldest, c] * gain)
            state.delay[place, c] = newest
            block[n, c] = min(max(out, -limit), limit)
        place = oldest
    state.places[0], state.counts[0], state.gain[0] = place, total, released
