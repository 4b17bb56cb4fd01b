"""What the paper's loops show: a table, the conclusion in words, and a picture. All from figures of `LoopRun`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from noizenet_training.author.author_loops import DESCRIBED, NOTEBOOK, WRITTEN, LoopRun
from noizenet_training.pictures.pictures import save_figure


def to_json(runs: Sequence[LoopRun], prime: int) -> dict[str, Any]:
    """Returns the figures in plain values.

    Args:
        prime: its samples.
    """
    return {
        "prime_samples": prime,
        "steps": len(runs[0].outputs),
        "loops": [run.to_json() for run in runs],
        "conclusion": conclusion(runs, prime),
    }


def table(runs: Sequence[LoopRun], prime: int) -> str:
    """Returns the figures as lines of text."""
    heads = ["loop", "constant after", "of the prime", "window is one sample at", "departs at", "last output"]
    rows = [heads]
    for run in runs:
        share = "" if run.constant_after is None else f"{run.constant_after / prime:.2%}"
        places = [_step(run.one_sample_at), "" if run.name == DESCRIBED else _step(run.departs_at)]
        constant = "never" if run.constant_after is None else f"{run.constant_after:,} steps"
        rows.append([run.name, constant, share, *places, f"{run.outputs[-1]:.5f}"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def conclusion(runs: Sequence[LoopRun], prime: int) -> list[str]:
    """Returns a sentence on each loop: what of the output is the network's doing, and what the loop's."""
    by_name = {run.name: run for run in runs}
    steps = len(runs[0].outputs)
    found = []
    constant = by_name[DESCRIBED].constant_after
    if constant is None:
        found.append(f"As described, the output is not constant within {steps:,} steps: the network does not collapse.")
    else:
        found.append(
            f"As described, the output is constant after {constant:,} steps, {constant / prime:.2%} of the prime: "
            "the collapse is the network's own."
        )
    for name in (WRITTEN, NOTEBOOK):
        found.append(_on_shrinking(by_name[name], prime))
    return found


def _on_shrinking(run: LoopRun, prime: int) -> str:
    """Returns what a loop whose window shrinks does to the output."""
    steps = len(run.outputs)
    if run.one_sample_at is None:
        shrunk = f"its window still holds {run.fed[-1]:,} samples at the end"
    else:
        share = run.one_sample_at / prime
        shrunk = f"its window has shrunk to one sample at step {run.one_sample_at:,}, {share:.2%} of the prime"
    begin = f"The loop {run.name}:" if run.name == WRITTEN else f"The loop as {run.name}:"
    if run.departs_at is None:
        return f"{begin} {shrunk}, and yet at all {steps:,} steps the output is that of the loop as described."
    end = "is never constant" if run.constant_after is None else f"is constant after {run.constant_after:,} steps"
    if run.one_sample_at is not None and run.departs_at >= run.one_sample_at:
        return (
            f"{begin} {shrunk}. Before, the output is that of the loop as described; it departs from there at step "
            f"{run.departs_at:,} and {end}. This change is the loop's own."
        )
    return (
        f"{begin} {shrunk}; the output leaves that of the loop as described at step {run.departs_at:,}, where "
        f"{run.fed[run.departs_at - 1]:,} samples are fed, and {end}."
    )


def draw(runs: Sequence[LoopRun], path: Path, title: str) -> None:
    """Writes a picture of the loops' outputs below each other.

    Raises:
        InputFileError: the picture can't be written.
    """
    figure = Figure(figsize=(11, 2.2 * len(runs) + 1), layout="constrained")
    grid = figure.subplots(len(runs), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, run in zip(grid, runs, strict=True):
        axes.plot(range(1, len(run.outputs) + 1), run.outputs, linewidth=0.8)
        if run.constant_after is not None:
            axes.axvline(run.constant_after + 1, color="tab:red", linestyle="--", label="stuck from here on")
        if run.one_sample_at is not None:
            axes.axvline(run.one_sample_at, color="black", linestyle=":", label="the window is one sample")
        axes.set(title=run.name, ylabel="prediction", xscale="log")
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    grid[-1].set_xlabel("step")
    figure.suptitle(title)
    save_figure(figure, path)


def _step(number: int | None) -> str:
    return "never" if number is None else f"step {number:,}"
