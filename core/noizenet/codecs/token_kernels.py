"""The kernels of the codec `tokens`: frames of sound to codes and back, of one channel and of two."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.codecs.bands import band_levels, bring_to_levels
from noizenet.codecs.refinement import RefinedState, put_out_refined
from noizenet.codecs.stereo import SideState, put_out_side, side_spectrum, stereo_numbers
from noizenet.codecs.stft import (
    AnalysisState,
    SynthesisState,
    log_magnitudes,
    put_out,
    take_in,
    transform,
)
from noizenet.compiling import copy, inlined, kernel, njit
from noizenet.states import Workspace

Array = NDArray[Any]

PHASE_TOLERANCE = 1e-4  # measured: the spectral convergence of 1e-6 at 1.4 times its speed
REFINED_TOLERANCE = 1e-2  # where phases are refined: within 0.2 dB of 1e-4, at three quarters of the time


class Tables(NamedTuple):
    """What the kernels read: see `TokensCodec`.

    `weights` has one for each number of a frame. `shares` (stages, classes, numbers) holds what each code adds to them,
    or nothing where that would be too large.
    """

    mean: Array
    weights: Array
    components: Array
    codebooks: Array
    shares: Array


class EncoderState(NamedTuple):
    """Analysis, and workspace for one frame."""

    analysis: AnalysisState
    numbers: Array
    point: Array


class StereoEncoderState(NamedTuple):
    """Analysis of middle and side, and workspace for one frame."""

    middle: AnalysisState
    side: AnalysisState
    numbers: Array
    point: Array


class DecoderState(NamedTuple):
    """Synthesis, and workspace for one frame."""

    synthesis: SynthesisState
    numbers: Workspace
    point: Workspace


class RefinedDecoderState(NamedTuple):
    """The same with better phases, one frame late, and levels."""

    synthesis: RefinedState
    numbers: Workspace
    point: Workspace
    corrections: Workspace


class StereoDecoderState(NamedTuple):
    """Synthesis of middle and side, leans and widths of the frame before, and workspace for one frame."""

    middle: RefinedState
    side: SideState
    held: Array
    numbers: Workspace
    point: Workspace
    corrections: Workspace


@njit(fastmath=True)
def _quantise(tables: Any, numbers: Any, point: Any, codes: Any) -> None:
    """Writes the codes (stages,) of the numbers of one frame; `point` is workspace."""
    axes, count = tables.components.shape
    for k in range(axes):
        total = np.float32(0.0)
        for m in range(count):
            total += tables.components[k, m] * (tables.weights[m] * (numbers[m] - tables.mean[m]))
        point[k] = total
    stages, classes, _ = tables.codebooks.shape
    for stage in range(stages):
        nearest = 0
        least = np.float32(3.0e38)
        for c in range(classes):
            distance = np.float32(0.0)
            for k in range(axes):
                difference = point[k] - tables.codebooks[stage, c, k]
                distance += difference * difference
            if distance < least:
                least = distance
                nearest = c
        codes[stage] = nearest
        for k in range(axes):
            point[k] -= tables.codebooks[stage, nearest, k]


@njit(fastmath=True)
def reconstruct(tables: Any, codes: Any, point: Any, numbers: Any) -> None:
    """Writes the numbers of a frame that codes (stages,) stand for; `point` is workspace."""
    axes, count = tables.components.shape
    if tables.shares.shape[0]:
        copy(tables.mean, numbers)
        for stage in range(codes.shape[0]):
            share = tables.shares[stage, codes[stage]]
            for m in range(count):
                numbers[m] += share[m]
        return
    point[:] = 0.0
    for stage in range(codes.shape[0]):
        for k in range(axes):
            point[k] += tables.codebooks[stage, codes[stage], k]
    numbers[:] = 0.0
    for k in range(axes):
        value = point[k]
        for m in range(count):
            numbers[m] += value * tables.components[k, m]
    for m in range(count):
        numbers[m] = tables.mean[m] + numbers[m] / tables.weights[m]


@inlined
def mono_frame(state: Any, edges: Any, floor: float) -> None:
    """Fills the numbers of the frame in the analysis' history: log-magnitudes, then levels if there is room."""
    bins = state.analysis.re.shape[0]
    log_magnitudes(state.analysis, floor, state.numbers[:bins])
    if state.numbers.shape[0] > bins:
        band_levels(edges, state.numbers[:bins], floor, state.numbers[bins:])


