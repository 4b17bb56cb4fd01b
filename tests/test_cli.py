"""The command `noizenet`, run as users run it: in a process of its own."""

import os
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

from making import tokens_checkpoint
from noizenet.cli import GROUP

COMMANDS = sorted(entry.name for entry in entry_points(group=GROUP))


def noizenet(*words: str) -> subprocess.CompletedProcess[str]:
    wide = {**os.environ, "COLUMNS": "250"}  # help on one line each
    return subprocess.run([sys.executable, "-m", "noizenet", *words], capture_output=True, text=True, env=wide)


def test_help_lists_every_command_with_a_sentence() -> None:
    done = noizenet("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        (line,) = [line for line in done.stdout.splitlines() if line.split()[:1] == [name]]
        assert line.rstrip().endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = noizenet(name, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: noizenet {name}")
    assert not done.stderr


def test_the_version_is_that_of_the_distribution() -> None:
    assert noizenet("--version").stdout == f"noizenet {version('noizenet')}\n"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "required: SUB-COMMAND"),
        (["sing"], "invalid choice: 'sing'"),
        (["inspect"], "required: M"),
        (["inspect", "a.safetensors", "--yaml"], "unrecognized arguments: --yaml"),
    ],
)
def test_a_wrong_command_line_is_answered_in_one_sentence_with_status_2(words: list[str], part: str) -> None:
    done = noizenet(*words)
    assert done.returncode == 2
    assert not done.stdout
    assert part in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bad_checkpoint_is_answered_in_one_sentence_with_status_3(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    tokens_checkpoint().save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for words in (
        ["inspect", str(path)],
        ["inspect", str(path), "--json"],
        ["inspect", str(tmp_path / "none")],
    ):
        done = noizenet(*words)
        assert done.returncode == 3
        assert not done.stdout
        assert done.stderr.startswith("noizenet: ")
        assert done.stderr.count("\n") == 1


def test_a_missing_extra_is_answered_with_the_command_that_installs_it(checkpoint_file: Path) -> None:
    program = (
        "import sys; sys.modules['safetensors'] = None\n"
        f"from noizenet.cli import main; sys.exit(main(['inspect', {str(checkpoint_file)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "noizenet: this command needs the Python package 'safetensors', which is not installed: "
        "pip install 'noizenet[daemon]'\n"
    )


def test_a_reader_that_goes_away_is_no_error(checkpoint_file: Path) -> None:
    command = f"{sys.executable} -u -m noizenet inspect {checkpoint_file} | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
