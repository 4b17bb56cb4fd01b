"""Survival and fidelity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import melody, tone
from noizenet.errors import SoundFileError
from noizenet_training.judging.collapse import Collapse
from noizenet_training.judging.evaluation import Reference, features, frechet_distance, is_alive, survival

RATE = 16000


def test_music_and_noise_are_alive() -> None:
    assert survival(melody(4.0, RATE), RATE) == 1.0
    assert survival(0.1 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32), RATE) == 1.0


@pytest.mark.parametrize(
    "dead",
    [
        np.zeros(RATE // 2, np.float32),
        np.full(RATE // 2, 0.4, np.float32),
        1e-4 * melody(0.5, RATE),
        np.tile(np.array([0.5, -0.2, 0.1], np.float32), RATE // 6),
        np.tile(np.random.default_rng(0).standard_normal(100).astype(np.float32), RATE // 200),
    ],
    ids=["silence", "constant", "too soft", "cycle of 3", "cycle of 100"],
)
def test_silence_constants_and_short_cycles_are_dead(dead: np.ndarray) -> None:
    assert not is_alive(dead, RATE)


def test_nan_kills_its_window_only() -> None:
    samples = melody(2.0, RATE)
    samples[RATE // 4] = np.nan
    assert survival(samples, RATE) == 0.75


def test_the_survival_of_what_is_shorter_than_a_window_is_not_known() -> None:
    assert np.isnan(survival(melody(0.2, RATE), RATE))


def test_features_do_not_depend_on_level() -> None:
    samples = melody(2.0, RATE)
    assert np.allclose(features(samples, RATE), features(0.1 * samples, RATE), atol=0.01)
    assert features(samples[:100], RATE).shape[0] == 0


@settings(max_examples=20, deadline=None)
@given(shift=st.floats(0, 10), scale=st.floats(0.5, 3), seed=st.integers(0, 1000))
def test_the_frechet_distance_is_that_of_the_formula(shift: float, scale: float, seed: int) -> None:
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((50, 4)), shift + scale * rng.standard_normal((40, 4))
    a, b = np.cov(first.T, bias=True), np.cov(second.T, bias=True)
    means = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    expected = means + np.trace(a + b - 2.0 * np.real(sqrtm(a @ b)))
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_the_corpus_own_music_is_nearer_than_other_sound_and_noise_is_furthest() -> None:
    reference = Reference([melody(20.0, RATE)], RATE)
    same = reference.score("same", melody(10.0, RATE, seed=1)).fidelity
    other = reference.score("other", tone(10.0, RATE, 3000.0)).fidelity
    noise = reference.score("noise", np.random.default_rng(0).standard_normal(10 * RATE)).fidelity
    assert same < 5.0 < other
    assert noise > 10.0 * same
    assert reference.own_score.fidelity == 1.0
    assert reference.own_score.survival == 1.0


def test_a_sound_with_too_little_in_it_has_no_fidelity_but_valid_json() -> None:
    reference = Reference([melody(6.0, RATE)], RATE)
    found = reference.score("short", melody(1.0, RATE)).to_json()
    assert found["fidelity"] is None
    found = reference.score("shorter", melody(0.1, RATE), Collapse(200, 0.0125, 0.002)).to_json()
    assert (found["survival"], found["fidelity"]) == (None, None)
    assert found["collapse"] == {"steps": 200, "seconds": 0.0125, "share": 0.002}


def test_a_steady_tone_is_dead_whatever_its_pitch_and_a_slow_sway_is_not() -> None:
    for frequency in (55.0, 440.0, 441.0, 3000.1):
        assert not is_alive(tone(0.5, RATE, frequency), RATE)
    assert is_alive(np.linspace(-0.3, 0.3, RATE // 2) ** 2 + 0.1 * melody(0.5, RATE), RATE)
    assert is_alive(np.linspace(-0.3, 0.3, RATE // 2), RATE)


def test_a_corpus_that_is_too_short_is_refused() -> None:
    with pytest.raises(SoundFileError, match="has 2 full seconds; evaluation needs at least 4"):
        Reference([melody(2.5, RATE)], RATE)
