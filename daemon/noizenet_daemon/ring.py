"""The ring between the engine and an output: one writer, one reader, no lock, interleaved frames.

All of it is one float32 array, `memory`, so that a C callback needs a single pointer:

    memory[0:32]    seen as int64: the words below
    memory[32:64]   the reader's: the last frame that it let out
    memory[64:]     `capacity` frames of `channels` samples

Rules: only the writer's thread changes WRITTEN; only the reader's changes READ, GATE, UNDERRUNS, MISSING and DRY;
GATE_TARGET, CLOSE_AT and VIRTUAL may be set by anyone. A fence stands between samples and counter, so that a processor
that reorders memory writes can't show the counter first.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Array = NDArray[Any]

HEADER = 64  # float32 cells
LAST = 32  # the cell where the last frame begins
(
    WRITTEN,
    READ,
    CAPACITY,
    CHANNELS,
    VIRTUAL,
    UNDERRUNS,
    MISSING,
    GATE,
    GATE_TARGET,
    GATE_FRAMES,
    DRY,
    CLOSE_AT,
) = range(12)
GATE_ONE = 1 << 30  # the gate's level is a fixed-point number


def _emit_fence(typing_context: Any) -> Any:  # noqa: ARG001
    """Orders memory accesses before it against those after it."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        builder.fence("seq_cst")
        return ir.Constant(ir.IntType(32), 0)

    return types.int32(), code


fence: Any = intrinsic(_emit_fence)


@njit(cache=True, nogil=True, boundscheck=False)
def read_frames(memory: Any, out: Any, frames: int) -> int:
    """Fills out (frames x channels samples, interleaved) and returns how many frames really came from the ring.

    What is missing becomes zeros, after a fade of what was there, and is counted. The gate fades all that passes.
    """
    words = memory[:HEADER].view(np.int64)
    channels = words[CHANNELS]
    capacity = words[CAPACITY]
    read = words[READ]
    available = words[WRITTEN] - read
    fence()
    count = min(available, frames)
    gate_step = GATE_ONE // max(words[GATE_FRAMES], 1)
    gate = words[GATE]
    if words[DRY] == 1 and count > 0:
        gate = 0  # fade in again after a gap
        words[DRY] = 0
    going_dry = count < frames
    place = read % capacity
    for n in range(count):
        if read + n == words[CLOSE_AT]:
            words[GATE_TARGET] = 0
        if gate < words[GATE_TARGET]:
            gate = min(gate + gate_step, words[GATE_TARGET])
        elif gate > words[GATE_TARGET]:
            gate = max(gate - gate_step, words[GATE_TARGET])
        level = np.float32(gate) / np.float32(GATE_ONE)
        if going_dry:
            level *= np.float32(count - n) / np.float32(count)
        start = HEADER + place * channels
        for c in range(channels):
            out[n * channels + c] = level * memory[start + c]
        place += 1
        if place == capacity:
            place = 0
    for i in range(count * channels, frames * channels):
        out[i] = np.float32(0.0)
    if count > 0:
        for c in range(channels):
            memory[LAST + c] = out[(count - 1) * channels + c]
    elif words[DRY] == 0:  # nothing is left to fade: the last frame fades in its place
        for i in range(frames * channels):
            out[i] = memory[LAST + i % channels] * np.float32(frames - 1 - i // channels) / np.float32(frames)
    if going_dry:
        if words[DRY] == 0 and words[GATE_TARGET] > 0:
            words[UNDERRUNS] += 1
        if words[GATE_TARGET] > 0:
            words[MISSING] += frames - count
        words[DRY] = 1
        if words[GATE_TARGET] == 0:
            gate = 0
    words[GATE] = gate
    fence()
    words[READ] = read + count
    return int(count)


@njit(cache=True, nogil=True, boundscheck=False)
def _write_frames(memory: Any, block: Any) -> None:
    words = memory[:HEADER].view(np.int64)
    capacity = words[CAPACITY]
    written = words[WRITTEN]
    place = written % capacity
    for n in range(block.shape[0]):
        for c in range(block.shape[1]):
            memory[HEADER + place * block.shape[1] + c] = block[n, c]
        place += 1
        if place == capacity:
            place = 0
    fence()
    words[WRITTEN] = written + block.shape[0]


class Ring:
    """Frames on their way from the engine to one output.

    Attributes:
        memory: see the module; must outlive any callback that reads it.
        channels: samples in a frame.
    """

    def __init__(self, capacity_frames: int, channels: int, virtual_frames: int, fade_frames: int) -> None:
        """Makes an empty ring.

        Args:
            channels: at most 32.
            virtual_frames: how far the writer is let ahead of the reader; at most the capacity.
            fade_frames: length of the gate's fades.
        """
        self.memory: Array = np.zeros(HEADER + capacity_frames * channels, np.float32)
        self.channels = channels
        self.capacity = capacity_frames
        self._words: Array = self.memory[:HEADER].view(np.int64)
        self._words[CAPACITY] = capacity_frames
        self._words[CHANNELS] = channels
        self._words[GATE] = self._words[GATE_TARGET] = GATE_ONE
        self._words[GATE_FRAMES] = max(fade_frames, 1)
        self._words[CLOSE_AT] = -1
        self.virtual_frames = virtual_frames

    @property
    def virtual_frames(self) -> int:
        """How far the writer is let ahead: the latency, adjustable while playing."""
        return int(self._words[VIRTUAL])

    @virtual_frames.setter
    def virtual_frames(self, frames: int) -> None:
        self._words[VIRTUAL] = min(max(frames, 1), self.capacity)

    @property
    def filled(self) -> int:
        """Frames written and not yet read."""
        return int(self._words[WRITTEN] - self._words[READ])

    @property
    def space(self) -> int:
        """Frames that the writer may add now; may be negative after the latency was turned down."""
        return self.virtual_frames - self.filled

    @property
    def read_position(self) -> int:
        """Frames read since the start, without those that were missing."""
        return int(self._words[READ])

    @property
    def underruns(self) -> int:
        """Times the reader found too little."""
        return int(self._words[UNDERRUNS])

    @property
    def missing(self) -> int:
        """Frames of silence put in for what was not there."""
        return int(self._words[MISSING])

    @property
    def is_silent(self) -> bool:
        """Whether the gate is closed and its fade over."""
        return bool(self._words[GATE] == 0 and self._words[GATE_TARGET] == 0)

    def open_gate(self, *, is_open: bool) -> None:
        """Fades the reader's side in or out."""
        self._words[GATE_TARGET] = GATE_ONE if is_open else 0

    def close_gate_at(self, position: int) -> None:
        """Lets the fade to silence begin at a frame, counted from the start."""
        self._words[CLOSE_AT] = position

    def write(self, block: Array) -> bool:
        """Adds all frames of block (n, channels), or none if they don't fit; returns whether they did."""
        if len(block) > self.capacity - self.filled:
            return False
        _write_frames(self.memory, block)
        return True

    def read(self, out: Array) -> int:
        """Fills out, float32 (n, channels), as `read_frames` does; returns the frames that were there."""
        return int(read_frames(self.memory, out.reshape(-1), len(out)))
