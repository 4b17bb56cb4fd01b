"""Playing from a checkpoint's memory: its tables, packed for the kernels, and a voice's place in them.

While nothing but the memory is heard, the codec's decoder rests: it is half of what a voice costs. Before it is heard
again it decodes the last few steps, as far back as a sample depends on them, and nobody hears that.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.codecs import CodecState, sound_shape, steps_per_second
from noizenet.memory import Memory, frame_places
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.kernels.roaming import Roaming, is_own_heard, new_roaming, roam, sound_out
from noizenet_daemon.kernels.searching import CHOSEN_FROM, LEFT_BEHIND, MemoryTables, Search

Array = NDArray[Any]
QUIET = 1e-6  # of the loudest frame's power: how far down a level is heard to move
MOST_AXES = 32  # of spectra: the first principal axes hold what tells one moment from another


class MemoryState(NamedTuple):
    """One voice's search and place, and what its decoder has missed.

    Attributes:
        missed: the last steps, int32 (steps that a sample depends on, S), a ring.
        counts: steps so far; those since the decoder was at work; int64 (2,).
    """

    search: Search
    roaming: Roaming
    missed: Array
    counts: Array


class MemoryPlayer:
    """A memory, ready to play. Immutable: voices share it, each with a state of its own."""

    def __init__(self, checkpoint: Checkpoint, memory: Memory) -> None:
        self.tables = memory_tables(checkpoint, memory)
        self._codec = checkpoint.codec
        self._reach = int(self._codec.delay // self._codec.hop) + 1
        # all voices write there, and none reads
        self._nobody: Array = np.zeros(sound_shape(self._codec, self._codec.hop), np.float32)

    def new_state(self) -> MemoryState:
        """Returns the state of a voice that has no place yet."""
        tables = self.tables
        count = len(tables.places)
        heat, sums, scores, departures = (np.zeros(n, np.float32) for n in (count, count + 1, count, count))
        key, point = np.zeros(tables.keys.shape[1], np.float32), np.zeros(tables.points.shape[1], np.float32)
        likely, chosen = np.zeros(CHOSEN_FROM, np.float32), np.zeros(CHOSEN_FROM, np.int32)
        left = np.full(LEFT_BEHIND, -1, np.int64)
        return MemoryState(
            Search(left, np.zeros(LEFT_BEHIND, np.int64), heat, sums, scores, departures, key, point, likely, chosen),
            new_roaming(),
            np.zeros((self._reach, self._codec.width), np.int32),
            np.zeros(2, np.int64),
        )

    def step(self, state: MemoryState, network: NetworkState, controls: Controls, codes: Array) -> None:
        """Decides what is heard of the step that the network has just drawn, and lets the network hear it.

        Args:
            codes: int32 (S,); changed in place.
        """
        roam(self.tables, state.search, state.roaming, controls, network.cells.hidden[-1], codes, network.rng)
        network.last[:] = codes

    def decode(self, state: MemoryState, decoder: CodecState, steps: Array, out: Array) -> None:
        """Decodes the step at hand (1, S) into `out`, a hop of float32, if it will be heard; else zeroes `out`."""
        counts, reach = state.counts, self._reach
        if is_own_heard(state.roaming):
            missed = min(int(counts[1]), reach)
            for number in range(int(counts[0]) - missed, int(counts[0])):
                place = number % reach
                self._codec.decode(decoder, state.missed[place : place + 1], self._nobody)
            self._codec.decode(decoder, steps, out)
            counts[1] = 0
        else:
            out[:] = 0.0
            counts[1] += 1
        state.missed[counts[0] % reach] = steps[0]
        counts[0] += 1

    def mix(self, state: MemoryState, out: Array) -> None:
        """Mixes the memory's sound into what the codec put out for the same step, float32 (hop, channels)."""
        sound_out(self.tables, state.roaming, out)


def memory_tables(checkpoint: Checkpoint, memory: Memory) -> MemoryTables:
    """Returns a memory as `kernels.retrieving` takes it."""
    codebooks = np.asarray(checkpoint.codec.arrays()["codebooks"])[:, :, :MOST_AXES]
    points = sum(codebooks[stage, memory.codes[:, stage]] for stage in range(len(codebooks)))
    second = round(steps_per_second(checkpoint.codec))
    places, firsts, lasts = frame_places(memory.lengths, checkpoint.codec)
    # By how far a stretch goes from its own mean: beside how unlike recordings differ, each would look still.
    stretches = np.split(points, np.unique(firsts)[1:])
    scale = 1.0 / max(float(np.sqrt(sum(_spread(part) * len(part) for part in stretches) / len(points))), 1e-6)
    points = np.ascontiguousarray(points * scale, np.float32)
    outlooks = _outlooks(points, lasts, second)
    movements = points - outlooks
    return MemoryTables(
        np.ascontiguousarray(memory.sound, np.float32),
        places,
        firsts,
        lasts,
        np.ascontiguousarray(memory.codes, np.int32),
        np.ascontiguousarray(memory.keys, np.float32),
        points,
        outlooks,
        movements / max(float(np.sqrt(_spread(movements))), 1e-6),
        _pulses(memory.sound, places, lasts, int(checkpoint.codec.hop), second),
        np.ascontiguousarray(codebooks * scale, np.float32),
        np.ascontiguousarray(memory.axes, np.float32),
        np.ascontiguousarray(memory.centre, np.float32),
        float(memory.pace_s),
        second,
        int(checkpoint.codec.hop),
    )


def _outlooks(points: Array, lasts: Array, second: int) -> Array:
    """Returns the mean of the points (n, A) that follow each in its stretch within a second; of a last one, its own."""
    sums = np.concatenate([np.zeros((1, points.shape[1])), np.cumsum(points, axis=0, dtype=np.float64)])
    numbers = np.arange(len(points))
    begins = np.minimum(numbers + 1, lasts)
    ends = np.minimum(numbers + 1 + second, lasts + 1)
    means: Array = (sums[ends] - sums[begins]) / (ends - begins)[:, None]
    return means.astype(np.float32)


def _pulses(sound: Array, places: Array, lasts: Array, hop: int, second: int) -> Array:
    """Returns the level of each frame of a sound (samples, channels), beside its mean in the second that follows."""
    # one by one: all of a memory of ten minutes squared would take half a gigabyte
    powers = np.array([np.square(sound[place : place + hop], dtype=np.float64).sum() for place in places])
    levels = np.log(powers + QUIET * powers.max() + 1e-12)
    pulses = levels - _outlooks(levels[:, None], lasts, second)[:, 0]
    return np.ascontiguousarray(pulses / max(float(pulses.std()), 1e-6), np.float32)


def _spread(points: Array) -> float:
    """Returns the mean squared distance of points (n, A) from their mean."""
    return float(np.var(points, axis=0).sum())
