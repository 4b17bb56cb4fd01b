"""Fitting the codec `tokens` to the training part of a corpus: principal axes, and the classes of each stage."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

from noizenet.codecs.bands import new_bands
from noizenet.codecs.stft import window_length
from noizenet.codecs.token_kernels import StereoEncoderState, mono_frame, stereo_frame
from noizenet.codecs.tokens import TokensCodec, encoder_state, middle_and_side, number_weights
from noizenet.errors import SoundFileError
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.shelf import let_go

Array = NDArray[Any]

LARGEST_SAMPLE = 20_000  # spectral frames that a fit looks at: 160 MB at 2,049 bins, eight minutes at 44,100 Hz
FRAMES_PER_CLASS = 4  # fewer, and a class would stand for single frames
LEAST_CLASSES = 2
FRAMES_HELD = 1000  # that are read before their sound is let go
MOST_PASSES = 50  # of a k-means


def fit_tokens(recipe: Recipe, stretches: Sequence[Array], sample_rate: int, seed: int) -> TokensCodec:
    """Returns the vocabulary of spectral frames: principal axes, then one k-means for each stage.

    Each stage's k-means is fitted to what the stages before it left over. Equal seeds give equal
    vocabularies.

    Args:
        stretches: float32 (samples,) each, or (samples, 2).

    Raises:
        SoundFileError: there is too little sound to fit it to.
    """
    rng = np.random.default_rng(seed)
    window = window_length(recipe.window_s, sample_rate)
    hop = window // recipe.overlap
    channels = stretches[0].shape[1] if stretches[0].ndim > 1 else 1
    weights = number_weights(sample_rate, window, channels)
    numbers = _sampled_numbers(stretches, sample_rate, window, hop, recipe.floor, rng)
    classes = min(recipe.classes, len(numbers) // FRAMES_PER_CLASS)
    if classes < LEAST_CLASSES:
        needed = FRAMES_PER_CLASS * LEAST_CLASSES * hop / sample_rate
        raise SoundFileError(f"the corpus is too short for the codec tokens, which needs at least {needed:.1f} s")
    mean = numbers.mean(axis=0)
    weighted = (numbers - mean) * weights
    del numbers
    axes = min(recipe.axes, len(weighted) - 1, weighted.shape[1])
    with np.errstate(invalid="ignore"):  # of a corpus without any variance, the shares of variance are 0 / 0
        principal = PCA(axes, svd_solver="randomized", random_state=seed).fit(weighted)
    components = np.ascontiguousarray(principal.components_, np.float32)
    rest = weighted @ components.T
    codebooks = np.zeros((recipe.stages, classes, axes), np.float32)
    for stage in range(recipe.stages):
        codebooks[stage] = _codebook(rest, classes, seed + stage, rng)
        rest -= codebooks[stage][_nearest(codebooks[stage], rest)]
    return TokensCodec(sample_rate, window, hop, recipe.floor, mean, components, codebooks, channels, levels=True)


def _sampled_numbers(
    stretches: Sequence[Array], sample_rate: int, window: int, hop: int, floor: float, rng: np.random.Generator
) -> Array:
    """Returns the numbers (frames, n) of all full frames, or of a random choice of `LARGEST_SAMPLE`."""
    skipped = window // hop - 1  # the frames that still hold the silence before the stretch
    counts = [max(0, len(stretch) // hop - skipped) for stretch in stretches]
    total = sum(counts)
    chosen = np.sort(rng.choice(total, LARGEST_SAMPLE, replace=False)) if total > LARGEST_SAMPLE else np.arange(total)
    edges = new_bands(sample_rate, window).edges
    channels = stretches[0].shape[1] if stretches[0].ndim > 1 else 1
    state = encoder_state(window, channels, 0, len(number_weights(sample_rate, window, channels)))
    numbers = np.zeros((len(chosen), len(state.numbers)), np.float32)
    row = first = 0
    for stretch, count in zip(stretches, counts, strict=True):
        for frame in chosen[(chosen >= first) & (chosen < first + count)] - first:
            heard = stretch[frame * hop : frame * hop + window]
            if isinstance(state, StereoEncoderState):
                state.middle.history[:], state.side.history[:] = middle_and_side(heard)
                stereo_frame(state, edges, floor)
            else:
                state.analysis.history[:] = heard
                mono_frame(state, edges, floor)
            numbers[row] = state.numbers
            row += 1
            if row % FRAMES_HELD == 0:
                let_go(stretch)
        let_go(stretch)
        first += count
    return numbers


def _codebook(points: Array, classes: int, seed: int, rng: np.random.Generator) -> Array:
    """Returns class centres (classes, axes); those nearest to no point are moved to badly served ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of fewer distinct points than classes; see below
        fitted = KMeans(classes, n_init=1, max_iter=MOST_PASSES, random_state=seed).fit(points)
    centres = np.asarray(fitted.cluster_centers_, np.float32)
    nearest = _nearest(centres, points)
    dead = np.flatnonzero(np.bincount(nearest, minlength=classes) == 0)
    if len(dead):
        error = np.square(points - centres[nearest]).sum(axis=1)
        served_worst = np.argsort(error, kind="stable")[::-1][: len(dead)]
        centres[dead] = points[served_worst] + 1e-6 * rng.standard_normal((len(dead), points.shape[1]))
    return centres


def _nearest(centres: Array, points: Array) -> Array:
    """Returns the index of the centre nearest to each point."""
    distances = np.square(centres).sum(axis=1) - 2.0 * points @ centres.T
    return np.asarray(distances.argmin(axis=1))
