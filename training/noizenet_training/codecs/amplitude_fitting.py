"""Fitting the codec `amplitude` to the training part of a corpus: its scaler, and what else it hears."""

from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from noizenet.codecs.amplitude import AmplitudeCodec, raw_steps
from noizenet.codecs.listening import WIDTHS, Listening
from noizenet.codecs.stft import window_length
from noizenet_training.codecs.scaler_fitting import fit_scaler
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.shelf import in_pieces

Array = NDArray[Any]

STEPS_AT_ONCE = 1 << 16  # bounds the memory of fitting a scaler: 4 MB of 15 numbers each
LISTENING_S = 0.093  # 2,048 samples at 22,050 Hz, librosa's window for music


def fit_amplitude(recipe: Recipe, stretches: Sequence[Array], sample_rate: int) -> AmplitudeCodec:
    """Returns the codec whose scaler knows every step of the stretches."""
    listening = new_listening(recipe.features, sample_rate)

    def steps() -> Iterator[Array]:
        for stretch in stretches:
            state = listening.new_state() if listening else ()
            for piece in in_pieces(stretch, STEPS_AT_ONCE):
                yield raw_steps(listening, state, piece)

    return AmplitudeCodec(sample_rate, fit_scaler(recipe.scaler, steps()), listening)


def new_listening(features: str, sample_rate: int) -> Listening | None:
    """Returns what hears the features of a recipe, with librosa's filters; None for `none`."""
    if features == "none":
        return None
    import librosa

    window = window_length(LISTENING_S, sample_rate)
    names = tuple(WIDTHS) if features == "all" else (features,)
    filters = {}
    if "onset" in names:
        filters["onset"] = librosa.filters.mel(sr=sample_rate, n_fft=window)
    if "chroma" in names:
        filters["chroma"] = librosa.filters.chroma(sr=sample_rate, n_fft=window)
    return Listening(names, window, window // 4, filters)
