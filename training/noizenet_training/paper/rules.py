"""The rules that decide from figures whether a claim held. claims.toml names one for each claim.

A rule is given the findings that the claim is about, in order, and returns whether it held (None: it can't be said),
and the figures in words.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noizenet_training.paper.findings import Finding
from noizenet_training.paper.rule_words import figure_of, how_it_trained, is_stable, listed, steps_of, until_stuck

NOISE_FLATNESS = 0.3  # spectral flatness from which a sound is called noise; the songs' is below 0.01
ALIVE = 0.9  # share of half-seconds that must be alive


@dataclass(frozen=True)
class Verdict:
    """Whether a claim held, and the figures that say so."""

    held: bool | None
    figures: str

    @property
    def word(self) -> str:
        """Returns it in a word or two."""
        return {True: "held", False: "did not hold", None: "can't be said"}[self.held]


Rule = Callable[[Sequence[Finding], Mapping[str, Any]], Verdict]


def all_collapse(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if every network that was trained and played gets stuck."""
    played = [finding for finding in found if finding.played]
    if not played:
        return Verdict(None, "; ".join(until_stuck(finding) for finding in found))
    steps = [f"{finding.case.value}: {steps_of(finding)}" for finding in found]
    shares = [finding.figures["collapse_percent"] for finding in played if finding.collapses]
    most = f", at most {max(shares):.2g} % of the length trained on" if shares else ""
    return Verdict(all(finding.collapses for finding in played), f"{'; '.join(steps)} (steps until it is stuck{most})")


