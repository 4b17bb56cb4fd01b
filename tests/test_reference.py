"""Every figure on sounds whose answer is known: the corpus itself, its other half, noise, a sine, a loop, silence."""

import json

import numpy as np
import pytest

from making import Array, melody, tone
from noizenet.errors import SoundFileError
from noizenet_training.judging.collapse import Collapse
from noizenet_training.judging.reference import Reference, Score

RATE = 16000
SECONDS = 30.0


@pytest.fixture(scope="module")
def corpus() -> Array:
    """Notes in random order: no passage comes twice."""
    return melody(2.0 * SECONDS, RATE)


@pytest.fixture(scope="module")
def reference(corpus: Array) -> Reference:
    return Reference([corpus], RATE)


@pytest.fixture(scope="module")
def scores(corpus: Array, reference: Reference) -> dict[str, Score]:
    rng = np.random.default_rng(0)
    count = int(SECONDS * RATE)
    sounds = {
        "itself": corpus,
        "new": melody(SECONDS, RATE, seed=1),
        "noise": rng.standard_normal(count),
        "sine": tone(SECONDS, RATE, 3000.0),
        "loop": np.tile(corpus[: 3 * RATE], 10),
        "silence": np.zeros(count, np.float32),
    }
    return {name: reference.score(name, sound) for name, sound in sounds.items()}


def test_the_corpus_is_as_near_to_itself_as_can_be(scores: dict[str, Score]) -> None:
    itself = scores["itself"]
    assert itself.fidelity < 1e-6
    assert itself.coherence < 1e-6
    assert itself.told <= 0.5
    assert itself.recital.share == 1.0
    assert itself.recital.longest_s > 0.5 * 2.0 * SECONDS


def test_recordings_of_unlike_loudness_are_near_to_a_sound_that_plays_them_as_loud_as_they_are() -> None:
    soft, loud = 0.1 * melody(SECONDS, RATE, seed=2), tone(SECONDS, RATE, 500.0) + melody(SECONDS, RATE, seed=3)
    pair = Reference([soft, loud], RATE)
    as_it_is = pair.score("both", np.concatenate([soft, loud]))
    assert as_it_is.fidelity < 0.1
    assert as_it_is.recital.share > 0.95
    assert pair.score("both, as loud", np.concatenate([10.0 * soft, loud])).fidelity > 20.0 * as_it_is.fidelity


def test_what_is_like_the_corpus_and_new_is_near_and_no_recital(scores: dict[str, Score]) -> None:
    new = scores["new"]
    assert new.fidelity < 5.0
    assert new.coherence < 5.0
    assert new.recital.share < 0.3  # of so few notes, some come in the same order by chance
    assert new.survival == 1.0


@pytest.mark.parametrize("name", ["noise", "sine", "silence"])
def test_what_is_nothing_like_it_is_far_and_always_told(name: str, scores: dict[str, Score]) -> None:
    assert scores[name].fidelity > 10.0 * scores["new"].fidelity
    assert scores[name].coherence > 3.0 * scores["new"].coherence
    assert scores[name].told > 0.95
    assert not scores[name].recital.share > 0.0


def test_only_what_is_stuck_or_silent_is_dead(scores: dict[str, Score]) -> None:
    alive = {name: score.survival for name, score in scores.items()}
    assert (alive["itself"], alive["noise"], alive["loop"]) == (1.0, 1.0, 1.0)
    assert (alive["sine"], alive["silence"]) == (0.0, 0.0)


def test_a_loop_of_the_corpus_is_recital_though_it_is_faithful(scores: dict[str, Score]) -> None:
    loop = scores["loop"]
    assert loop.recital.share > 0.8
    assert loop.fidelity < scores["noise"].fidelity


def test_the_corpus_own_row_is_its_halves(corpus: Array, reference: Reference) -> None:
    own = reference.own_score()
    assert (own.fidelity, own.coherence, own.survival) == (1.0, 1.0, 1.0)
    assert own.seconds == 2.0 * SECONDS
    assert own.recital.share < 0.3
    twice = Reference([np.concatenate([corpus[: 10 * RATE], corpus[: 10 * RATE]])], RATE).own_score()
    assert twice.recital.share > 0.9


def test_figures_that_a_short_sound_can_not_have_are_null_in_json(reference: Reference) -> None:
    found = json.loads(json.dumps(reference.score("short", melody(1.0, RATE)).to_json()))
    assert found["survival"] == 1.0
    assert (found["fidelity"], found["coherence"], found["told"]) == (None, None, None)
    shorter = reference.score("shorter", melody(0.02, RATE), Collapse(200, 0.0125, 0.002)).to_json()
    assert (shorter["survival"], shorter["recital_share"]) == (None, None)
    assert shorter["collapse"] == {"steps": 200, "seconds": 0.0125, "share": 0.002}


def test_a_corpus_that_is_too_short_is_refused() -> None:
    with pytest.raises(SoundFileError, match="has 2 full seconds; evaluation needs at least 4"):
        Reference([melody(2.5, RATE)], RATE)
