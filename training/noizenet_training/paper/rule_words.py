"""A finding's figures in words, for the rules and the report."""

from collections.abc import Sequence

from noizenet_training.paper.findings import Finding

DIVERGED = "diverged"  # in what a training says

UNITS = {
    "snr_db": ("{:.1f} dB", "one step ahead"),
    "gain_db": ("{:+.1f} dB", "over repeating the last sample"),
    "update_ms": ("{:,.0f} ms", "an update"),
    "level_db": ("{:+.0f} dB", "deviation of the output over that of the prime"),
    "loss": ("{:.4g}", "loss at the end"),
    "collapse_steps": ("{:,.0f}", "steps until it is stuck"),
    "collapse_percent": ("{:.2g} %", "of the length trained on, until it is stuck"),
}


def figure_of(finding: Finding, name: str) -> float | None:
    """Returns a figure; for one that never gets stuck, all that it played."""
    if name == "collapse_steps" and finding.played and not finding.collapses:
        return float(len(finding.raw))
    return finding.figures.get(name)


def listed(found: Sequence[Finding], values: Sequence[float | None], name: str) -> str:
    """Returns the figures with what they belong to."""
    pattern, meaning = UNITS[name]
    words = [
        f"{finding.case.value}: {pattern.format(value) if value is not None else _missing(finding)}"
        for finding, value in zip(found, values, strict=True)
    ]
    return f"{'; '.join(words)} ({meaning})"


def until_stuck(finding: Finding) -> str:
    """Returns in words when an output gets stuck."""
    if not finding.played:
        return f"{finding.case.value}: {_missing(finding)}"
    if not finding.collapses:
        return f"{finding.case.value}: never stuck"
    return (
        f"{finding.case.value}: stuck after {finding.figures['collapse_steps']:,.0f} steps, "
        f"{finding.figures['collapse_percent']:.2g} % of the {finding.length_of}"
    )


def steps_of(finding: Finding) -> str:
    """Returns in a word or two after how many steps an output gets stuck."""
    if not finding.played:
        return _missing(finding)
    return f"{finding.figures['collapse_steps']:,.0f}" if finding.collapses else "never"


def _missing(finding: Finding) -> str:
    """Returns in a few words why there is no figure: the whole reason stands with the training."""
    if DIVERGED in finding.why:
        return "training diverged"
    return "failed" if finding.row.state == "failed" else finding.why or "not measured"


def is_stable(finding: Finding) -> bool:
    """Returns whether a training came to its end without a NaN."""
    return finding.trained and not any(DIVERGED in sentence for sentence in finding.row.said)


def how_it_trained(finding: Finding) -> str:
    """Returns in words how a training ended."""
    if not finding.trained:
        return f"{finding.case.value}: {_missing(finding)}"
    if not is_stable(finding):
        return f"{finding.case.value}: diverged, and went on from the last good weights with half the rate"
    return f"{finding.case.value}: trained, loss {finding.figures.get('loss', 0.0):.4g}"