def all_live(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if none gets stuck, and nine in ten half-seconds of each are alive."""
    if not all(finding.played for finding in found):
        return Verdict(None, "; ".join(until_stuck(finding) for finding in found))
    lives = [not finding.collapses and finding.figures["survival"] >= ALIVE for finding in found]
    words = [f"{until_stuck(finding)}, {finding.figures['survival']:.0%} alive" for finding in found]
    return Verdict(all(lives), "; ".join(words))


def never_stuck(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if no output is stuck for the rest."""
    played = [finding for finding in found if finding.played]
    held = not any(finding.collapses for finding in played) if played else None
    return Verdict(held, "; ".join(until_stuck(finding) for finding in found))


def grows(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:
    """Held if the last figure is at least `least` times the first. What never gets stuck lasts longest."""
    values = [figure_of(finding, told["figure"]) for finding in found]
    known = [value for value in values if value is not None]
    held = None if len(known) < 2 else known[-1] >= told["least"] * known[0] and known[-1] > known[0]
    return Verdict(held, listed(found, values, told["figure"]))


def shrinks(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:
    """Held if the first figure is at least `least` times the last."""
    values = [figure_of(finding, told["figure"]) for finding in found]
    known = [value for value in values if value is not None]
    return Verdict(
        None if len(known) < 2 else known[0] >= told["least"] * known[-1], listed(found, values, told["figure"])
    )


def rises(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:
    """Held if the last figure is by at least `least` more than the first: for decibels."""
    values = [figure_of(finding, told["figure"]) for finding in found]
    known = [value for value in values if value is not None]
    return Verdict(
        None if len(known) < 2 else known[-1] - known[0] >= told["least"], listed(found, values, told["figure"])
    )


def alike(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:
    """Held if the largest figure is at most `most` times the smallest."""
    values = [figure_of(finding, told["figure"]) for finding in found]
    known = [value for value in values if value is not None]
    return Verdict(
        None if len(known) < 2 else max(known) <= told["most"] * min(known), listed(found, values, told["figure"])
    )


def unlike(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:
    """Held if the largest figure is at least `least` times the smallest."""
    values = [figure_of(finding, told["figure"]) for finding in found]
    known = [value for value in values if value is not None]
    return Verdict(
        None if len(known) < 2 else max(known) >= told["least"] * min(known), listed(found, values, told["figure"])
    )


def at_least(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:
    """Held if every figure is `least` or more."""
    values = [figure_of(finding, told["figure"]) for finding in found]
    held = None if None in values else all(value is not None and value >= told["least"] for value in values)
    return Verdict(held, listed(found, values, told["figure"]))


def at_most(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:
    """Held if every figure is `most` or less."""
    values = [figure_of(finding, told["figure"]) for finding in found]
    held = None if None in values else all(value is not None and value <= told["most"] for value in values)
    return Verdict(held, listed(found, values, told["figure"]))


def between(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:
    """Held if every figure lies between `least` and `most`."""
    both = at_least(found, told), at_most(found, told)
    return Verdict(None if both[0].held is None else bool(both[0].held and both[1].held), both[0].figures)


def is_noise(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if every output, before it gets stuck, is as flat in its spectrum as noise."""
    words = []
    for finding in found:
        flatness = finding.figures.get("flatness")
        heard = "too short to be called a sound" if flatness is None else f"spectral flatness {flatness:.2g}"
        words.append(f"{until_stuck(finding)}; {heard}")
    values = [finding.figures.get("flatness") for finding in found if finding.played]
    held = all(value is not None and value >= NOISE_FLATNESS for value in values) if values else None
    return Verdict(held, "; ".join(words))


def learns(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if each training loss is lower in the last round than in the first."""
    pairs = [(finding.figures.get("first_loss"), finding.figures.get("loss")) for finding in found]
    falls = [first is not None and last is not None and last < first for first, last in pairs]
    words = [
        f"{finding.case.value}: {first:.4g} to {last:.4g}"
        for finding, (first, last) in zip(found, pairs, strict=True)
        if first is not None and last is not None
    ]
    return Verdict(all(falls) if words else None, "; ".join(words))


def generalises(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if the held-out loss, too, is lower in the last round than in the first."""
    rows = [finding.row for finding in found if len(finding.row.held_out_losses) > 1]
    falls = [row.held_out_losses[-1] < row.held_out_losses[0] for row in rows]
    words = [
        f"{finding.case.value}: training {finding.row.losses[0]:.4g} to {finding.row.losses[-1]:.4g}, "
        f"validation {finding.row.held_out_losses[0]:.4g} to {finding.row.held_out_losses[-1]:.4g}"
        for finding in found
        if len(finding.row.held_out_losses) > 1
    ]
    return Verdict(all(falls) if rows else None, "; ".join(words))


def trains(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if every training comes to its end without a NaN."""
    return Verdict(all(is_stable(finding) for finding in found), "; ".join(map(how_it_trained, found)))


def only_first_trains(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if the first training comes to its end without a NaN, and none of the others."""
    stable = [is_stable(finding) for finding in found]
    return Verdict(stable[0] and not any(stable[1:]), "; ".join(map(how_it_trained, found)))


def first_lasts_longest(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if the first output gets stuck later than all others."""
    values = [figure_of(finding, "collapse_steps") for finding in found]
    known = [value for value in values if value is not None]
    held = None if len(known) < 2 or values[0] is None else all(values[0] > value for value in known[1:])
    return Verdict(held, listed(found, values, "collapse_steps"))


def jumps_less(found: Sequence[Finding], told: Mapping[str, Any]) -> Verdict:  # noqa: ARG001
    """Held if the loss rises less at a new song in the second half of each training than in the first."""
    words, shrink = [], []
    for finding in found:
        history = finding.row.history
        songs, losses = history.get("songs", []), history.get("losses", [])
        changes = [i for i in range(1, len(losses)) if songs[i] is not None and songs[i] != songs[i - 1]]
        rises = [max(0.0, losses[i] - losses[i - 1]) for i in changes]
        half = len(rises) // 2
        if half:
            early, late = sum(rises[:half]) / half, sum(rises[-half:]) / half
            words.append(
                f"{finding.case.value} songs: {early:.3g} on average in the first half, {late:.3g} in the second"
            )
            shrink.append(late < early)
    return Verdict(all(shrink) if shrink else None, "; ".join(words))


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        *(all_collapse, all_live, never_stuck, grows, shrinks, rises, alike, unlike, at_least, at_most, between),
        *(is_noise, learns, generalises, trains, only_first_trains, first_lasts_longest, jumps_less),
    )
}
