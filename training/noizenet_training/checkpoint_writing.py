"""Writing the checkpoint and the resume file while training goes on."""

import math
import platform
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet_training.learning.fitting import Fitting
from noizenet_training.learning.rounds import Round
from noizenet_training.learning.sample_rnn import new_network
from noizenet_training.remembering import USUAL_PACE_S, Remembering
from noizenet_training.resumption import resume_path, save_resume
from noizenet_training.starts import start_states
from noizenet_training.tempering import tempered

Array = NDArray[Any]

WRITE_EVERY_S = 15.0  # at most so often
HISTORY = 200  # rounds that the header lists, at most


class CheckpointWriter:
    """Writes the best weights so far, and what a killed training needs to go on.

    Args:
        out: the checkpoint.
        half: store it in 16 bits.
        blank: the checkpoint but for weights, states, and what training brought.
        training: steps (n, width) of the training stretches, for the hidden states to start from.
        identity: see `save_resume`.
        remembering: what the checkpoint is to remember of its corpus, if anything.

    Attributes:
        pace_s: see `Memory`.
        temperature: that the network's draws are made at; see `tempering`.
    """

    def __init__(
        self,
        out: Path,
        half: bool,
        blank: Checkpoint,
        fitting: Fitting,
        training: Sequence[Array],
        identity: dict[str, Any],
        remembering: Remembering | None = None,
    ) -> None:
        self._out = out
        self._half = half
        self._blank = blank
        self._fitting = fitting
        self._training = training
        self._identity = identity
        self._remembering = remembering
        self.pace_s = USUAL_PACE_S
        self.temperature = 1.0
        self._written_s = -math.inf
        self._written: Round | None = None

    def after_round(self, elapsed_s: float) -> None:
        """Writes both files if it is time; the checkpoint only if better weights were found."""
        if elapsed_s - self._written_s < WRITE_EVERY_S:
            return
        self._written_s = elapsed_s
        save_resume(resume_path(self._out), self._identity, self._blank.codec, self._fitting, elapsed_s)
        if self._fitting.best_round != self._written:
            self.write_checkpoint(elapsed_s)

    def write_checkpoint(self, elapsed_s: float) -> None:
        """Writes the best weights so far, with the hidden states they have after hearing the corpus."""
        fitting = self._fitting
        network = new_network(self._blank.network)
        network.load_weights(fitting.best)
        best = self._written = fitting.best_round
        brought = {
            "steps": fitting.updates,
            "rounds": len(fitting.rounds),
            "passes": round(fitting.passes, 4),
            "minutes": round(elapsed_s / 60.0, 2),
            "best": asdict(best) if best else {},
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": versions(),
        }
        checkpoint = replace(
            self._blank,
            weights=tempered(fitting.best, self.temperature) if self.temperature != 1.0 else fitting.best,
            states=start_states(network, self._training, self._blank.codec.group),
            memory=self._remembering.memory(network, self.pace_s) if self._remembering else None,
            training=self._blank.training | brought | _histories(fitting),
        )
        checkpoint.save(self._out, half=self._half)


def versions() -> dict[str, str]:
    """Returns the versions of what training depends on."""
    packages = {name: version(name) for name in ("noizenet", "numpy", "scikit-learn")}
    return {"python": platform.python_version(), "torch": str(torch.__version__)} | packages


def _histories(fitting: Fitting) -> dict[str, Any]:
    """Returns the losses of the rounds, evenly thinned (the last stays), of single updates, and of the playing; and
    what listening samples were like, in `heard`.

    Held-out errors of numbers, whatever was trained, are in `held_out_mse`, `held_out_mae` and `held_out_mbe`.
    """
    rounds = fitting.rounds
    stride = -(-len(rounds) // HISTORY)
    kept = [entry for index, entry in enumerate(rounds) if index % stride == 0 or index == len(rounds) - 1]
    found: dict[str, Any] = {
        "updates": [entry.updates for entry in kept],
        "losses": [_rounded(entry.loss) for entry in kept],
        "held_out_losses": [_rounded(entry.held_out) for entry in kept],
    }
    for name in ("mse", "mae", "mbe"):
        errors = [getattr(entry, name) for entry in kept]
        if None not in errors:
            found[f"held_out_{name}"] = [_rounded(error) for error in errors]
    found["history"] = fitting.history.columns()
    played = [(entry.updates, _rounded(entry.distance)) for entry in rounds if entry.distance is not None]
    if played:
        updates, distances = zip(*played, strict=True)
        found["played"] = {"updates": list(updates), "distances": list(distances)}
    if fitting.heard:
        found["heard"] = fitting.heard
    return found


def _rounded(number: float) -> float:
    """Returns a number to five digits: a mean squared error may be small."""
    return float(f"{number:.5g}")
