"""What several sections of the page are made of."""

from collections.abc import Sequence
from html import escape

import numpy as np
import soundfile

from noizenet_training.paper.cards import Array, cards, playing_card
from noizenet_training.paper.claims import Claim, Claims
from noizenet_training.paper.findings import Finding
from noizenet_training.paper.page import badge
from noizenet_training.paper.running import NO_SOUND, Results
from noizenet_training.paper.songs import RATE

KINDS = {True: "yes", False: "no", None: "open"}


def verdict_badge(claim: Claim) -> str:
    """Returns whether a claim held, as HTML."""
    return badge(claim.verdict.word, KINDS[claim.verdict.held])


def claims_of(claims: Claims, section: str) -> str:
    """Returns the claims of one section of the paper with their verdicts."""
    return "".join(claim_line(claim) for claim in claims if claim.section == section)


def claim_line(claim: Claim) -> str:
    """Returns a claim, its verdict and the figures."""
    return f"<p>{verdict_badge(claim)} {claim_text(claim)}<br><span class='note'>{claim_figures(claim)}</span></p>"


def claim_text(claim: Claim) -> str:
    """Returns a claim in words, marked if the paper does not say it itself."""
    mark = " " + badge("ours", "open") if claim.ours else " " + badge("implied", "open") if claim.implied else ""
    return escape(claim.says) + mark


def claim_figures(claim: Claim) -> str:
    """Returns the figures that decide a claim."""
    return escape(claim.verdict.figures)


def playing_cards(results: Results, found: Sequence[Finding]) -> str:
    """Returns a card for each case that was played, side by side."""
    return cards([playing_card(finding, _prime(results, finding), escape(finding.case.value)) for finding in found])


def _prime(results: Results, finding: Finding) -> Array:
    """Returns the end of the song that primed a case, at the rate of what it played; nothing if noise did."""
    if not isinstance(finding.case.play.prime, int) or finding.figures.get("rate") != RATE:
        return NO_SOUND
    samples, _ = soundfile.read(results.library.unseen.path, frames=finding.case.play.prime, dtype="float32")
    return np.asarray(samples)


def title(results: Results, name: str) -> str:
    """Returns what an experiment is called."""
    return escape(next(experiment.title for experiment in results.experiments if experiment.id == name))


def note(results: Results, name: str) -> str:
    """Returns what has to be said of an experiment; mostly nothing."""
    note = next(experiment.note for experiment in results.experiments if experiment.id == name)
    return f'<p class="note">{escape(note)}</p>' if note else ""


def number(finding: Finding, name: str, pattern: str) -> str:
    """Returns a figure as text; nothing if it was not measured."""
    value = finding.figures.get(name)
    return "" if value is None else pattern.format(value)
