"""Fitting the network: back-propagation through time, round by round, with the best weights kept, or the last.

A round is a fixed number of updates, then a look at the held-out part. It draws its random numbers from
(seed, round), so that a training that is stopped between rounds and resumed goes on exactly as it would have.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from noizenet.errors import TrainingError
from noizenet_training.learning.distributed import Group
from noizenet_training.learning.feeding import feed
from noizenet_training.learning.free_running import FreeRunning
from noizenet_training.learning.losses import look_at_held_out
from noizenet_training.learning.networks import Network
from noizenet_training.learning.optimisers import learning_rate
from noizenet_training.learning.precision import Precision
from noizenet_training.learning.rounds import Budget, Round
from noizenet_training.learning.update_history import UpdateHistory
from noizenet_training.learning.updates import DivergedError, Learning
from noizenet_training.recipe import Recipe

Array = NDArray[Any]

HALVINGS = 2  # of the learning rate after a loss that diverged, before training gives up
PLAYS = 16  # times in a training that the network plays by itself
USUAL_RATE = 2e-3  # at most proposed after a training that diverged


class Fitting:
    """A training under way.

    Attributes:
        stage_weights: what each stage counts in the reported losses and the choice of the best, sum 1.
        rounds: one entry for each round so far.
        divergences: how often the loss diverged; each has halved the learning rate.
        best: the weights that are kept: the best so far, or the last if the recipe says so; and `best_round`, the
            round that brought them.
        heard: what its listening samples were like, one entry each, for the checkpoint's header.
        look_s: seconds that playing by itself takes: the longest so far, before the first as it is expected.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        training: Sequence[Array],
        held_out: Sequence[Array],
        stage_weights: Array,
        seed: int,
        free_running: FreeRunning | None = None,
        group: Group | None = None,
    ) -> None:
        """Takes the steps to learn from; what is held out, and free running, only matter in a group's first process."""
        self.network = network
        self.stage_weights = stage_weights
        self.rounds: list[Round] = []
        self.best = network.weights()
        self.best_round: Round | None = None
        self.divergences = 0
        self.heard: list[dict[str, Any]] = []
        self.look_s = 0.0
        self._recipe = recipe
        self._training = training
        self._held_out = held_out
        self._seed = seed
        self._free_running = free_running
        self._group = group or Group()
        self._learning = Learning(network, recipe, stage_weights, self._group)

    @property
    def updates(self) -> int:
        """Updates of the weights so far."""
        return self._learning.updates

    @property
    def passes(self) -> float:
        """Passes over the training steps so far."""
        return self._learning.passes

    @property
    def precision(self) -> Precision:
        """How it computes."""
        return self._learning.precision

    @property
    def is_stalled(self) -> bool:
        """Whether its playing hasn't brought better weights for as often as the recipe's patience allows."""
        if not self._recipe.patience or self.best_round not in self.rounds:
            return False
        since = self.rounds[self.rounds.index(self.best_round) + 1 :]
        return sum(entry.distance is not None for entry in since) >= self._recipe.patience

    @property
    def history(self) -> UpdateHistory:
        """The losses of single updates, thinned."""
        return self._learning.history

    def run_round(self, budget: Budget, elapsed: Callable[[], float], on_update: Callable[[int, float], None]) -> Round:
        """Trains one round, or less if the budget ends; returns its losses.

        Args:
            elapsed: returns the seconds of training so far.
            on_update: called after each update with their number and its loss.

        Raises:
            TrainingError: the loss diverged again after the last good weights were restored and the learning rate
                halved, twice.
        """
        if not self.rounds and self._free_running and self._group.is_first:
            self.look_s = self._free_running.expected_s(self.network)
        good = self._learning.to_plain()
        while True:
            try:
                loss = self._train(budget, elapsed, on_update)
                found = self._group.share(self._look(loss, budget, elapsed) if self._group.is_first else None)
                diverged = self._learning.divergence(found.held_out)
            except DivergedError as error:
                diverged = str(error)
            if not diverged:
                break
            if self.divergences == HALVINGS:
                rate = self._recipe.learning_rate * 0.5**self.divergences
                raise TrainingError(
                    f"training diverged after {self.updates} update{'' if self.updates == 1 else 's'} at the rate "
                    f"{self._recipe.learning_rate:.2g}: {diverged}, also after the rate was halved {HALVINGS} "
                    f"times, to {rate:.2g}; lower it with --set learning_rate={min(rate / 4, USUAL_RATE):.2g}"
                )
            self.divergences += 1
            self._learning.take_up(good)
        if self._is_to_be_kept(found):
            self.best_round = found
            self.best = self.network.weights()
        self.rounds.append(found)
        return found

    def _is_to_be_kept(self, found: Round) -> bool:
        if self._recipe.keep == "last" or self.best_round is None:
            return True
        if found.distance is None and self._free_running is not None:
            return False
        least = min(entry.held_out for entry in (*self.rounds, found))
        return found.score(least) < self.best_round.score(least)

    def _look(self, loss: float, budget: Budget, elapsed: Callable[[], float]) -> Round:
        """Returns the round after its updates, with what the held-out part and the network's playing say."""
        seen = look_at_held_out(self.network, self._held_out, self._recipe.loss)
        held_out = float(self.stage_weights @ seen.losses)
        distance = None
        if self._free_running and not self._learning.divergence(held_out):
            started = elapsed()
            if self._is_to_play(budget, started):
                distance = self._free_running.distance(self.network)
                self.look_s = max(self.look_s, elapsed() - started)
        mse, mae, mbe = seen.errors or (None, None, None)
        return Round(self.updates, elapsed(), loss, held_out, distance, mse, mae, mbe, self.passes)

    def _is_to_play(self, budget: Budget, elapsed_s: float) -> bool:
        """Returns whether the network is to play after this round: the first, and each sixteenth of the budget."""
        if not self.rounds:
            return True
        last = self.rounds[-1]
        before, now = (
            budget.spent(seconds + self.look_s, updates)
            for seconds, updates in ((last.elapsed_s, last.updates), (elapsed_s, self.updates))
        )
        return now >= 1.0 or math.floor(now * PLAYS) > math.floor(before * PLAYS)

    def _train(self, budget: Budget, elapsed: Callable[[], float], on_update: Callable[[int, float], None]) -> float:
        """Returns the mean loss of a round's updates.

        Raises:
            DivergedError: see `Learning`.
        """
        recipe, learning = self._recipe, self._learning
        key = [self._seed, len(self.rounds), self.divergences]
        learning.start_round(key)
        rng = np.random.default_rng(key)
        losses: list[float] = []
        streams, context = recipe.streams * self._group.size, self.network.shape.context
        for batch in feed(recipe, self._training, streams, rng, self.updates, context):
            # the look that is to follow counts, too: what is said to take five minutes takes five minutes
            loss, elapsed_s = learning.propagate(batch, lambda: elapsed() + self.look_s)
            rate = learning_rate(recipe, budget.spent(elapsed_s, self.updates), self.divergences)
            learning.step(batch, loss, rate)
            losses.append(loss)
            on_update(self.updates, loss)
            if len(losses) == recipe.round_updates or budget.spent(elapsed_s, self.updates) >= 1.0:
                break
        return sum(losses) / len(losses)

    def to_plain(self) -> dict[str, Any]:
        """Returns everything that a resumed training needs: tensors, numbers, strings, lists and dicts."""
        return {
            "learning": self._learning.to_plain(),
            "best": {name: torch.from_numpy(array) for name, array in self.best.items()},
            "best_round": asdict(self.best_round) if self.best_round else None,
            "divergences": self.divergences,
            "heard": self.heard,
            "rounds": [asdict(entry) for entry in self.rounds],
        }

    def take_up(self, plain: dict[str, Any]) -> None:
        """Goes back to where `to_plain` was called."""
        self._learning.take_up(plain["learning"])
        self.best = {name: tensor.numpy() for name, tensor in plain["best"].items()}
        self.best_round = Round(**plain["best_round"]) if plain["best_round"] else None
        self.divergences = plain["divergences"]
        self.heard = plain["heard"]
        self.rounds = [Round(**entry) for entry in plain["rounds"]]
