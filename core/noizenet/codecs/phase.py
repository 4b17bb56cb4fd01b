"""Phase for magnitudes that have none: causal phase gradient heap integration (RTPGHI), streaming, in numba.

The log-magnitude of a transform with a Gaussian-like window determines the gradient of its phase. Each new
spectral frame takes its phases by following that gradient, loudest bins first, either onward in time from the
frame before or sideways in frequency from a bin already known. "Loudest first" needs no exact order: bins are
queued in buckets of like loudness, which costs a sixth of a heap and changes nothing that can be measured.

Source: Prusa and Sondergaard, "Real-time spectrogram inversion using phase gradient heap integration", DAFx 2016;
with the backward difference in time, so that nothing waits for a frame to come. For a Hann window of M samples
gamma = 0.25645 M^2 (Prusa, Balazs, Sondergaard, "A noniterative method for reconstruction of phase from STFT
magnitude", IEEE/ACM TASLP 2017, table 1).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import inlined, kernel, njit
from noizenet.states import Workspace

Array = NDArray[Any]
HANN_GAMMA = 0.25645
TWO_PI = 2.0 * np.pi
BUCKETS = 512  # of loudness, over the range that the tolerance leaves


class PhaseState(NamedTuple):
    """What the reconstruction remembers, and its workspace. B bins.

    Attributes:
        logs: log-magnitudes of the last two frames, (2, B); row 0 is the newer.
        phase: phases of the last frame, (B,), referred to the middle of the frame.
        advance: phase advance per hop of the last frame, (B,).
        counts: frames seen, and the counter of the random phases, int64 (2,).
        new_phase, new_advance, slope: workspace of the frame at hand, (B,).
        known: workspace: 1 where the frame's phase is settled, uint8 (B,).
        heads, links: workspace: the queue, as a linked list of entries for each bucket. Entry m is bin m of this
            frame, entry B + m is bin m of the frame before; -1 ends a list. int32 (BUCKETS,) and (2 B,).
        places: workspace: the bucket of each bin of this frame, int32 (B,).
    """

    logs: Array
    phase: Array
    advance: Array
    counts: Array
    new_phase: Workspace
    new_advance: Workspace
    slope: Workspace
    known: Workspace
    heads: Workspace
    links: Workspace
    places: Workspace


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
        np.zeros(BUCKETS, np.int32),
        np.zeros(2 * bin_count, np.int32),
        np.zeros(bin_count, np.int32),
    )


@inlined
def random_phase(counter: int) -> float:
    """Returns a phase in -pi..pi that looks random: SplitMix64 of a counter (Steele et al., 2014)."""
    z = np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (float(z >> np.uint64(11)) / 9007199254740992.0 - 0.5) * TWO_PI


@inlined
def wrap(angle: float) -> float:
    """Returns the angle in -pi..pi."""
    return float(angle - TWO_PI * np.floor(angle / TWO_PI + 0.5))


@inlined
def _push(heads: Any, links: Any, bucket: int, entry: int) -> None:
    links[entry] = heads[bucket]
    heads[bucket] = entry


@inlined
def _bucket(log: float, threshold: float, buckets_per_neper: float) -> int:
    """Returns the bucket of a log-magnitude at or above the threshold; the loudest, and what is no number, the last."""
    place = (log - threshold) * buckets_per_neper
    return int(place) if 0.0 <= place < BUCKETS else BUCKETS - 1


@kernel
def _buckets(logs: Any, threshold: float, buckets_per_neper: float, places: Any) -> None:
    """Writes the bucket of each log-magnitude: all of them at once take less time than most of them one by one."""
    for m in range(logs.shape[0]):
        place = (np.float64(logs[m]) - threshold) * buckets_per_neper
        places[m] = np.int32(place if 0.0 <= place < BUCKETS else BUCKETS - 1.0)


@njit(fastmath=True)
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


@kernel
def next_phases(state: Any, logs: Any, window: int, hop: int, tolerance: float) -> None:
    """Takes in one frame of log-magnitudes (B,) and leaves its phases in `state.phase`.

    Args:
        window: length of the Hann window, samples.
        hop: samples between two frames.
        tolerance: bins this much weaker than the loudest of this frame and the last get random phases.
    """
    count = logs.shape[0]
    _gradients(state, logs, window, hop)
    heads, links, places, known, phase = state.heads, state.links, state.places, state.known, state.new_phase
    first = state.counts[0] == 0
    loudest = logs[0]
    for m in range(count):
        loudest = max(loudest, logs[m])
        if not first:
            loudest = max(loudest, state.logs[0, m])
    threshold = loudest + np.log(tolerance)
    scale = BUCKETS / -np.log(tolerance)
    heads[:] = -1
    _buckets(logs, threshold, scale, places)
    waiting = 0
    for m in range(count):
        if logs[m] < threshold:
            known[m] = 1
            phase[m] = random_phase(state.counts[1] + m)
        else:
            known[m] = 0
            waiting += 1
            if not first and state.logs[0, m] >= threshold:
                _push(heads, links, _bucket(state.logs[0, m], threshold, scale), count + m)
    state.counts[1] += count
    bucket = BUCKETS - 1
    while waiting > 0:
        while bucket >= 0 and heads[bucket] < 0:
            bucket -= 1
        if bucket < 0:
            # an island that no known bin touches: begin at its loudest bin, going on in time
            start = -1
            for m in range(count):
                if known[m] == 0 and (start < 0 or logs[m] > logs[start]):
                    start = m
            phase[start] = state.phase[start] + 0.5 * (state.advance[start] + state.new_advance[start])
            known[start] = 1
            waiting -= 1
            bucket = places[start]
            _push(heads, links, bucket, start)
        entry = heads[bucket]
        heads[bucket] = links[entry]
        if entry >= count:
            m = entry - count
            if known[m] == 0:
                phase[m] = state.phase[m] + 0.5 * (state.advance[m] + state.new_advance[m])
                known[m] = 1
                waiting -= 1
                place = places[m]
                _push(heads, links, place, m)
                bucket = max(bucket, place)
        else:
            m = entry
            for side in (1, -1):
                other = m + side
                if 0 <= other < count and known[other] == 0:
                    phase[other] = phase[m] + side * 0.5 * (state.slope[m] + state.slope[other])
                    known[other] = 1
                    waiting -= 1
                    place = places[other]
                    _push(heads, links, place, other)
                    bucket = max(bucket, place)
    for m in range(count):
        state.phase[m] = wrap(phase[m])
        state.advance[m] = state.new_advance[m]
        state.logs[1, m] = state.logs[0, m]
        state.logs[0, m] = logs[m]
    state.counts[0] += 1
