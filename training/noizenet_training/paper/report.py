"""The report: one page for reading, and its figures in a file for programs."""

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from noizenet.atomic_files import write_atomically
from noizenet_training.paper.claims import Claims, judge
from noizenet_training.paper.page import page, table
from noizenet_training.paper.running import Results
from noizenet_training.paper.sections import all_sections

TITLE = "Noize net, made again"


def write_report(results: Results, out: Path, command: str, minutes: float) -> Path:
    """Writes paper.html, and its figures as paper.json; returns the page's path.

    Args:
        command: that made it.
        minutes: that this run of it took.
    """
    claims = judge(results)
    lead = _lead(results, claims, command, minutes)
    sections = all_sections(results, claims)
    path = out / "paper.html"
    write_atomically(path, page(TITLE, lead, sections).encode())
    write_atomically(out / "paper.json", json.dumps(_plain(results, claims), indent=1).encode())
    return path


def _lead(results: Results, claims: Claims, command: str, minutes: float) -> str:
    """Returns what stands before the contents: what this is, how it was made, and what came of it in a sentence."""
    of_paper = [claim for claim in claims if not claim.ours]
    held = sum(claim.verdict.held is True for claim in of_paper)
    fell = sum(claim.verdict.held is False for claim in of_paper)
    open_ones = len(of_paper) - held - fell
    scale = results.scale
    size = (
        "with the paper's values"
        if results.mode == "full"
        else "in a small version: every row of the paper's tables, with shorter songs and fewer updates"
    )
    rows = [
        ("Made by", f"<code>{escape(command)}</code>"),
        ("Date", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
        (
            "This run took",
            f"{minutes:.1f} minutes on {os.cpu_count()} cores, {platform.system()} on {platform.machine()}",
        ),
        (
            "A training, as a rule",
            f"{results.library.usual} songs of {scale.seconds:g} s, {scale.passes} passes, not more than "
            f"{scale.minutes:g} minutes{'; ' if scale.set else ''}{', '.join(scale.set)}",
        ),
    ]
    said = [
        "<p>The experiments of Liam Watson's “Noize net: investigation into novel music generation using recurrent "
        f"models” (2021), run again {size}. Each of the paper's claims stands beside what was measured here; whether "
        "it held is decided by a rule from figures, and the rules are at the end. A network that has "
        "<em>collapsed</em>, or is <em>stuck</em>, puts out a constant, silence, or one short cycle for the rest.</p>",
        f"<p><strong>Of {len(of_paper)} claims {held} held, {fell} did not, and of {open_ones} nothing can be said."
        "</strong></p>",
        table(("what", "value"), rows),
    ]
    return "".join(said)


def _plain(results: Results, claims: Claims) -> dict[str, Any]:
    """Returns the figures of the page in plain values."""
    return {
        "mode": results.mode,
        "claims": [asdict(claim) for claim in claims],
        "cases": [
            {
                "experiment": finding.case.experiment,
                "value": finding.case.value,
                "state": finding.row.state,
                "why": finding.row.why,
                "updates": finding.row.updates,
                "figures": finding.figures,
                "command": finding.row.command,
            }
            for findings in results.findings.values()
            for finding in findings
        ],
        "loops": results.loops,
    }
