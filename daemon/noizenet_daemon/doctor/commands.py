"""The subcommand `noizenet doctor`. Heavy imports stand inside the function that runs."""

import argparse
from pathlib import Path

from noizenet.cli import Subcommand
from noizenet_daemon.config import OPTIONS
from noizenet_daemon.config_reading import option_reader

LONGEST_S = 3600.0
SHORTEST_S = 0.1


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", nargs="?", type=Path, metavar="M", help="a checkpoint (default: the shipped one)")
    parser.add_argument("--seconds", type=_seconds, default=10.0, metavar="S", help="how long (default: 10)")
    for name in ("voices", "threads", "block_frames", "latency_ms", "precision", "output"):
        about, default = OPTIONS[name]
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=option_reader(name),
            default=default,
            metavar="|".join(about.choices) or name.upper(),
            help=f"as of `noizenet daemon` (default: {default})",
        )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _run(arguments: argparse.Namespace) -> None:
    import json

    from noizenet.errors import NotLiveError
    from noizenet_daemon.config import SHIPPED_CHECKPOINT
    from noizenet_daemon.doctor.examination import examine

    report = examine(
        arguments.checkpoint or SHIPPED_CHECKPOINT,
        seconds=arguments.seconds,
        voices=arguments.voices,
        threads=arguments.threads,
        block_frames=arguments.block_frames,
        latency_ms=arguments.latency_ms,
        precision=arguments.precision,
        output=arguments.output,
    )
    print(json.dumps(report.to_json(), indent=2) if arguments.json else report.as_text(), flush=True)
    if report.problems:
        raise NotLiveError(f"{report.verdict}: {report.problems[0].remedy}")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not SHORTEST_S <= value <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from {SHORTEST_S:g} to {LONGEST_S:g}")
    return value


DOCTOR = Subcommand("Say whether this machine can play a checkpoint live.", _configure, _run)
