"""Fitting the codecs of the frequency domain, `fft` and `spectrum`, to the training part of a corpus.

All of it is looked at, a few seconds at a time, so that memory stays modest.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.codecs.fft import LOUDEST, FftCodec, encoder_state, spectral_numbers
from noizenet.codecs.spectrum import SpectrumCodec, clip_numbers
from noizenet.codecs.stft import window_length
from noizenet.errors import ConfigurationError, SoundFileError
from noizenet_training.codecs.scaler_fitting import fit_scaler
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.shelf import in_pieces

Array = NDArray[Any]

BLOCK_FRAMES = 256  # spectral frames looked at together: three seconds, 1 MB
HEADROOM = 0.7  # nepers, 6 dB: how much louder than ever in the corpus a bin may become
LONGEST_WINDOW = 1 << 15  # a step has up to window + 2 numbers


def fit_fft(recipe: Recipe, stretches: Sequence[Array], sample_rate: int) -> FftCodec:
    """Returns the codec of spectral frames as numbers: their scales, and how loud each bin may become.

    In the view `complex`, all bins may become as loud as the loudest one. In the others, where a network's small error
    is a factor in loudness, each may become as loud as it was in the corpus, and 6 dB.

    Raises:
        ConfigurationError: the window is too long at this rate.
        SoundFileError: there is too little sound to fit it to.
    """
    window = window_length(recipe.window_s, sample_rate)
    if window > LONGEST_WINDOW:
        raise ConfigurationError(
            f"window_s={recipe.window_s:g} makes a window of {window:,} samples at {sample_rate:,} Hz, more than the "
            f"{LONGEST_WINDOW:,} of the codec fft: choose {LONGEST_WINDOW / sample_rate:.2f} or less"
        )
    hop = window // recipe.overlap
    if max(map(len, stretches)) < window + hop:
        raise SoundFileError(
            f"the corpus is too short for the codec fft, which needs {(window + hop) / sample_rate:.2f} s in one piece"
        )
    bins = window // 2 + 1
    loudest = np.full(bins, -np.inf, np.float32)
    for logs in _frames(stretches, window, hop, recipe.floor, "magnitude"):
        np.maximum(loudest, logs.max(axis=0, initial=-np.inf), out=loudest)
    if recipe.view == "complex":
        loudest[:] = loudest.max()
    ceiling = np.minimum(loudest + np.float32(HEADROOM), np.float32(LOUDEST))
    scaler = fit_scaler(recipe.scaler, _frames(stretches, window, hop, recipe.floor, recipe.view))
    return FftCodec(sample_rate, window, hop, recipe.view, recipe.floor, scaler, ceiling)


def _frames(stretches: Sequence[Array], window: int, hop: int, floor: float, view: str) -> Iterator[Array]:
    """Yields the numbers of all frames that lie within a stretch, before scaling, in blocks (n, width)."""
    for stretch in stretches:
        state = encoder_state(window)
        unwanted = window // hop - 1  # the frames that still hold the silence before the stretch
        for piece in in_pieces(stretch, BLOCK_FRAMES * hop):
            numbers = spectral_numbers(state, piece, hop, floor, view)
            yield numbers[unwanted:]
            unwanted = 0


def fit_spectrum(recipe: Recipe, stretches: Sequence[Array], sample_rate: int) -> SpectrumCodec:
    """Returns the codec of whole clips along frequency, all numbers scaled alike.

    The clip is the power of two nearest to the recipe's `clip_s`: 16,384 samples for one second at 22,050 Hz.

    Raises:
        SoundFileError: no stretch is as long as a clip.
    """
    clip = window_length(recipe.clip_s, sample_rate)
    if max(map(len, stretches)) < clip:
        raise SoundFileError(
            f"the corpus is too short for the codec spectrum, which needs {clip / sample_rate:.2f} s in one piece; "
            "give it more, or shorter clips with --set clip_s"
        )
    clips = (piece for stretch in stretches for piece in in_pieces(stretch, clip) if len(piece) == clip)
    return SpectrumCodec(sample_rate, clip, fit_scaler(recipe.scaler, map(clip_numbers, clips)))
