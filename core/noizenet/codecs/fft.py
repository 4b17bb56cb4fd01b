"""Codec `fft`: each step is one spectral frame, as numbers; played by overlap-add.

A frame has window / 2 + 1 bins. A step holds, by the codec's view,

| view      | numbers                                                            | how many     |
|-----------|--------------------------------------------------------------------|--------------|
| complex   | real parts of all bins, imaginary parts of all but first and last  | window       |
| polar     | log-magnitudes ln(|X| + floor), then phase advances, of all bins   | window + 2   |
| magnitude | log-magnitudes; the phases are made by `noizenet.codecs.phase`     | window/2 + 1 |

each scaled by its own mean and deviation, or as the recipe says. The imaginary parts of the first and the last bin
are left out, for they are always 0: a Gaussian's likelihood has no maximum for a number that never changes.

The phase advance is how far a bin's phase moved since the frame before, less the 2 pi m hop / window that bin m
moves anyway, in -pi..pi: 0 for a partial in the middle of its bin. Source: Flanagan and Golden, "Phase vocoder",
Bell System Technical Journal 45 (1966). What is decoded sums them up, from 0, at the middle of the frame.

What comes from a network may be anything: magnitudes are held below a ceiling, so that the sound stays bounded. NaN
goes through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from noizenet.codecs import Array, spectral_frames, whole_number
from noizenet.codecs.fft_kernels import VIEWS, DecoderState, EncoderState, analyse, play_frames
from noizenet.codecs.scaling import Scaler
from noizenet.codecs.stft import analysis_state, synthesis_state
from noizenet.errors import CheckpointError

LOUDEST = 10.0  # nepers: no ceiling may be higher. A sine at full scale has a log-magnitude of -0.7


def numbers_in_step(view: str, window: int) -> int:
    """Returns how many numbers a step holds."""
    return {"complex": window, "polar": window + 2, "magnitude": window // 2 + 1}[view]


def encoder_state(window: int) -> EncoderState:
    """Returns the state after silence."""
    return EncoderState(analysis_state(window), np.zeros(window // 2 + 1, np.float32))


def spectral_numbers(state: EncoderState, samples: Array, hop: int, floor: float, view: str) -> Array:
    """Returns the numbers of the frames that `samples` complete, before scaling, float32 (n, width)."""
    samples = np.ascontiguousarray(samples, np.float32)
    frames = (int(state.analysis.waiting[0]) % hop + len(samples)) // hop
    numbers = np.zeros((frames, numbers_in_step(view, len(state.analysis.history))), np.float32)
    analyse(state, samples, hop, floor, VIEWS.index(view), numbers)
    return numbers


@dataclass(frozen=True, eq=False)
class FftCodec:
    """Spectral frames as numbers.

    Attributes:
        sample_rate: frames per second.
        window: length of the Hann window, samples, a power of two.
        hop: samples between frames.
        view: one of `VIEWS`.
        floor: added to magnitudes before the logarithm, linear.
        scaler: of the numbers of a step.
        ceiling: the highest log-magnitude that is played, float32 (bins,).
    """

    sample_rate: int
    window: int
    hop: int
    view: str
    floor: float
    scaler: Scaler
    ceiling: Array

    name: ClassVar[str] = "fft"
    channels: ClassVar[int] = 1
    group: ClassVar[int] = 1
    classes: ClassVar[int] = 0

    @property
    def width(self) -> int:
        return numbers_in_step(self.view, self.window)

    @property
    def delay(self) -> int:
        return self.window - self.hop

    def new_encoder_state(self) -> EncoderState:
        return encoder_state(self.window)

    def encode(self, state: EncoderState, samples: Array) -> Array:
        """Returns the scaled numbers of the frames that `samples` complete, float32 (n, width)."""
        return self.scaler.forward(spectral_numbers(state, samples, self.hop, self.floor, self.view))

    def new_decoder_state(self, seed: int = 0) -> DecoderState:
        return DecoderState(synthesis_state(self.window, seed), np.zeros((1, self.width), np.float32))

    def decode(self, state: DecoderState, steps: Array, out: Array) -> None:
        view, hop = VIEWS.index(self.view), self.hop
        for n in range(len(steps)):
            self.scaler.inverse(steps[n : n + 1], state.numbers)
            play_frames(state, view, hop, self.floor, self.ceiling, out[n * hop : (n + 1) * hop])

    def arrays(self) -> dict[str, Array]:
        return {**self.scaler.arrays(), "ceiling": self.ceiling}

    def options(self) -> dict[str, Any]:
        return {
            "sample_rate": self.sample_rate,
            "window": self.window,
            "hop": self.hop,
            "view": self.view,
            "floor": self.floor,
            **self.scaler.options(),
        }

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        rate = whole_number(options, "sample_rate", 1000, 384_000)
        window, hop, floor = spectral_frames(options, longest=1 << 15)  # a step has up to window + 2 numbers
        view = options.get("view")
        if not isinstance(view, str) or view not in VIEWS:
            raise CheckpointError(f"its codec's view is {view!r}, not one of {', '.join(VIEWS)}")
        if set(arrays) != {"mean", "scale", "ceiling"}:
            raise CheckpointError(f"its codec fft has the arrays {sorted(arrays)}, not ceiling, mean and scale")
        scaler = Scaler.from_parts(options, arrays, numbers_in_step(view, window))
        ceiling = np.ascontiguousarray(arrays["ceiling"], np.float32)
        if ceiling.shape != (window // 2 + 1,):
            raise CheckpointError(f"its codec's ceiling has the shape {ceiling.shape}, not ({window // 2 + 1},)")
        if not ceiling.max() <= LOUDEST:  # NaN is not either
            raise CheckpointError(f"its codec's ceiling is {ceiling.max():g}, not at most {LOUDEST:g} nepers")
        return cls(rate, window, hop, view, floor, scaler, ceiling)
