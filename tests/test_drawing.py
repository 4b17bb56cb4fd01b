"""What is drawn: codes as the softmax says, sharpened, and cut to the likeliest; numbers as their bells say."""

import numpy as np
import pytest

from making import Array
from noizenet.network import LOG_DEVIATION_RANGE
from noizenet_daemon.kernels.drawing import draw_class, draw_features
from noizenet_daemon.kernels.rng import new_rng, normal

LOGITS = np.array([0.3, -1.0, 2.0, 1.1, -4.0, 0.9], np.float32)
CHANCES = (np.arange(20_000) + 0.5) / 20_000


def shares(temperature: float, top_p: float) -> Array:
    """Returns how often each class is drawn when the chances are spread evenly."""
    drawn = [draw_class(LOGITS.copy(), temperature, top_p, chance) for chance in CHANCES]
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
    assert draw_class(logits, 1.0, 1.0, np.nextafter(1.0, 0.0)) == 1


@pytest.mark.parametrize("top_p", [0.5, 1.0])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 3, 5])
def test_no_class_is_drawn_where_logits_are_no_numbers(place: int, value: float, top_p: float) -> None:
    logits = LOGITS.copy()
    logits[place] = value
    assert draw_class(logits, 1.0, top_p, 0.5) == -1


def test_huge_logits_overflow_nothing() -> None:
    assert draw_class(np.array([-3e38, 3e38, 0.0], np.float32), 0.1, 0.9, 0.5) == 1


def drawn(outputs: list[float], temperature: float, count: int = 1, seed: int = 1) -> Array:
    """Returns draws of features from means and log-deviations, (count, features)."""
    rng = new_rng(seed)
    out = np.zeros((count, len(outputs) // 2), np.float32)
    for features in out:
        draw_features(np.array(outputs, np.float32), temperature, rng, features)
    return out


@pytest.mark.parametrize("temperature", [0.1, 1.0, 2.0])
def test_features_have_the_mean_and_the_deviation_that_the_head_says_times_the_temperature(temperature: float) -> None:
    values = drawn([0.5, -2.0, np.log(0.3), np.log(2.0)], temperature, 20_000)
    deviations = temperature * np.array([0.3, 2.0])
    assert (np.abs(values.mean(axis=0) - [0.5, -2.0]) < 0.02 * deviations).all()
    assert values.std(axis=0) == pytest.approx(deviations, rel=0.02)
    assert abs(np.corrcoef(values.T)[0, 1]) < 0.02


def test_features_are_drawn_with_the_state_s_own_random_numbers_in_order() -> None:
    rng = new_rng(5)
    expected = [[1.0 + 0.5 * normal(rng), 2.0 * normal(rng)] for _ in range(3)]
    assert drawn([1.0, 0.0, np.log(0.5), np.log(2.0)], 1.0, 3, seed=5) == pytest.approx(np.array(expected), rel=1e-6)


@pytest.mark.parametrize(("log_deviation", "held"), [(-50.0, 0), (-7.1, 0), (2.1, 1), (80.0, 1)])
def test_log_deviations_are_cut_off_to_their_range(log_deviation: float, held: int) -> None:
    assert np.array_equal(drawn([0.0, log_deviation], 1.0, 9), drawn([0.0, LOG_DEVIATION_RANGE[held]], 1.0, 9))


@pytest.mark.parametrize("outputs", [[np.nan, 0.0], [0.0, np.nan], [np.inf, 0.0]])
def test_what_is_no_number_is_not_made_one(outputs: list[float]) -> None:
    assert not np.isfinite(drawn(outputs, 1.0)).any()
