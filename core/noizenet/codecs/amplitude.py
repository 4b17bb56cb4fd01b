"""Codec `amplitude`: each step is one sample, z-scored, as in the paper."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from noizenet.codecs import Array, CodecState, whole_number
from noizenet.errors import CheckpointError


@dataclass(frozen=True)
class AmplitudeCodec:
    """Samples minus `mean`, over `scale`: the attributes `mean_` and `scale_` of scikit-learn's StandardScaler."""

    sample_rate: int
    mean: float
    scale: float

    name: ClassVar[str] = "amplitude"
    hop: ClassVar[int] = 1
    group: ClassVar[int] = 1
    width: ClassVar[int] = 1
    classes: ClassVar[int] = 0
    delay: ClassVar[int] = 0

    def new_encoder_state(self) -> CodecState:
        return ()

    def encode(self, state: CodecState, samples: Array) -> Array:  # noqa: ARG002
        """Returns the z-scores of samples (n,), float32 (n, 1)."""
        return ((np.asarray(samples, np.float32) - np.float32(self.mean)) / np.float32(self.scale))[:, None]

    def new_decoder_state(self, seed: int = 0) -> CodecState:  # noqa: ARG002
        return ()

    def decode(self, state: CodecState, steps: Array, out: Array) -> None:  # noqa: ARG002
        np.multiply(steps[:, 0], np.float32(self.scale), out=out)
        np.add(out, np.float32(self.mean), out=out)

    def arrays(self) -> dict[str, Array]:
        return {"mean": np.array([self.mean], np.float32), "scale": np.array([self.scale], np.float32)}

    def options(self) -> dict[str, Any]:
        return {"sample_rate": self.sample_rate}

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        rate = whole_number(options, "sample_rate", 1000, 384_000)
        if set(arrays) != {"mean", "scale"} or any(array.shape != (1,) for array in arrays.values()):
            raise CheckpointError(f"its codec amplitude needs one mean and one scale, not {list(arrays)}")
        mean, scale = float(arrays["mean"][0]), float(arrays["scale"][0])
        if not scale > 0:  # NaN is not either
            raise CheckpointError(f"its codec's scale is {scale:g}, not above 0")
        return cls(rate, mean, scale)
