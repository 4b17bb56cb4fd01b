"""What the figures of a sound mean, in plain words, and which knob to turn."""

from noizenet_training.judging.reference import Score

# Up to which fidelity a sound is like its corpus, and how much. The slicer, which is made of the corpus, has 0.3 to 1;
# another piece of music, played by the same instruments or others, 15 to 20; white noise 100 and more.
LIKENESS = ((1.5, "is very like your sound"), (4.0, "is like your sound"), (12.0, "is somewhat like your sound"))
UNLIKE = "is not like your sound yet"
MOST_MORE_SILENT = 0.05  # share of the time; what the corpus itself is silent is part of it
RECITES, NEW = 0.4, 0.05  # shares of recital
CLOSE = 4.0  # a fidelity below which there is something to stray from


def in_words(score: Score, remembers: bool = True) -> str:
    """Returns how good a sound is and what to do about it, to be read after its name; "" if nothing can be said.

    Args:
        remembers: whether the checkpoint that plays has a memory, and so the knob `stray`.
    """
    if score.survival != score.survival:
        return ""
    if _is_dead(score):
        return (
            f"is silent or stuck for {1.0 - score.survival:.0%} of the time. To wake it: train longer, or play with "
            "--set noise=0.5 --set noise_mode=on_collapse."
        )
    if score.fidelity != score.fidelity:
        return ""
    likeness = next((words for most, words in LIKENESS if score.fidelity <= most), UNLIKE)
    advice = _advice(score, remembers)
    return f"{likeness} (fidelity {score.fidelity:.2g}; 1 = as your sound itself); {_recites(score)}. {advice}"


def figures_in_words(score: Score) -> str:
    """Returns the figures of a sound in one line: how near, how much it recites, how surely it is told apart."""
    found = []
    if _is_dead(score):
        found.append(f"silent or stuck for {1.0 - score.survival:.0%} of the time")
    if score.fidelity == score.fidelity:
        found.append(f"fidelity {score.fidelity:.2g} (1 = as your sound itself)")
    found.append(_recites(score))
    if score.told == score.told:
        found.append(f"told {score.told:.2f} (0.5 = not to be told from it)")
    return ", ".join(found)


def _is_dead(score: Score) -> bool:
    """Returns whether a sound is silent or stuck for longer than its corpus is."""
    return score.survival < score.own_survival - MOST_MORE_SILENT


def _recites(score: Score) -> str:
    share = score.recital.share
    if share != share or share < NEW:
        return "recites nothing of it"
    return f"recites {share:.0%} of the time, {score.recital.longest_s:.0f} s at a stretch"


def _advice(score: Score, remembers: bool) -> str:
    """Returns which knob to turn."""
    if score.fidelity > CLOSE:
        knob = ", or play with --set stray=0.3" if remembers else ""
        return f"To come nearer: train longer with a greater --minutes{knob}."
    if score.recital.share > RECITES:
        knob = "--set stray=0.7 or --set temperature=1.2" if remembers else "--set noise=0.5"
        return f"To stray further: play with {knob}, or train on more sound."
    return "It is ready to be played."
