"""Running trials side by side through Ray Tune, on this machine or on a cluster.

Each trial has one core. Rows of trials that were done before are taken as they are; one that was killed goes on
from its resume file. Trials that hold out worst may be stopped early by ASHA (Li and others, "A System for Massively
Parallel Hyperparameter Tuning", MLSys 2020).
"""

import logging
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noizenet.errors import DeviceError, InputFileError, MissingExtraError
from noizenet_training.progress import Reporter
from noizenet_training.trials import Measure, Row, Trial, run_trial

if TYPE_CHECKING:
    from noizenet_training.fitting import Round

OBJECT_STORE_BYTES = 100 << 20  # rows and settings are small
SHARES = 1000  # in which the budget is counted
STOP_FACTOR = 3  # of the trials that come to a rung, a third go on
LONGEST_SOCKET_FOLDER = 40  # letters; Ray adds some sixty of its own, and a socket's path may have 107

# Read by Ray when it is imported. The first binds all its servers to the loopback interface: else they listen on every
# interface, and whoever reaches one may run code.
LOCAL_ENVIRONMENT = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
QUIET_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


def run_trials(
    trials: Sequence[Trial],
    out: Path,
    report: Reporter,
    *,
    ray_address: str = "",
    stop_early: bool = False,
    measure: Measure | None = None,
) -> list[Row]:
    """Returns the rows of trials, in their order; what they leave lies in `out`/trials.

    Args:
        ray_address: of a cluster, whose machines must all see `out` and the sound files at the same place;
            "" = this machine alone.
        stop_early: stop those that hold out worst. All must have the same budget, and losses of the same kind.
        measure: see `run_trial`.

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
            rows |= _run(pending, folder, report, stop_early, measure)
    return [replace(rows[trial], name=trial.name) for trial in trials]


def _known(trial: Trial, folder: Path, stop_early: bool) -> Row | None:
    """Returns the row of a trial that is done; one that was stopped early is not, if now all are to be finished."""
    row = Row.read(folder / f"{trial.stem}.json")
    return row if row and (stop_early or row.state != "stopped early") else None


@contextmanager
def ray_session(address: str) -> Iterator[None]:
    """Connects to a cluster, or starts Ray on this machine, reachable from nowhere else, and stops it.

    Raises:
        MissingExtraError, DeviceError: see `run_trials`.
    """
    os.environ.update(QUIET_ENVIRONMENT if address else QUIET_ENVIRONMENT | LOCAL_ENVIRONMENT)
    try:
        import ray
        import ray.tune
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"this command needs the Python package {error.name!r}, which is not installed: "
            "pip install 'noizenet[sweeps]'"
        ) from None
    for name in ("ray", "ray.tune"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    temporary = "" if address else tempfile.mkdtemp(prefix="nz-", dir=_short_folder())
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(
                address="local",
                num_cpus=_usable_cores(),
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address="127.0.0.1",
                _temp_dir=temporary,
                **quiet,
            )
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        where = f"there is no Ray cluster at {address}" if address else "Ray doesn't start on this machine"
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
        raise DeviceError(f"{where}: {reason}") from None
    try:
        yield
    finally:
        ray.shutdown()
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)


def _short_folder() -> str:
    """Returns a folder for temporary files whose path leaves room for the names of Ray's sockets."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= LONGEST_SOCKET_FOLDER else "/tmp"


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _run(
    pending: Sequence[Trial], folder: Path, report: Reporter, stop_early: bool, measure: Measure | None
) -> dict[Trial, Row]:
    """Returns the rows of trials that Ray Tune runs."""
    from ray import tune
    from ray.tune.schedulers import AsyncHyperBandScheduler

    def trainable(config: dict[str, Any]) -> None:
        trial = pending[config["trial"]]

        def on_round(found: "Round") -> None:
            spent = found.updates / trial.steps if trial.steps else found.elapsed_s / (60.0 * trial.minutes)
            if spent < 1.0:  # a trial that has come to its end isn't stopped any more
                tune.report({"held_out": found.held_out, "spent": int(SHARES * spent), "round": asdict(found)})

        row = run_trial(trial, folder, on_round, measure)
        tune.report({"held_out": row.held_out or math.inf, "spent": SHARES, "row": asdict(row)})

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
