"""Trials: commands that make them again, rows that say why, and files that outlive a kill."""

from dataclasses import replace
from pathlib import Path

import pytest

from making import melody, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.cli import main
from noizenet_training.learning.rounds import Round
from noizenet_training.sweeps.trials import Row, Trial, run_trial

TINY = ("sample_rate=4000", "layers=1", "hidden=4", "streams=2", "unroll=32", "round_updates=2")


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """A training of a moment."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    sound = write_sound(tmp_path / "a.wav", melody(4.0, 8000), 8000)
    return Trial("tiny, first", (sound,), "amplitude", TINY, steps=6, seed=3)


def test_a_trial_leaves_a_row_with_its_figures_and_a_checkpoint(trial: Trial, tmp_path: Path) -> None:
    row = run_trial(trial, tmp_path)
    assert (row.state, row.updates, row.why) == ("finished", 6, "")
    assert row.updates_at == [2, 4, 6]
    assert len(row.losses) == len(row.held_out_losses) == 3
    assert row.held_out is not None
    assert row.update_s is not None
    assert row.update_s > 0
    assert Checkpoint.load(tmp_path / row.checkpoint).training["steps"] == 6
    assert Row.read(tmp_path / f"{trial.stem}.json") == row


def test_its_command_alone_gives_equal_weights(trial: Trial, tmp_path: Path) -> None:
    row = run_trial(trial, tmp_path)
    words = row.command.split()
    assert words[:3] == ["OMP_NUM_THREADS=1", "noizenet", "train"]
    again = tmp_path / "again.safetensors"
    words[words.index("--out") + 1] = str(again)
    assert main(words[2:]) == 0
    first, second = Checkpoint.load(tmp_path / row.checkpoint), Checkpoint.load(again)
    assert all((first.weights[name] == second.weights[name]).all() for name in first.weights)


def test_files_of_trials_that_differ_in_anything_have_other_names(trial: Trial) -> None:
    others = [
        replace(trial, seed=4),
        replace(trial, steps=7),
        replace(trial, overrides=()),
        replace(trial, seconds=1.0),
    ]
    assert len({each.stem for each in (trial, *others)}) == 5
    assert replace(trial, name="a/b c").stem.startswith("a-b-c-")


def test_a_training_that_diverges_is_a_row_that_says_why(trial: Trial, tmp_path: Path) -> None:
    wild = replace(trial, overrides=(*TINY, "learning_rate=1e6", "clip=0", "optimiser=sgd", "weight_decay=0"), steps=40)
    row = run_trial(wild, tmp_path)
    assert row.state == "failed"
    assert "diverged" in row.why
    assert Row.read(tmp_path / f"{wild.stem}.json") == row


def test_a_trial_that_may_succeed_another_time_is_not_written_down_as_failed(trial: Trial, tmp_path: Path) -> None:
    row = run_trial(replace(trial, audio=(tmp_path / "gone.wav",)), tmp_path)
    assert row.state == "failed"
    assert "gone.wav doesn't exist" in row.why
    assert not list(tmp_path.glob("*.json"))


def test_a_trial_that_was_interrupted_goes_on_where_it_was(trial: Trial, tmp_path: Path) -> None:
    def stop_after_four(found: Round) -> None:
        if found.updates == 4:
            raise SystemExit

    with pytest.raises(SystemExit):
        run_trial(trial, tmp_path, stop_after_four)
    assert (tmp_path / f"{trial.stem}.safetensors.resume").exists()
    rounds: list[int] = []
    row = run_trial(trial, tmp_path, lambda found: rounds.append(found.updates))
    assert rounds[-1] == 6
    assert rounds[0] > 2
    assert row.updates_at == [2, 4, 6]


def test_minutes_end_a_trial_and_its_command_says_how_far_it_came(trial: Trial, tmp_path: Path) -> None:
    row = run_trial(replace(trial, steps=10**6, minutes=0.01), tmp_path)
    assert row.state == "finished"
    assert 2 <= row.updates < 10**6
    assert f"--steps {row.updates} " in row.command


def test_a_row_that_another_version_wrote_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"name": "a"}')
    (tmp_path / "b.json").write_text("[1]")
    (tmp_path / "c.json").write_text("{")
    assert [Row.read(tmp_path / f"{name}.json") for name in "abcd"] == [None] * 4
