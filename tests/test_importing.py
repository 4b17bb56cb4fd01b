"""The paper's own state dicts become checkpoints, or are refused in one sentence."""

import contextlib
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from making import Array, melody, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.cli import main
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states, render_frames

MODULES = {"lstm": torch.nn.LSTM, "rnn": torch.nn.RNN, "gru": torch.nn.GRU}
HIDDEN = 12
# The paper's own files lie beside the repository on some machines; they can't be handed on with it.
LEGACY = sorted((Path(__file__).parents[2] / "shared" / "legacy").glob("*[0-9].pt"))


class Theirs(torch.nn.Module):
    """A network whose state dict is named as the paper's program names it."""

    def __init__(self, cell: str, layers: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.cell = cell
        self.add_module(cell, MODULES[cell](1, hidden, layers, batch_first=True))
        self.fc = torch.nn.Linear(hidden, 1)

    def forward(self, heard: torch.Tensor) -> torch.Tensor:
        predicted: torch.Tensor = self.fc(getattr(self, self.cell)(heard)[0])
        return predicted


def noizenet(*arguments: object, status: int = 0) -> SimpleNamespace:
    """Runs the command line in this process; returns what it wrote."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        found = main([str(argument) for argument in arguments])
    assert found == status, stderr.getvalue()
    return SimpleNamespace(stdout=stdout.getvalue(), stderr=stderr.getvalue())


def predictions_of_both(theirs: torch.nn.Module, out: Path, sound: Array) -> tuple[Array, Array]:
    """Returns PyTorch's one-step predictions, and those of the daemon's engine on the checkpoint, both (n, 1)."""
    generator = Generator(Checkpoint.load(out))
    steps = generator.codec.encode(generator.codec.new_encoder_state(), sound)
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(steps)[None])[0, :-1].numpy()
    return expected, generator.expected(steps)[1:]


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "song.wav", melody(2.0) + 0.02)


@pytest.mark.parametrize(("cell", "layers"), [("lstm", 1), ("lstm", 2), ("rnn", 1), ("rnn", 2), ("gru", 2)])
def test_one_step_predictions_are_those_of_pytorch(cell: str, layers: int, song: Path, tmp_path: Path) -> None:
    torch.manual_seed(layers)
    theirs = Theirs(cell, layers)
    torch.save(theirs.state_dict(), tmp_path / "old.pt")
    noizenet("import", tmp_path / "old.pt", "--out", tmp_path / "m.safetensors", "--like", song)
    expected, found = predictions_of_both(theirs, tmp_path / "m.safetensors", melody(0.5, seed=3))
    assert np.abs(found - expected).max() < 1e-5
    assert expected.std() > 0.01


if LEGACY:

    @pytest.mark.parametrize("path", LEGACY, ids=lambda path: path.stem)
    def test_the_paper_s_own_networks_predict_as_in_pytorch(path: Path, song: Path, tmp_path: Path) -> None:
        weights = torch.load(path, weights_only=True, map_location="cpu")
        cell = path.stem.partition("_")[0]
        theirs = Theirs(cell, sum("weight_ih" in name for name in weights), weights["fc.weight"].shape[1])
        theirs.load_state_dict(weights)
        noizenet("import", path, "--out", tmp_path / "m.safetensors", "--like", song)
        expected, found = predictions_of_both(theirs, tmp_path / "m.safetensors", melody(0.5))
        assert np.abs(found - expected).max() < 1e-5


def test_the_scale_the_states_and_the_record_come_from_the_sound(song: Path, tmp_path: Path) -> None:
    torch.save(Theirs("lstm", 2).state_dict(), tmp_path / "old.pt")
    out = tmp_path / "m.safetensors"
    about = json.loads(noizenet("import", tmp_path / "old.pt", "--out", out, "--like", song, "--json").stdout)
    checkpoint = Checkpoint.load(out)
    assert checkpoint.sample_rate == 22050
    scaled = checkpoint.codec.encode(checkpoint.codec.new_encoder_state(), melody(2.0))
    assert scaled.std() == pytest.approx(1.0, abs=1e-3)
    assert len(checkpoint.states) == 8
    assert not np.array_equal(checkpoint.states["start-1"]["hidden"], checkpoint.states["start-8"]["hidden"])
    assert about["training"] == checkpoint.training
    assert checkpoint.training["recipe"] == "imported"
    assert checkpoint.training["file"] == "old.pt"
    assert checkpoint.training["sha256"] == hashlib.sha256((tmp_path / "old.pt").read_bytes()).hexdigest()
    assert [entry["name"] for entry in checkpoint.training["like"]] == ["song.wav"]


def test_without_a_sound_it_says_what_it_assumes(tmp_path: Path) -> None:
    torch.save(Theirs("rnn", 1).state_dict(), tmp_path / "old.pt")
    out = tmp_path / "m.safetensors"
    done = noizenet("import", tmp_path / "old.pt", "--out", out, "--sample-rate", 16000)
    assert "a mean of 0 and a deviation of 0.2 are assumed" in done.stderr
    checkpoint = Checkpoint.load(out)
    assert checkpoint.sample_rate == 16000
    assert checkpoint.codec.encode((), np.array([0.2], np.float32)) == pytest.approx(1.0)
    assert (checkpoint.states["start-1"]["last"] == 0.0).all()


def test_an_imported_network_plays(song: Path, tmp_path: Path) -> None:
    torch.save(Theirs("gru", 1).state_dict(), tmp_path / "old.pt")
    noizenet("import", tmp_path / "old.pt", "--out", tmp_path / "m.safetensors", "--like", song)
    generator = Generator(Checkpoint.load(tmp_path / "m.safetensors"))
    states = initial_states(generator, str(song), seed=1, voices=1)
    performance = Performance(
        generator, states, sample_rate=generator.sample_rate, channels=1, block_frames=512, safe=False
    )
    played = render_frames(performance, 4096, 512)
    assert np.isfinite(played).all()
    assert played.any()


def changed(**entries: Any) -> Callable[[], dict[str, Any]]:
    """Returns a function that makes a good state dict with other entries; None takes one out."""

    def make() -> dict[str, Any]:
        good = dict(Theirs("lstm", 1).state_dict()) | {
            name.replace("__", "."): value for name, value in entries.items()
        }
        return {name: value for name, value in good.items() if value is not None}

    return make


class Command:
    """What a pickle can hide."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this must not be printed",)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "NaN": (changed(fc__bias=torch.tensor([torch.nan])), "1 of its 6 tensors hold NaN or infinity, fc.bias first"),
    "too large": (changed(fc__bias=torch.tensor([1e300], dtype=torch.float64)), "hold NaN or infinity"),
    "a module": (lambda: torch.nn.LSTM(1, 3), "it holds a whole network"),
    "a command": (lambda: {"fc.bias": Command()}, "it would run"),
    "a list": (lambda: [torch.zeros(3)], "it holds a list, not a state dict"),
    "nothing": (dict, "it holds a dict, not a state dict"),
    "more around it": (lambda: {"model": Theirs("rnn", 1).state_dict()}, "its entry 'model' is no tensor of weights"),
    "whole numbers": (changed(fc__bias=torch.zeros(1, dtype=torch.int64)), "its entry 'fc.bias' is no tensor of"),
    "another network": (lambda: torch.nn.Linear(3, 2).state_dict(), "one recurrent module named lstm, rnn or gru"),
    "two cells": (changed(rnn__weight_hh_l0=torch.zeros(2, 2)), "one recurrent module named lstm, rnn or gru"),
    "a missing tensor": (changed(lstm__bias_hh_l0=None), "its network lacks lstm.bias_hh_l0"),
    "no head": (changed(fc__weight=None), "its network lacks fc.weight"),
    "an extra tensor": (changed(extra=torch.zeros(2)), "its network has the unknown extra"),
    "another shape": (
        changed(lstm__weight_ih_l0=torch.zeros(4 * HIDDEN, 2)),
        "lstm.weight_ih_l0 has the shape (48, 2)",
    ),
    "another head": (changed(fc__weight=torch.zeros(1, 9)), "fc.weight has the shape (1, 9), not (1, 12)"),
    "many outputs": (changed(fc__weight=torch.zeros(5, HIDDEN)), "predicts 5 numbers a step; only one"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_such_network_is_refused_in_one_sentence(
    case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, words = REFUSED[case]
    torch.save(make(), tmp_path / "old.pt")
    done = noizenet("import", tmp_path / "old.pt", "--out", tmp_path / "m.safetensors", status=3)
    assert f"can't import {tmp_path / 'old.pt'}" in done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["old.pt"]
    assert "must not be printed" not in done.stdout + capfd.readouterr().out


@pytest.mark.parametrize("data", [b"", b"only words", b"PK\x03\x04 cut short", b"\x80\x02]q\x00.", bytes(200)])
def test_what_torch_did_not_write_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "old.pt").write_bytes(data)
    done = noizenet("import", tmp_path / "old.pt", "--out", tmp_path / "m.safetensors", status=3)
    assert "torch.save" in done.stderr or "not a state dict" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    torch.save(Theirs("lstm", 1).state_dict(), tmp_path / "old.pt")
    (tmp_path / "old.pt").write_bytes((tmp_path / "old.pt").read_bytes()[:3000])
    done = noizenet("import", tmp_path / "old.pt", "--out", tmp_path / "m.safetensors", status=3)
    assert "or it is cut short" in done.stderr


def test_places_and_sounds_that_are_of_no_use_are_named(tmp_path: Path) -> None:
    old = tmp_path / "old.pt"
    torch.save(Theirs("lstm", 1).state_dict(), old)
    cases: list[tuple[int, str, list[object]]] = [
        (2, "must end in .safetensors", [old, "--out", tmp_path / "m.pt"]),
        (3, "doesn't exist", [old, "--out", tmp_path / "gone" / "m.safetensors"]),
        (3, "can't read", [tmp_path / "gone.pt", "--out", tmp_path / "m.safetensors"]),
        (3, "gone.wav doesn't exist", [old, "--out", tmp_path / "m.safetensors", "--like", tmp_path / "gone.wav"]),
        (2, "outside 4000 to 96000", [old, "--out", tmp_path / "m.safetensors", "--sample-rate", 100]),
    ]
    for status, words, arguments in cases:
        assert words in noizenet("import", *arguments, status=status).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["old.pt"]
