"""The last link before any output: nothing but finite, DC-free sound below the limit leaves it.

Per frame: NaN and infinity become zero; a high-pass at 5 Hz takes out DC; a limiter that looks 1.5 ms ahead holds
every peak at or below its ceiling. The limiter's gain is a moving average of the lowest gain needed within its
window, so that it turns down before the peak arrives and never overshoots; it recovers over 80 ms.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
DC_BLOCK_HZ = 5.0
LOOK_AHEAD_S = 0.0015
RELEASE_S = 0.08


class SafetyState(NamedTuple):
    """Memory of the chain for one stream of C channels; L frames of look-ahead.

    Attributes:
        dc_in, dc_out: last input and output of the high-pass, float64 (C,).
        delay: the frames looked at but not yet let out, (L, C).
        needed: gain that each frame of the window needs, (L,).
        held: for each frame of the window the lowest gain needed around it, (L,).
        gain: the released gain, float64 (1,).
        place: position in the rings above, int64 (1,).
        counts: samples that were not finite, int64 (1,).
    """

    dc_in: Array
    dc_out: Array
    delay: Array
    needed: Array
    held: Array
    gain: Array
    place: Array
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
            np.ones(length),
            np.ones(1),
            np.zeros(1, np.int64),
            np.zeros(1, np.int64),
        )

    @property
    def replaced(self) -> int:
        """Samples that were not finite and became zero."""
        return int(self._state.counts[0])

    def process(self, block: Array, ceiling_db: float) -> None:
        """Makes block (n, channels) safe, in place; what comes out is `delay_frames` late."""
        _process(self._state, block, 10.0 ** (ceiling_db / 20.0), self._dc, self._release)


@njit(cache=True, nogil=True, boundscheck=False)
def _process(state: Any, block: Any, ceiling: float, dc: float, release: float) -> None:
    frames, channels = block.shape
    length = state.needed.shape[0]
    # the largest float32 that does not exceed the ceiling, so that rounding can't lift a peak over it
    limit = np.float32(ceiling) * np.float32(0.9999999)
    place = state.place[0]
    for n in range(frames):
        peak = 0.0
        for c in range(channels):
            x = float(block[n, c])
            if not np.isfinite(x):
                x = 0.0
                state.counts[0] += 1
            x = min(max(x, -1.0e4), 1.0e4)
            y = x - state.dc_in[c] + dc * state.dc_out[c]
            state.dc_in[c] = x
            state.dc_out[c] = y if abs(y) > 1e-20 else 0.0  # no denormals in a fading tail
            peak = max(peak, abs(y))
            block[n, c] = y
        state.needed[place] = ceiling / peak if peak > ceiling else 1.0
        lowest = 1.0
        for i in range(length):
            lowest = min(lowest, state.needed[i])
        released = state.gain[0] + release * (1.0 - state.gain[0])
        state.gain[0] = min(released, lowest)
        state.held[place] = state.gain[0]
        total = 0.0
        for i in range(length):
            total += state.held[i]
        gain = total / length
        # the oldest frame of the window leaves; the newest takes its place
        oldest = place + 1 if place + 1 < length else 0
        for c in range(channels):
            newest = block[n, c]
            out = np.float32(state.delay[oldest, c] * gain)
            state.delay[place, c] = newest
            block[n, c] = min(max(out, -limit), limit)
        place = oldest
    state.place[0] = place
