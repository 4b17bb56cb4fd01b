"""Codec `mulaw`: each sample is one of 256 codes, fine near zero and coarse at the peaks."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from noizenet.codecs import Array, CodecState, whole_number
from noizenet.errors import CheckpointError

MU = 255.0  # ITU-T G.711


@dataclass(frozen=True)
class MulawCodec:
    """Mu-law companding of samples in -peak..peak to 256 codes.

    Source: ITU-T G.711, in its continuous form F(x) = sgn(x) ln(1 + mu |x|) / ln(1 + mu), mu = 255.
    """

    sample_rate: int
    peak: float = 1.0

    name: ClassVar[str] = "mulaw"
    channels: ClassVar[int] = 1
    hop: ClassVar[int] = 1
    group: ClassVar[int] = 1
    width: ClassVar[int] = 1
    classes: ClassVar[int] = 256
    delay: ClassVar[int] = 0

    @cached_property
    def levels(self) -> Array:
        """The sample value in the middle of each code, float32 (256,)."""
        companded = (np.arange(256) + 0.5) / 128.0 - 1.0
        values = np.sign(companded) * (np.power(1.0 + MU, np.abs(companded)) - 1.0) / MU
        return np.asarray(values * self.peak, np.float32)

    def new_encoder_state(self) -> CodecState:
        return ()

    def encode(self, state: CodecState, samples: Array) -> Array:  # noqa: ARG002
        """Returns the codes of samples (n,), int32 (n, 1)."""
        scaled = np.clip(np.asarray(samples, np.float64) / self.peak, -1.0, 1.0)
        companded = np.sign(scaled) * np.log1p(MU * np.abs(scaled)) / np.log1p(MU)
        return np.asarray(np.clip(np.floor((companded + 1.0) * 128.0), 0, 255), np.int32)[:, None]

    def new_decoder_state(self, seed: int = 0) -> CodecState:  # noqa: ARG002
        return ()

    def decode(self, state: CodecState, steps: Array, out: Array) -> None:  # noqa: ARG002
        np.take(self.levels, steps[:, 0], out=out, mode="clip")

    def arrays(self) -> dict[str, Array]:
        return {}

    def options(self) -> dict[str, Any]:
        return {"sample_rate": self.sample_rate, "peak": self.peak}

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        rate = whole_number(options, "sample_rate", 1000, 384_000)
        peak = options.get("peak")
        if not isinstance(peak, float) or not 0 < peak < 1e6 or arrays:
            raise CheckpointError(f"its codec mulaw needs a peak above 0 and no arrays, not {peak!r}, {list(arrays)}")
        return cls(rate, peak)
