"""Phase for magnitudes that have none: causal phase gradient heap integration (RTPGHI), streaming, in numba.

The log-magnitude of a transform with a Gaussian-like window determines the gradient of its phase. Each new
spectral frame takes its phases by following that gradient, loudest bins first, either onward in time from the
frame before or sideways in frequency from a bin already known.

Source: Prusa and Sondergaard, "Real-time spectrogram inversion using phase gradient heap integration", DAFx 2016;
with the backward difference in time, so that nothing waits for a frame to come. For a Hann window of M samples
gamma = 0.25645 M^2 (Prusa, Balazs, Sondergaard, "A noniterative method for reconstruction of phase from STFT
magnitude", IEEE/ACM TASLP 2017, table 1).
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
HANN_GAMMA = 0.25645
TWO_PI = 2.0 * np.pi


class PhaseState(NamedTuple):
    """What the reconstruction remembers, and its workspace. B bins.

    Attributes:
        logs: log-magnitudes of the last two frames, (2, B); row 0 is the newer.
        phase: phases of the last frame, (B,), referred to the middle of the frame.
        advance: phase advance per hop of the last frame, (B,).
        counts: frames seen, and the counter of the random phases, int64 (2,).
        new_phase, new_advance, slope: workspace of the frame at hand, (B,).
        known: workspace: 1 where the frame's phase is settled, uint8 (B,).
        keys, bins: workspace: a binary heap of at most 2 B entries, loudest on top.
    """

    logs: Array
    phase: Array
    advance: Array
    counts: Array
    new_phase: Array
    new_advance: Array
    slope: Array
    known: Array
    keys: Array
    bins: Array


def phase_state(bin_count: int, seed: int = 0) -> PhaseState:
    """Returns the state before the first frame; `seed` decides the phases that no gradient reaches."""
    rows = [np.zeros(bin_count, np.float32) for _ in range(5)]
    counts = np.array([0, seed & 0x7FFFFFFFFFFF], np.int64)
    return PhaseState(
        np.zeros((2, bin_count), np.float32),
        rows[0],
        rows[1],
        counts,
        rows[2],
        rows[3],
        rows[4],
        np.zeros(bin_count, np.uint8),
        np.zeros(2 * bin_count, np.float32),
        np.zeros(2 * bin_count, np.int32),
    )


@njit(cache=True, nogil=True, inline="always")
def random_phase(counter: int) -> float:
    """Returns a phase in -pi..pi that looks random: SplitMix64 of a counter (Steele et al., 2014)."""
    z = np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (float(z >> np.uint64(11)) / 9007199254740992.0 - 0.5) * TWO_PI


@njit(cache=True, nogil=True, inline="always")
def wrap(angle: float) -> float:
    """Returns the angle in -pi..pi."""
    return float(angle - TWO_PI * np.floor(angle / TWO_PI + 0.5))


@njit(cache=True, nogil=True, boundscheck=False)
def _push(keys: Any, bins: Any, size: int, key: float, entry: int) -> None:
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if keys[parent] >= key:
            break
        keys[place] = keys[parent]
        bins[place] = bins[parent]
        place = parent
    keys[place] = key
    bins[place] = entry


@njit(cache=True, nogil=True, boundscheck=False)
def _pop(keys: Any, bins: Any, size: int) -> int:
    """Removes and returns the entry with the largest key of a heap of `size` entries."""
    top = bins[0]
    last = size - 1
    key = keys[last]
    entry = bins[last]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= last:
            break
        if child + 1 < last and keys[child + 1] > keys[child]:
            child += 1
        if keys[child] <= key:
            break
        keys[place] = keys[child]
        bins[place] = bins[child]
        place = child
    keys[place] = key
    bins[place] = entry
    return int(top)


@njit(cache=True, nogil=True, fastmath=True, boundscheck=False)
def _gradients(state: Any, logs: Any, window: int, hop: int) -> None:
    """Fills `new_advance` (radians per hop) and `slope` (radians per bin) from the log-magnitudes."""
    count = logs.shape[0]
    gamma = HANN_GAMMA * window * window
    in_time = np.float32(hop * window / gamma)
    in_frequency = np.float32(-gamma / (hop * window))
    seen = state.counts[0]
    for m in range(count):
        below = logs[max(m - 1, 0)]
        above = logs[min(m + 1, count - 1)]
        halves = np.float32(0.5) if 0 < m < count - 1 else np.float32(1.0)
        carrier = np.float32(TWO_PI * ((hop * m) % window) / window)
        state.new_advance[m] = in_time * halves * (above - below) + carrier
    if seen == 0:
        state.slope[:] = 0.0
    elif seen == 1:
        for m in range(count):
            state.slope[m] = in_frequency * (logs[m] - state.logs[0, m])
    else:
        for m in range(count):
            change = np.float32(1.5) * logs[m] - np.float32(2.0) * state.logs[0, m] + np.float32(0.5) * state.logs[1, m]
            state.slope[m] = in_frequency * change


@njit(cache=True, nogil=True, boundscheck=False)
def next_phases(state: Any, logs: Any, window: int, hop: int, tolerance: float) -> None:
    """Takes in one frame of log-magnitudes (B,) and leaves its phases in `state.phase`.

    Args:
        window: length of the Hann window, samples.
        hop: samples between two frames.
        tolerance: bins this much weaker than the loudest of this frame and the last get random phases.
    """
    count = logs.shape[0]
    _gradients(state, logs, window, hop)
    keys, bins, known, phase = state.keys, state.bins, state.known, state.new_phase
    first = state.counts[0] == 0
    loudest = logs[0]
    for m in range(count):
        loudest = max(loudest, logs[m])
        if not first:
            loudest = max(loudest, state.logs[0, m])
    threshold = loudest + np.log(tolerance)
    waiting = 0
    size = 0
    for m in range(count):
        if logs[m] < threshold:
            known[m] = 1
            phase[m] = random_phase(state.counts[1] + m)
        else:
            known[m] = 0
            waiting += 1
            if not first and state.logs[0, m] >= threshold:
                _push(keys, bins, size, state.logs[0, m], -1 - m)  # negative: a bin of the frame before
                size += 1
    state.counts[1] += count
    while waiting > 0:
        if size == 0:
            # an island that no known bin touches: begin at its loudest bin, going on in time
            start = -1
            for m in range(count):
                if known[m] == 0 and (start < 0 or logs[m] > logs[start]):
                    start = m
            phase[start] = state.phase[start] + 0.5 * (state.advance[start] + state.new_advance[start])
            known[start] = 1
            waiting -= 1
            _push(keys, bins, size, logs[start], start)
            size += 1
        entry = _pop(keys, bins, size)
        size -= 1
        if entry < 0:
            m = -1 - entry
            if known[m] == 0:
                phase[m] = state.phase[m] + 0.5 * (state.advance[m] + state.new_advance[m])
                known[m] = 1
                waiting -= 1
                _push(keys, bins, size, logs[m], m)
                size += 1
        else:
            m = entry
            if m + 1 < count and known[m + 1] == 0:
                phase[m + 1] = phase[m] + 0.5 * (state.slope[m] + state.slope[m + 1])
                known[m + 1] = 1
                waiting -= 1
                _push(keys, bins, size, logs[m + 1], m + 1)
                size += 1
            if m > 0 and known[m - 1] == 0:
                phase[m - 1] = phase[m] - 0.5 * (state.slope[m] + state.slope[m - 1])
                known[m - 1] = 1
                waiting -= 1
                _push(keys, bins, size, logs[m - 1], m - 1)
                size += 1
    for m in range(count):
        state.phase[m] = wrap(phase[m])
        state.advance[m] = state.new_advance[m]
        state.logs[1, m] = state.logs[0, m]
        state.logs[0, m] = logs[m]
    state.counts[0] += 1
