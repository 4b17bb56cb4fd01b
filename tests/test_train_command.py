"""`noizenet train` and `evaluate` as a user runs them, on real files."""

import contextlib
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from fma_folder import Row, make_fma
from making import melody, stereo_melody, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.cli import main

RATE = 8000
TINY = [
    "layers=1",
    "hidden=16",
    "embedding=4",
    "head_hidden=8",
    "classes=8",
    "axes=8",
    "stages=2",
    "shifts=2",
]
TINY += ["window_s=0.06", "streams=4", "unroll=16", "round_updates=5"]
TINY_OPTIONS = [argument for option in TINY for argument in ("--set", option)]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Keeps training to one thread: on busy cores, several wait for one another at each of many small steps."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield
    torch.set_num_threads(before)


def noizenet(*arguments: object, status: int = 0) -> SimpleNamespace:
    """Runs the command line in this process, which spares the imports; returns what it wrote."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            found = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse
            found = stop.code
    assert found == status, stderr.getvalue()
    return SimpleNamespace(stdout=stdout.getvalue(), stderr=stderr.getvalue())


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two melodies, and two files that can't be used."""
    folder = tmp_path_factory.mktemp("music")
    write_sound(folder / "a.wav", melody(6.0, RATE), RATE)
    write_sound(folder / "b.flac", melody(5.0, RATE, seed=1), RATE)
    write_sound(folder / "silent.wav", np.zeros(RATE, np.float32), RATE)
    (folder / "text.wav").write_text("only words")
    return folder


