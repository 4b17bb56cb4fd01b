"""A source: one generator with its state, as an endless stream of frames at the output's rate, in its channels.

A generator hands over chunks of its own length at its own rate; a source resamples them (soxr, streaming) and
cuts them to any length. What comes out doesn't depend on how it is cut. One channel plays on both sides of a stereo
output; of two, a mono output gets the mean.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from noizenet_daemon.generator import Generator, GeneratorState
from noizenet_daemon.kernels.noise import Controls

Array = NDArray[Any]


class Source:
    """One generator's stream. Used by one thread at a time.

    Attributes:
        generator: what plays.
        state: its memory, moved on by `pull`.
        channels: of what comes out.
    """

    def __init__(self, generator: Generator, state: GeneratorState, sample_rate: int, channels: int) -> None:
        self.generator = generator
        self.state = state
        self.channels = channels
        self._chunk: Array = np.zeros((generator.chunk_frames, generator.channels), np.float32)
        self._heard = self._chunk
        if generator.channels > channels:
            self._heard = np.zeros((generator.chunk_frames, 1), np.float32)
        self._resampler: Any = None
        if sample_rate != generator.sample_rate:
            self._resampler = soxr.ResampleStream(
                generator.sample_rate, sample_rate, self._heard.shape[1], dtype="float32", quality="HQ"
            )
        self._waiting: Array = self._heard[:0]
        self._start = 0

    @property
    def quarantined(self) -> int:
        """Blocks that held NaN or infinity and were not played."""
        return int(self.state.guard.counts[0])

    def pull(self, controls: Controls, out: Array) -> None:
        """Fills out, float32 (n, channels), generating as many chunks as that takes."""
        filled = 0
        while filled < len(out):
            if self._start == len(self._waiting):
                self._refill(controls)
                continue
            count = min(len(out) - filled, len(self._waiting) - self._start)
            out[filled : filled + count] = self._waiting[self._start : self._start + count]
            self._start += count
            filled += count

    @property
    def left(self) -> int:
        """Frames that can be pulled before the next chunk is generated."""
        return len(self._waiting) - self._start

    def _refill(self, controls: Controls) -> None:
        self.generator.generate(self.state, controls, self._chunk)
        self._hand_over()

    def _hand_over(self) -> None:
        """Lets the chunk be heard."""
        if self._heard is not self._chunk:
            np.mean(self._chunk, axis=1, keepdims=True, out=self._heard)
        # soxr hands over lumps of its own choice, from nothing at all to several times what it was given
        self._waiting = self._heard if self._resampler is None else self._resampler.resample_chunk(self._heard)
        self._start = 0


def refill_together(sources: Sequence[Source], controls: Sequence[Controls]) -> None:
    """Generates the next chunks of sources of one generator that have nothing left, as many together as it steps."""
    generator = sources[0].generator
    together = generator.together
    whole = len(sources) - len(sources) % together if together > 1 else 0
    for first in range(0, whole, together):
        part = slice(first, first + together)
        generator.generate_together(
            [source.state for source in sources[part]], controls[part], [source._chunk for source in sources[part]]
        )
        for source in sources[part]:
            source._hand_over()
    for source, one in zip(sources[whole:], controls[whole:], strict=True):
        source._refill(one)
