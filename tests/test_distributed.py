"""Two processes under `torchrun`: they train as one with twice the streams, end together, and one of them speaks."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import training_together
from making import melody, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.errors import UsageError
from noizenet_training import run
from noizenet_training.learning.distributed import Group, joined
from noizenet_training.learning.rounds import Budget
from noizenet_training.recipe import Recipe
from noizenet_training.task import Task

FOLDER = Path(__file__).parent
RATE = 8000
TINY = ["layers=1", "hidden=16", "embedding=4", "head_hidden=8", "classes=8", "axes=8", "stages=2", "shifts=2"]
TINY += ["window_s=0.06", "unroll=16", "round_updates=5", "dropout=0"]
TINY_OPTIONS = [argument for option in TINY for argument in ("--set", option)]


def torchrun(*command: object) -> subprocess.CompletedProcess[str]:
    """Runs a command in two processes, on the loopback interface."""
    return subprocess.run(
        [sys.executable, str(FOLDER / "torchrun_on_loopback.py"), "2", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sound(tmp_path_factory.mktemp("music") / "a.wav", melody(5.0, RATE), RATE)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Losses and weights that two processes found, by case."""
    path = tmp_path_factory.mktemp("together") / "found.json"
    done = torchrun(FOLDER / "training_together.py", "fit", path)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("case", list(training_together.CASES))
def test_two_processes_train_as_one_with_twice_the_streams(case: str, together: dict[str, Any]) -> None:
    losses, weights = together[case]
    expected_losses, expected_weights = training_together.fit(case, 4)
    assert len(losses) == 16
    # Sums of single precision in another order: weights were 6e-7 apart at most, and 5e-3 where processes counted
    # alike that have different numbers of steps. Losses are recorded to five digits.
    assert losses == pytest.approx(expected_losses, rel=1.1e-4)
    for name, array in expected_weights.items():
        assert np.allclose(weights[name], array, atol=5e-6), name


def test_a_training_that_diverges_ends_both_with_one_sentence_and_leaves_nothing(sound: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    done = torchrun(
        "-m", "noizenet", "train", sound, "--out", out, "--steps", 20, *TINY_OPTIONS, "--set", "learning_rate=1e3"
    )
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("noizenet: ")]
    assert len(said) == 1, done.stderr
    assert "training diverged" in said[0]
    assert list(tmp_path.iterdir()) == []


def test_a_killed_training_goes_on_and_ends_as_one_process_would(sound: Path, tmp_path: Path) -> None:
    out, alone = tmp_path / "m.safetensors", tmp_path / "alone.safetensors"
    command = ["train", sound, "--out", out, "--steps", 15, *TINY_OPTIONS, "--set", "streams=2"]
    killed = torchrun(FOLDER / "training_together.py", "kill", *command)
    assert killed.returncode != 0
    assert Checkpoint.load(out).training["steps"] == 5
    assert "noizenet: " not in killed.stderr
    refused = training_together.main([*map(str, command), "--resume"])
    assert refused == 2  # one process instead of two
    done = torchrun("-m", "noizenet", *command, "--resume", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["updates"] == 15
    assert done.stderr.count("going on after 5 updates") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.png", "m.safetensors", "m.wav"]
    command[3] = alone
    assert training_together.main([*map(str, command), "--set", "streams=4"]) == 0
    first, second = Checkpoint.load(out), Checkpoint.load(alone)
    assert first.training["history"]["losses"] == pytest.approx(second.training["history"]["losses"], rel=1.1e-4)
    assert first.training["held_out_losses"] == pytest.approx(second.training["held_out_losses"], rel=1.1e-4)


@pytest.mark.parametrize("feeding", ["one_shot", "windows"])
def test_one_place_at_a_time_can_not_be_shared(feeding: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    @contextmanager
    def two() -> Iterator[Group]:
        yield Group(0, 2)

    monkeypatch.setattr(run, "joined", two)
    recipe = Recipe(codec="amplitude", feeding=feeding)
    task = Task((tmp_path,), tmp_path / "m.safetensors", "none", recipe, Budget(updates=1))
    with pytest.raises(UsageError, match=f"feeding={feeding} .* 2 processes can't share.*--set feeding=streams"):
        run.train(task, training_together.Killer(sys.stderr))


def test_rows_are_shared_out_evenly_and_each_once() -> None:
    for streams, size in [(8, 2), (7, 3), (5, 5)]:
        shares = [range(streams)[Group(rank, size).rows(streams)] for rank in range(size)]
        assert [row for share in shares for row in share] == list(range(streams))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
    with pytest.raises(UsageError, match="3 processes can't share a corpus of 2 windows"):
        Group(0, 3).rows(2)


def test_a_process_alone_is_a_group_of_one() -> None:
    with joined() as group:
        assert (group.rank, group.size, group.is_first) == (0, 1, True)
        assert group.rows(5) == slice(0, 5)
        assert group.total(1.5, 2.0) == [1.5, 2.0]
        assert group.share("kept") == "kept"
