"""Streaming short-time Fourier transform: spectral frames out of samples, samples out of spectral frames.

Magnitudes are normalised by the window's sum, so that a sine of amplitude a has a peak of a / 2. Log-magnitudes
are ln(|X| + floor). Frame n covers the `window` samples that end with sample (n + 1) hop.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.codecs.fourier import FourierPlan, forward, fourier_plan, inverse
from noizenet.codecs.phase import PhaseState, next_phases, phase_state
from noizenet.compiling import copy, inlined, kernel
from noizenet.states import NOT_KEPT, Workspace

Array = NDArray[Any]


def hann(window: int) -> Array:
    """Returns the periodic Hann window, float32 (window,)."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)).astype(np.float32)


def window_length(window_s: float, sample_rate: int) -> int:
    """Returns the power of two nearest to a time, in samples: 93 ms are 2,048 at 22,050 Hz."""
    return int(max(64, 1 << round(np.log2(window_s * sample_rate))))


class AnalysisState(NamedTuple):
    """The last `window` samples heard, how many new ones wait for a frame, and workspace."""

    history: Array
    waiting: Array
    hann: Array
    frame: Array
    re: Array
    im: Array
    fourier: FourierPlan


def analysis_state(window: int) -> AnalysisState:
    """Returns the state after silence."""
    bins = window // 2 + 1
    return AnalysisState(
        np.zeros(window, np.float32),
        np.zeros(1, np.int64),
        hann(window),
        np.zeros(window, np.float32),
        np.zeros(bins, np.float32),
        np.zeros(bins, np.float32),
        fourier_plan(window),
    )


@inlined
def take_in(state: Any, samples: Any, hop: int) -> int:
    """Reads samples up to the next full hop; returns how many were read. A frame is ready if `waiting` is hop."""
    window = state.history.shape[0]
    if state.waiting[0] == hop:
        for i in range(window - hop):  # assigning one slice to the other would allocate, as they overlap
            state.history[i] = state.history[i + hop]
        state.waiting[0] = 0
    count = min(samples.shape[0], hop - state.waiting[0])
    start = window - hop + state.waiting[0]
    for i in range(count):
        state.history[start + i] = samples[i]
    state.waiting[0] += count
    return int(count)


@kernel
def transform(state: Any) -> None:
    """Fills (re, im) with the spectrum of the windowed frame in `history`, as it comes, without the normalisation."""
    for i in range(state.history.shape[0]):
        state.frame[i] = state.history[i] * state.hann[i]
    forward(state.fourier, state.frame, state.re, state.im)


@inlined
def log_magnitudes(state: Any, floor: float, out: Any) -> None:
    """Writes ln(|X| + floor) of the frame in `history` to `out`, float32 (bins,)."""
    transform(state)
    scale = np.float32(2.0 / state.history.shape[0])
    for m in range(out.shape[0]):
        out[m] = np.log(scale * np.sqrt(state.re[m] * state.re[m] + state.im[m] * state.im[m]) + np.float32(floor))


class SynthesisState(NamedTuple):
    """Overlapping output, the phases, and workspace."""

    overlap: Array
    phase: PhaseState
    hann: Workspace
    frame: Workspace
    re: Workspace
    im: Workspace
    fourier: Annotated[FourierPlan, NOT_KEPT]


def synthesis_state(window: int, seed: int = 0) -> SynthesisState:
    """Returns the state before the first frame."""
    bins = window // 2 + 1
    return SynthesisState(
        np.zeros(window, np.float32),
        phase_state(bins, seed),
        hann(window),
        np.zeros(window, np.float32),
        np.zeros(bins, np.float32),
        np.zeros(bins, np.float32),
        fourier_plan(window),
    )


@kernel
def _spectrum(state: Any, logs: Any, floor: float, scale: float) -> None:
    """Fills (re, im) from log-magnitudes and phases, referred from the frame's middle to its start."""
    for m in range(logs.shape[0]):
        magnitude = max(np.exp(logs[m]) - np.float32(floor), np.float32(0.0)) * np.float32(scale)
        sign = np.float32(1.0) if m % 2 == 0 else np.float32(-1.0)
        state.re[m] = sign * magnitude * np.cos(state.phase.phase[m])
        state.im[m] = sign * magnitude * np.sin(state.phase.phase[m])
    state.im[0] = 0.0
    state.im[-1] = 0.0


@kernel
def synthesis_scale(window: int, hop: int) -> float:
    """Returns what undoes the normalisation, and the sum of squared Hann windows, which is 3/8 window / hop."""
    return float(0.5 * window / (0.375 * window / hop))


@kernel
def overlap_add(state: Any, hop: int, out: Any) -> None:
    """Turns the frame whose spectrum is in (re, im), scaled by `synthesis_scale`, into the next `hop` samples."""
    window = state.overlap.shape[0]
    inverse(state.fourier, state.re, state.im, state.frame)
    for i in range(window):
        state.overlap[i] += state.frame[i] * state.hann[i]
    copy(state.overlap, out)
    for i in range(window - hop):  # assigning one slice to the other would allocate, as they overlap
        state.overlap[i] = state.overlap[i + hop]
    state.overlap[window - hop :] = 0.0


@kernel
def put_out_polar(state: Any, logs: Any, hop: int, floor: float, out: Any) -> None:
    """Turns one frame of log-magnitudes (bins,) and the phases in `state.phase.phase` into the next `hop` samples."""
    _spectrum(state, logs, floor, synthesis_scale(state.overlap.shape[0], hop))
    overlap_add(state, hop, out)


@kernel
def put_out(state: Any, logs: Any, hop: int, floor: float, tolerance: float, out: Any) -> None:
    """Turns one frame of log-magnitudes (bins,), with phases made for it, into the next `hop` samples."""
    next_phases(state.phase, logs, state.overlap.shape[0], hop, tolerance)
    put_out_polar(state, logs, hop, floor, out)
