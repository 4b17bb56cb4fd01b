"""`noizenet plot` and `noizenet figure` as a user runs them."""

from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.image import imread

from making import melody, tokens_checkpoint, write_sound
from noizenet.cli import main


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "a.wav", melody(1.0))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    training = {"recipe": "r", "updates": [1, 2], "losses": [3.0, 2.0], "held_out_losses": [3.5, 3.0]}
    replace(tokens_checkpoint(), training=training).save(tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def run(*arguments: object) -> int:
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse
        return int(stop.code or 0)


def test_sounds_are_drawn(sound: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    assert run("plot", sound, "--out", out) == 0
    assert imread(out).shape[1] == 1200
    assert run("plot", sound, sound, sound, "--out", out, "--frequency", "log", "--seconds", 0.5) == 0
    assert imread(out).shape[1] == 1800


def test_the_losses_of_checkpoints_are_drawn(checkpoint: Path, tmp_path: Path) -> None:
    assert run("plot", checkpoint, checkpoint, "--out", tmp_path / "l.pdf") == 0
    assert (tmp_path / "l.pdf").read_bytes().startswith(b"%PDF")


def test_figures_are_drawn(sound: Path, tmp_path: Path) -> None:
    assert run("figure", "tanh", "--out", tmp_path / "tanh.svg") == 0
    assert "<svg" in (tmp_path / "tanh.svg").read_text()
    assert run("figure", "fourier", sound, sound, "--out", tmp_path / "f.png") == 0
    assert run("figure", "all", "--out", tmp_path / "all", "--seed", 3) == 0
    assert len(list((tmp_path / "all").iterdir())) == 7


def test_what_is_wrong_is_said_in_one_sentence_with_its_status(
    sound: Path, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new.png"
    before = sorted(tmp_path.iterdir())
    cases: list[tuple[int, str, list[object]]] = [
        (2, "is a checkpoint beside sounds", ["plot", sound, checkpoint, "--out", out]),
        (2, "invalid choice: 'logarithmic'", ["plot", sound, "--frequency", "logarithmic", "--out", out]),
        (2, "not a number above 0", ["plot", sound, "--seconds", "-1", "--out", out]),
        (2, "did you mean perlin", ["figure", "perlen", "--out", out]),
        (2, "needs sounds", ["figure", "fourier", "--out", out]),
        (2, "leave out", ["figure", "all", sound, "--out", tmp_path / "all"]),
        (3, "can't read", ["plot", tmp_path / "gone.wav", "--out", out]),
        (3, "can't draw", ["figure", "relu", "--out", tmp_path / "new.txt"]),
        (3, "can't write", ["figure", "relu", "--out", tmp_path / "gone" / "new.png"]),
    ]
    for status, words, arguments in cases:
        assert run(*arguments) == status
        said = capsys.readouterr().err
        assert words in said
        assert len(said.strip().splitlines()) == 1, said
    assert sorted(tmp_path.iterdir()) == before
