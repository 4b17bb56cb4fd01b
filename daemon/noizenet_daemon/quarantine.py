"""Quarantine: a block that holds NaN or infinity, or leaves them in the network, is never played; its state is
rolled back.

In its place comes a short fade from the last good frame to zero, and the next good block fades in again. The
random numbers are not rolled back, so that a second try may go another way; if tries go on failing, the voice
starts anew from where it began.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
FADE_FRAMES = 64
PATIENCE = 3  # bad blocks in a row before the voice starts anew


class Quarantine(NamedTuple):
    """Copies of the state, and what the fades need.

    Attributes:
        first, good: the arrays of the state as it began, and as it last was good.
        last: the last frame played, float32 (channels,).
        counts: bad blocks in all, bad blocks in a row, 1 if the next good block fades in; int64 (3,).
        ramp: from 1 down to 0, float32 (n, 1), of FADE_FRAMES or of a block if that is shorter.
    """

    first: tuple[Array, ...]
    good: tuple[Array, ...]
    last: Array
    counts: Array
    ramp: Array


def arrays_of(state: Any) -> list[Array]:
    """Returns all arrays of nested tuples, in order."""
    if isinstance(state, np.ndarray):
        return [state]
    return [array for part in state for array in arrays_of(part)]


def copy_state(source: Any, target: Any) -> None:
    """Copies the arrays of one state into those of another of the same kind."""
    for a, b in zip(arrays_of(source), arrays_of(target), strict=True):
        np.copyto(b, a)


def new_quarantine(state: Any, block_frames: int, channels: int) -> Quarantine:
    """Returns a quarantine that guards `state`, which makes blocks (block_frames, channels)."""
    first, good = (tuple(array.copy() for array in arrays_of(state)) for _ in range(2))
    ramp = np.linspace(1.0, 0.0, min(FADE_FRAMES, block_frames), dtype=np.float32)[:, None]
    return Quarantine(first, good, np.zeros(channels, np.float32), np.zeros(3, np.int64), ramp)


def remember_start(guard: Quarantine, state: Any) -> None:
    """Takes the state as the one to come back to."""
    for saved in (guard.first, guard.good):
        copy_state(state, saved)


def quarantine(
    guard: Quarantine, state: Any, block: Array, vital: tuple[Array, ...] = (), is_whole: bool = True
) -> None:
    """Lets a good block through and remembers its state; replaces a bad one and rolls the state back.

    Args:
        block: float32 (block_frames, channels).
        vital: arrays of the state that must be finite as well: a network over codes draws some code or other even
            when its hidden state is NaN, and would stay so.
        is_whole: False if the caller knows already that something went wrong in the block.
    """
    fade = len(guard.ramp)
    if is_whole and _is_finite(block) and all(map(_is_finite, vital)):
        if guard.counts[2]:
            block[:fade] *= guard.ramp[::-1]
            guard.counts[2] = 0
        guard.counts[1] = 0
        guard.last[:] = block[-1]
        copy_state(state, guard.good)
        return
    guard.counts[0] += 1
    guard.counts[1] += 1
    guard.counts[2] = 1
    block[:] = 0.0
    block[:fade] = guard.ramp * guard.last
    guard.last[:] = 0.0
    source = guard.good if guard.counts[1] < PATIENCE else guard.first
    for saved, array in zip(source, arrays_of(state), strict=True):
        if array.dtype != np.uint64:  # the random number generator goes on
            np.copyto(array, saved)


def _is_finite(array: Array) -> bool:
    # a sum of squares: NaN and infinity survive in it and can't cancel out, and sound is too small to overflow it
    return bool(np.isfinite(np.vdot(array, array)))
