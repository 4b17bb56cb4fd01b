"""`noizenet inspect`: what is in a checkpoint, for people and for programs."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from making import (
    amplitude_checkpoint,
    memory_checkpoint,
    mulaw_checkpoint,
    stereo_checkpoint,
    tiered_checkpoint,
    tokens_checkpoint,
)
from noizenet.checkpoint import Checkpoint
from noizenet.cli import Subcommand
from noizenet.inspection import COMMAND, as_text, describe


def inspected(path: Path, *flags: str) -> None:
    """Runs the subcommand as `noizenet inspect` would."""
    command: Subcommand = COMMAND
    parser = argparse.ArgumentParser()
    command.configure(parser)
    command.run(parser.parse_args([str(path), *flags]))


def test_json_is_one_object_with_all_that_is_known(checkpoint_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inspected(checkpoint_file, "--json")
    about: dict[str, Any] = json.loads(capsys.readouterr().out)
    checkpoint = Checkpoint.load(checkpoint_file)
    assert about["name"] == "small"
    assert about["sha256"] == checkpoint.fingerprint
    assert about["bytes"] == checkpoint_file.stat().st_size
    assert about["sample_rate"] == 22050
    assert about["steps_per_second"] == 22050 / 64
    assert about["codec"] == {"name": "tokens", "width": 2, "classes": 8, **checkpoint.codec.options()}
    assert about["network"]["weights"] == sum(array.size for array in checkpoint.weights.values())
    assert about["states"] == ["1", "2"]
    assert about["corpus"] == {"seconds": 2.5, "files": checkpoint.corpus}
    assert about["training"] == checkpoint.training
    assert (about["licence"], about["attribution"]) == ("public domain", "made by the tests")


def test_people_get_a_line_for_each_thing(checkpoint_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inspected(checkpoint_file)
    text = capsys.readouterr().out
    for part in (
        "tokens: a step is 2 codes of 8",
        "lstm, 1 layer of 16, categorical head",
        "2 states: 1, 2",
        "1 file, 2.5 s",
        "made.wav, 2.5 s, SHA-256 abababababababab",
        "recipe none",
        "losses 5 values, the last 1.75",
        "public domain",
    ):
        assert part in text


@pytest.mark.parametrize(
    "checkpoint",
    [tokens_checkpoint(), mulaw_checkpoint(), tiered_checkpoint(), amplitude_checkpoint(), stereo_checkpoint()],
)
def test_every_codec_can_be_described(checkpoint: Checkpoint) -> None:
    about = describe(checkpoint, 1000)
    assert json.loads(json.dumps(about)) == about
    assert about["codec"]["name"] in as_text(about)
    assert ("Hz, mono, " if about["channels"] == 1 else "Hz, stereo, ") in as_text(about)


def test_a_memory_has_a_line_of_its_own() -> None:
    checkpoint = memory_checkpoint()
    assert describe(checkpoint, 1000)["memory"] == {"seconds": pytest.approx(7.0, abs=0.01), "pace_s": 0.3}
    assert "memory       7.0 s, a departure every 0.3 s" in as_text(describe(checkpoint, 1000))
    assert "memory       none" in as_text(describe(tokens_checkpoint(), 1000))


def test_a_header_without_provenance_says_so() -> None:
    bare = dataclasses.replace(tokens_checkpoint(states=()), corpus=[], training={}, licence="", attribution="")
    text = as_text(describe(bare, 1000))
    assert text.count("not stated") == 2
    assert "not recorded" in text
    assert "0 states" in text


def test_a_header_of_nonsense_is_described_all_the_same() -> None:
    strange: Any = [3, {"name": 7, "seconds": "long", "sha256": None}, {"seconds": float("nan")}]
    checkpoint = dataclasses.replace(tokens_checkpoint(), corpus=strange, training=["x"], licence="\x1b[2Jfree\n")  # type: ignore[arg-type]
    about = describe(checkpoint, 1000)
    text = as_text(about)
    assert about["corpus"]["seconds"] == 0.0
    assert "\x1b" not in text
    assert "free" in text
