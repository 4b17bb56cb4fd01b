"""What the report shows of one case: a player, the wave, the spectrogram, and its figures in a line."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from noizenet_training.paper.charts import WIDE, Line, line_chart, spectrogram_chart, wave_chart
from noizenet_training.paper.findings import Finding
from noizenet_training.paper.page import audio
from noizenet_training.paper.rule_words import until_stuck

Array = NDArray[Any]

MOST_HEARD_S = 10.0  # of a sound in the page, which stays below 25 MB
PRIME_SHOWN_S = 0.5  # of a prime, before what the network played after it
OUTPUT_SHOWN = 2000  # samples of the charts that lay outputs over one another


def sound(path: Path) -> str:
    """Returns a player of a file's first ten seconds, as FLAC: every browser plays it, and nothing is lost."""
    samples, rate = soundfile.read(path, dtype="float32")
    samples = np.nan_to_num(samples[: round(MOST_HEARD_S * rate)])
    data = io.BytesIO()
    soundfile.write(data, np.clip(samples, -1.0, 1.0), rate, format="FLAC", subtype="PCM_16")
    return audio(data.getvalue(), "audio/flac")


def playing_card(finding: Finding, prime: Array, title: str) -> str:
    """Returns the card of a network that played by itself.

    Args:
        prime: samples that it heard before, whose end is shown.
    """
    if not finding.played:
        return card(title, f"<p>Nothing to hear: {finding.why}</p>")
    rate = int(finding.figures["rate"])
    before = prime[-round(PRIME_SHOWN_S * rate) :]
    shown = np.concatenate([before, np.nan_to_num(finding.raw[: round(MOST_HEARD_S * rate)])])
    primed_s = len(before) / rate
    figures = [until_stuck(finding).partition(": ")[2], f"{finding.figures['survival']:.0%} of its half-seconds alive"]
    if "level_db" in finding.figures:
        figures.append(f"{finding.figures['level_db']:+.0f} dB beside the prime")
    if "flatness" in finding.figures:
        figures.append(f"spectral flatness {finding.figures['flatness']:.2g}")
    return card(
        title,
        f"<p>{'; '.join(figures)}.</p>",
        sound(finding.heard) if finding.heard else "",
        wave_chart(shown, rate, primed_s, f"wave: {title}"),
        spectrogram_chart(shown, rate, primed_s, f"spectrogram: {title}"),
    )


def file_card(path: Path, title: str, line: str = "") -> str:
    """Returns the card of a sound file."""
    samples, rate = soundfile.read(path, dtype="float32")
    samples = np.nan_to_num(samples[: round(MOST_HEARD_S * rate)])
    return card(
        title,
        f"<p>{line}</p>" if line else "",
        sound(path),
        wave_chart(samples, rate, 0.0, f"wave: {title}"),
        spectrogram_chart(samples, rate, 0.0, f"spectrogram: {title}"),
    )


def card(title: str, *parts: str) -> str:
    """Returns parts of HTML in a frame, under a title."""
    return f'<div class="card"><h4>{title}</h4>{"".join(parts)}</div>'


def cards(inside: list[str]) -> str:
    """Returns cards side by side."""
    return f'<div class="cards">{"".join(inside)}</div>' if inside else ""


def outputs_chart(findings: list[Finding], size: tuple[int, int] = WIDE) -> str:
    """Returns what networks put out, one line each, over their first samples, counted from 1."""
    lines = [
        Line(finding.case.value, range(1, len(part) + 1), part.tolist())
        for finding in findings
        if finding.played and len(part := finding.raw[:OUTPUT_SHOWN])
    ]
    return line_chart(
        lines, "sample, from the first that it predicts", "amplitude", log_x=True, label="outputs", size=size
    )


def losses_chart(findings: list[Finding], *, held_out: bool = False) -> str:
    """Returns the losses of trainings over their updates; with `held_out`, those of the unseen song, too."""
    lines = []
    for finding in findings:
        row = finding.row
        history = row.history
        single = (history["updates"], history["losses"]) if history.get("losses") else (row.updates_at, row.losses)
        whole = (row.updates_at, row.losses) if held_out else single
        lines.append(Line(f"{finding.case.value}: training", *whole))
        if held_out:
            lines.append(Line(f"{finding.case.value}: unseen song", row.updates_at, row.held_out_losses))
    return line_chart(lines, "updates", "loss", label="losses")
