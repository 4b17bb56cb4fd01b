"""The subcommand `sweep`: one training for every combination of some options' values, side by side."""

import argparse
import csv
import io
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from noizenet.cli import Subcommand
from noizenet_training.arguments import above_zero, whole_above_zero

DEFAULT_MINUTES = 1.0
SHOWN = ("state", "why", "held_out", "updates", "minutes", "update_s", "checkpoint", "command")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("audio", nargs="+", type=Path, metavar="AUDIO", help="sound files, and folders of them")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="the folder for all that comes of it")
    parser.add_argument("--recipe", default="tokens", metavar="R", help="as for train; default tokens")
    parser.add_argument(
        "--try",
        dest="tries",
        action="append",
        default=[],
        metavar="KEY=V,V",
        help="values of one option; every combination with those of the others is trained",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="an option that is the same for all"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes", type=above_zero, metavar="N", help=f"for each training; default {DEFAULT_MINUTES:g}"
    )
    length.add_argument("--steps", type=whole_above_zero, default=0, metavar="N", help="updates of each, instead")
    parser.add_argument(
        "--songs", type=whole_above_zero, default=0, metavar="N", help="only the first N files that can be used"
    )
    parser.add_argument("--seconds", type=above_zero, default=0.0, metavar="S", help="only the first S of each file")
    parser.add_argument(
        "--seeds", type=whole_above_zero, default=1, metavar="N", help="train each with N seeds, from 0 on; default 1"
    )
    parser.add_argument("--no-stop", action="store_true", help="train also those to the end that hold out worst")
    parser.add_argument(
        "--ray-address", default="", metavar="A", help="of a Ray cluster to run on, instead of this machine"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def _run(options: argparse.Namespace) -> None:
    from noizenet_training.sweeps.grids import CHANGE_THE_LOSS, grid, values_to_try
    from noizenet_training.sweeps.trials import Trial

    tried = values_to_try(options.tries)
    minutes = 0.0 if options.steps else options.minutes or DEFAULT_MINUTES
    common = Trial(
        "",
        tuple(options.audio),
        options.recipe,
        tuple(options.set),
        options.steps,
        minutes,
        songs=options.songs,
        seconds=options.seconds,
    )
    combinations = grid(common, tried, options.seeds)  # before the slow imports: faults show at once

    from noizenet_training.progress import reporter
    from noizenet_training.sweeps.sweeping import run_trials

    report = reporter(sys.stderr)
    unlike = sorted(CHANGE_THE_LOSS & tried.keys())
    if unlike and not options.no_stop:
        report.say(f"no training is stopped early: held-out losses can't be compared across {', '.join(unlike)}")
    out = options.out.resolve()
    rows = run_trials(
        [trial for _, trial in combinations],
        out,
        report,
        ray_address=options.ray_address,
        stop_early=not (options.no_stop or unlike),
    )
    found = [
        {"values": chosen, "seed": trial.seed} | asdict(row)
        for (chosen, trial), row in zip(combinations, rows, strict=True)
    ]
    written = {"recipe": options.recipe, "audio": [str(path) for path in options.audio], "trials": found}
    _write(out, written, list(tried))
    if options.json:
        print(json.dumps(written))
    else:
        _print_table(found, list(tried), out)


def _write(out: Path, written: dict[str, Any], keys: Sequence[str]) -> None:
    """Writes sweep.json and sweep.csv."""
    from noizenet.atomic_files import write_atomically

    write_atomically(out / "sweep.json", json.dumps(written, indent=1).encode())
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow([*keys, "seed", *SHOWN])
    for found in written["trials"]:
        lines.writerow([*(found["values"][key] for key in keys), found["seed"], *(found[name] for name in SHOWN)])
    write_atomically(out / "sweep.csv", text.getvalue().encode())


def _print_table(found: Sequence[dict[str, Any]], keys: Sequence[str], out: Path) -> None:
    """Prints one line for each trial, the best first, why any failed, and the command of the best."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    ordered = sorted(found, key=lambda row: math.inf if row["held_out"] is None else row["held_out"])
    table = Table()
    for name in (*keys, "seed", "held-out", "updates", "minutes", "state"):
        table.add_column(name, overflow="fold")
    for row in ordered:
        held_out = "" if row["held_out"] is None else f"{row['held_out']:.4g}"
        cells = [*(row["values"][key] for key in keys), str(row["seed"]), held_out]
        cells += [str(row["updates"]), f"{row['minutes']:g}", row["state"]]
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)
    for row in ordered:
        if row["why"]:
            print(f"{row['name']}: {row['why']}")
    best = ordered[0]
    if best["state"] == "finished":
        print(f"best: {best['command']}")
    print(f"all of it in {out / 'sweep.json'} and {out / 'sweep.csv'}, checkpoints in {out / 'trials'}")


SWEEP = Subcommand("Train with every combination of some options' values.", _configure, _run)
