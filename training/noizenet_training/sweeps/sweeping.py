"""Running trials side by side through Ray Tune, on this machine or on a cluster.

Each trial has one core. Rows of trials that were done before are taken as they are; one that was killed goes on
from its resume file. Trials that hold out worst may be stopped early by ASHA (Li and others, "A System for Massively
Parallel Hyperparameter Tuning", MLSys 2020).
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noizenet.errors import InputFileError
from noizenet_training.progress import Reporter
from noizenet_training.sweeps.ray_session import ray_session
from noizenet_training.sweeps.trials import Row, Trial, run_trial

if TYPE_CHECKING:
    from noizenet_training.learning.rounds import Round

SHARES = 1000  # in which the budget is counted
WORST = 1e9  # held-out loss of a trial that failed: finite, for ASHA interpolates between losses
STOP_FACTOR = 3  # of the trials that come to a rung, a third go on


def run_trials(
    trials: Sequence[Trial],
    out: Path,
    report: Reporter,
    *,
    ray_address: str = "",
    stop_early: bool = False,
) -> list[Row]:
    """Returns the rows of trials, in their order; what they leave lies in `out`/trials.

    Args:
        ray_address: of a cluster, whose machines must all see `out` and the sound files at the same place;
            "" = this machine alone.
        stop_early: stop those that hold out worst. All must have the same budget, and losses of the same kind.

    Raises:
        InputFileError: `out` can't be written to.
        MissingExtraError: Ray isn't installed.
        DeviceError: there is no cluster at the address, or Ray doesn't start.
    """
    folder = out / "trials"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputFileError(f"can't write to {folder}: {error.strerror}") from None
    rows = {trial: row for trial in trials if (row := _known(trial, folder, stop_early))}
    pending = [trial for trial in dict.fromkeys(trials) if trial not in rows]
    if rows:
        report.say(f"{len(rows)} of {len(rows) + len(pending)} trials were done before")
    if pending:
        with ray_session(ray_address), report:
            try:
                rows |= _run(pending, folder, report, stop_early)
            except KeyboardInterrupt:
                report.say("stopped; the same command goes on where it was")
                raise
    return [replace(rows[trial], name=trial.name) for trial in trials]


def _known(trial: Trial, folder: Path, stop_early: bool) -> Row | None:
    """Returns the row of a trial that is done; one that was stopped early is not, if now all are to be finished."""
    row = Row.read(folder / f"{trial.stem}.json")
    return row if row and (stop_early or row.state != "stopped early") else None


def _run(pending: Sequence[Trial], folder: Path, report: Reporter, stop_early: bool) -> dict[Trial, Row]:
    """Returns the rows of trials that Ray Tune runs."""
    from ray import tune
    from ray.tune.schedulers import AsyncHyperBandScheduler

    def trainable(config: dict[str, Any]) -> None:
        trial = pending[config["trial"]]

        def on_round(found: "Round") -> None:
            spent = found.updates / trial.steps if trial.steps else found.elapsed_s / (60.0 * trial.minutes)
            if spent < 1.0:  # a trial that has come to its end isn't stopped any more
                tune.report({"held_out": found.held_out, "spent": int(SHARES * spent), "round": asdict(found)})

        row = run_trial(trial, folder, on_round)
        worst = WORST if row.held_out is None else row.held_out
        tune.report({"held_out": worst, "spent": SHARES, "row": asdict(row)})

    early = AsyncHyperBandScheduler(
        "spent",
        "held_out",
        "min",
        max_t=SHARES + 1,
        grace_period=SHARES // STOP_FACTOR**2,
        reduction_factor=STOP_FACTOR,
    )
    gatherer = _gatherer(pending, folder, report)
    with tempfile.TemporaryDirectory(prefix=".ray-", dir=folder) as storage:
        results = tune.Tuner(
            tune.with_resources(trainable, {"cpu": 1}),
            param_space={"trial": tune.grid_search(list(range(len(pending))))},
            tune_config=tune.TuneConfig(reuse_actors=True, scheduler=early if stop_early else None),
            run_config=tune.RunConfig(storage_path=storage, name="tune", verbose=0, callbacks=[gatherer]),
        ).fit()
        for result in (results[number] for number in range(len(results))):
            if result.error:  # the trial's process is gone: what happens inside of it is caught there
                trial = pending[(result.config or {})["trial"]]
                why = f"its process ended: {_last_line(result.error)}"
                row = Row(trial.name, "failed", trial.command(folder / f"{trial.stem}.safetensors"), "", why)
                gatherer.add(trial, row)
    rows: dict[Trial, Row] = gatherer.rows
    return rows


def _gatherer(pending: Sequence[Trial], folder: Path, report: Reporter) -> Any:
    """Returns the callback of Ray Tune that gathers the rows of trials as they end."""
    from ray import tune

    started = time.monotonic()

    class Gatherer(tune.Callback):
        def __init__(self) -> None:
            self.rows: dict[Trial, Row] = {}

        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
            asked = pending[trial.config["trial"]]
            last = trial.last_result
            self.add(asked, Row(**last["row"]) if "row" in last else _stopped(asked, folder, last["round"]))

        def add(self, asked: Trial, row: Row) -> None:
            self.rows[asked] = row
            found = row.why or f"held-out {row.held_out:.4g} after {row.updates} updates"
            report.say(f"{row.state}: {row.name}: {found}")
            minutes, seconds = divmod(round(time.monotonic() - started), 60)
            share = len(self.rows) / len(pending)
            report.advance(share, f"{len(self.rows)} of {len(pending)} trials, {minutes}:{seconds:02d} so far")

    return Gatherer()


def _stopped(trial: Trial, folder: Path, last: dict[str, Any]) -> Row:
    """Writes and returns the row of a trial that was stopped early, after its last round."""
    from noizenet_training.resumption import resume_path

    out = folder / f"{trial.stem}.safetensors"
    for path in (out, resume_path(out)):
        path.unlink(missing_ok=True)
    row = Row(
        trial.name,
        "stopped early",
        trial.command(out),
        "",
        updates=last["updates"],
        minutes=round(last["elapsed_s"] / 60.0, 2),
        held_out=last["held_out"],
    )
    row.write(folder / f"{trial.stem}.json")
    return row


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
