"""Fitting: it learns, equal seeds learn alike, what is resumed goes on, and what diverges is mended or reported."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from making import Array, Cell, tokens_codec
from noizenet.errors import InputFileError, TrainingError, UsageError
from noizenet.network import NetworkShape
from noizenet_training.learning.fitting import Fitting
from noizenet_training.learning.losses import stage_weights
from noizenet_training.learning.networks import Network
from noizenet_training.learning.rounds import Budget
from noizenet_training.recipe import Recipe
from noizenet_training.resumption import load_resume, save_resume

RECIPE = Recipe(streams=4, unroll=12, round_updates=10, learning_rate=1e-2, dropout=0.1, corruption=0.05)
CYCLE = np.array([[0, 1], [3, 2], [1, 1], [2, 0], [3, 3]], np.int32)


def ignore(updates: int, loss: float) -> None:
    """Takes no notice of an update."""


def new_fitting(recipe: Recipe = RECIPE, seed: int = 0, cell: Cell = "lstm") -> Fitting:
    """Returns a fitting of a small network to a cycle of five steps."""
    torch.manual_seed(seed)
    network = Network(NetworkShape(cell, 1, 16, "categorical", 2, 4, 4, 8), recipe.dropout)
    return Fitting(network, recipe, [np.tile(CYCLE, (40, 1))], [np.tile(CYCLE, (5, 1))], np.array([0.75, 0.25]), seed)


def new_linear_fitting(
    recipe: Recipe, steps: Array, *more: Array, head: Literal["linear", "gaussian"] = "linear"
) -> Fitting:
    torch.manual_seed(0)
    network = Network(NetworkShape("rnn", 1, 16, head, features=1))
    return Fitting(network, recipe, [steps, *more], [steps[:100]], np.ones(1), 0)


def sine(length: int = 2000) -> Array:
    """Returns numbers of deviation 1, float32 (length, 1)."""
    return np.sin(0.2 * np.arange(length, dtype=np.float32))[:, None] * np.float32(1.4)


def run(
    fitting: Fitting,
    updates: int,
    on_update: Callable[[int, float], None] = ignore,
    budget: Budget | None = None,
) -> Fitting:
    """Trains up to a number of updates, with a clock that gives a second to each look."""
    budget = budget or Budget(updates=updates)
    clock = itertools.count(1)
    while fitting.updates < updates:
        fitting.run_round(budget, lambda: float(next(clock)), on_update)
    return fitting


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "conv"])
def test_a_cycle_is_learnt(cell: Cell) -> None:
    fitting = run(new_fitting(cell=cell), 150)
    assert fitting.rounds[0].held_out > 0.8
    assert fitting.best_round is not None
    assert fitting.best_round.held_out < 0.25


def test_a_linear_network_learns_a_sine_through_noise_on_its_input() -> None:
    recipe = Recipe(codec="amplitude", streams=8, unroll=20, round_updates=20, learning_rate=1e-2, input_noise=0.05)
    fitting = run(new_linear_fitting(recipe, sine()), 200)
    assert fitting.best_round is not None
    assert fitting.best_round.held_out < 0.05
    assert fitting.best_round.mse == pytest.approx(fitting.best_round.held_out)


def test_a_gaussian_head_learns_how_sure_it_may_be() -> None:
    noisy = sine() + 0.1 * np.random.default_rng(0).standard_normal((2000, 1)).astype(np.float32)
    recipe = Recipe(
        codec="amplitude", head="gaussian", streams=8, unroll=20, round_updates=25, learning_rate=1e-2, dropout=0.0
    )
    fitting = run(new_linear_fitting(recipe, noisy, head="gaussian"), 300)
    best = fitting.best_round
    assert best is not None
    # of a Gaussian of this deviation: ln 0.1 + 1/2 + ln(2 pi) / 2 = -0.88; the noise on what is heard adds to it
    assert -0.9 < best.held_out < -0.2
    assert best.score(least_held_out=best.held_out) == 0.0


def test_the_bias_error_goes_below_zero_and_the_least_is_still_the_best() -> None:
    recipe = Recipe(codec="amplitude", loss="mbe", streams=4, unroll=20, round_updates=5, learning_rate=1e-2)
    fitting = run(new_linear_fitting(recipe, sine()), 60)
    assert fitting.rounds[-1].held_out < -1.0
    assert fitting.best_round == fitting.rounds[-1]
    last = fitting.rounds[-1]
    assert last.mbe == pytest.approx(last.held_out, abs=1e-6)
    assert last.mse is not None
    assert last.mse > 1.0


def test_the_last_weights_are_kept_if_the_recipe_says_so() -> None:
    fitting = run(new_fitting(dataclasses.replace(RECIPE, keep="last")), 20)
    with torch.no_grad():
        fitting.network.output[0].weight.mul_(-50.0)
    fitting.run_round(Budget(updates=21), lambda: 0.0, ignore)
    assert fitting.best_round is fitting.rounds[-1]
    assert fitting.best_round.held_out > fitting.rounds[-2].held_out
    assert np.array_equal(fitting.best["output.0.weight"], fitting.network.output[0].weight.detach().numpy())


def test_passes_and_songs_are_recorded() -> None:
    recipe = Recipe(codec="amplitude", feeding="one_shot", round_updates=2)
    fitting = run(new_linear_fitting(recipe, sine(101), sine(301)), 5)
    assert fitting.passes == pytest.approx(2.25)
    assert [entry.passes for entry in fitting.rounds] == pytest.approx([1.0, 2.0, 2.25])
    assert fitting.history.columns()["songs"] == [0, 1, 0, 1, 0]
    streams = Recipe(codec="amplitude", streams=4, unroll=10, round_updates=5)
    fitting = run(new_linear_fitting(streams, sine(400)), 20)
    assert fitting.passes == pytest.approx(2.0, abs=0.1)


def test_equal_seeds_give_equal_weights_and_others_do_not() -> None:
    first, second, other = (run(new_fitting(seed=seed), 20) for seed in (1, 1, 2))
    assert all(np.array_equal(first.best[name], second.best[name]) for name in first.best)
    assert any(not np.array_equal(first.best[name], other.best[name]) for name in first.best)


def test_the_best_weights_are_kept_not_the_last() -> None:
    fitting = run(new_fitting(), 60)
    assert fitting.best_round == min(fitting.rounds, key=lambda entry: entry.held_out)
    poisoned = {name: array.copy() for name, array in fitting.best.items()}
    with torch.no_grad():
        fitting.network.output[0].weight.mul_(-50.0)
    fitting.run_round(Budget(updates=61), lambda: 0.0, ignore)
    assert all(np.array_equal(fitting.best[name], poisoned[name]) for name in poisoned)


def test_a_budget_in_updates_ends_in_the_middle_of_a_round() -> None:
    fitting = run(new_fitting(), 13)
    assert fitting.updates == 13
    assert [entry.updates for entry in fitting.rounds] == [10, 13]


def test_a_budget_in_seconds_ends_when_they_are_over() -> None:
    fitting = new_fitting()
    clock = itertools.count(0)
    fitting.run_round(Budget(seconds=8.0), lambda: float(next(clock)), ignore)
    assert 1 <= fitting.updates < 10
    assert Budget(seconds=60.0).left_s(45.0, 3) == 15.0
    assert Budget(updates=100).left_s(20.0, 50) == 20.0


def test_one_nan_is_mended_by_the_last_good_weights_at_half_the_rate() -> None:
    fitting = new_fitting()
    poisoned = []

    def poison_once(updates: int, loss: float) -> None:  # noqa: ARG001
        if updates == 15 and not poisoned:
            poisoned.append(updates)
            with torch.no_grad():
                fitting.network.output[0].bias.fill_(float("nan"))

    run(fitting, 40, poison_once)
    assert poisoned == [15]
    assert fitting.divergences == 1
    assert all(np.isfinite(entry.loss) and np.isfinite(entry.held_out) for entry in fitting.rounds)
    assert all(np.isfinite(array).all() for array in fitting.network.weights().values())


@pytest.mark.parametrize(
    ("loss", "optimiser", "rate"),
    [("mse", "adam", 1e3), ("mae", "adam", 1e3), ("mbe", "sgd", 1e5), ("mse", "sgd", 1e4), ("mse", "adadelta", 1e6)],
)
def test_a_rate_that_is_far_too_high_ends_training_with_a_clear_error(loss: str, optimiser: str, rate: float) -> None:
    recipe = Recipe(
        codec="amplitude", streams=8, unroll=20, learning_rate=rate, loss=loss, optimiser=optimiser, clip_by="value"
    )
    fitting = new_linear_fitting(recipe, sine())
    before = fitting.network.weights()
    with pytest.raises(TrainingError, match=r"the loss went from .* to .*lower it with --set learning_rate=0\.002$"):
        run(fitting, 20)
    assert fitting.rounds == []
    assert all(np.array_equal(fitting.best[name], before[name]) for name in before)


def test_a_loss_that_explodes_later_is_mended_too() -> None:
    fitting = new_linear_fitting(Recipe(codec="amplitude", streams=4, unroll=20, round_updates=5), sine())
    exploded = []

    def explode_once(updates: int, loss: float) -> None:  # noqa: ARG001
        if updates == 12 and not exploded:
            exploded.append(updates)
            with torch.no_grad():
                fitting.network.output[0].bias.fill_(1e4)

    run(fitting, 20, explode_once)
    assert fitting.divergences == 1
    assert [entry.updates for entry in fitting.rounds] == [5, 10, 15, 20]
    assert max(entry.held_out for entry in fitting.rounds) < 10.0
    assert fitting.history.columns()["updates"] == list(range(1, 21))


def test_nan_that_comes_back_ends_training_with_a_clear_error() -> None:
    steps = np.sin(np.arange(500, dtype=np.float32))[:, None]
    steps[250] = np.nan
    recipe = Recipe(codec="amplitude", streams=8, unroll=20, round_updates=20, learning_rate=1e-3)
    with pytest.raises(TrainingError, match=r"NaN or infinite, .*halved 2 times, to 0\.00025") as raised:
        run(new_linear_fitting(recipe, steps), 40)
    assert "\n" not in str(raised.value)


def test_a_resumed_fitting_goes_on_as_it_would_have(tmp_path: Path) -> None:
    path = tmp_path / "m.resume"
    identity = {"corpus": [{"name": "a.wav"}], "recipe": RECIPE.to_json(), "seed": 0}
    whole = run(new_fitting(), 50)
    stopped = run(new_fitting(), 20, budget=Budget(updates=50))
    save_resume(path, identity, tokens_codec(), stopped, 12.5)
    found = load_resume(path, identity)
    assert found is not None
    codec, plain, elapsed_s = found
    assert elapsed_s == 12.5
    assert np.array_equal(codec.arrays()["codebooks"], tokens_codec().codebooks)
    resumed = new_fitting()
    resumed.take_up(plain)
    run(resumed, 50)
    assert [entry.loss for entry in resumed.rounds] == [entry.loss for entry in whole.rounds]
    assert all(np.array_equal(resumed.best[name], whole.best[name]) for name in whole.best)


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "adadelta"])
@pytest.mark.parametrize("feeding", ["one_shot", "windows", "shuffled"])
def test_every_feeding_and_optimiser_goes_on_as_it_would_have(feeding: str, optimiser: str, tmp_path: Path) -> None:
    recipe = Recipe(
        codec="amplitude",
        feeding=feeding,
        unroll=30,
        stride=20 if feeding == "windows" else 0,
        streams=3,
        round_updates=4,
        optimiser=optimiser,
        momentum=0.9 if optimiser == "sgd" else 0.0,
        learning_rate=1e-2,
        dropout=0.3,
    )
    songs = sine(150), sine(70)
    whole = run(new_linear_fitting(recipe, *songs), 16)
    stopped = run(new_linear_fitting(recipe, *songs), 8, budget=Budget(updates=16))
    save_resume(tmp_path / "m.resume", {}, tokens_codec(), stopped, 1.0)
    found = load_resume(tmp_path / "m.resume", {})
    assert found is not None
    resumed = new_linear_fitting(recipe, *songs)
    resumed.take_up(found[1])
    run(resumed, 16)
    assert resumed.history.columns() == whole.history.columns()
    assert resumed.passes == whole.passes
    weights = whole.network.weights()
    assert all(np.array_equal(array, weights[name]) for name, array in resumed.network.weights().items())


class Playing:
    """Plays at given distances from the corpus; each time takes three seconds of a clock."""

    def __init__(self, *distances: float) -> None:
        self.distances = iter(distances)
        self.now = 0.0

    def expected_s(self, network: Network) -> float:  # noqa: ARG002
        return 3.0

    def distance(self, network: Network) -> float:  # noqa: ARG002
        self.now += 3.0
        return next(self.distances)


def playing_fitting(recipe: Recipe, playing: Any) -> Fitting:
    torch.manual_seed(0)
    network = Network(NetworkShape("lstm", 1, 16, "categorical", 2, 4, 4, 8), recipe.dropout)
    songs = [np.tile(CYCLE, (40, 1))]
    return Fitting(network, recipe, songs, [np.tile(CYCLE, (5, 1))], np.array([0.75, 0.25]), 0, playing)


@pytest.mark.parametrize(("patience", "plays"), [(3, 5), (1, 3), (0, 16)])
def test_a_training_is_stalled_when_its_playing_does_not_get_better_for_so_often(patience: int, plays: int) -> None:
    recipe = dataclasses.replace(RECIPE, patience=patience)
    fitting = playing_fitting(recipe, Playing(50.0, 2.0, *[500.0] * 15))
    budget = Budget(updates=160)  # sixteen rounds, with a look each
    while fitting.updates < 160 and not fitting.is_stalled:
        fitting.run_round(budget, lambda: 0.0, ignore)
    assert len(fitting.rounds) == plays
    assert fitting.best_round == fitting.rounds[1]


def test_a_budget_in_seconds_has_room_for_the_last_look() -> None:
    playing = Playing(*[1.0] * 99)
    fitting = playing_fitting(RECIPE, playing)

    def second_passes(updates: int, loss: float) -> None:  # noqa: ARG001
        playing.now += 0.5

    budget = Budget(seconds=40.0)
    while not fitting.rounds or budget.spent(playing.now + fitting.look_s, fitting.updates) < 1.0:
        fitting.run_round(budget, lambda: playing.now, second_passes)
    assert fitting.rounds[-1].distance is not None
    assert 38.0 < playing.now <= 40.5  # at most one update longer


def test_a_resume_file_of_another_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.resume"
    identity = {"corpus": [{"name": "a.wav"}], "recipe": RECIPE.to_json(), "seed": 0}
    save_resume(path, identity, tokens_codec(), new_fitting(), 1.0)
    with pytest.raises(UsageError, match=r"another recipe \(hidden was 256, not 64\)"):
        load_resume(path, identity | {"recipe": Recipe(hidden=64).to_json() | {"streams": 4}})
    with pytest.raises(UsageError, match="another corpus"):
        load_resume(path, identity | {"corpus": [{"name": "b.wav"}]})
    with pytest.raises(UsageError, match="another seed"):
        load_resume(path, identity | {"seed": 7})
    assert load_resume(tmp_path / "none.resume", identity) is None


def test_a_damaged_resume_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.resume"
    save_resume(path, {}, tokens_codec(), new_fitting(), 1.0)
    data = path.read_bytes()
    for damaged in (data[: len(data) // 2], b"", b"not a file of torch"):
        path.write_bytes(damaged)
        with pytest.raises(InputFileError, match=r"m\.resume is damaged"):
            load_resume(path, {})


def test_stages_are_weighed_by_the_variance_they_code() -> None:
    codec = tokens_codec(stages=3)
    steps = np.random.default_rng(0).integers(0, 8, (500, 3)).astype(np.int32)
    weights = stage_weights(codec, [steps[:100], steps[100:]])
    variances = [codec.codebooks[stage][steps[:, stage]].var(axis=0).sum() for stage in range(3)]
    np.testing.assert_allclose(weights, variances / np.sum(variances), rtol=1e-5)
    assert weights[0] > weights[1] > weights[2]
