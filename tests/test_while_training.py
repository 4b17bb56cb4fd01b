"""While it trains: how long it takes, samples by the render command, with their figures, the latest kept."""

import itertools
import json
from pathlib import Path

import pytest
import soundfile

from making import melody, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet_training import listening
from noizenet_training.listening import is_sample_of, sample_path
from test_train_command import RATE, TINY_OPTIONS, noizenet


def test_the_latest_sample_is_kept_with_its_figures_and_older_ones_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "LISTEN_EVERY_S", 0.1)
    monkeypatch.setattr(listening, "FIRST_GUESS_S", 0.0)
    sound = write_sound(tmp_path / "a.wav", melody(6.0, RATE), RATE)
    folder = tmp_path / "out"
    folder.mkdir()
    out, older = folder / "m.safetensors", folder / "m.minute-700.wav"
    for kept_or_not in (older, folder / "m.minute-x.wav", folder / "other.minute-3.wav"):
        kept_or_not.write_bytes(b"")
    done = noizenet("train", sound, "--out", out, "--steps", 15, *TINY_OPTIONS)
    said = [line for line in done.stderr.splitlines() if line.startswith("minute ")]
    assert "fidelity " in said[0]
    assert "hear it in " in said[0]
    assert not older.exists()
    samples = sorted(file.name for file in folder.iterdir() if is_sample_of(out, file))
    assert len(samples) == 1
    assert soundfile.info(folder / samples[0]).duration == pytest.approx(30.0, abs=0.1)
    assert {"m.minute-x.wav", "other.minute-3.wav", "m.wav", "m.png"} < {file.name for file in folder.iterdir()}
    heard = Checkpoint.load(out).training["heard"]
    assert len(heard) == len(said) + 1  # and of the preview
    assert heard[-1]["updates"] == 15
    assert "the end: " in done.stderr
    assert heard[0]["updates"] in (5, 10)
    assert heard[0]["fidelity"] > 0
    assert heard[0].keys() == {"minutes", "updates", "survival", "fidelity", "recital_share", "told"}
    estimates = [line for line in done.stderr.splitlines() if "15 updates take about" in line]
    assert len(estimates) == 1
    assert estimates[0].endswith("passes over the corpus (cpu, single precision)")
    assert "What it plays is " in done.stdout
    assert " s more)" in done.stdout


def test_what_is_remembered_is_judged_for_as_long_as_it_lasts_and_the_preview_stays_short(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", melody(45.0, RATE), RATE)
    done = noizenet("train", sound, "--out", tmp_path / "m.safetensors", "--steps", 2, "--json", *TINY_OPTIONS)
    assert json.loads(done.stdout)["scores"]["seconds"] == pytest.approx(45.0, abs=0.1)
    assert soundfile.info(tmp_path / "m.wav").duration == pytest.approx(30.0, abs=0.1)


def test_a_training_that_does_not_get_better_stops_and_says_why(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", melody(6.0, RATE), RATE)
    out = tmp_path / "m.safetensors"
    options = [*TINY_OPTIONS, "--set", "patience=1", "--set", "learning_rate=1e-8", "--set", "round_updates=2"]
    done = noizenet("train", sound, "--out", out, "--steps", 64, *options)
    assert "stopped early: its playing hasn't got better for 1 looks, since update " in done.stderr
    assert Checkpoint.load(out).training["steps"] < 64


def test_a_sound_of_three_seconds_is_remembered_and_left_to_the_listener(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", melody(3.0, RATE), RATE)
    done = noizenet("train", sound, "--out", tmp_path / "m.safetensors", "--steps", 3, *TINY_OPTIONS)
    assert "the end: only listening tells how good it is: the corpus has 2 full seconds" in done.stderr
    assert Checkpoint.load(tmp_path / "m.safetensors").memory is not None


def test_a_corpus_is_not_overwritten_by_samples(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "m.minute-3.wav", melody(6.0, RATE), RATE)
    done = noizenet("train", sound, "--out", tmp_path / "m.safetensors", "--steps", 1, *TINY_OPTIONS, status=2)
    assert f"listening samples would replace {sound}" in done.stderr


def test_samples_are_named_after_their_checkpoint_and_minute() -> None:
    out = Path("folder/mine.safetensors")
    assert sample_path(out, 3) == Path("folder/mine.minute-3.wav")
    assert is_sample_of(out, sample_path(out, 12))
    for other in itertools.chain(("mine.wav", "mine.minute-.wav", "other.minute-3.wav"), ["mine2.minute-3.wav"]):
        assert not is_sample_of(out, Path("folder") / other)
    assert not is_sample_of(out, Path("elsewhere/mine.minute-3.wav"))
