"""Fitting the network: stateful truncated back-propagation, round by round, with the best weights kept.

A round is a fixed number of updates, then a look at the held-out part. It draws its random numbers from
(seed, round), so that a training that is stopped between rounds and resumed goes on exactly as it would have.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from noizenet.errors import TrainingError
from noizenet_training.batches import training_batches
from noizenet_training.free_running import FreeRunning
from noizenet_training.losses import batch_losses, held_out_losses
from noizenet_training.networks import Network
from noizenet_training.recipe import Recipe

Array = NDArray[Any]

HALVINGS = 2  # of the learning rate after a NaN, before training gives up
PLAYS = 16  # times in a training that the network plays by itself
LAST_RATE = 0.02  # of the first, at the end


@dataclass(frozen=True)
class Budget:
    """How long to train: seconds, or updates."""

    seconds: float | None = None
    updates: int | None = None

    def spent(self, elapsed_s: float, updates: int) -> float:
        """Returns the share that is used up; 1 or more: stop."""
        if self.updates is not None:
            return updates / self.updates
        return elapsed_s / self.seconds if self.seconds else 1.0

    def left_s(self, elapsed_s: float, updates: int) -> float:
        """Returns the seconds left; estimated from the pace so far if the budget is in updates."""
        if self.updates is not None:
            return elapsed_s / max(updates, 1) * max(0, self.updates - updates)
        return max(0.0, (self.seconds or 0.0) - elapsed_s)


@dataclass(frozen=True)
class Round:
    """What one round brought. Losses are means over the stages, as `Fitting.stage_weights` weighs them.

    Attributes:
        distance: of the network's playing from the corpus, see `FreeRunning`; None if it didn't play.
    """

    updates: int
    elapsed_s: float
    loss: float
    held_out: float
    distance: float | None = None

    @property
    def score(self) -> float:
        """What the best weights have least of: the held-out loss, plus the logarithm of a distance above 1.

        Both are in nats. A distance below 1 is no merit: nearer than its own halves is the piece by heart.
        """
        return self.held_out + math.log(max(self.distance or 1.0, 1.0))


class Fitting:
    """A training under way.

    Attributes:
        stage_weights: what each stage counts in the reported losses and the choice of the best, sum 1.
        updates: optimiser updates so far.
        rounds: one entry for each round so far.
        divergences: how often the loss became NaN; each has halved the learning rate.
        best: the best weights so far, and `best_round`, the round that brought them.
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
    ) -> None:
        self.network = network
        self.stage_weights = stage_weights
        self.updates = 0
        self.rounds: list[Round] = []
        self.best = network.weights()
        self.best_round: Round | None = None
        self._recipe = recipe
        self._training = training
        self._held_out = held_out
        self._seed = seed
        self._free_running = free_running
        self.divergences = 0
        self._optimiser = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )

    def run_round(self, budget: Budget, elapsed: Callable[[], float], on_update: Callable[[int, float], None]) -> Round:
        """Trains one round, or less if the budget ends; returns its losses.

        Args:
            elapsed: returns the seconds of training so far.
            on_update: called after each update with their number and its loss.

        Raises:
            TrainingError: the loss became NaN or infinite again after the last good weights were restored and
                the learning rate halved, twice.
        """
        good = self._weights_and_moments()
        while True:
            loss = self._train(budget, elapsed, on_update)
            held_out = float(self.stage_weights @ held_out_losses(self.network, self._held_out))
            if math.isfinite(loss) and math.isfinite(held_out):
                break
            rate = self._learning_rate(0.0)
            if self.divergences == HALVINGS:
                raise TrainingError(
                    f"training diverged after {self.updates} updates: the loss became NaN or infinite, also "
                    f"after the learning rate was halved {HALVINGS} times, to {rate:.2g}; lower it with "
                    f"--set learning_rate={rate / 4:.2g}"
                )
            self.divergences += 1
            self._restore_weights_and_moments(good)
        plays = self._is_to_play(budget, elapsed())
        distance = self._free_running.distance(self.network) if self._free_running and plays else None
        found = Round(self.updates, elapsed(), loss, held_out, distance)
        if plays and (self.best_round is None or found.score < self.best_round.score):
            self.best_round = found
            self.best = self.network.weights()
        self.rounds.append(found)
        return found

    def _is_to_play(self, budget: Budget, elapsed_s: float) -> bool:
        """Returns whether the network is to play after this round: each sixteenth of the budget.

        Without free running, which takes its time, every round may bring the best weights.
        """
        if not self._free_running or not self.rounds:
            return True
        last = self.rounds[-1]
        before, now = budget.spent(last.elapsed_s, last.updates), budget.spent(elapsed_s, self.updates)
        return now >= 1.0 or math.floor(now * PLAYS) > math.floor(before * PLAYS)

    def _train(self, budget: Budget, elapsed: Callable[[], float], on_update: Callable[[int, float], None]) -> float:
        """Returns the mean loss of a round's updates; NaN as soon as one isn't finite."""
        key = [self._seed, len(self.rounds), self.divergences]
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))  # for dropout
        generator = torch.Generator().manual_seed(torch.initial_seed())
        rng = np.random.default_rng(key)
        recipe = self._recipe
        batches = training_batches(self._training, recipe.streams, recipe.unroll, rng)
        weights = torch.from_numpy(self.stage_weights)
        self.network.train()
        state = self.network.new_state(0)
        total = 0.0
        count = 0
        for batch in batches:
            if len(batch.fresh) != state[0].shape[1]:
                state = self.network.new_state(len(batch.fresh))
            losses, state = batch_losses(self.network, batch, state, recipe, generator)
            loss = float(weights @ losses.detach().double().cpu())
            self._optimiser.zero_grad(set_to_none=True)
            losses.sum().backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
            if not math.isfinite(loss) or not math.isfinite(float(norm)):
                return math.nan
            for group in self._optimiser.param_groups:
                group["lr"] = self._learning_rate(budget.spent(elapsed(), self.updates))
            self._optimiser.step()
            self.updates += 1
            count += 1
            total += loss
            on_update(self.updates, loss)
            if count == recipe.round_updates or budget.spent(elapsed(), self.updates) >= 1.0:
                break
        return total / count

    def _learning_rate(self, spent: float) -> float:
        return self._recipe.learning_rate * 0.5**self.divergences * max(LAST_RATE, 1.0 - spent)

    def _weights_and_moments(self) -> tuple[int, dict[str, Array], dict[str, Any]]:
        """Returns a copy of what an update changes."""
        moments = self._optimiser.state_dict()
        copied = {
            index: {name: value.clone() for name, value in entry.items()} for index, entry in moments["state"].items()
        }
        return (
            self.updates,
            self.network.weights(),
            {"state": copied, "param_groups": moments["param_groups"]},
        )

    def _restore_weights_and_moments(self, copy: tuple[int, dict[str, Array], dict[str, Any]]) -> None:
        self.updates, weights, moments = copy
        self.network.load_weights(weights)
        self._optimiser.load_state_dict(moments)

    def to_plain(self) -> dict[str, Any]:
        """Returns everything that a resumed training needs: tensors, numbers, strings, lists and dicts."""
        updates, weights, moments = self._weights_and_moments()
        return {
            "updates": updates,
            "weights": {name: torch.from_numpy(array) for name, array in weights.items()},
            "moments": moments,
            "best": {name: torch.from_numpy(array) for name, array in self.best.items()},
            "best_round": asdict(self.best_round) if self.best_round else None,
            "divergences": self.divergences,
            "rounds": [asdict(entry) for entry in self.rounds],
        }

    def take_up(self, plain: dict[str, Any]) -> None:
        """Goes back to where `to_plain` was called."""
        weights = {name: tensor.numpy() for name, tensor in plain["weights"].items()}
        self._restore_weights_and_moments((plain["updates"], weights, plain["moments"]))
        self.best = {name: tensor.numpy() for name, tensor in plain["best"].items()}
        self.best_round = Round(**plain["best_round"]) if plain["best_round"] else None
        self.divergences = plain["divergences"]
        self.rounds = [Round(**entry) for entry in plain["rounds"]]
