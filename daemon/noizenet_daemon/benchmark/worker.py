"""One measurement in a process of its own, with one thread: `python -m noizenet_daemon.benchmark.worker`.

The parent says on the command line what to measure; the child prints one JSON object, or on standard error one
sentence.
"""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from noizenet.errors import NoizeNetError

# Of the libraries that NumPy, PyTorch and numba may compute with, in the order OpenMP, OpenBLAS, MKL, Accelerate.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class MeasurementError(NoizeNetError):
    """A measurement that failed in its own process."""


def in_own_process(task: str, **arguments: Any) -> Any:
    """Returns what a task of `TASKS` returns, as JSON has it.

    Raises:
        MeasurementError: it failed; with its own sentence.
    """
    done = subprocess.run(
        [sys.executable, "-m", "noizenet_daemon.benchmark.worker", task, json.dumps(arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **dict.fromkeys(THREADS, "1")},
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"the process ended with status {done.returncode}"]
        raise MeasurementError(said[-1])
    return json.loads(done.stdout.splitlines()[-1])


def _prepare(names: Sequence[str], contestants: Sequence[Any]) -> None:
    """Compiles what playing these needs, so that no process that is measured has to."""
    from noizenet_daemon.benchmark.playing import generator_of
    from noizenet_daemon.kernels.shared_products import TOGETHER
    from noizenet_daemon.precision import PRECISIONS
    from noizenet_daemon.warming import warm_up

    for name in names:
        for contestant in contestants:
            if contestant in PRECISIONS:
                warm_up(generator_of(name, contestant), TOGETHER)


def _ceilings(turns: int) -> Any:
    from noizenet_daemon.benchmark.alternating import median_rates
    from noizenet_daemon.benchmark.ceilings import Ceilings, reading_measure, sgemm_measure

    rates = median_rates({"sgemm": sgemm_measure(), "reading": reading_measure()}, turns)
    return Ceilings(rates["sgemm"], rates["reading"])


def _playing(**arguments: Any) -> Any:
    from noizenet_daemon.benchmark.playing import measure_playing

    return measure_playing(**arguments)


def _size(programs: Sequence[Sequence[Any]], **arguments: Any) -> Any:
    from noizenet_daemon.benchmark.peers.program import Program
    from noizenet_daemon.benchmark.sizes import measure_size

    return measure_size(programs=[Program(name, tuple(words)) for name, words in programs], **arguments)


TASKS: dict[str, Callable[..., Any]] = {
    "prepare": _prepare,
    "ceilings": _ceilings,
    "playing": _playing,
    "size": _size,
}


def main(arguments: Sequence[str]) -> int:
    """Runs the task of the command line; returns the exit status."""
    task, text = arguments
    try:
        found = TASKS[task](**json.loads(text))
    except NoizeNetError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except ModuleNotFoundError as error:
        print(f"the Python package {error.name!r} is not installed", file=sys.stderr)
        return 2
    print(json.dumps(dataclasses.asdict(found) if dataclasses.is_dataclass(found) else found))  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
