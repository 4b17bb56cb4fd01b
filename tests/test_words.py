"""What figures mean in plain words."""

import math
from dataclasses import replace

import numpy as np
import pytest

from noizenet_training.judging.recital import Recital
from noizenet_training.judging.reference import Score
from noizenet_training.judging.words import in_words


def score(fidelity: float = 1.0, recital: float = 0.0, longest_s: float = 0.0, survival: float = 1.0) -> Score:
    return Score("a.wav", 30.0, survival, fidelity, 1.0, 0.6, Recital(longest_s, recital, np.zeros(0)))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (score(), "very like your sound; recites nothing of it."),
        (score(3.0, 0.2, 4.2), "like your sound; recites 20% of the time, 4 s at a stretch."),
        (score(9.0), "somewhat like your sound; recites nothing of it. To come nearer"),
        (score(40.0), "not like your sound yet; recites nothing of it. To come nearer"),
        (score(1.0, 0.8, 9.0), "very like your sound; recites 80% of the time, 9 s at a stretch. To stray further"),
        (score(survival=0.7), "silent or stuck for 30% of the time"),
        (score(1.0, math.nan), "recites nothing of it"),
    ],
)
def test_figures_become_words_and_advice(found: Score, words: str) -> None:
    assert words in in_words(found)


def test_of_a_sound_too_short_nothing_is_said() -> None:
    assert in_words(score(survival=math.nan)) == ""
    assert in_words(replace(score(), fidelity=math.nan)) == ""
