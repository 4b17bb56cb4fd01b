"""`noizenet bench`: what is measured, and what it says. No test asserts how fast anything is."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from making import tokens_checkpoint
from noizenet.errors import CheckpointError, UsageError
from noizenet_daemon.benchmark import sizes, table, worker
from noizenet_daemon.benchmark.alternating import median_rates, stepping_measure
from noizenet_daemon.benchmark.bench import make_plan
from noizenet_daemon.benchmark.ceilings import Ceilings, reading_measure, sgemm_measure
from noizenet_daemon.benchmark.fresh import FRESH, lstm_of
from noizenet_daemon.benchmark.machine import processor_name
from noizenet_daemon.benchmark.peers.peer import PeerUnavailableError
from noizenet_daemon.benchmark.peers.program import Program
from noizenet_daemon.benchmark.playing import CONTESTANTS, measure_playing, most_in_time
from noizenet_daemon.benchmark.resident import resident_bytes

GPU = (pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"))


def noizenet(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "noizenet", *map(str, words)], capture_output=True, text=True)


def test_contestants_take_turns() -> None:
    order: list[str] = []
    rates = iter([1.0, 10.0, 3.0, 30.0, 2.0, 20.0])

    def measure(name: str) -> float:
        order.append(name)
        return next(rates)

    found = median_rates({"a": lambda: measure("a"), "b": lambda: measure("b")}, 3)
    assert order == ["a", "b"] * 3
    assert found == {"a": 2.0, "b": 20.0}


def test_a_turn_has_the_same_number_of_steps_each_time_and_at_least_some() -> None:
    asked: list[int] = []
    measure = stepping_measure(asked.append, 1e-9)
    assert measure() > 0
    assert measure() > 0
    assert asked[-1] == asked[-2] == 4


def test_shares_are_of_the_ceilings() -> None:
    ceilings = Ceilings(sgemm=2e9, reading=4e9)
    assert ceilings.share_of_sgemm(1e6, 500.0) == pytest.approx(0.5)
    assert ceilings.share_of_reading(4e6, 2000.0) == pytest.approx(2.0)
    assert sgemm_measure()() > 0
    assert reading_measure()() > 0


@pytest.mark.parametrize(
    ("each", "share", "most"),
    [(2.0, 1.0, 0), (1.0, 1.0, 1), (0.3, 1.0, 3), (0.1, 1.0, 10), (0.1, 0.5, 5), (1 / 64, 1.0, 64), (1e-4, 1.0, 64)],
)
def test_as_many_voices_fit_as_their_load_leaves_room_for(each: float, share: float, most: int) -> None:
    asked: list[int] = []

    def load(voices: int) -> float:
        asked.append(voices)
        return each * voices

    assert most_in_time(load, share) == most
    assert asked == [2**n for n in range(len(asked))]


def test_voices_that_share_work_are_counted_between_two_measurements() -> None:
    assert most_in_time(lambda voices: 0.4 + 0.1 * voices, 1.0) == 6


@pytest.mark.parametrize("contestant", [pytest.param(one, marks=GPU if one == "cuda" else ()) for one in CONTESTANTS])
def test_a_recipe_is_played_in_each_way(contestant: Any) -> None:
    found = measure_playing("paper-rnn", contestant, 0.01)
    assert (found.name, found.contestant, found.sample_rate, found.block_frames) == (
        "paper-rnn", contestant, 22_050, 256,
    )  # fmt: skip
    assert found.steps_per_second == pytest.approx(22_050 * found.realtime_factor)
    assert found.block_ms["p50"] <= found.block_ms["p95"] <= found.block_ms["p99"] <= found.block_ms["max"]
    assert (found.voices is None) == (contestant == "torch")
    assert found.weight_bytes == {"bf16": 2, "int8": 1}.get(contestant, 4) * found.weights
    assert found.resident_bytes > 1e6


def test_the_memory_of_a_process_grows_by_what_it_holds() -> None:
    before = resident_bytes()
    held = np.ones(1 << 23)
    assert resident_bytes() - before > 0.5 * held.nbytes


def test_all_contenders_of_a_size_step_it_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(checkpoint: object) -> Any:  # noqa: ARG001
        raise PeerUnavailableError("it isn't there: install it")

    monkeypatch.setattr(sizes, "PEERS", {"plain numba loops": sizes.plain_loops, "PyTorch eager": missing})
    programs = [
        Program("other", (sys.executable, "-c", "print({hidden} * 1000)")),
        Program("broken", (sys.executable, "-c", "print()")),
    ]
    found = sizes.measure_size(9, 0.001, 3, programs)
    assert [one.name for one in found.contenders] == ["f32", "bf16", "int8", "plain numba loops", "other"]
    by_name = {one.name: one for one in found.contenders}
    assert by_name["other"].steps_per_second == 9000.0
    assert by_name["other"].sgemm is None
    assert by_name["f32"].deviation == 0.0
    assert 0.0 < (by_name["bf16"].deviation or 0.0) < 0.5
    assert by_name["plain numba loops"].deviation is None
    assert found.missing[0] == "it isn't there: install it"
    assert found.missing[1].startswith("broken: ")
    for one in found.contenders[:4]:
        assert one.sgemm is not None
        assert one.sgemm > 0


def test_fewer_bits_are_farther_from_float32() -> None:
    checkpoint = lstm_of(48)
    assert sizes.deviation(checkpoint, "f32") == 0.0
    assert sizes.deviation(checkpoint, "int8") > sizes.deviation(checkpoint, "bf16") > 0.0


def test_ratios_in_the_table_are_of_float32() -> None:
    one = {"sgemm": 0.25, "reading": 1.5, "deviation": None}
    contenders = [{"name": "f32", "steps_per_second": 44_100.0, **one, "deviation": 0.0}]
    contenders += [{"name": "other", "steps_per_second": 22_050.0, "sgemm": None, "reading": None, "deviation": None}]
    first, second = table.size_lines({"hidden": 48, "contenders": contenders})
    assert [cell.strip() for cell in first.strip("|").split("|")] == [
        "48", "f32", "44,100", "2.00", "1.00 x", "25%", "150%", "0.0e+00",
    ]  # fmt: skip
    assert [cell.strip() for cell in second.strip("|").split("|")] == [
        "48", "other", "22,050", "1.00", "2.00 x", "", "", "",
    ]  # fmt: skip
    assert len({len(line) for line in (first, second, *table.size_heads())}) == 1


def test_all_recipes_and_what_ships_are_measured_unless_told() -> None:
    plan = make_plan([], (48,), [], None, quick=False)
    assert plan.names[: len(FRESH)] == tuple(FRESH)
    assert [Path(name).stem for name in plan.names[len(FRESH) :]] == ["orchestra", "whale"]
    assert (plan.contestants, plan.seconds, plan.turns) == (("f32", "bf16", "int8", "torch", "cuda"), 1.0, 5)
    quick = make_plan(["paper-shuffled", "paper-lstm"], (), [], None, quick=True)
    assert (quick.names, quick.contestants, quick.seconds) == (("paper-lstm",), ("f32",), 0.1)


def test_what_is_no_recipe_and_no_file_is_refused_with_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"paper-ltsm is neither .* \(did you mean paper-lstm\?\)"):
        make_plan(["paper-ltsm"], (), [], None, quick=True)
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    with pytest.raises(CheckpointError):
        make_plan([str(broken)], (), [], None, quick=True)


@pytest.mark.parametrize("name", ["f32", "PyTorch eager", "twice"])
def test_two_peers_of_one_name_are_refused(name: str) -> None:
    programs = [Program(one, ("true",)) for one in ("twice", name)]
    with pytest.raises(UsageError, match="another contender has that name"):
        make_plan([], (), programs, None, quick=True)


def test_the_processor_is_named_as_the_system_names_it(tmp_path: Path) -> None:
    information = tmp_path / "cpuinfo"
    information.write_text("processor\t: 0\nmodel name\t: Made Up 3000\n\nprocessor\t: 1\nmodel name\t: Made Up 3000\n")
    assert processor_name(information) == "Made Up 3000"
    assert processor_name(tmp_path / "none")


def test_a_measurement_that_fails_hands_its_sentence_on() -> None:
    with pytest.raises(worker.MeasurementError, match=r"can't read the checkpoint none.safetensors"):
        worker.in_own_process("playing", what="none.safetensors", contestant="f32", seconds=0.1)


def test_it_prints_one_json_object_and_nothing_else(tmp_path: Path) -> None:
    tokens_checkpoint().save(tmp_path / "mine.safetensors")
    peer = shlex.join([sys.executable, "-c", "print({hidden})"])
    done = noizenet(
        "bench", "--quick", "--json", "--seconds", "0.01", "--hidden", "none", "--peer", f"p={peer}",
        "paper-rnn", tmp_path / "mine.safetensors",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [row["name"] for row in found["playing"]] == ["paper-rnn", "mine"]
    assert found["sizes"] == []
    assert found["missing"] == []
    assert found["ceilings"]["sgemm"] > 0
    assert found["machine"]["cores"] >= 1
    for row in found["playing"]:
        assert row["sgemm"] == pytest.approx(2 * row["weights"] * row["steps_per_second"] / found["ceilings"]["sgemm"])


def test_it_prints_tables_that_markdown_understands() -> None:
    done = noizenet("bench", "--quick", "--seconds", "0.01", "--hidden", "none", "paper-rnn")
    assert done.returncode == 0, done.stderr
    machine, ceilings, empty, heads, rule, row = done.stdout.splitlines()
    assert "numba" in machine
    assert "SGEMM" in ceilings
    assert empty == ""
    assert heads.count("|") == rule.count("|") == row.count("|") == 14
    assert row.split("|")[1].strip() == "paper-rnn"


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["--hidden", "0"], 2, "0 is neither none nor whole numbers from 1 to 4096"),
        (["--hidden", "48,x"], 2, "48,x is neither none"),
        (["--seconds", "-1"], 2, "-1 is not a number of seconds above 0"),
        (["--seconds", "nan"], 2, "nan is not a number of seconds"),
        (["--peer", "nothing"], 2, "--peer nothing is not of the form NAME='command {hidden}'"),
        (["nowhere"], 2, "nowhere is neither a checkpoint file nor a recipe"),
        (["README.md"], 3, "README.md"),
    ],
)
def test_wrong_input_is_answered_in_one_sentence(words: list[str], status: int, part: str) -> None:
    done = noizenet("bench", *words)
    assert done.returncode == status
    assert not done.stdout
    assert part in done.stderr
    assert done.stderr.count("\n") == 1
