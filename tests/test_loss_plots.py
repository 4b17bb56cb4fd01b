"""Pictures of trainings."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.image import imread

from making import tokens_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet.errors import CheckpointError, InputFileError, UsageError
from noizenet_training.pictures.loss_plots import loss_figure, loss_scale, plot_checkpoints, read_history, song_changes

ROUNDS = {
    "recipe": "paper-windows",
    "updates": [10, 20, 30],
    "losses": [3.0, 2.0, 1.0],
    "held_out_losses": [3.5, 2.25, 1.5],
}
HISTORY = {"updates": list(range(1, 31)), "losses": [1.0 + 1.0 / n for n in range(1, 31)]}
BEST = {"updates": 20, "elapsed_s": 1.0, "loss": 2.0, "held_out": 2.25, "distance": None}


def trained(**training: Any) -> Checkpoint:
    return replace(tokens_checkpoint(), training=training)


def drawn(*checkpoints: Checkpoint) -> list[Axes]:
    return loss_figure([read_history(each, Path("m.safetensors")) for each in checkpoints]).axes


def labels(axes: Axes) -> list[str]:
    return [line.get_label() for line in axes.lines if not line.get_label().startswith("_")]


def test_rounds_held_out_losses_and_what_is_kept_are_drawn() -> None:
    (axes,) = drawn(trained(**ROUNDS, best=BEST))
    assert labels(axes) == ["training, rounds", "held out", "kept: 2.25"]
    losses, held_out, kept = axes.lines
    assert list(losses.get_ydata()) == [3.0, 2.0, 1.0]
    assert list(held_out.get_ydata()) == [3.5, 2.25, 1.5]
    assert (kept.get_xdata()[0], kept.get_ydata()[0]) == (20, 2.25)
    assert axes.get_title() == "m.safetensors: paper-windows, 30 updates"


def test_single_updates_have_a_mark_at_each_new_song() -> None:
    history = HISTORY | {"songs": [0] * 10 + [1] * 10 + [0] * 10}
    (axes,) = drawn(trained(**ROUNDS, history=history))
    assert labels(axes)[:2] == ["training, updates", "a new song"]
    marks = [line.get_xdata()[0] for line in axes.lines if list(line.get_ydata()) == [0, 1]]
    assert marks == [11, 21]


def test_songs_that_change_with_each_update_have_a_line_each() -> None:
    updates = list(range(1, 101))
    history = {"updates": updates, "losses": [float(n % 3 + 1) for n in updates], "songs": [n % 3 for n in updates]}
    (axes,) = drawn(trained(**ROUNDS, history=history))
    assert labels(axes)[:3] == ["training, song 1", "training, song 2", "training, song 3"]
    assert set(axes.lines[1].get_ydata()) == {2.0}


def test_many_songs_that_change_with_each_update_are_one_line() -> None:
    (axes,) = drawn(trained(**ROUNDS, history=HISTORY | {"songs": list(range(30))}))
    assert labels(axes)[:2] == ["training, updates", "training, rounds"]
    assert len(axes.lines) == 3


def test_no_song_is_marked_where_several_are_read_at_once() -> None:
    checkpoint = trained(**ROUNDS, history=HISTORY | {"songs": [None] * 30})
    assert song_changes(read_history(checkpoint, Path("m"))) == []
    assert labels(drawn(checkpoint)[0])[0] == "training, updates"


def test_passes_over_the_corpus_are_on_a_second_axis() -> None:
    (axes,) = drawn(trained(**ROUNDS, passes=7.5))
    (passes,) = axes.child_axes
    assert passes.get_xlabel() == "passes over the corpus"
    to_passes, to_updates = passes._functions
    assert (to_passes(30.0), to_updates(7.5)) == (7.5, 30.0)


def test_the_playing_s_distance_is_drawn_as_it_counts() -> None:
    (axes,) = drawn(trained(**ROUNDS, played={"updates": [10, 30], "distances": [np.e, 0.5]}))
    assert list(axes.lines[2].get_ydata()) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("losses", "scale"),
    [
        ([3.0, 1.0, 0.5], "linear"),
        ([3.0, 0.01], "log"),
        ([3.0, -0.01, -100.0], "symlog"),
        ([1.0, -1.0], "linear"),
        ([0.0, 0.0], "linear"),
    ],
)
def test_the_loss_axis_suits_the_losses(losses: list[float], scale: str) -> None:
    assert loss_scale(np.array(losses))["value"] == scale
    (axes,) = drawn(trained(updates=range(len(losses)), losses=losses, held_out_losses=losses))
    assert axes.get_yscale() == scale


def test_trainings_side_by_side_have_the_same_scale() -> None:
    left, right = drawn(trained(**ROUNDS), trained(**ROUNDS | {"losses": [900.0, 3.0, 0.1]}))
    assert left.get_ylim() == right.get_ylim()
    assert left.get_yscale() == right.get_yscale() == "log"


def test_a_checkpoint_s_losses_are_drawn_from_its_file(tmp_path: Path) -> None:
    trained(**ROUNDS, history=HISTORY | {"songs": [0] * 30}, passes=3, best=BEST).save(tmp_path / "m.safetensors")
    plot_checkpoints([tmp_path / "m.safetensors"] * 2, tmp_path / "l.png")
    assert imread(tmp_path / "l.png").shape[:2] == (500, 1400)


@pytest.mark.parametrize(
    "training",
    [
        {},
        {"recipe": "none", "losses": [1.0]},
        ROUNDS | {"losses": [1.0, 2.0]},
        ROUNDS | {"losses": "abc"},
        ROUNDS | {"losses": [1.0, 2.0, float("nan")]},
        ROUNDS | {"updates": [], "losses": [], "held_out_losses": []},
        ROUNDS | {"history": HISTORY},
        ROUNDS | {"history": HISTORY | {"songs": [1]}},
        ROUNDS | {"history": [1]},
        ROUNDS | {"best": {"updates": "many"}},
        ROUNDS | {"passes": "many"},
    ],
)
def test_a_header_without_losses_is_refused_in_one_sentence(training: dict[str, Any]) -> None:
    with pytest.raises(InputFileError, match=r"m\.safetensors records no losses that could be drawn"):
        drawn(trained(**training))


def test_what_can_t_be_drawn_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.safetensors"):
        plot_checkpoints([tmp_path / "gone.safetensors"], tmp_path / "l.png")
    with pytest.raises(UsageError, match="7 trainings are too many for one picture: 6 at most"):
        plot_checkpoints([tmp_path / "m.safetensors"] * 7, tmp_path / "l.png")
    assert not list(tmp_path.iterdir())
