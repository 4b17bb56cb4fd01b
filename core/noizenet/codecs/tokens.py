"""Codec `tokens`: spectral frames as a few codes each, in a vocabulary fitted to the corpus.

    samples -> log-magnitudes -> weighted by how well the ear resolves each bin -> PCA
            -> residual vector quantisation: each stage codes what the stages before left over

and back, with the phases by `noizenet.codecs.phase`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numba import njit

from noizenet.codecs import Array, whole_number
from noizenet.codecs.stft import (
    AnalysisState,
    SynthesisState,
    analysis_state,
    log_magnitudes,
    put_out,
    synthesis_state,
    take_in,
)
from noizenet.errors import CheckpointError

PHASE_TOLERANCE = 1e-4  # measured: the spectral convergence of 1e-6 at 1.4 times its speed


def ear_weights(sample_rate: int, window: int) -> Array:
    """Returns a weight for each bin, float32 (bins,), with a mean square of 1.

    The square is the bin's share of the mel scale, so that the codes are spent where the ear tells bins apart.
    Source: mel(f) = 2595 log10(1 + f / 700), O'Shaughnessy 1987; its derivative is proportional to 1 / (700 + f).
    """
    frequency = np.fft.rfftfreq(window, 1.0 / sample_rate)
    weights = np.sqrt(1.0 / (700.0 + frequency))
    return np.asarray(weights / np.sqrt(np.mean(weights**2)), np.float32)


class Tables(NamedTuple):
    """What the kernels read: see `TokensCodec`."""

    mean: Array
    weights: Array
    components: Array
    codebooks: Array


class EncoderState(NamedTuple):
    """Analysis, and workspace for one frame."""

    analysis: AnalysisState
    logs: Array
    point: Array


class DecoderState(NamedTuple):
    """Synthesis, and workspace for one frame."""

    synthesis: SynthesisState
    logs: Array
    point: Array


@dataclass(frozen=True)
class TokensCodec:
    """Spectral frames as `stages` codes each.

    Attributes:
        sample_rate: frames per second.
        window: length of the Hann window, samples, a power of two.
        hop: samples between frames.
        floor: added to magnitudes before the logarithm, linear.
        mean: mean log-magnitude, (bins,).
        components: principal axes of the weighted log-magnitudes, orthonormal rows, (axes, bins).
        codebooks: (stages, classes, axes).
    """

    sample_rate: int
    window: int
    hop: int
    floor: float
    mean: Array
    components: Array
    codebooks: Array

    name: ClassVar[str] = "tokens"
    group: ClassVar[int] = 1

    @property
    def width(self) -> int:
        return int(self.codebooks.shape[0])

    @property
    def classes(self) -> int:
        return int(self.codebooks.shape[1])

    @property
    def delay(self) -> int:
        return self.window - self.hop

    @cached_property
    def tables(self) -> Tables:
        """The arrays as the kernels take them."""
        weights = ear_weights(self.sample_rate, self.window)
        return Tables(self.mean, weights, self.components, self.codebooks)

    def new_encoder_state(self) -> EncoderState:
        bins, axes = self.mean.shape[0], self.components.shape[0]
        return EncoderState(analysis_state(self.window), np.zeros(bins, np.float32), np.zeros(axes, np.float32))

    def encode(self, state: EncoderState, samples: Array) -> Array:
        """Returns the codes of the frames that `samples` complete, int32 (n, stages)."""
        samples = np.ascontiguousarray(samples, np.float32)
        frames = (int(state.analysis.waiting[0]) % self.hop + len(samples)) // self.hop
        codes = np.zeros((frames, self.width), np.int32)
        _encode(self.tables, state, samples, self.hop, self.floor, codes)
        return codes

    def new_decoder_state(self, seed: int = 0) -> DecoderState:
        bins, axes = self.mean.shape[0], self.components.shape[0]
        return DecoderState(synthesis_state(self.window, seed), np.zeros(bins, np.float32), np.zeros(axes, np.float32))

    def decode(self, state: DecoderState, steps: Array, out: Array) -> None:
        _decode(self.tables, state, steps, self.hop, self.floor, out)

    def arrays(self) -> dict[str, Array]:
        return {"mean": self.mean, "components": self.components, "codebooks": self.codebooks}

    def options(self) -> dict[str, Any]:
        return {"sample_rate": self.sample_rate, "window": self.window, "hop": self.hop, "floor": self.floor}

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        rate = whole_number(options, "sample_rate", 1000, 384_000)
        window = whole_number(options, "window", 64, 1 << 16)
        hop = whole_number(options, "hop", 1, 1 << 16)
        floor = options.get("floor")
        if window & (window - 1) or window % hop or window < 4 * hop:  # fewer overlaps, and the level would ripple
            raise CheckpointError(
                f"its codec's window {window} is no power of two, or not a multiple of 4 or more of its hop {hop}"
            )
        if not isinstance(floor, float) or not 0 < floor < 1:
            raise CheckpointError(f"its codec's floor is {floor!r}, not a number between 0 and 1")
        if set(arrays) != {"mean", "components", "codebooks"}:
            raise CheckpointError(f"its codec tokens has the arrays {sorted(arrays)}")
        mean, components, codebooks = arrays["mean"], arrays["components"], arrays["codebooks"]
        bins = window // 2 + 1
        if (
            mean.shape != (bins,)
            or components.ndim != 2
            or components.shape[1] != bins
            or codebooks.ndim != 3
            or codebooks.shape[2] != components.shape[0]
            or codebooks.size == 0
        ):
            raise CheckpointError("its codec's arrays don't fit together")
        return cls(rate, window, hop, floor, mean, components, codebooks)


@njit(cache=True, nogil=True, fastmath=True, boundscheck=False)
def _quantise(tables: Any, logs: Any, point: Any, codes: Any) -> None:
    """Writes the codes (stages,) of one frame of log-magnitudes; `point` is workspace."""
    axes, bins = tables.components.shape
    for k in range(axes):
        total = np.float32(0.0)
        for m in range(bins):
            total += tables.components[k, m] * (tables.weights[m] * (logs[m] - tables.mean[m]))
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


@njit(cache=True, nogil=True, fastmath=True, boundscheck=False)
def reconstruct(tables: Any, codes: Any, point: Any, logs: Any) -> None:
    """Writes the log-magnitudes (bins,) that codes (stages,) stand for; `point` is workspace."""
    axes, bins = tables.components.shape
    point[:] = 0.0
    for stage in range(codes.shape[0]):
        for k in range(axes):
            point[k] += tables.codebooks[stage, codes[stage], k]
    logs[:] = 0.0
    for k in range(axes):
        value = point[k]
        for m in range(bins):
            logs[m] += value * tables.components[k, m]
    for m in range(bins):
        logs[m] = tables.mean[m] + logs[m] / tables.weights[m]


@njit(cache=True, nogil=True, boundscheck=False)
def _encode(tables: Any, state: Any, samples: Any, hop: int, floor: float, codes: Any) -> None:
    read = 0
    frame = 0
    while read < samples.shape[0]:
        read += take_in(state.analysis, samples[read:], hop)
        if state.analysis.waiting[0] == hop:
            log_magnitudes(state.analysis, floor, state.logs)
            _quantise(tables, state.logs, state.point, codes[frame])
            frame += 1


@njit(cache=True, nogil=True, boundscheck=False)
def _decode(tables: Any, state: Any, codes: Any, hop: int, floor: float, out: Any) -> None:
    for frame in range(codes.shape[0]):
        reconstruct(tables, codes[frame], state.point, state.logs)
        put_out(state.synthesis, state.logs, hop, floor, PHASE_TOLERANCE, out[frame * hop : (frame + 1) * hop])
