"""A trial: one training among several, with the command that makes it again alone, and the row that it leaves.

A trial never ends those beside it: whatever goes wrong in it becomes a row that says why. The row of a trial that
is done lies in a file of its own, so that trials that were killed go on where they were.
"""

import hashlib
import json
import os
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from noizenet.atomic_files import write_atomically
from noizenet.errors import NoizeNetError, TrainingError

if TYPE_CHECKING:
    from noizenet_training.learning.rounds import Round

State = Literal["finished", "stopped early", "failed"]


@dataclass(frozen=True)
class Trial:
    """One training.

    Attributes:
        name: short, for tables and files.
        audio: files and folders.
        overrides: `key=value`, as given to `--set`.
        steps: updates of the weights; 0 = as many as the minutes allow.
        minutes: at most; 0 = as many as the updates take.
        songs: how many files, the first that can be used; 0 = all.
        seconds: of each file; 0 = all.
    """

    name: str
    audio: tuple[Path, ...]
    recipe: str
    overrides: tuple[str, ...] = ()
    steps: int = 0
    minutes: float = 0.0
    seed: int = 0
    songs: int = 0
    seconds: float = 0.0

    @property
    def stem(self) -> str:
        """Name of its files, which differs as soon as anything that it is asked to do differs."""
        asked = json.dumps(asdict(self), default=str, sort_keys=True)
        readable = re.sub(r"[^\w.=]+", "-", self.name)[:60].strip("-")
        return f"{readable}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"

    def command(self, out: Path, updates: int = 0) -> str:
        """Returns the command line that trains it alone, with equal weights where its length is in updates.

        Args:
            updates: that it came to, if its minutes ended it.
        """
        words = ["noizenet", "train", *map(str, self.audio), "--out", str(out), "--recipe", self.recipe]
        steps = updates or self.steps
        words += ["--steps", str(steps)] if steps else ["--minutes", f"{self.minutes:g}"]
        words += ["--songs", str(self.songs)] if self.songs else []
        words += ["--seconds", f"{self.seconds:g}"] if self.seconds else []
        for override in self.overrides:
            words += ["--set", override]
        words += ["--seed", str(self.seed)]
        return "OMP_NUM_THREADS=1 " + shlex.join(words)  # sums come out the same with the same number of threads


@dataclass(frozen=True)
class Row:
    """What a trial brought.

    Attributes:
        why: the reason, if it failed.
        held_out: held-out loss of the weights kept; None if it never came so far.
        update_s: seconds that an update takes, undisturbed; None with less than two updates.
        losses, held_out_losses: of its rounds, at the `updates_at`.
        history: of single updates: their numbers, losses, and the song that was read; empty where there is none.
        said: what the training remarked.
    """

    name: str
    state: State
    command: str
    checkpoint: str
    why: str = ""
    updates: int = 0
    minutes: float = 0.0
    held_out: float | None = None
    update_s: float | None = None
    updates_at: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    held_out_losses: list[float] = field(default_factory=list)
    history: dict[str, list[Any]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Writes the row, all or nothing."""
        write_atomically(path, json.dumps(asdict(self), indent=1).encode())

    @classmethod
    def read(cls, path: Path) -> "Row | None":
        """Returns the row in a file; None if there is none, or none that this version wrote."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**values) if values.keys() == {entry.name for entry in fields(cls)} else None
        except (OSError, ValueError, AttributeError):
            return None


OnRound = Callable[["Round"], None]


def run_trial(trial: Trial, folder: Path, on_round: OnRound | None = None) -> Row:
    """Trains, and returns the row, which then also lies in the folder unless trying again may help.

    Args:
        folder: of the checkpoint and the row.
        on_round: may raise SystemExit, which ends the trial without a row.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when PyTorch is loaded
    out = folder / f"{trial.stem}.safetensors"
    pace = _Pace()
    try:
        row = _trained(trial, out, pace, on_round)
    except Exception as error:
        why = str(error) if isinstance(error, NoizeNetError) else f"{type(error).__name__}: {error}"
        failed = Row(trial.name, "failed", trial.command(out), "", why, updates=pace.updates, said=pace.said)
        if isinstance(error, TrainingError):  # it would only diverge again
            failed.write(folder / f"{trial.stem}.json")
        return failed
    row.write(folder / f"{trial.stem}.json")
    return row


def _trained(trial: Trial, out: Path, pace: "_Pace", on_round: OnRound | None) -> Row:
    """Trains, and returns the row; its losses are those that the checkpoint tells.

    Raises:
        NoizeNetError: see `noizenet_training.run.train`.
    """
    from noizenet.checkpoint import Checkpoint
    from noizenet_training.learning.rounds import Budget
    from noizenet_training.recipe_reading import load_recipe
    from noizenet_training.resumption import resume_path
    from noizenet_training.run import train
    from noizenet_training.task import Task

    def after_round(found: "Round") -> None:
        pace.updates = found.updates
        if on_round:
            on_round(found)

    task = Task(
        trial.audio,
        out,
        trial.recipe,
        load_recipe(trial.recipe, trial.overrides),
        Budget(60.0 * trial.minutes or None, trial.steps or None),
        trial.seed,
        resume=resume_path(out).exists(),
        songs=trial.songs,
        seconds=trial.seconds,
        preview=False,
    )
    outcome = train(task, pace, on_round=after_round)
    told = Checkpoint.load(out).training
    return Row(
        trial.name,
        "finished",
        trial.command(out, outcome.updates if trial.steps else 0),
        out.name,
        updates=outcome.updates,
        minutes=outcome.minutes,
        held_out=outcome.held_out,
        update_s=pace.update_s(),
        updates_at=told["updates"],
        losses=told["losses"],
        held_out_losses=told["held_out_losses"],
        history=told.get("history") or {},
        said=pace.said,
    )


class _Pace:
    """A reporter that shows nothing, keeps what is said, and measures how long updates take."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.updates = 0
        self._times: list[float] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def advance(self, spent: float, figures: str) -> None:  # noqa: ARG002
        self._times.append(time.perf_counter())

    def update_s(self) -> float | None:
        """Returns the tenth percentile of the seconds from one update to the next.

        So much an update costs where nothing else keeps the processor, and without a look at the held-out part.
        """
        between = sorted(last - first for first, last in pairwise(self._times))
        return round(between[len(between) // 10], 5) if between else None
