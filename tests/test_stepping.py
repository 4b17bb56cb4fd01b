"""What is drawn: the probabilities are those of the softmax, sharpened, and cut to the likeliest."""

import numpy as np
import pytest

from making import Array
from noizenet_daemon.kernels.stepping import _draw

LOGITS = np.array([0.3, -1.0, 2.0, 1.1, -4.0, 0.9], np.float32)
CHANCES = (np.arange(20_000) + 0.5) / 20_000


def shares(temperature: float, top_p: float) -> Array:
    """Returns how often each class is drawn when the chances are spread evenly."""
    drawn = [_draw(LOGITS.copy(), temperature, top_p, chance) for chance in CHANCES]
    return np.bincount(drawn, minlength=len(LOGITS)) / len(CHANCES)


def softmax(values: Array) -> Array:
    weights = np.exp(values - values.max())
    return weights / weights.sum()


@pytest.mark.parametrize("temperature", [0.1, 0.7, 1.0, 2.0])
def test_classes_are_drawn_as_often_as_the_softmax_says(temperature: float) -> None:
    assert np.abs(shares(temperature, 1.0) - softmax(LOGITS.astype(np.float64) / temperature)).max() < 2e-4


@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.8, 0.95])
def test_only_the_fewest_classes_that_hold_top_p_are_drawn(top_p: float) -> None:
    expected = softmax(LOGITS.astype(np.float64))
    order = np.argsort(-expected)
    count = int(np.searchsorted(np.cumsum(expected[order]), top_p)) + 1
    kept = np.zeros_like(expected)
    kept[order[:count]] = expected[order[:count]]
    assert np.abs(shares(1.0, top_p) - kept / kept.sum()).max() < 2e-4


def test_the_last_chance_falls_on_a_class_that_can_be() -> None:
    logits = np.array([0.0, 0.0, -200.0], np.float32)
    assert _draw(logits, 1.0, 1.0, np.nextafter(1.0, 0.0)) == 1


def test_huge_logits_overflow_nothing() -> None:
    assert _draw(np.array([-3e38, 3e38, 0.0], np.float32), 0.1, 0.9, 0.5) == 1
