"""Mixed precision: on a CPU nothing changes by itself; asked for, it learns, and goes on where it was."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from making import Cell, tokens_codec
from noizenet_training.learning.fitting import Fitting
from noizenet_training.learning.precision import Precision
from noizenet_training.learning.rounds import Budget
from noizenet_training.recipe import Recipe
from noizenet_training.resumption import load_resume, save_resume
from test_fitting import RECIPE, new_fitting, new_linear_fitting, run, sine

CPU = torch.device("cpu")


def scale_of(fitting: Fitting) -> float:
    return fitting.precision.factor()


def test_on_a_cpu_nothing_is_changed_unless_it_is_asked_for() -> None:
    precision = Precision("auto", CPU)
    assert (precision.kind, precision.is_scaled, precision.factor(), precision.to_plain()) == (None, False, 1.0, {})
    assert precision.in_words() == "cpu, single precision"
    assert Precision("bfloat16", CPU).in_words() == "cpu, bfloat16"
    with precision.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    auto, single = (run(new_fitting(dataclasses.replace(RECIPE, precision=p)), 20) for p in ("auto", "single"))
    assert all(np.array_equal(auto.best[name], single.best[name]) for name in auto.best)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "conv"])
def test_a_cycle_is_learnt_in_16_bits(cell: Cell, precision: str) -> None:
    fitting = run(new_fitting(dataclasses.replace(RECIPE, precision=precision), cell=cell), 150)
    assert fitting.rounds[0].held_out > 0.8
    assert fitting.best_round is not None
    assert fitting.best_round.held_out < 0.25
    assert all(tensor.dtype == torch.float32 for tensor in fitting.network.state_dict().values())
    single = run(new_fitting(cell=cell), 20)
    assert not np.array_equal(single.best["output.0.weight"], fitting.best["output.0.weight"])


@pytest.mark.parametrize("head", ["linear", "gaussian"])
def test_numbers_are_learnt_in_16_bits_also_in_segments(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from noizenet_training.learning import propagation

    monkeypatch.setattr(propagation, "MOST_BYTES", 1)
    monkeypatch.setattr(propagation, "SEGMENT_BYTES", 200_000)
    recipe = Recipe(
        codec="amplitude", head=head, streams=8, unroll=50, round_updates=20, learning_rate=1e-2, precision="bfloat16"
    )
    fitting = run(new_linear_fitting(recipe, sine(), head=head), 200)  # type: ignore[arg-type]
    assert fitting.best_round is not None
    assert fitting.best_round.mse is not None
    assert fitting.best_round.mse < 0.1
    assert fitting.best_round.held_out < fitting.rounds[0].held_out - 0.05


def test_gradients_that_are_infinite_lower_the_factor_and_are_not_used() -> None:
    fitting = run(new_fitting(dataclasses.replace(RECIPE, precision="float16")), 10)
    precision = fitting.precision
    before, weights = precision.factor(), fitting.network.weights()
    optimiser = fitting._learning._optimiser
    for parameter in fitting.network.parameters():
        parameter.grad = torch.full_like(parameter, float("inf"))
    precision.unscale(optimiser)
    precision.step(optimiser)
    assert precision.factor() == 0.5 * before
    assert all(np.array_equal(array, weights[name]) for name, array in fitting.network.weights().items())
    run(fitting, 20)
    assert fitting.divergences == 0


def test_a_resumed_training_keeps_its_factor_and_goes_on_as_it_would_have(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, precision="float16")

    def begun(updates: int) -> Fitting:
        fitting = new_fitting(recipe)
        fitting.precision.take_up(fitting.precision.to_plain() | {"scale": 128.0, "growth_interval": 15})
        return run(fitting, updates, budget=Budget(updates=40))

    whole, stopped = begun(40), begun(20)
    assert scale_of(stopped) == 256.0  # it has grown once
    save_resume(tmp_path / "m.resume", {}, tokens_codec(), stopped, 1.0)
    found = load_resume(tmp_path / "m.resume", {})
    assert found is not None
    resumed = new_fitting(recipe)
    resumed.take_up(found[1])
    assert resumed.precision.to_plain() == stopped.precision.to_plain()
    run(resumed, 40)
    assert scale_of(resumed) == scale_of(whole) == 512.0
    assert all(np.array_equal(resumed.best[name], whole.best[name]) for name in whole.best)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_takes_16_bits_by_itself() -> None:
    precision = Precision("auto", torch.device("cuda"))
    assert precision.is_scaled
    assert precision.kind in (torch.bfloat16, torch.float16)
    assert Precision("single", torch.device("cuda")).kind is None
