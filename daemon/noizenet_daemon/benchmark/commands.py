"""The subcommand `noizenet bench`. Heavy imports stand inside the function that runs."""

import argparse
from typing import Any

from noizenet.cli import Subcommand

SIZES = "48,50,128,256,512,1024"
QUICK_SIZES = "48,256"
MOST_SECONDS = 600.0
LARGEST_HIDDEN = 4096


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="WHAT", help="recipes and checkpoint files (default: all recipes, and what ships)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--quick", action="store_true", help="float32 alone, two sizes, a tenth of the time: rough figures"
    )
    parser.add_argument(
        "--seconds", type=_seconds, metavar="S", help="of work for each measurement, about (default: 1; quick: 0.1)"
    )
    parser.add_argument(
        "--hidden",
        type=_sizes,
        metavar="N,N",
        help=f"sizes of the LSTM that is measured beside peers, or none (default: {SIZES}; quick: {QUICK_SIZES})",
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME='COMMAND {hidden}'",
        help="another program for these sizes; the last number that it prints is its steps per second",
    )


def _run(arguments: argparse.Namespace) -> None:
    import json

    from noizenet_daemon.benchmark import table
    from noizenet_daemon.benchmark.bench import Told, make_plan, run_plan
    from noizenet_daemon.benchmark.machine import describe_machine
    from noizenet_daemon.benchmark.peers.program import program_from_text

    hidden = arguments.hidden
    if hidden is None:
        hidden = _sizes(QUICK_SIZES if arguments.quick else SIZES)
    programs = [program_from_text(text) for text in arguments.peer]
    plan = make_plan(arguments.names, hidden, programs, arguments.seconds, arguments.quick)
    if arguments.json:
        silent = Told(*[lambda _: None] * 4)
        print(json.dumps(run_plan(plan, silent), indent=2))
        return
    headed: set[str] = set()

    def under(heads: list[str], lines: list[str]) -> None:
        if heads[0] not in headed:
            headed.add(heads[0])
            lines = ["", *heads, *lines]
        _say(lines)

    def tell_ceilings(ceilings: dict[str, Any]) -> None:
        _say(table.machine_lines(describe_machine(), ceilings))

    missing: list[str] = []
    run_plan(
        plan,
        Told(
            ceilings=tell_ceilings,
            playing=lambda row: under(table.playing_heads(), [table.playing_line(row)]),
            size=lambda size: under(table.size_heads(), table.size_lines(size)),
            missing=missing.append,
        ),
    )
    if missing:
        _say(["", *missing])


def _say(lines: list[str]) -> None:
    print("\n".join(lines), flush=True)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0, up to {MOST_SECONDS:g}")
    return value


def _sizes(text: str) -> tuple[int, ...]:
    if text == "none":
        return ()
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and 1 <= int(word) <= LARGEST_HIDDEN for word in words):
        raise argparse.ArgumentTypeError(
            f"{text} is neither none nor whole numbers from 1 to {LARGEST_HIDDEN}, as in {QUICK_SIZES}"
        )
    return tuple(map(int, words))


BENCH = Subcommand("Measure how fast this machine plays, beside other programs.", _configure, _run)
