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
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from noizenet.codecs import Array, whole_number
from noizenet.codecs.phase import TWO_PI, wrap
from noizenet.codecs.scaling import Scaler
from noizenet.codecs.stft import (
    AnalysisState,
    SynthesisState,
    analysis_state,
    log_magnitudes,
    overlap_add,
    put_out,
    put_out_polar,
    synthesis_scale,
    synthesis_state,
    take_in,
    transform,
)
from noizenet.codecs.token_kernels import PHASE_TOLERANCE
from noizenet.compiling import inlined, kernel
from noizenet.errors import CheckpointError

VIEWS = ("complex", "polar", "magnitude")
COMPLEX, POLAR, MAGNITUDE = range(3)
LOUDEST = 10.0  # nepers: no ceiling may be higher. A sine at full scale has a log-magnitude of -0.7


class EncoderState(NamedTuple):
    """Analysis, and the phases of the last frame, (bins,)."""

    analysis: AnalysisState
    phase: Array


class DecoderState(NamedTuple):
    """Synthesis, whose phases are summed up for the polar view, and workspace: the numbers of one frame, (1, width)."""

    synthesis: SynthesisState
    numbers: Array


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
        window = whole_number(options, "window", 64, 1 << 15)  # a step has up to window + 2 numbers
        hop = whole_number(options, "hop", 1, 1 << 15)
        view, floor = options.get("view"), options.get("floor")
        if window & (window - 1) or window % hop or window < 4 * hop:  # fewer overlaps, and the level would ripple
            raise CheckpointError(
                f"its codec's window {window} is no power of two, or not a multiple of 4 or more of its hop {hop}"
            )
        if not isinstance(view, str) or view not in VIEWS:
            raise CheckpointError(f"its codec's view is {view!r}, not one of {', '.join(VIEWS)}")
        if not isinstance(floor, float) or not 0 < floor < 1:
            raise CheckpointError(f"its codec's floor is {floor!r}, not a number between 0 and 1")
        if set(arrays) != {"mean", "scale", "ceiling"}:
            raise CheckpointError(f"its codec fft has the arrays {sorted(arrays)}, not ceiling, mean and scale")
        scaler = Scaler.from_parts(options, arrays, numbers_in_step(view, window))
        ceiling = np.ascontiguousarray(arrays["ceiling"], np.float32)
        if ceiling.shape != (window // 2 + 1,):
            raise CheckpointError(f"its codec's ceiling has the shape {ceiling.shape}, not ({window // 2 + 1},)")
        if not ceiling.max() <= LOUDEST:  # NaN is not either
            raise CheckpointError(f"its codec's ceiling is {ceiling.max():g}, not at most {LOUDEST:g} nepers")
        return cls(rate, window, hop, view, floor, scaler, ceiling)


@inlined
def _carrier(m: int, hop: int, window: int) -> float:
    """Returns how far the phase of bin m moves in a hop by itself, in 0..2 pi."""
    return float(TWO_PI * ((hop * m) % window) / window)


@kernel
def _parts(analysis: Any, numbers: Any) -> None:
    """Writes real and imaginary parts (window,) of the frame in `history`."""
    window = analysis.history.shape[0]
    last = window // 2
    transform(analysis)
    scale = np.float32(2.0 / window)
    for m in range(last + 1):
        numbers[m] = scale * analysis.re[m]
    for m in range(1, last):
        numbers[last + m] = scale * analysis.im[m]


@kernel
def _advances(state: Any, hop: int, advances: Any) -> None:
    """Writes the phase advances (bins,) of the frame just transformed, and remembers its phases."""
    analysis = state.analysis
    window = analysis.history.shape[0]
    for m in range(advances.shape[0]):
        carrier = _carrier(m, hop, window)
        if analysis.re[m] == 0.0 and analysis.im[m] == 0.0:  # silence has no phase: it moves by itself
            state.phase[m] = wrap(state.phase[m] + carrier)
            advances[m] = 0.0
            continue
        sign = np.float32(1.0) if m % 2 == 0 else np.float32(-1.0)  # from the frame's start to its middle
        phase = np.arctan2(sign * analysis.im[m], sign * analysis.re[m])
        advances[m] = wrap(phase - state.phase[m] - carrier)
        state.phase[m] = phase


@kernel
def analyse(state: Any, samples: Any, hop: int, floor: float, view: int, numbers: Any) -> None:
    bins = state.phase.shape[0]
    read = 0
    frame = 0
    while read < samples.shape[0]:
        read += take_in(state.analysis, samples[read:], hop)
        if state.analysis.waiting[0] == hop:
            if view == COMPLEX:
                _parts(state.analysis, numbers[frame])
            else:
                log_magnitudes(state.analysis, floor, numbers[frame, :bins])
            if view == POLAR:
                _advances(state, hop, numbers[frame, bins:])
            frame += 1


@kernel
def _play_parts(synthesis: Any, numbers: Any, hop: int, ceiling: Any, out: Any) -> None:
    """Turns real and imaginary parts (window,), each held within the ceiling, into the next `hop` samples."""
    window = synthesis.overlap.shape[0]
    last = window // 2
    scale = np.float32(synthesis_scale(window, hop))
    for m in range(last + 1):
        most = np.exp(ceiling[m])
        synthesis.re[m] = scale * _within(numbers[m], most)
        synthesis.im[m] = scale * _within(numbers[last + m], most) if 0 < m < last else np.float32(0.0)
    overlap_add(synthesis, hop, out)


@inlined
def _within(value: float, most: float) -> float:
    """Returns the value, at most `most` from 0; NaN stays NaN."""
    if value > most:
        return most
    return -most if value < -most else value


@kernel
def play_frames(state: Any, view: int, hop: int, floor: float, ceiling: Any, out: Any) -> None:
    """Turns the frame in `state.numbers` into the next `hop` samples."""
    synthesis, numbers = state.synthesis, state.numbers[0]
    if view == COMPLEX:
        _play_parts(synthesis, numbers, hop, ceiling, out)
        return
    bins, window = ceiling.shape[0], synthesis.overlap.shape[0]
    for m in range(bins):
        if numbers[m] > ceiling[m]:  # NaN is not
            numbers[m] = ceiling[m]
    if view == MAGNITUDE:
        put_out(synthesis, numbers[:bins], hop, floor, PHASE_TOLERANCE, out)
        return
    phase = synthesis.phase.phase
    for m in range(bins):
        phase[m] = wrap(phase[m] + _carrier(m, hop, window) + numbers[bins + m])
    put_out_polar(synthesis, numbers[:bins], hop, floor, out)
