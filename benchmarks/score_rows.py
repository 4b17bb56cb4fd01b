"""Rows of figures, for the scripts that print how sounds score beside a corpus."""

import argparse

from noizenet_training.judging.reference import Score

HEADINGS = "survival | fidelity | coherence | told | recital, longest"


def whole_numbers(text: str) -> list[int]:
    """Returns the numbers of a list with commas; an argument's type."""
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers, such as 1,2,3") from None


def figure(value: float, pattern: str = "{:.2f}") -> str:
    """Returns a figure, or "-" where nothing can be said: of too short a sound, or of recital where nothing moves."""
    return "-" if value != value else pattern.format(value)


def cells(score: Score) -> str:
    """Returns what stands below `HEADINGS`."""
    shares = [figure(value, "{:.0%}") for value in (score.survival, score.recital.share)]
    nearness = " | ".join(map(figure, (score.fidelity, score.coherence, score.told)))
    return f"{shares[0]} | {nearness} | {shares[1]}, {figure(score.recital.longest_s, '{:.1f} s')}"
