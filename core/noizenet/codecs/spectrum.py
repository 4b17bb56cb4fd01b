"""Codec `spectrum`: the paper's frequency-domain view as its author built it, for the record.

A whole clip of N samples is transformed at once; the sequence is the real parts of all N frequencies, then the
imaginary parts of all N, one number a step. So the network reads along frequency, not along time: a step is no moment,
nothing can be heard before 2 N steps are there, and the second half of each N only repeats the first, mirrored.
`noizenet.codecs.fft` is the mend.

The clip is a power of two, for the transform that plays it is: the one nearest to the length that the recipe asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from noizenet.codecs import Array, whole_number
from noizenet.codecs.fourier import FourierPlan, fourier_plan, inverse
from noizenet.codecs.scaling import Scaler
from noizenet.compiling import kernel
from noizenet.errors import CheckpointError


class EncoderState(NamedTuple):
    """The samples of the clip heard so far, float32 (N,), and how many they are, int64 (1,)."""

    clip: Array
    waiting: Array


class DecoderState(NamedTuple):
    """Workspace: the numbers of one clip (2 N, 1), the N / 2 + 1 bins of a real sound, and the transform."""

    numbers: Array
    re: Array
    im: Array
    fourier: FourierPlan


@dataclass(frozen=True, eq=False)
class SpectrumCodec:
    """Clips of N samples as 2 N numbers along frequency.

    Attributes:
        sample_rate: frames per second.
        clip: N, a power of two.
        scaler: of the numbers, of width 1: all are scaled alike, as in the paper.
    """

    sample_rate: int
    clip: int
    scaler: Scaler

    name: ClassVar[str] = "spectrum"
    channels: ClassVar[int] = 1
    width: ClassVar[int] = 1
    classes: ClassVar[int] = 0
    delay: ClassVar[int] = 0

    @property
    def hop(self) -> int:
        return self.clip

    @property
    def group(self) -> int:
        return 2 * self.clip

    def new_encoder_state(self) -> EncoderState:
        return EncoderState(np.zeros(self.clip, np.float32), np.zeros(1, np.int64))

    def encode(self, state: EncoderState, samples: Array) -> Array:
        """Returns the steps of the clips that `samples` complete, float32 (clips x 2 N, 1)."""
        found = [np.zeros((0, 1), np.float32)]
        read = 0
        while read < len(samples):
            waiting = int(state.waiting[0])
            part = samples[read : read + self.clip - waiting]
            state.clip[waiting : waiting + len(part)] = part
            state.waiting[0] = (waiting + len(part)) % self.clip
            read += len(part)
            if state.waiting[0] == 0:
                found.append(self.scaler.forward(clip_numbers(state.clip)))
        return np.concatenate(found)

    def new_decoder_state(self, seed: int = 0) -> DecoderState:  # noqa: ARG002
        bins = self.clip // 2 + 1
        return DecoderState(
            np.zeros((self.group, 1), np.float32),
            np.zeros(bins, np.float32),
            np.zeros(bins, np.float32),
            fourier_plan(self.clip),
        )

    def decode(self, state: DecoderState, steps: Array, out: Array) -> None:
        for n in range(len(steps) // self.group):
            self.scaler.inverse(steps[n * self.group : (n + 1) * self.group], state.numbers)
            play_clip(state, out[n * self.clip : (n + 1) * self.clip])

    def arrays(self) -> dict[str, Array]:
        return self.scaler.arrays()

    def options(self) -> dict[str, Any]:
        return {"sample_rate": self.sample_rate, "clip": self.clip, **self.scaler.options()}

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        rate = whole_number(options, "sample_rate", 1000, 384_000)
        clip = whole_number(options, "clip", 64, 1 << 22)
        if clip & (clip - 1):
            raise CheckpointError(f"its codec's clip {clip} is no power of two")
        if set(arrays) != {"mean", "scale"}:
            raise CheckpointError(f"its codec spectrum has the arrays {sorted(arrays)}, not mean and scale")
        return cls(rate, clip, Scaler.from_parts(options, arrays, 1))


def clip_numbers(clip: Array) -> Array:
    """Returns the real, then the imaginary parts of a clip's transform, float32 (2 N, 1)."""
    transformed = np.fft.fft(clip)
    return np.concatenate([transformed.real, transformed.imag]).astype(np.float32)[:, None]


@kernel
def play_clip(state: Any, out: Any) -> None:
    """Writes the real part of the inverse transform of the numbers of one clip.

    It is the inverse of their Hermitian part, (Z(k) + conj Z(N - k)) / 2: so a transform for real sounds will do. The
    author multiplied by 20,000, for 16-bit files, and wrote absolute values: the first is the limiter's affair here,
    the second folds the wave over and doubles its pitch.
    """
    count = out.shape[0]
    for k in range(count // 2 + 1):
        mirror = (count - k) % count
        state.re[k] = np.float32(0.5) * (state.numbers[k, 0] + state.numbers[mirror, 0])
        state.im[k] = np.float32(0.5) * (state.numbers[count + k, 0] - state.numbers[count + mirror, 0])
    inverse(state.fourier, state.re, state.im, out)
