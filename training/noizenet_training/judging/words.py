"""What the figures of a sound mean, in plain words, and which knob to turn."""

from noizenet_training.judging.reference import Score

# Up to which fidelity a sound is like its corpus, and how much. The slicer, which is made of the corpus, has 0.3 to 1;
# another piece of music, played by the same instruments or others, 15 to 20; white noise 100 and more.
LIKENESS = ((1.5, "very like your sound"), (4.0, "like your sound"), (12.0, "somewhat like your sound"))
UNLIKE = "not like your sound yet"
ALIVE = 0.95
RECITES, NEW = 0.4, 0.05  # shares of recital
CLOSE = 4.0  # a fidelity below which there is something to stray from


def in_words(score: Score) -> str:
    """Returns how good a sound is and what to do about it, in a sentence or two; "" if nothing can be said of it."""
    if score.survival != score.survival:
        return ""
    if score.survival < ALIVE:
        return (
            f"it is silent or stuck for {1.0 - score.survival:.0%} of the time: train longer, or play with "
            "noise_mode=on_collapse"
        )
    if score.fidelity != score.fidelity:
        return ""
    likeness = next((words for most, words in LIKENESS if score.fidelity <= most), UNLIKE)
    share = score.recital.share
    if share != share or share < NEW:
        recites = "recites nothing of it"
    else:
        recites = f"recites {share:.0%} of the time, {score.recital.longest_s:.0f} s at a stretch"
    return f"{likeness}; {recites}. {_advice(score)}".strip()


def _advice(score: Score) -> str:
    """Returns which knob to turn; "" if none has to be."""
    if score.fidelity > CLOSE:
        return "To come nearer: train longer, or play with a lower temperature."
    if score.recital.share > RECITES:
        return "To stray further: play with a higher temperature or more noise, or train on more sound."
    return ""
