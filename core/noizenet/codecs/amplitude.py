"""Codec `amplitude`: each step is one sample, scaled, as in the paper; and what can be heard around it, if wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from noizenet.codecs import Array, CodecState, whole_number
from noizenet.codecs.listening import Listening
from noizenet.codecs.scaling import Scaler
from noizenet.errors import CheckpointError


@dataclass(frozen=True, eq=False)
class AmplitudeCodec:
    """Steps of the amplitude and, with `listening`, the features of the sound up to there.

    The network predicts the whole step; only the amplitude is played.

    Attributes:
        scaler: of the whole step: the amplitude first, then the features.
        listening: what features are heard; None for the amplitude alone, the paper's network.
    """

    sample_rate: int
    scaler: Scaler
    listening: Listening | None = None

    name: ClassVar[str] = "amplitude"
    channels: ClassVar[int] = 1
    hop: ClassVar[int] = 1
    group: ClassVar[int] = 1
    classes: ClassVar[int] = 0
    delay: ClassVar[int] = 0

    @property
    def width(self) -> int:
        """Numbers in a step."""
        return self.scaler.width

    @cached_property
    def _amplitude_scaler(self) -> Scaler:
        return self.scaler.column(0)

    def new_encoder_state(self) -> CodecState:
        return self.listening.new_state() if self.listening else ()

    def encode(self, state: CodecState, samples: Array) -> Array:
        """Returns the scaled steps of samples (n,), float32 (n, width)."""
        return self.scaler.forward(raw_steps(self.listening, state, samples))

    def new_decoder_state(self, seed: int = 0) -> CodecState:  # noqa: ARG002
        return ()

    def decode(self, state: CodecState, steps: Array, out: Array) -> None:  # noqa: ARG002
        self._amplitude_scaler.inverse(steps[:, :1], out[:, None])

    def arrays(self) -> dict[str, Array]:
        return self.scaler.arrays() | (self.listening.arrays() if self.listening else {})

    def options(self) -> dict[str, Any]:
        heard = self.listening.options() if self.listening else {}
        return {"sample_rate": self.sample_rate, **self.scaler.options(), **heard}

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        rate = whole_number(options, "sample_rate", 1000, 384_000)
        listening = Listening.from_parts(options, arrays) if "features" in options else None
        scaler = Scaler.from_parts(options, arrays, 1 + (listening.width if listening else 0))
        codec = cls(rate, scaler, listening)
        extra = arrays.keys() - codec.arrays().keys()
        if extra:
            raise CheckpointError(f"its codec amplitude has the unknown {', '.join(sorted(extra))}")
        return codec


def raw_steps(listening: Listening | None, state: CodecState, samples: Array) -> Array:
    """Returns samples (n,) beside the features heard with each, before scaling, float32 (n, 1 + features)."""
    amplitude = np.asarray(samples, np.float32)[:, None]
    return np.hstack([amplitude, listening.listen(state, samples)]) if listening else amplitude
