"""The subcommands `noizenet ctl` and `noizenet listen`. Nothing heavy is imported before one runs."""

import argparse
from pathlib import Path

from noizenet.cli import Subcommand
from noizenet.protocol import AUDIO_PORT, CONTROL_PORT, OSC_PORT
from noizenet_clients.transport import ANSWER_WITHIN_S


def _configure_ctl(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="such as gain_db, /noizenet/voice/2/pan, status")
    parser.add_argument("arguments", metavar="ARG", nargs="*", help="values; none asks for the present one")
    parser.add_argument("--host", default="127.0.0.1", help="the daemon's address (default 127.0.0.1)")
    parser.add_argument("--port", type=_port, help=f"its port (default {CONTROL_PORT}, with --osc {OSC_PORT})")
    parser.add_argument("--osc", action="store_true", help="send OSC instead of ZeroMQ")
    parser.add_argument(
        "--timeout", type=_seconds, default=ANSWER_WITHIN_S, metavar="S", help="seconds an answer may take"
    )
    parser.add_argument("--json", action="store_true", help="print the answer as one JSON object")


def _run_ctl(options: argparse.Namespace) -> None:
    from noizenet_clients import ctl

    ctl.run(options)


def _configure_listen(parser: argparse.ArgumentParser) -> None:
    default = f"tcp://127.0.0.1:{AUDIO_PORT}"
    parser.add_argument(
        "endpoint",
        nargs="?",
        default=default,
        metavar="tcp://HOST:PORT",
        help=f"the stream (default {default})",
    )
    parser.add_argument("--out", type=Path, metavar="F.wav", help="write the stream to a file instead of playing it")
    parser.add_argument(
        "--for", dest="seconds", type=_seconds, metavar="S", help="stop after this many seconds of sound"
    )
    parser.add_argument("--device", metavar="D", help="sound card to play on: its name or number")
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")


def _run_listen(options: argparse.Namespace) -> None:
    from noizenet_clients import listen

    listen.run(options)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: choose a number from 1 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: give seconds above 0")
    return seconds


CTL = Subcommand("Send one message to the daemon and print its answer.", _configure_ctl, _run_ctl)
LISTEN = Subcommand("Play the daemon's stream, or write it to a file.", _configure_listen, _run_listen)
