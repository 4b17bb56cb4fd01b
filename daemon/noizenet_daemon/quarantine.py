"""Quarantine: a block that holds NaN or infinity, or leaves them in the network, is never played; its state is
rolled back.

In its place comes a short fade from the last good frame to zero, and the next good block fades in again. The
random numbers are not rolled back, so that a second try may go another way; if tries go on failing, the voice
starts anew from where it began.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.states import gathered, kept_arrays

Array = NDArray[Any]
FADE_FRAMES = 64
PATIENCE = 3  # bad blocks in a row before the voice starts anew


class Quarantine(NamedTuple):
    """Copies of the state, and what the fades need.

    Attributes:
        now: what the state is known by, as it is: its arrays lie in it, uint8 (bytes,); see `noizenet.states`.
        first, good: the same as it began, and as it last was good.
        last: the last frame played, float32 (channels,).
        counts: bad blocks in all, bad blocks in a row, 1 if the next good block fades in; int64 (3,).
        ramp: from 1 down to 0, float32 (n, 1), of FADE_FRAMES or of a block if that is shorter.
    """

    now: Array
    first: Array
    good: Array
    last: Array
    counts: Array
    ramp: Array


def guarded(state: Any, block_frames: int, channels: int) -> tuple[Any, Quarantine]:
    """Returns a state like the one given, and the quarantine that guards it; it makes blocks (block_frames, channels).

    The state given is of no use any more.
    """
    moved, now = gathered(state)
    ramp = np.linspace(1.0, 0.0, min(FADE_FRAMES, block_frames), dtype=np.float32)[:, None]
    return moved, Quarantine(now, now.copy(), now.copy(), np.zeros(channels, np.float32), np.zeros(3, np.int64), ramp)


def remember_start(guard: Quarantine) -> None:
    """Takes the state as the one to come back to."""
    guard.first[:] = guard.good[:] = guard.now


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
        guard.good[:] = guard.now
        return
    guard.counts[0] += 1
    guard.counts[1] += 1
    guard.counts[2] = 1
    block[:] = 0.0
    block[:fade] = guard.ramp * guard.last
    guard.last[:] = 0.0
    rngs = [array for array in kept_arrays(state) if array.dtype == np.uint64]  # these go on
    gone_on = [rng.copy() for rng in rngs]
    guard.now[:] = guard.good if guard.counts[1] < PATIENCE else guard.first
    for rng, words in zip(rngs, gone_on, strict=True):
        rng[:] = words


def _is_finite(array: Array) -> bool:
    # a sum of squares: NaN and infinity survive in it and can't cancel out, and sound is too small to overflow it
    return bool(np.isfinite(np.vdot(array, array)))
