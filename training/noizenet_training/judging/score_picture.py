"""The picture of `noizenet evaluate`: the bands of sound and corpus, what is recited, and how both live."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noizenet_training.judging.bands import LOWEST_DB
from noizenet_training.judging.comparison import Comparison
from noizenet_training.judging.liveliness import FIGURES
from noizenet_training.judging.recital import LONG_S
from noizenet_training.judging.reference import Score
from noizenet_training.pictures.pictures import save_figure

MEANINGS = ("loudness, dBFS", "onsets a second", "spectral centroid, Hz", "flux, dB")
MOST_COLUMNS = 2000  # of a spectrogram
BINS = 30


def draw(found: Comparison, path: Path) -> None:
    """Writes the picture.

    Raises:
        InputFileError: its kind is unknown, or it can't be written.
    """
    subject, slicer, _, corpus = found.scores
    figure = Figure(figsize=(14, 9), layout="constrained")
    rows = figure.add_gridspec(4, len(FIGURES), height_ratios=(3, 0.8, 3, 3))
    heard, runs, own = (figure.add_subplot(rows[row, :]) for row in range(3))
    _draw_bands(heard, subject, found.frame_rate)
    _draw_bands(own, corpus, found.frame_rate)
    _draw_runs(runs, subject, found.frame_rate)
    runs.sharex(heard)
    for column, (name, meaning) in enumerate(zip(FIGURES, MEANINGS, strict=True)):
        axes = figure.add_subplot(rows[3, column])
        _draw_distribution(axes, name, [subject, slicer, corpus])
        axes.set_xlabel(meaning)
        axes.set_yticks([])
        if not column:
            axes.legend(fontsize="small")
    save_figure(figure, path)


def _draw_bands(axes: Axes, score: Score, frame_rate: float) -> None:
    """Draws levels over time, the lowest band at the bottom."""
    stride = max(1, len(score.levels) // MOST_COLUMNS)
    axes.imshow(
        score.levels[::stride].T,
        origin="lower",
        aspect="auto",
        vmin=LOWEST_DB,
        vmax=0.0,
        cmap="magma",
        extent=(0.0, max(len(score.levels), 1) / frame_rate, 0.0, score.levels.shape[1]),
    )
    axes.set_ylabel("mel band")
    axes.set_title(f"{score.name}: levels of the bands, {LOWEST_DB:g} to 0 dB", loc="left", fontsize="medium")


def _draw_runs(axes: Axes, score: Score, frame_rate: float) -> None:
    """Draws how long the run of recital is that each moment lies in."""
    following = score.recital.following_s
    axes.fill_between(np.arange(len(following)) / frame_rate, following, step="post", linewidth=0)
    axes.axhline(LONG_S, color="tab:red", linestyle="--", linewidth=1)
    axes.set_ylim(0.0, max(1.5 * LONG_S, float(following.max(initial=0.0))))
    axes.set_ylabel("follows\nfor, s")
    axes.set_xlabel("seconds")


def _draw_distribution(axes: Axes, name: str, scores: list[Score]) -> None:
    """Draws the distributions of a figure over one another."""
    values = {score.name: getattr(score.lives, name) for score in scores if score.lives is not None}
    together = np.concatenate(list(values.values()))
    if not len(together):
        return
    low, high = (float(value) for value in np.percentile(together, (1, 99)))
    edges = np.linspace(low, max(high, low + 1e-3), BINS + 1)
    for label, each in values.items():
        if len(each):
            counts, _ = np.histogram(np.clip(each, edges[0], edges[-1]), edges)
            axes.stairs(counts / len(each), edges, label=label)
