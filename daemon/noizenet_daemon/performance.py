"""A performance: all voices, what is scheduled, and the safety chain, as one stream of blocks.

It knows no clock but its own position in frames. `noizenet render` pulls from it as fast as it can,
the engine thread as the output needs: the same seed, settings and events give the same samples, on
however many threads.
"""

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.parameter import Value
from noizenet.protocol import PARAMETERS
from noizenet_daemon.generator import Generator, GeneratorState
from noizenet_daemon.safety import Safety
from noizenet_daemon.source import Source, refill_together
from noizenet_daemon.voice import Voice
from noizenet_daemon.voice_threads import VoiceThreads

Array = NDArray[Any]


class Performance:
    """Voices into one safe stream. Used by one thread at a time.

    Attributes:
        position: frames made so far.
        voices: in order; voice 1 first.
        limiter_db: highest peak let out.
        live_level_db: asked before each block for the level that noise of kind `live` follows in all voices, where a
            sound input gives one; None where the parameter of that name does.
        delay_frames: how much later than made a frame comes out, for the limiter looks ahead.
    """

    def __init__(
        self,
        generator: Generator,
        states: list[GeneratorState],
        *,
        sample_rate: int,
        channels: int,
        block_frames: int,
        values: Mapping[str, Value] | None = None,
        threads: int = 1,
        safe: bool = True,
    ) -> None:
        """Args:
        states: one for each voice.
        block_frames: the longest block that `render` is asked for.
        values: start values of parameters, for all voices.
        threads: that generate the voices, the one that calls `render` included.
        safe: through the safety chain; without it only to measure, never to be heard.
        """
        self.sample_rate = sample_rate
        self.channels = channels
        self.position = 0
        self.limiter_db = float(PARAMETERS["limiter_db"].default)
        self.voices = [
            Voice(Source(generator, state, sample_rate, channels), sample_rate, channels, block_frames)
            for state in states
        ]
        self.live_level_db: Callable[[], float] | None = None
        self._threads = VoiceThreads(self.voices, threads, generator.together)
        self._safety = Safety(sample_rate, channels) if safe else None
        self.delay_frames = self._safety.delay_frames if self._safety else 0
        self._quarantined_before = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        for name, value in (values or {}).items():
            self.set(name, value)
        # knobs turned before the first frame are where they are, and do not glide there
        for voice in self.voices:
            voice.settle()

    @property
    def quarantined(self) -> int:
        """Blocks that held NaN or infinity and were not played."""
        return self._quarantined_before + sum(voice.source.quarantined for voice in self.voices)

    def set(self, name: str, value: Value, voice: int | None = None) -> None:
        """Turns a knob of one voice (from 1) or of all, to a value that `Parameter.coerce` returned."""
        if name == "limiter_db":
            self.limiter_db = float(value)
            return
        for number, one in enumerate(self.voices, 1):
            if voice in (None, number):
                one.set(name, value)

    def at(self, position: int, event: Callable[[], None]) -> None:
        """Calls `event` just before the frame at `position` is made; at once, if that is past."""
        heapq.heappush(self._events, (position, next(self._order), event))

    def replace(self, generator: Generator, states: list[GeneratorState]) -> None:
        """Crossfades every voice to another generator or state."""
        for voice, state in zip(self.voices, states, strict=True):
            self._quarantined_before += voice.source.quarantined
            # what a recalled state counted before belongs to the past
            state.guard.counts[0] = 0
            voice.replace(Source(generator, state, self.sample_rate, self.channels))

    def render(self, block: Array) -> None:
        """Fills block, float32 (n, channels), splitting it where events are due."""
        if self.live_level_db is not None:
            self.set("live_level_db", self.live_level_db())
        done = 0
        while done < len(block):
            while self._events and self._events[0][0] <= self.position:
                heapq.heappop(self._events)[2]()
            count = len(block) - done
            if self._events:
                count = min(count, self._events[0][0] - self.position)
            if self._generates_first:
                count = min(count, self._generate())
            part = block[done : done + count]
            part[:] = 0.0
            for voice in self.voices:
                voice.mix_into(part)
            if self._safety:
                self._safety.process(part, self.limiter_db)
            self.position += count
            done += count

    @property
    def _generates_first(self) -> bool:
        """Whether it gains anything that all voices generate before any is heard: side by side, or on threads."""
        generator = self.voices[0].source.generator
        return self._uses_threads or 1 < generator.together <= len(self.voices)

    @property
    def _uses_threads(self) -> bool:
        return self._threads.count > 1 and self.voices[0].source.generator.gains_from_threads

    def _generate(self) -> int:
        """Lets voices that have nothing left generate; returns the least that any has."""
        if any(not voice.source.left for voice in self.voices):
            if self._uses_threads:
                self._threads.each(_generate_side_by_side)
            else:
                _generate_side_by_side(self.voices)
        return min(voice.source.left for voice in self.voices)

    def on_threads(self, work: Callable[[], object]) -> None:
        """Calls `work` once on each thread that generates voices, the calling one included."""
        self._threads.each(lambda _: work())


def _generate_side_by_side(voices: Sequence[Voice]) -> None:
    """Lets voices that have nothing left generate, as many together as can."""
    while empty := [voice for voice in voices if not voice.source.left]:
        first = empty[0].source.generator
        alike = [voice for voice in empty if voice.source.generator is first]
        refill_together([voice.source for voice in alike], [voice.controls for voice in alike])


def initial_states(generator: Generator, prime: str, seed: int, voices: int) -> list[GeneratorState]:
    """Returns the state that each voice begins with; raises as `Generator.primed_state` does."""
    return [generator.primed_state(prime, seed, voice)[0] for voice in range(1, voices + 1)]


def render_frames(performance: Performance, frames: int, block_frames: int) -> Array:
    """Returns the next frames of a performance, float32 (frames, channels)."""
    out = np.zeros((frames, performance.channels), np.float32)
    for start in range(0, frames, block_frames):
        performance.render(out[start : start + block_frames])
    return out
