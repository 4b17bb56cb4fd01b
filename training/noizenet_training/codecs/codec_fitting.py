"""Fitting a codec to the training part of a corpus."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from noizenet.codecs import Codec
from noizenet.codecs.mulaw import EmphasisState, MulawCodec, emphasise
from noizenet_training.codecs.amplitude_fitting import fit_amplitude
from noizenet_training.codecs.spectral_fitting import fit_fft, fit_spectrum
from noizenet_training.codecs.token_fitting import fit_tokens
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.shelf import in_pieces

Array = NDArray[Any]


def fit_codec(recipe: Recipe, stretches: Sequence[Array], sample_rate: int, seed: int) -> Codec:
    """Returns the recipe's codec, fitted to stretches of sound, float32 (samples,) each; of `tokens`, or (samples, 2).

    Raises:
        ConfigurationError: the recipe's window is too long at this rate.
        SoundFileError: there is too little sound to fit it to.
    """
    match recipe.codec:
        case "mulaw":
            return fit_mulaw(recipe.pre_emphasis, stretches, sample_rate)
        case "amplitude":
            return fit_amplitude(recipe, stretches, sample_rate)
        case "fft":
            return fit_fft(recipe, stretches, sample_rate)
        case "spectrum":
            return fit_spectrum(recipe, stretches, sample_rate)
    # on one thread: with more, sums are added up in an order that changes from run to run
    with threadpool_limits(1):
        return fit_tokens(recipe, stretches, sample_rate, seed)


def fit_mulaw(pre_emphasis: float, stretches: Sequence[Array], sample_rate: int) -> MulawCodec:
    """Returns the codec whose codes span the peak of the stretches, after pre-emphasis."""
    highest = 0.0
    for stretch in stretches:
        state = EmphasisState(np.zeros(1))
        for piece in in_pieces(stretch):
            highest = max(highest, float(np.abs(emphasise(state, piece, pre_emphasis)).max()))
    return MulawCodec(sample_rate, highest, pre_emphasis)