@inlined
def stereo_frame(state: Any, edges: Any, floor: float) -> None:
    """Fills the numbers of the frame in both histories: log-magnitudes of the middle, levels, leans, widths."""
    bins = state.middle.re.shape[0]
    stereo = bins + edges.shape[0] - 1
    log_magnitudes(state.middle, floor, state.numbers[:bins])
    band_levels(edges, state.numbers[:bins], floor, state.numbers[bins:stereo])
    transform(state.side)
    stereo_numbers(edges, state.middle, state.side, floor, state.numbers[stereo:])


@kernel
def encode_mono(tables: Any, edges: Any, state: Any, samples: Any, hop: int, floor: float, codes: Any) -> None:
    """Writes the codes (frames, stages) that samples (n,) complete."""
    read = 0
    frame = 0
    while read < samples.shape[0]:
        read += take_in(state.analysis, samples[read:], hop)
        if state.analysis.waiting[0] == hop:
            mono_frame(state, edges, floor)
            _quantise(tables, state.numbers, state.point, codes[frame])
            frame += 1


@kernel
def encode_stereo(
    tables: Any, edges: Any, state: Any, middle: Any, side: Any, hop: int, floor: float, codes: Any
) -> None:
    """Writes the codes (frames, stages) that middle and side, (n,) each, complete."""
    read = 0
    frame = 0
    while read < middle.shape[0]:
        take_in(state.side, side[read:], hop)
        read += take_in(state.middle, middle[read:], hop)
        if state.middle.waiting[0] == hop:
            stereo_frame(state, edges, floor)
            _quantise(tables, state.numbers, state.point, codes[frame])
            frame += 1


@kernel
def decode_mono(tables: Any, bands: Any, state: Any, codes: Any, hop: int, floor: float, out: Any) -> None:  # noqa: ARG001
    """Writes the sound of codes (frames, stages) without levels to `out`, float32 (frames hop,)."""
    for frame in range(codes.shape[0]):
        reconstruct(tables, codes[frame], state.point, state.numbers)
        put_out(state.synthesis, state.numbers, hop, floor, PHASE_TOLERANCE, out[frame * hop : (frame + 1) * hop])


@kernel
def decode_refined(tables: Any, bands: Any, state: Any, codes: Any, hop: int, floor: float, out: Any) -> None:
    """Writes the sound of codes (frames, stages) to `out`, float32 (frames hop,), one frame late."""
    bins = state.synthesis.re.shape[0]
    logs = state.numbers[:bins]
    for frame in range(codes.shape[0]):
        reconstruct(tables, codes[frame], state.point, state.numbers)
        bring_to_levels(bands, state.numbers[bins:], floor, logs, state.corrections)
        part = out[frame * hop : (frame + 1) * hop]
        put_out_refined(state.synthesis, logs, hop, floor, REFINED_TOLERANCE, part)


@kernel
def decode_stereo(tables: Any, bands: Any, state: Any, codes: Any, hop: int, floor: float, out: Any) -> None:
    """Writes the sound of codes (frames, stages) to `out`, float32 (frames hop, 2), one frame late."""
    middle, side = state.middle, state.side
    bins = middle.re.shape[0]
    stereo = bins + state.corrections.shape[0]
    logs = state.numbers[:bins]
    for frame in range(codes.shape[0]):
        reconstruct(tables, codes[frame], state.point, state.numbers)
        bring_to_levels(bands, state.numbers[bins:stereo], floor, logs, state.corrections)
        put_out_refined(middle, logs, hop, floor, REFINED_TOLERANCE, side.heard[0])
        side_spectrum(bands, state.held, middle.re, middle.im, side)
        copy(state.numbers[stereo:], state.held)
        put_out_side(side, hop, side.heard[1])
        for n in range(hop):
            out[frame * hop + n, 0] = side.heard[0, n] + side.heard[1, n]
            out[frame * hop + n, 1] = side.heard[0, n] - side.heard[1, n]
