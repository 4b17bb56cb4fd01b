"""Codec `tokens`: spectral frames as a few codes each, in a vocabulary fitted to the corpus.

    samples -> log-magnitudes, and the levels of bands -> weighted by how well the ear resolves each -> PCA
            -> residual vector quantisation: each stage codes what the stages before left over

and back, with the phases by `noizenet.codecs.phase`. Of two channels, the log-magnitudes are those of the middle, and
the numbers of `noizenet.codecs.stereo` stand beside them in the vector that is coded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from noizenet.codecs import Array, spectral_frames, whole_number
from noizenet.codecs.bands import Bands, new_bands
from noizenet.codecs.refinement import refined_state
from noizenet.codecs.stereo import side_state
from noizenet.codecs.stft import analysis_state, synthesis_state
from noizenet.codecs.token_kernels import (
    DecoderState,
    EncoderState,
    RefinedDecoderState,
    StereoDecoderState,
    StereoEncoderState,
    Tables,
    decode_mono,
    decode_refined,
    decode_stereo,
    encode_mono,
    encode_stereo,
)
from noizenet.errors import CheckpointError

MOST_SHARES = 1 << 23  # numbers, 32 MB: what each code adds to a frame is computed once, if it is no more than that
# of a band's level, lean, width, beside a neper in each of its bins; measured in docs/experiments.md
BAND_WEIGHTS = 1.5, 1.5, 0.35
EARLIER_BAND_WEIGHTS = 1.0, 1.0, 0.5  # of checkpoints that don't say
MOST_BAND_WEIGHT = 1000.0


def ear_weights(sample_rate: int, window: int) -> Array:
    """Returns a weight for each bin, float32 (bins,), with a mean square of 1.

    The square is the bin's share of the mel scale, so that the codes are spent where the ear tells bins apart.
    Source: mel(f) = 2595 log10(1 + f / 700), O'Shaughnessy 1987; its derivative is proportional to 1 / (700 + f).
    """
    frequency = np.fft.rfftfreq(window, 1.0 / sample_rate)
    weights = np.sqrt(1.0 / (700.0 + frequency))
    return np.asarray(weights / np.sqrt(np.mean(weights**2)), np.float32)


def number_weights(
    sample_rate: int,
    window: int,
    channels: int,
    levels: bool = True,
    band_weights: tuple[float, ...] = BAND_WEIGHTS,
) -> Array:
    """Returns a weight for each number of a frame, float32: of the bins; the levels; and of two channels leans, widths.

    Without its `band_weights`, the number of a band would count as all its bins do together.
    """
    ear = ear_weights(sample_rate, window)
    edges = new_bands(sample_rate, window).edges
    together = np.sqrt(np.add.reduceat(np.square(ear), edges[:-1]))
    level, lean, width = band_weights
    factors = [level] * levels + [lean, width] * (channels - 1)
    return np.concatenate([ear, *(factor * together for factor in factors)]).astype(np.float32)


def encoder_state(window: int, channels: int, axes: int, numbers: int) -> EncoderState | StereoEncoderState:
    """Returns the state of an encoder that has heard silence."""
    workspace = np.zeros(numbers, np.float32), np.zeros(axes, np.float32)
    if channels > 1:
        return StereoEncoderState(analysis_state(window), analysis_state(window), *workspace)
    return EncoderState(analysis_state(window), *workspace)


def middle_and_side(sound: Array) -> tuple[Array, Array]:
    """Returns half the sum and half the difference of two channels (n, 2), float32 (n,) each."""
    left, right = sound[:, 0], sound[:, 1]
    half = np.float32(0.5)
    return np.ascontiguousarray(half * (left + right), np.float32), np.ascontiguousarray(
        half * (left - right), np.float32
    )


@dataclass(frozen=True)
class TokensCodec:
    """Spectral frames as `stages` codes each.

    Attributes:
        sample_rate: frames per second.
        window: length of the Hann window, samples, a power of two.
        hop: samples between frames.
        floor: added to magnitudes before the logarithm, linear.
        mean: mean of each number of a frame, (numbers,): the bins' log-magnitudes; of the bands the levels; of two
            channels the leans and widths.
        components: principal axes of the weighted numbers, orthonormal rows, (axes, numbers).
        codebooks: (stages, classes, axes).
        channels: 1 or 2.
        levels: whether the levels of bands are coded as well, and phases refined, one frame late; with two channels
            they are. Older checkpoints have neither.
        band_weights: how much a band's level, lean and width count in the vector that is coded; see `number_weights`.
    """

    sample_rate: int
    window: int
    hop: int
    floor: float
    mean: Array
    components: Array
    codebooks: Array
    channels: int = 1
    levels: bool = False
    band_weights: tuple[float, ...] = BAND_WEIGHTS

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
        return self.window if self.levels else self.window - self.hop

    @cached_property
    def tables(self) -> Tables:
        """The arrays as the kernels take them."""
        weights = number_weights(self.sample_rate, self.window, self.channels, self.levels, self.band_weights)
        shares = np.zeros((0, 0, 0), np.float32)
        if self.levels and self.width * self.classes * len(weights) <= MOST_SHARES:
            shares = ((self.codebooks @ self.components) / weights).astype(np.float32)
        return Tables(self.mean, weights, self.components, self.codebooks, shares)

    @cached_property
    def bands(self) -> Bands:
        """The bands of the ear."""
        return new_bands(self.sample_rate, self.window)

    def new_encoder_state(self) -> EncoderState | StereoEncoderState:
        return encoder_state(self.window, self.channels, *self.components.shape)

    def encode(self, state: EncoderState | StereoEncoderState, samples: Array) -> Array:
        """Returns the codes of the frames that `samples` complete, int32 (n, stages)."""
        analysis = state.middle if isinstance(state, StereoEncoderState) else state.analysis
        frames = (int(analysis.waiting[0]) % self.hop + len(samples)) // self.hop
        codes = np.zeros((frames, self.width), np.int32)
        if self.channels > 1:
            middle, side = middle_and_side(samples)
            encode_stereo(self.tables, self.bands.edges, state, middle, side, self.hop, self.floor, codes)
        else:
            samples = np.ascontiguousarray(samples, np.float32)
            encode_mono(self.tables, self.bands.edges, state, samples, self.hop, self.floor, codes)
        return codes

    def new_decoder_state(self, seed: int = 0) -> DecoderState | RefinedDecoderState | StereoDecoderState:
        axes, count = self.components.shape
        bands = len(self.bands.edges) - 1
        numbers, point, corrections = (np.zeros(size, np.float32) for size in (count, axes, bands))
        if not self.levels:
            return DecoderState(synthesis_state(self.window, seed), numbers, point)
        synthesis = refined_state(self.window, self.hop, seed)
        if self.channels == 1:
            return RefinedDecoderState(synthesis, numbers, point, corrections)
        side, held = side_state(self.window, self.hop, bands), np.zeros(2 * bands, np.float32)
        return StereoDecoderState(synthesis, side, held, numbers, point, corrections)

    def decode(self, state: DecoderState | RefinedDecoderState | StereoDecoderState, steps: Array, out: Array) -> None:
        kernel = decode_stereo if self.channels > 1 else decode_refined if self.levels else decode_mono
        kernel(self.tables, self.bands, state, steps, self.hop, self.floor, out)

    def arrays(self) -> dict[str, Array]:
        return {"mean": self.mean, "components": self.components, "codebooks": self.codebooks}

    def options(self) -> dict[str, Any]:
        plain = {"sample_rate": self.sample_rate, "window": self.window, "hop": self.hop, "floor": self.floor}
        if not self.levels:
            return plain
        return plain | {"channels": self.channels, "levels": True, "band_weights": list(self.band_weights)}

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        rate = whole_number(options, "sample_rate", 1000, 384_000)
        window, hop, floor = spectral_frames(options, longest=1 << 16)
        channels = whole_number({"channels": 1, **options}, "channels", 1, 2)
        levels = options.get("levels", False)
        if type(levels) is not bool or (channels > 1 and not levels):
            raise CheckpointError(f"its codec's levels is {levels!r} with {channels} channels, not true or left out")
        band_weights = options.get("band_weights", EARLIER_BAND_WEIGHTS)
        if not _are_band_weights(band_weights):
            raise CheckpointError(
                f"its codec's band_weights are {band_weights!r}, not three numbers above 0 and at most "
                f"{MOST_BAND_WEIGHT:g}"
            )
        if set(arrays) != {"mean", "components", "codebooks"}:
            raise CheckpointError(f"its codec tokens has the arrays {sorted(arrays)}")
        mean, components, codebooks = arrays["mean"], arrays["components"], arrays["codebooks"]
        count = len(number_weights(rate, window, channels, levels))
        if (
            mean.shape != (count,)
            or components.ndim != 2
            or components.shape[1] != count
            or codebooks.ndim != 3
            or codebooks.shape[2] != components.shape[0]
            or codebooks.size == 0
        ):
            raise CheckpointError("its codec's arrays don't fit together")
        return cls(rate, window, hop, floor, mean, components, codebooks, channels, levels, tuple(band_weights))


def _are_band_weights(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == len(BAND_WEIGHTS)
        and all(type(weight) in (int, float) and 0 < weight <= MOST_BAND_WEIGHT for weight in value)
    )
