"""Pictures of sounds and of losses."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from making import melody
from noizenet.errors import InputFileError
from noizenet_training.fitting import Round
from noizenet_training.plots import plot_losses, plot_sound


@pytest.mark.parametrize("seconds", [0.001, 0.5, 3.0])
def test_a_sound_of_any_length_is_drawn(tmp_path: Path, seconds: float) -> None:
    path = tmp_path / "a.png"
    plot_sound(melody(seconds), 22050, path, "a melody")
    picture = imread(path)
    assert picture.shape[:2] == (800, 1200)
    assert picture.std() > 0.05


def test_silence_is_drawn(tmp_path: Path) -> None:
    plot_sound(np.zeros(1000, np.float32), 8000, tmp_path / "a.png", "silence")
    assert (tmp_path / "a.png").exists()


def test_losses_are_drawn(tmp_path: Path) -> None:
    distances = [9.0, None, 2.0, None, 1.5]
    rounds = [
        Round(10 * n, float(n), 3.0 / n, 1.0 + abs(n - 3) / 5, distance) for n, distance in enumerate(distances, 1)
    ]
    plot_losses(rounds, rounds[2], tmp_path / "m.png", "a training")
    assert imread(tmp_path / "m.png").std() > 0.05


def test_a_picture_of_unknown_kind_or_in_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"can't draw .*a\.xyz"):
        plot_sound(melody(0.1), 22050, tmp_path / "a.xyz", "a")
    with pytest.raises(InputFileError, match=r"can't write .*gone/a\.png"):
        plot_sound(melody(0.1), 22050, tmp_path / "gone" / "a.png", "a")
