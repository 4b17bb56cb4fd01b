"""What each of two processes does for test_distributed, started by `torchrun`.

With `fit OUT`, it fits the cases one after another, and the first process writes what it found. With `kill`, it runs
the command line that follows, and is killed in the third round.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from making import Array
from noizenet.cli import main
from noizenet.network import NetworkShape
from noizenet_training import progress
from noizenet_training.learning.distributed import Group, joined
from noizenet_training.learning.fitting import Fitting
from noizenet_training.learning.networks import Network
from noizenet_training.learning.rounds import Budget
from noizenet_training.recipe import Recipe

CASES: dict[str, dict[str, Any]] = {
    "streams": {"codec": "tokens", "feeding": "streams", "corruption": 0.1, "optimiser": "adamw"},
    "shuffled": {"codec": "amplitude", "feeding": "shuffled", "input_noise": 0.1, "optimiser": "sgd", "momentum": 0.9},
    "uneven": {"codec": "amplitude", "feeding": "streams", "loss": "mae", "optimiser": "adam", "clip_by": "value"},
}


def fit(case: str, streams: int, group: Group | None = None) -> tuple[list[float], dict[str, Array]]:
    """Returns the losses of all updates, and the weights, of a case; half of it after being taken up again."""
    options = CASES[case]
    # a third of the windows of an uneven corpus is padding: processes count different numbers of steps
    lengths = (9, 31, 17) if case == "uneven" else (200, 90)
    recipe = Recipe(**options, streams=streams, unroll=12, round_updates=4, learning_rate=1e-2, dropout=0.0)
    rng = np.random.default_rng(0)
    if options["codec"] == "tokens":
        shape = NetworkShape("lstm", 2, 12, "categorical", 2, 6, 4, 8)
        songs: list[Array] = [rng.integers(0, 6, (length, 2)).astype(np.int32) for length in lengths]
    else:
        shape = NetworkShape("gru", 2, 12, "linear", features=2)
        songs = [rng.standard_normal((length, 2)).astype(np.float32) for length in lengths]
    stage_weights = np.array([0.7, 0.3]) if options["codec"] == "tokens" else np.ones(1)

    def new_fitting(seed: int) -> Fitting:
        torch.manual_seed(seed)
        return Fitting(Network(shape), recipe, songs, songs[:1], stage_weights, 0, group=group)

    fitting = new_fitting(group.rank if group else 0)  # the first process' weights are everyone's
    budget = Budget(updates=16)
    while fitting.updates < 8:
        fitting.run_round(budget, lambda: 0.0, lambda updates, loss: None)  # noqa: ARG005
    plain = fitting.to_plain()
    fitting = new_fitting(9)
    fitting.take_up(group.share(plain) if group else plain)
    while fitting.updates < 16:
        fitting.run_round(budget, lambda: 0.0, lambda updates, loss: None)  # noqa: ARG005
    return fitting.history.columns()["losses"], fitting.network.weights()


def fit_all(out: Path) -> None:
    """Writes losses and weights of all cases, as the first process knows them."""
    with joined() as group:
        assert group.size == 2
        found = {case: fit(case, 2, group) for case in CASES}
        if group.is_first:
            plain = {
                case: (losses, {name: array.tolist() for name, array in weights.items()})
                for case, (losses, weights) in found.items()
            }
            out.write_text(json.dumps(plain))


class Killer(progress.PlainReporter):
    """Ends the process like a power cut would."""

    def advance(self, spent: float, figures: str) -> None:
        super().advance(spent, figures)
        if figures.startswith("round 3"):
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "kill":
        progress.reporter = lambda stream=None: Killer(stream or sys.stderr)
        sys.exit(main(sys.argv[2:]))
    fit_all(Path(sys.argv[2]))
