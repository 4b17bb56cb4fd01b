"""The kernels of the codec `fft`: frames of sound to numbers and back, in each of its views."""

from typing import Any, NamedTuple

import numpy as np

from noizenet.codecs import Array
from noizenet.codecs.phase import TWO_PI, wrap
from noizenet.codecs.stft import (
    AnalysisState,
    SynthesisState,
    log_magnitudes,
    overlap_add,
    put_out,
    put_out_polar,
    synthesis_scale,
    take_in,
    transform,
)
from noizenet.codecs.token_kernels import PHASE_TOLERANCE
from noizenet.compiling import inlined, kernel

VIEWS = ("complex", "polar", "magnitude")
COMPLEX, POLAR, MAGNITUDE = range(3)


class EncoderState(NamedTuple):
    """Analysis, and the phases of the last frame, (bins,)."""

    analysis: AnalysisState
    phase: Array


class DecoderState(NamedTuple):
    """Synthesis, whose phases are summed up for the polar view, and workspace: the numbers of one frame, (1, width)."""

    synthesis: SynthesisState
    numbers: Array


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
    """Writes the numbers (frames, width) of the frames that samples (n,) complete, before scaling."""
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