@pytest.fixture(scope="module")
def trained(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint from the command line, with all that lies beside it."""
    out = tmp_path_factory.mktemp("trained") / "m.safetensors"
    options = ["--steps", 12, "--seed", 3, "--licence", "CC0", "--attribution", "Nobody", "--half", "--json"]
    command = ["train", music, "--out", out, *options, *TINY_OPTIONS]
    done = subprocess.run(
        [sys.executable, "-m", "noizenet", *map(str, command)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (out.parent / "stdout").write_text(done.stdout)
    (out.parent / "stderr").write_text(done.stderr)
    return out


def test_training_ends_with_a_checkpoint_a_preview_and_a_picture(trained: Path) -> None:
    samples, sample_rate = soundfile.read(trained.with_suffix(".wav"))
    assert sample_rate == RATE
    assert len(samples) == pytest.approx(30 * RATE, rel=0.01)
    assert np.isfinite(samples).all()
    assert trained.with_suffix(".png").stat().st_size > 5000
    assert not list(trained.parent.glob("*.resume"))


def test_standard_output_is_one_json_object(trained: Path) -> None:
    outcome = json.loads((trained.parent / "stdout").read_text())
    assert outcome["checkpoint"] == str(trained)
    assert outcome["preview"] == str(trained.with_suffix(".wav"))
    assert outcome["updates"] == 12
    assert outcome["rounds"] == 3
    assert outcome["distance"] > 0
    assert outcome["scores"]["fidelity"] > 0
    assert "your sound" in outcome["verdict"] or "silent or stuck" in outcome["verdict"]


def test_unusable_files_are_named_on_standard_error(trained: Path) -> None:
    said = (trained.parent / "stderr").read_text()
    assert "silent.wav is silent" in said
    assert "text.wav is not a sound file that can be decoded" in said
    assert "corpus: 2 of 4 files, 11 s" in said
    assert "round 1" in said


def test_the_checkpoint_says_where_it_comes_from(trained: Path) -> None:
    checkpoint = Checkpoint.load(trained)
    assert [entry["name"] for entry in checkpoint.corpus] == ["a.wav", "b.flac"]
    assert (checkpoint.licence, checkpoint.attribution) == ("CC0", "Nobody")
    training = checkpoint.training
    assert (training["recipe"], training["seed"], training["steps"], training["rounds"]) == (
        "tokens",
        3,
        12,
        3,
    )
    assert training["options"]["hidden"] == 16
    assert len(training["losses"]) == len(training["held_out_losses"]) == len(training["updates"]) == 3
    assert {"python", "torch", "numpy", "noizenet"} <= training["versions"].keys()
    assert training["date"].startswith("20")
    assert len(checkpoint.states) == 8


def test_equal_seeds_and_steps_give_equal_weights(music: Path, trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "again.safetensors"
    noizenet("train", music, "--out", out, "--steps", 12, "--seed", 3, "--half", *TINY_OPTIONS)
    first, second = Checkpoint.load(trained), Checkpoint.load(out)
    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)
    assert all(np.array_equal(first.codec.arrays()[name], second.codec.arrays()[name]) for name in first.codec.arrays())


KILLED = """
import os, signal, sys
from pathlib import Path
from noizenet_training.learning.rounds import Budget
from noizenet_training.progress import PlainReporter
from noizenet_training.recipe_reading import load_recipe
from noizenet_training.run import train
from noizenet_training.task import Task

class Killer(PlainReporter):
    def advance(self, spent, figures):
        super().advance(spent, figures)
        if figures.startswith("round 3"):
            os.kill(os.getpid(), signal.SIGKILL)

recipe = load_recipe("tokens", sys.argv[3:])
task = Task((Path(sys.argv[1]),), Path(sys.argv[2]), "tokens", recipe, Budget(updates=20))
train(task, Killer(sys.stderr))
"""


def test_a_killed_training_goes_on_and_ends_as_if_it_had_not_been(music: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "m.safetensors", tmp_path / "whole.safetensors"
    command = [sys.executable, "-c", KILLED, str(music / "a.wav"), str(out), *TINY]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert Checkpoint.load(out).training["steps"] == 5
    assert (tmp_path / "m.safetensors.resume").exists()
    other = noizenet("train", music / "b.flac", "--out", out, "--steps", 20, "--resume", *TINY_OPTIONS, status=2)
    assert "belongs to a training with another corpus" in other.stderr
    done = noizenet("train", music / "a.wav", "--out", out, "--steps", 20, "--resume", *TINY_OPTIONS)
    assert "going on after 5 updates" in done.stderr
    assert not (tmp_path / "m.safetensors.resume").exists()
    noizenet("train", music / "a.wav", "--out", whole, "--steps", 20, *TINY_OPTIONS)
    first, second = Checkpoint.load(out), Checkpoint.load(whole)
    assert first.training["steps"] == 20
    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)


@pytest.mark.parametrize(("recipe", "cell"), [("mulaw", "gru"), ("amplitude", "rnn")])
def test_the_other_recipes_train_too(music: Path, tmp_path: Path, recipe: str, cell: str) -> None:
    out = tmp_path / "m.safetensors"
    sizes = [
        "hidden=8",
        "layers=1",
        "streams=4",
        "unroll=32",
        f"cell={cell}",
        "round_updates=3",
        "sample_rate=4000",
    ]
    options = [argument for option in sizes for argument in ("--set", option)]
    noizenet("train", music / "a.wav", "--out", out, "--recipe", recipe, "--steps", 6, *options)
    checkpoint = Checkpoint.load(out)
    assert checkpoint.codec.name == recipe
    assert checkpoint.network.cell == cell
    assert checkpoint.sample_rate == 4000


def test_what_is_wrong_is_said_in_one_sentence_with_its_status(music: Path, tmp_path: Path) -> None:
    audio, out = music / "a.wav", tmp_path / "m.safetensors"
    (tmp_path / "empty").mkdir()
    cases: list[tuple[int, str, list[object]]] = [
        (3, "no sound file was found", [tmp_path / "empty", "--out", out]),
        (3, "none of 1 files can be used", [music / "text.wav", "--out", out]),
        (3, "is silent", [music / "silent.wav", "--out", out]),
        (3, "gone.wav doesn't exist", [tmp_path / "gone.wav", "--out", out]),
        (3, "the folder", [audio, "--out", tmp_path / "gone" / "m.safetensors"]),
        (2, "must end in .safetensors", [audio, "--out", tmp_path / "m.wav"]),
        (2, "would overwrite", [audio, "--out", music / "a.safetensors"]),
        (2, "did you mean hidden", [audio, "--out", out, "--set", "hiden=3"]),
        (2, "nothing to learn from", ["--out", out]),
        (2, "are two corpora", [audio, "--fma", tmp_path, "--out", out]),
        (2, "say with --fma", [audio, "--genre", "Jazz", "--out", out]),
        (3, "fma_metadata.zip", ["--fma", tmp_path, "--genre", "Jazz", "--out", out]),
        (2, "--songs 5 is more than there are files: 1", [audio, "--songs", 5, "--out", out]),
        (2, "--songs 3 is more than can be used: 2 of 4 files", [music, "--songs", 3, "--out", out]),
        (2, "invalid choice: 'smal'", ["--fma", tmp_path, "--subset", "smal", "--out", out]),
        (2, "did you mean tokens", [audio, "--out", out, "--recipe", "tokns"]),
        (2, "not a number above 0", [audio, "--out", out, "--minutes", "0"]),
        (2, "not allowed with", [audio, "--out", out, "--minutes", "1", "--steps", "1"]),
    ]
    for status, words, arguments in cases:
        done = noizenet("train", *arguments, status=status)
        assert words in done.stderr, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_tracks_of_fma_are_learnt_from(tmp_path: Path) -> None:
    tracks = [Row(2, "Hip-Hop", "small"), *(Row(number, "Instrumental", "small") for number in (10, 140, 141))]
    folder, out = make_fma(tmp_path / "fma", tracks), tmp_path / "m.safetensors"
    (folder / "fma_small" / "000" / "000010.mp3").write_bytes(b"no sound")
    chosen = ["--fma", folder, "--genre", "Instrumental", "--songs", 2, "--seconds", 2, "--attribution", "Nobody"]
    done = noizenet("train", *chosen, "--out", out, "--steps", 6, *TINY_OPTIONS)
    assert "skipped: " in done.stderr
    assert "corpus: 2 of 3 files, 4 s" in done.stderr
    checkpoint = Checkpoint.load(out)
    assert [entry["track"] for entry in checkpoint.corpus] == ["140", "141"]
    assert checkpoint.attribution == "Nobody; Food by AWOL (FMA track 140); Food by AWOL (FMA track 141)"
    assert checkpoint.licence.startswith("Attribution-NonCommercial")


def test_a_checkpoint_is_evaluated_beside_noise_and_its_corpus(music: Path, trained: Path) -> None:
    done = noizenet("evaluate", trained, "--corpus", music / "a.wav", "--seconds", 4, "--json")
    figures = json.loads(done.stdout)
    assert list(figures) == ["m.safetensors", "slicer", "white noise", "corpus"]
    assert figures["corpus"]["fidelity"] == 1.0
    assert figures["white noise"]["fidelity"] > figures["m.safetensors"]["fidelity"]
    assert figures["m.safetensors"]["codec_log_spectral_distance_db"] > 0.0
    assert all(len(each["flux_db"]) == 3 for each in figures.values())


def test_a_sound_is_evaluated_and_drawn(music: Path, tmp_path: Path) -> None:
    picture = tmp_path / "score.png"
    done = noizenet("evaluate", music / "b.flac", "--corpus", music / "a.wav", "--out", picture)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:5]] == ["b.flac", "slicer", "white", "corpus"]
    assert picture.stat().st_size > 5000
    undrawn = noizenet("evaluate", music / "b.flac", "--corpus", music / "a.wav", "--out", tmp_path / "a.xyz", status=3)
    assert undrawn.stdout == done.stdout
    assert "a.xyz" in undrawn.stderr
    refused = noizenet("evaluate", music / "text.wav", "--corpus", music / "a.wav", status=3)
    assert "text.wav" in refused.stderr


def test_a_stereo_corpus_trains_a_checkpoint_that_plays_in_stereo(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "wide.wav", stereo_melody(8.0, RATE), RATE)
    out = tmp_path / "m.safetensors"
    done = noizenet("train", sound, "--out", out, "--steps", 12, *TINY_OPTIONS)
    assert f"at {RATE:,} Hz, stereo; " in done.stderr + done.stdout
    assert Checkpoint.load(out).channels == 2
    preview, _ = soundfile.read(out.with_suffix(".wav"))
    assert preview.ndim == 2
    assert np.abs(preview[:, 0] - preview[:, 1]).max() > 1e-3
    figures = json.loads(noizenet("evaluate", out, "--corpus", sound, "--seconds", 4, "--json").stdout)
    assert figures["m.safetensors"]["codec_log_spectral_distance_db"] > 0.0
    noizenet("train", sound, "--out", tmp_path / "mono.safetensors", "--steps", 6, *TINY_OPTIONS, "--set", "channels=1")
    assert Checkpoint.load(tmp_path / "mono.safetensors").channels == 1
