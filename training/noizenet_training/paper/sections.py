"""The sections of the page, in the order of the paper."""

from html import escape

from noizenet_training.paper.blocks import claim_figures, claim_text, verdict_badge
from noizenet_training.paper.claims import Claims
from noizenet_training.paper.page import Section, code, details, paragraph, table
from noizenet_training.paper.playing_sections import (
    convergence_section,
    frequency_section,
    injection_section,
    loops_section,
    mended_section,
    primes_section,
    recommendations_section,
    reproduction_section,
)
from noizenet_training.paper.rules import ALIVE, NOISE_FLATNESS
from noizenet_training.paper.running import Results
from noizenet_training.paper.training_sections import (
    batching_section,
    hyperparameters_section,
    songs_section,
    stability_section,
    training_section,
)


def all_sections(results: Results, claims: Claims) -> list[Section]:
    """Returns every section."""
    return [
        _summary(claims),
        songs_section(results),
        hyperparameters_section(results, claims),
        stability_section(results, claims),
        batching_section(results, claims),
        training_section(results, claims),
        reproduction_section(results, claims),
        convergence_section(results, claims),
        loops_section(results),
        injection_section(results, claims),
        primes_section(results, claims),
        frequency_section(results, claims),
        recommendations_section(results, claims),
        mended_section(results, claims),
        _rules(claims),
        _commands(results),
    ]


def _summary(claims: Claims) -> Section:
    rows = [
        (
            f'<a href="#{_anchor(claim.section)}">{claim.section}</a>',
            claim_text(claim),
            verdict_badge(claim),
            claim_figures(claim),
        )
        for claim in claims
    ]
    return Section("summary", "Every claim at a glance", table(("section", "claim", "here", "figures"), rows))


def _rules(claims: Claims) -> Section:
    text = paragraph(
        "An output is stuck from where on it stays constant, to a thousandth of the prime's deviation in every 20 ms, "
        "or repeats one cycle of at most 0.1 s, for the rest of what was played; that rest has to be at least a "
        "second, or a quarter of it all. Steps are counted without the chain that protects loudspeakers, and their "
        "share is of the length of one song as it was trained on. A half-second is alive if it is neither silent nor "
        f"stuck. A sound is called noise from a spectral flatness of {NOISE_FLATNESS:g} on, and living if it is never "
        f"stuck and {ALIVE:.0%} of its half-seconds are alive."
    )
    rows = [(claim.section, escape(claim.says), escape(claim.rule)) for claim in claims]
    return Section("rules", "How it was decided", text + table(("section", "claim", "rule"), rows))


def _commands(results: Results) -> Section:
    rows = {
        finding.row.name: (
            escape(finding.row.name),
            finding.row.state,
            f"{finding.row.updates:,}",
            f"{finding.row.minutes:g}",
            escape(finding.row.why),
            code(finding.row.command),
        )
        for findings in results.findings.values()
        for finding in findings
    }
    trials = table(("training", "state", "updates", "minutes", "why", "command"), list(rows.values()))
    plays = "".join(f"<p>{code(command)}</p>" for command in results.commands)
    text = paragraph(
        "Each training again by itself, with equal weights: a training that its minutes ended is repeated with as many "
        "updates as it came to."
    )
    shown = details(f"{len(rows)} trainings", trials) + details("Every sound and measurement", plays)
    return Section("commands", "Commands", text + shown)


def _anchor(section: str) -> str:
    """Returns the id of the section of the page that a section of the paper is in."""
    if not section[0].isdigit():
        return section
    return "s552" if section == "5.5.3" else "s" + section.replace(".", "")
