"""Pictures of trainings: their losses over updates, passes and songs, as the checkpoint's header tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.errors import InputFileError, UsageError
from noizenet_training.pictures.pictures import save_figure

Array = NDArray[Any]

DECADES = 30.0  # from the least to the greatest loss: with more, the axis is logarithmic
MOST_MARKS = 60  # of new songs: with more, they would be a grey field
MOST_SONGS = 6  # that have a line each
MOST_TRAININGS = 6  # side by side


@dataclass(frozen=True)
class LossHistory:
    """What a checkpoint's header tells of its training.

    Attributes:
        title: the checkpoint's name, the recipe, and the number of updates.
        rounds: updates so far, loss and held-out loss of each round, (rounds, 3).
        single: number and loss of single updates, (n, 2), thinned; n may be 0.
        songs: for each of them the song that was read, None if several were.
        played: updates, and the playing's distance from the corpus, after rounds when the network played, (m, 2).
        kept: updates and held-out loss of the weights that were kept, if they are known.
        passes: over the corpus, of all updates; 0 = not known.
    """

    title: str
    rounds: Array
    single: Array
    songs: list[int | None]
    played: Array
    kept: tuple[float, float] | None
    passes: float = 0.0

    @property
    def losses(self) -> Array:
        """All losses, of whatever kind."""
        return np.concatenate([self.rounds[:, 1], self.rounds[:, 2], self.single[:, 1]])


def plot_checkpoints(paths: Sequence[Path], path: Path) -> None:
    """Writes a picture of the losses of checkpoints, side by side and to the same scale.

    Raises:
        CheckpointError: one is refused.
        InputFileError: one records no losses, or the picture can't be written.
        UsageError: there are too many to be seen.
    """
    if len(paths) > MOST_TRAININGS:
        raise UsageError(f"{len(paths)} trainings are too many for one picture: {MOST_TRAININGS} at most")
    save_figure(loss_figure([read_history(Checkpoint.load(each), each) for each in paths]), path)


def read_history(checkpoint: Checkpoint, path: Path) -> LossHistory:
    """Returns what the header tells; `path` is for messages.

    Raises:
        InputFileError: it tells of no losses, or of losses that are no numbers.
    """
    training = checkpoint.training
    try:
        rounds = _columns(training, "updates", "losses", "held_out_losses")
        history = training.get("history") or {"updates": [], "losses": [], "songs": []}
        single = _columns(history, "updates", "losses")
        songs = [None if song is None else int(song) for song in history["songs"]]
        played = _columns(training.get("played") or {"updates": [], "distances": []}, "updates", "distances")
        best = training.get("best") or {}
        kept = (float(best["updates"]), float(best["held_out"])) if best else None
        passes = float(training.get("passes") or 0.0)
        if not len(rounds) or len(songs) != len(single):
            raise ValueError("nothing to draw")
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputFileError(f"{path} records no losses that could be drawn: train it here to have them") from None
    title = f"{path.name}: {training.get('recipe', 'unknown recipe')}, {rounds[-1, 0]:,.0f} updates"
    return LossHistory(title, rounds, single, songs, played, kept, passes)


def loss_figure(histories: Sequence[LossHistory]) -> Figure:
    """Returns a figure with a column for each training.

    The loss axis is logarithmic where losses span decades, and linear around zero where some lie below.
    """
    figure = Figure(figsize=(max(9.0, 7.0 * len(histories)), 5), layout="constrained")
    grid = figure.subplots(1, len(histories), squeeze=False, sharey=True)[0]
    scale = loss_scale(np.concatenate([history.losses for history in histories]))
    for axes, history in zip(grid, histories, strict=True):
        _draw(axes, history)
        axes.set_yscale(**scale)
    grid[0].set_ylabel("loss")
    return figure


def loss_scale(losses: Array) -> dict[str, Any]:
    """Returns the arguments of `Axes.set_yscale` that suit losses, (n,)."""
    sizes = np.sort(np.abs(losses[losses != 0]))
    if not len(sizes) or sizes[-1] <= DECADES * sizes[0]:
        return {"value": "linear"}
    if losses.min() > 0:
        return {"value": "log"}
    return {"value": "symlog", "linthresh": float(sizes[len(sizes) // 10])}


def song_changes(history: LossHistory) -> list[float]:
    """Returns the updates at which another song is read than before."""
    pairs = zip(pairwise(history.songs), history.single[1:, 0], strict=True)
    return [float(update) for (before, song), update in pairs if song is not None and song != before]


def _draw(axes: Axes, history: LossHistory) -> None:
    """Draws one training."""
    if len(history.single):
        _draw_single(axes, history)
    updates, losses, held_out = history.rounds.T
    axes.plot(updates, losses, color="tab:blue", label="training, rounds")
    axes.plot(updates, held_out, color="tab:orange", label="held out")
    if len(history.played):
        played, distances = history.played.T
        logarithms = np.log(np.maximum(distances, 1.0))
        axes.plot(played, logarithms, color="tab:green", label="ln of the playing's distance")
    if history.kept:
        axes.plot(*history.kept, "o", color="black", label=f"kept: {history.kept[1]:.4g}")
    axes.set(title=history.title, xlabel="updates")
    axes.grid(alpha=0.3)
    axes.legend()
    if history.passes:
        ratio = history.passes / float(updates[-1])
        passes = axes.secondary_xaxis("top", functions=(lambda x: np.multiply(x, ratio), lambda x: np.divide(x, ratio)))
        passes.set_xlabel("passes over the corpus")


def _draw_single(axes: Axes, history: LossHistory) -> None:
    """Draws the losses of single updates: with a mark at each new song, or song by song if they change all the time."""
    changes = song_changes(history)
    axes.set_prop_cycle(color=mpl.color_sequences["Set2"])  # fainter than what means are drawn in
    songs = sorted({song for song in history.songs if song is not None})
    crowded = len(changes) > MOST_MARKS or len(changes) > len(history.single) / 3
    if crowded and len(songs) <= MOST_SONGS:
        for song in songs:
            of_song = history.single[[each == song for each in history.songs]]
            axes.plot(*of_song.T, linewidth=0.7, label=f"training, song {song + 1}")
        return
    axes.plot(*history.single.T, linewidth=0.7, color="tab:gray", label="training, updates")
    if changes and not crowded:
        for update in changes:
            axes.axvline(update, color="tab:purple", linewidth=0.8, linestyle=":")
        axes.lines[-1].set_label("a new song")


def _columns(table: dict[str, Any], *names: str) -> Array:
    """Returns lists of equal length as the columns of an array, finite.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: they are missing, of different length, or hold something else.
    """
    columns = np.array([table[name] for name in names], np.float64)
    if columns.ndim != 2 or not np.isfinite(columns).all():
        raise ValueError("not lists of finite numbers")
    return columns.T
