"""`noizenet sweep`: its grid, its trials on Ray, its files; and what is refused before anything starts."""

import contextlib
import csv
import io
import json
import socket
import sys
from pathlib import Path

import pytest

from making import melody, write_sound
from noizenet.cli import main
from noizenet.errors import ConfigurationError, DeviceError, MissingExtraError
from noizenet_training.recipe import FIELDS
from noizenet_training.sweeps.grids import CHANGE_THE_LOSS, grid, values_to_try
from noizenet_training.sweeps.ray_session import ray_session
from noizenet_training.sweeps.trials import Trial

TINY = ["sample_rate=4000", "layers=1", "hidden=4", "streams=2", "unroll=32", "round_updates=2"]


def sweep(*arguments: object) -> tuple[int, str, str]:
    """Runs the command; returns its exit status and what it wrote to standard output and standard error."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            status = main(["sweep", *map(str, arguments)])
        except SystemExit as stop:
            status = int(stop.code or 0)
    return status, stdout.getvalue(), stderr.getvalue()


def test_every_combination_is_trained_for_every_seed() -> None:
    common = Trial("", (Path("a.wav"),), "amplitude", ("layers=1",), steps=5)
    found = grid(common, values_to_try(["hidden=4,8", "dropout=0.1,0.2"]), 2)
    assert [trial.name for _, trial in found][:3] == [
        "hidden=4,dropout=0.1,seed=0",
        "hidden=4,dropout=0.1,seed=1",
        "hidden=4,dropout=0.2,seed=0",
    ]
    assert len(found) == 8
    assert found[-1][0] == {"hidden": "8", "dropout": "0.2"}
    assert found[-1][1].overrides == ("layers=1", "hidden=8", "dropout=0.2")


@pytest.mark.parametrize(
    ("tries", "words"),
    [
        (["hidden"], "write it as key=value,value"),
        (["hidden=4,,8"], "write it as key=value,value"),
        (["hidden=4", "hidden=8"], "hidden is tried already"),
        (["hidden=4,4"], "a value comes twice"),
    ],
)
def test_a_malformed_value_to_try_is_refused(tries: list[str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        values_to_try(tries)


def test_faulty_combinations_are_refused_all_at_once_before_anything_starts(tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, _, said = sweep(tmp_path, "--out", out, "--try", "hiden=4,8", "--try", "layers=1,99")
    assert status == 2
    assert "did you mean hidden?" in said
    assert "layers is 99" in said
    assert len(said.strip().splitlines()) == 1
    assert not out.exists()


def test_options_that_change_the_loss_exist() -> None:
    assert FIELDS.keys() >= CHANGE_THE_LOSS


def test_without_ray_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"noizenet\[sweeps\]"), ray_session(""):
        pass


def test_a_cluster_that_is_not_there_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DeviceError, match=f"no Ray cluster at {address}"), ray_session(address):
            pass


def test_a_sweep_leaves_a_row_for_each_trial_and_does_none_twice(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", melody(4.0, 8000), 8000)
    out = tmp_path / "out"
    fixed = [word for option in [*TINY, "clip=0", "optimiser=sgd"] for word in ("--set", option)]
    command = [sound, "--out", out, "--recipe", "amplitude", "--steps", 6, "--no-stop", *fixed]
    status, printed, _ = sweep(*command, "--try", "learning_rate=1e-3,1e6", "--json")
    assert status == 0
    told = json.loads(printed)
    assert told == json.loads((out / "sweep.json").read_text())
    good, bad = told["trials"]
    assert (good["state"], good["updates"], good["values"]) == ("finished", 6, {"learning_rate": "1e-3"})
    assert bad["state"] == "failed"
    assert "diverged" in bad["why"]
    with (out / "sweep.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["state"] for line in lines] == ["finished", "failed"]
    assert lines[0]["command"] == good["command"]
    left = {path.suffix for path in (out / "trials").iterdir()}
    assert left <= {".json", ".safetensors"}
    # Ray isn't started for what is done already.
    status, printed, said = sweep(*command, "--try", "learning_rate=1e-3,1e6")
    assert status == 0
    assert "2 of 2 trials were done before" in said
    assert "learning_rate=1e6: training diverged" in printed
    assert f"best: {good['command']}" in printed
