"""The subcommand `paper`: the paper's experiments, run again, and a report."""

import argparse
import shlex
import sys
import time
from pathlib import Path

from noizenet.cli import Subcommand
from noizenet_training.arguments import above_zero, whole


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus", nargs="+", type=Path, metavar="CORPUS", help="songs, and folders of them")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="the folder for all that comes of it")
    parser.add_argument(
        "--quick", action="store_true", help="every row of the paper's tables with smaller values: minutes, not hours"
    )
    parser.add_argument(
        "--minutes-per-trial", type=above_zero, metavar="N", help="at most, for each training; default 20"
    )
    parser.add_argument(
        "--ray-address", default="", metavar="A", help="of a Ray cluster to train on, instead of this machine"
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of all that is random; default 0")


def _run(options: argparse.Namespace) -> None:
    started = time.monotonic()

    from noizenet_training.paper.report import write_report
    from noizenet_training.paper.running import run_experiments
    from noizenet_training.progress import reporter

    results = run_experiments(
        options.corpus,
        options.out.resolve(),
        "quick" if options.quick else "full",
        reporter(sys.stderr),
        minutes=options.minutes_per_trial,
        ray_address=options.ray_address,
        seed=options.seed,
    )
    words = ["noizenet", "paper", *map(str, options.corpus), "--out", str(options.out)]
    words += ["--quick"] if options.quick else []
    words += ["--minutes-per-trial", f"{options.minutes_per_trial:g}"] if options.minutes_per_trial else []
    words += ["--seed", str(options.seed)] if options.seed else []
    path = write_report(results, options.out.resolve(), shlex.join(words), (time.monotonic() - started) / 60.0)
    print(f"{path}: open it in a browser; figures in {path.with_suffix('.json')}")


PAPER = Subcommand("Run the paper's experiments again, and report what held.", _configure, _run)
