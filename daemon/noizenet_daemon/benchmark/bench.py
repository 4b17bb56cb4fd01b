"""All measurements of `noizenet bench`, one after another; each is told as soon as it is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noizenet.checkpoint import Checkpoint
from noizenet.errors import UsageError
from noizenet.protocol import suggest
from noizenet_daemon.benchmark.ceilings import Ceilings
from noizenet_daemon.benchmark.fresh import FRESH, SAME_NETWORK
from noizenet_daemon.benchmark.machine import describe_machine
from noizenet_daemon.benchmark.peers.program import Program
from noizenet_daemon.benchmark.playing import CONTESTANTS, Contestant
from noizenet_daemon.benchmark.sizes import RESERVED
from noizenet_daemon.benchmark.worker import MeasurementError, in_own_process
from noizenet_daemon.config import SHIPPED_CHECKPOINT
from noizenet_daemon.warming import said_if_slow

CEILING_TURNS = 7


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        names: recipes, and checkpoint files.
        contestants: how each is played.
        hidden: sizes of the LSTM that is measured beside peers; none = none.
        programs: further peers.
        seconds: of work for each measurement, about.
        turns: of each contender of a size.
    """

    names: tuple[str, ...]
    contestants: tuple[Contestant, ...]
    hidden: tuple[int, ...]
    programs: tuple[Program, ...]
    seconds: float
    turns: int


def make_plan(
    names: Sequence[str], hidden: Sequence[int], programs: Sequence[Program], seconds: float | None, quick: bool
) -> Plan:
    """Returns the plan that a command line asks for.

    Args:
        names: recipes and files; none = all recipes and what ships.
        seconds: None = 1, or 0.1 of a quick one.

    Raises:
        UsageError: two peers have one name, or a name is neither a recipe nor a file.
        CheckpointError: a file is no checkpoint.
    """
    taken = list(RESERVED)
    for program in programs:
        if program.name in taken:
            raise UsageError(f"--peer {program.name}: another contender has that name: choose a new one")
        taken.append(program.name)
    shipped = sorted(str(path) for path in SHIPPED_CHECKPOINT.parent.glob("*.safetensors"))
    chosen = dict.fromkeys(_checked_name(name) for name in names or [*FRESH, *shipped])
    return Plan(
        names=tuple(chosen),
        contestants=("f32",) if quick else CONTESTANTS,
        hidden=tuple(hidden),
        programs=tuple(programs),
        seconds=seconds or (0.1 if quick else 1.0),
        turns=3 if quick else 5,
    )


def _checked_name(name: str) -> str:
    if name in SAME_NETWORK:
        return SAME_NETWORK[name]
    if name in FRESH:
        return name
    if not Path(name).exists():
        known = [*FRESH, *SAME_NETWORK]
        raise UsageError(
            f"{name} is neither a checkpoint file nor a recipe{suggest(name, known)}: choose of {', '.join(known)}"
        )
    Checkpoint.load(Path(name))
    return name


@dataclass(frozen=True)
class Told:
    """How the measurements are told, each as JSON has it."""

    ceilings: Callable[[dict[str, Any]], None]
    playing: Callable[[dict[str, Any]], None]
    size: Callable[[dict[str, Any]], None]
    missing: Callable[[str], None]


def run_plan(plan: Plan, told: Told) -> dict[str, Any]:
    """Carries out a plan and returns all of it, in plain values that JSON can hold."""
    report: dict[str, Any] = {"machine": describe_machine(), "playing": [], "sizes": [], "missing": []}

    def miss(sentence: str) -> None:
        if sentence not in report["missing"]:
            report["missing"].append(sentence)
            told.missing(sentence)

    with said_if_slow("Preparing the kernels for this processor (the first time only, some minutes) ..."):
        in_own_process("prepare", names=plan.names, contestants=plan.contestants)
    ceilings = Ceilings(**in_own_process("ceilings", turns=CEILING_TURNS))
    report["ceilings"] = {"sgemm": ceilings.sgemm, "reading": ceilings.reading}
    told.ceilings(report["ceilings"])
    for name in plan.names:
        for contestant in plan.contestants:
            try:
                row = in_own_process("playing", what=name, contestant=contestant, seconds=plan.seconds)
            except MeasurementError as error:
                miss(f"{'PyTorch eager' if contestant == 'torch' else contestant} took no part: {error}")
                continue
            row["sgemm"] = ceilings.share_of_sgemm(row["weights"], row["steps_per_second"])
            row["reading"] = ceilings.share_of_reading(row["weight_bytes"], row["steps_per_second"])
            report["playing"].append(row)
            told.playing(row)
    programs = [(program.name, program.words) for program in plan.programs]
    for hidden in plan.hidden:
        try:
            size = in_own_process("size", hidden=hidden, seconds=plan.seconds / 5, turns=plan.turns, programs=programs)
        except MeasurementError as error:
            miss(f"hidden {hidden} was not measured: {error}")
            continue
        for sentence in size.pop("missing"):
            miss(sentence)
        report["sizes"].append(size)
        told.size(size)
    return report
