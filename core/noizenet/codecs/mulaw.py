"""Codec `mulaw`: each sample is one of 256 codes, fine near zero and coarse at the peaks.

The error of 256 codes is white: beside music, whose spectrum falls, it is a hiss that hides the high bands. With
pre-emphasis, what is coded is the difference of each sample to a share of the one before it, which lifts the high
bands; undone on the way back, the error falls as music does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from noizenet.codecs import Array, CodecState, whole_number
from noizenet.compiling import kernel
from noizenet.errors import CheckpointError

MU = 255.0  # ITU-T G.711
MOST_PRE_EMPHASIS = 0.99


class EmphasisState(NamedTuple):
    """The sample before the next one: of the sound on the way in, of what was made of it on the way out.

    Attributes:
        before: float64 (1,).
    """

    before: Array


@dataclass(frozen=True)
class MulawCodec:
    """Mu-law companding of samples in -peak..peak to 256 codes.

    Source: ITU-T G.711, in its continuous form F(x) = sgn(x) ln(1 + mu |x|) / ln(1 + mu), mu = 255.

    Attributes:
        peak: the largest value that is coded; after pre-emphasis.
        pre_emphasis: a of x(t) - a x(t - 1), which is what is coded; 0 to 0.99.
    """

    sample_rate: int
    peak: float = 1.0
    pre_emphasis: float = 0.0

    name: ClassVar[str] = "mulaw"
    channels: ClassVar[int] = 1
    hop: ClassVar[int] = 1
    group: ClassVar[int] = 1
    width: ClassVar[int] = 1
    classes: ClassVar[int] = 256
    delay: ClassVar[int] = 0

    @cached_property
    def levels(self) -> Array:
        """The value in the middle of each code, float32 (256,)."""
        return np.asarray(code_levels() * self.peak, np.float32)

    def new_encoder_state(self) -> CodecState:
        return EmphasisState(np.zeros(1))

    def encode(self, state: CodecState, samples: Array) -> Array:
        """Returns the codes of samples (n,), int32 (n, 1)."""
        emphasised = emphasise(state, np.asarray(samples, np.float64), self.pre_emphasis)
        scaled = np.clip(emphasised / self.peak, -1.0, 1.0)
        companded = np.sign(scaled) * np.log1p(MU * np.abs(scaled)) / np.log1p(MU)
        return np.asarray(np.clip(np.floor((companded + 1.0) * 128.0), 0, 255), np.int32)[:, None]

    def new_decoder_state(self, seed: int = 0) -> CodecState:  # noqa: ARG002
        return EmphasisState(np.zeros(1))

    def decode(self, state: CodecState, steps: Array, out: Array) -> None:
        np.take(self.levels, steps[:, 0], out=out, mode="clip")
        if self.pre_emphasis:
            de_emphasise(state, out, self.pre_emphasis)

    def arrays(self) -> dict[str, Array]:
        return {}

    def options(self) -> dict[str, Any]:
        """Returns the plain values for the header; without pre-emphasis as they were before there was any."""
        plain: dict[str, Any] = {"sample_rate": self.sample_rate, "peak": self.peak}
        return plain | ({"pre_emphasis": self.pre_emphasis} if self.pre_emphasis else {})

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        rate = whole_number(options, "sample_rate", 1000, 384_000)
        peak = options.get("peak")
        if not isinstance(peak, float) or not 0 < peak < 1e6 or arrays:
            raise CheckpointError(f"its codec mulaw needs a peak above 0 and no arrays, not {peak!r}, {list(arrays)}")
        emphasis = options.get("pre_emphasis", 0.0)
        if not isinstance(emphasis, float) or not 0.0 <= emphasis <= MOST_PRE_EMPHASIS:
            raise CheckpointError(
                f"its codec's pre_emphasis is {emphasis!r}, not a number from 0 to {MOST_PRE_EMPHASIS}"
            )
        return cls(rate, peak, emphasis)


def code_levels() -> Array:
    """Returns the value in the middle of each code for a peak of 1, float64 (256,)."""
    companded = (np.arange(256) + 0.5) / 128.0 - 1.0
    return np.asarray(np.sign(companded) * (np.power(1.0 + MU, np.abs(companded)) - 1.0) / MU)


def emphasise(state: EmphasisState, samples: Array, amount: float) -> Array:
    """Returns x(t) - amount x(t - 1) of samples (n,), and remembers the last of them."""
    if not len(samples):
        return samples
    before = np.concatenate([state.before, samples[:-1]])
    state.before[0] = samples[-1]
    return samples - amount * before


@kernel
def de_emphasise(state: Any, samples: Any, amount: float) -> None:
    """Undoes `emphasise`, in place: y(t) = x(t) + amount y(t - 1)."""
    value = state.before[0]
    for n in range(samples.shape[0]):
        value = samples[n] + amount * value
        samples[n] = value
    state.before[0] = value
