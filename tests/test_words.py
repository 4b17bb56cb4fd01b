"""What figures mean in plain words."""

import math
from dataclasses import replace

import numpy as np
import pytest

from noizenet_training.judging.recital import Recital
from noizenet_training.judging.reference import Score
from noizenet_training.judging.words import figures_in_words, in_words


def score(fidelity: float = 1.0, recital: float = 0.0, longest_s: float = 0.0, survival: float = 1.0) -> Score:
    return Score("a.wav", 30.0, survival, fidelity, 1.0, 0.6, Recital(longest_s, recital, np.zeros(0)))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (score(), "is very like your sound (fidelity 1; 1 = as your sound itself); recites nothing of it. It is ready"),
        (
            score(3.0, 0.2, 4.2),
            "is like your sound (fidelity 3; 1 = as your sound itself); recites 20% of the time, 4 s",
        ),
        (
            score(9.0),
            "is somewhat like your sound (fidelity 9; 1 = as your sound itself); recites nothing of it. To come",
        ),
        (score(40.0), "is not like your sound yet (fidelity 40; 1 = as your sound itself); recites nothing of it. To"),
        (score(40.0), "To come nearer: train longer with a greater --minutes, or play with --set stray=0.3."),
        (score(1.0, 0.8, 9.0), "recites 80% of the time, 9 s at a stretch. To stray further: play with --set"),
        (
            score(survival=0.7),
            "is silent or stuck for 30% of the time. To wake it: train longer, or play with --set noise=",
        ),
        (score(1.0, math.nan), "recites nothing of it"),
    ],
)
def test_figures_become_words_and_advice(found: Score, words: str) -> None:
    assert words in in_words(found)


def test_without_a_memory_its_knob_is_not_advised() -> None:
    assert in_words(score(40.0), remembers=False).endswith("To come nearer: train longer with a greater --minutes.")
    further = in_words(score(1.0, 0.8, 9.0), remembers=False)
    assert further.endswith("To stray further: play with --set noise=0.5, or train on more sound.")
    assert "stray=" not in further


def test_a_sound_whose_corpus_has_pauses_may_have_them_too() -> None:
    paused = replace(score(survival=0.7), own_survival=0.72)
    assert in_words(paused).startswith("is very like your sound")
    assert "silent" not in figures_in_words(paused)
    assert in_words(replace(paused, survival=0.6)).startswith("is silent or stuck for 40% of the time")


def test_of_a_sound_too_short_nothing_is_said() -> None:
    assert in_words(score(survival=math.nan)) == ""
    assert in_words(replace(score(), fidelity=math.nan)) == ""


def test_figures_fit_one_line_and_leave_out_what_is_not_known() -> None:
    assert figures_in_words(score(3.25, 0.12, 2.6)) == (
        "fidelity 3.2 (1 = as your sound itself), recites 12% of the time, 3 s at a stretch, "
        "told 0.60 (0.5 = not to be told from it)"
    )
    bare = replace(score(math.nan, survival=0.5), told=math.nan)
    assert figures_in_words(bare) == "silent or stuck for 50% of the time, recites nothing of it"
