"""Losses, against their formulas in NumPy; and what is held out, whatever is trained."""

from typing import Literal

import numpy as np
import pytest
import torch

from making import Array
from noizenet.network import LOG_DEVIATION_RANGE, NetworkShape
from noizenet_daemon.benchmark.fresh import fresh_weights
from noizenet_training.learning.losses import look_at_held_out, summed_losses
from noizenet_training.learning.networks import Network

COUNTED = np.array([[True, True, False], [True, False, True]])


def network(head: Literal["linear", "gaussian"], features: int = 2) -> Network:
    made = Network(NetworkShape("rnn", 1, 8, head, features=features))
    made.load_weights(fresh_weights(made.shape))
    return made.eval()


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def found(net: Network, top: Array, targets: Array, loss: str = "mse") -> float:
    """Returns the mean loss of the counted steps."""
    tensors = (torch.from_numpy(array) for array in (top, targets, COUNTED))
    return float(summed_losses(net, *tensors, loss).detach()) / int(COUNTED.sum())


@pytest.mark.parametrize("loss", ["mse", "mae", "mbe"])
def test_a_linear_head_s_loss_is_the_mean_of_its_errors(loss: str) -> None:
    net, top, targets = network("linear"), numbers(2, 3, 8), numbers(2, 3, 2, seed=1)
    weights = net.weights()
    error = (targets - (top @ weights["output.0.weight"].T + weights["output.0.bias"]))[COUNTED]
    expected = {"mse": np.mean(error**2), "mae": np.mean(np.abs(error)), "mbe": np.mean(error)}[loss]
    assert found(net, top, targets, loss) == pytest.approx(expected, rel=1e-5)


def test_the_bias_error_falls_below_zero_as_predictions_rise() -> None:
    net, top, targets = network("linear"), numbers(2, 3, 8), numbers(2, 3, 2, seed=1)
    before = found(net, top, targets, "mbe")
    with torch.no_grad():
        net.output[0].bias += 100.0
    assert found(net, top, targets, "mbe") == pytest.approx(before - 100.0, abs=1e-3)


def test_a_gaussian_head_s_loss_is_minus_the_logarithm_of_its_density() -> None:
    net, top, targets = network("gaussian"), numbers(2, 3, 8), numbers(2, 3, 2, seed=1)
    weights = net.weights()
    raw = (top @ weights["output.0.weight"].T + weights["output.0.bias"]).astype(np.float64)
    mean, deviation = raw[..., :2], np.exp(np.clip(raw[..., 2:], *LOG_DEVIATION_RANGE))
    density = np.exp(-0.5 * ((targets - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
    assert found(net, top, targets) == pytest.approx(-np.mean(np.log(density[COUNTED])), rel=1e-5)


def test_a_categorical_head_s_loss_is_the_cross_entropy_of_each_stage() -> None:
    net = Network(NetworkShape("rnn", 1, 8, "categorical", 2, 5, 3, 6)).eval()
    top = torch.from_numpy(numbers(2, 3, 8))
    codes = torch.from_numpy(np.random.default_rng(2).integers(0, 5, (2, 3, 2)))
    losses = summed_losses(net, top, codes, torch.from_numpy(COUNTED), "mse").detach().numpy()
    for stage in range(2):
        logits = net.logits(top, stage, codes).detach().numpy()[COUNTED].astype(np.float64)
        drawn = codes.numpy()[COUNTED][:, stage]
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert losses[stage] == pytest.approx(-np.log(chances[np.arange(len(drawn)), drawn]).sum(), rel=1e-5)


@pytest.mark.parametrize("loss", ["mse", "mae", "mbe"])
def test_all_three_errors_of_the_held_out_part_are_told_whatever_is_trained(loss: str) -> None:
    net = network("linear", features=1)
    stretches = [numbers(1500, 1), numbers(40, 1, seed=1)]
    errors = []
    for steps in stretches:
        with torch.inference_mode():
            top, _ = net.recur(torch.from_numpy(steps[None, :-1]), net.new_state(1))
            errors.append(steps[1:] - net.predict(top)[0].numpy())
    error = np.concatenate(errors).astype(np.float64)
    seen = look_at_held_out(net, stretches, loss)
    assert seen.errors == pytest.approx((np.mean(error**2), np.mean(np.abs(error)), np.mean(error)), rel=1e-4)
    assert seen.errors is not None
    assert seen.losses[0] == pytest.approx(seen.errors[("mse", "mae", "mbe").index(loss)], rel=1e-4)


def test_codes_have_no_errors_but_their_loss() -> None:
    net = Network(NetworkShape("rnn", 1, 8, "categorical", 2, 5, 3, 6))
    seen = look_at_held_out(net, [np.zeros((9, 2), np.int32)], "mse")
    assert seen.errors is None
    assert seen.losses.shape == (2,)
