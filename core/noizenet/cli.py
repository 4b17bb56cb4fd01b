"""The `noizenet` command: finds the subcommands that the installed packages registered, and runs one.

A package registers a `Subcommand` under the entry-point group `noizenet.commands`. Its module is imported to
build the command line, so it must import heavy libraries only inside `run`; what an extra would have brought
is then reported in one sentence.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points, version

from noizenet.errors import MissingExtraError, NoizeNetError

GROUP = "noizenet.commands"
INTERRUPTED = 130  # 128 + SIGINT, the shell's own figure for Ctrl-C

# Which extra brings what a package's subcommands import.
EXTRA_OF_PACKAGE = {
    "noizenet": "daemon",
    "noizenet_clients": "daemon",
    "noizenet_daemon": "daemon",
    "noizenet_training": "training",
}


@dataclass(frozen=True)
class Subcommand:
    """One subcommand: how it reads its command line, and what it does.

    Attributes:
        summary: one line for `noizenet --help`.
        configure: adds the arguments to the parser given.
        run: does the work; may raise any `NoizeNetError`, whose exit status is then used.
    """

    summary: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage block, and exits with status 2."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n" if _is_spokesman() else None)


def _is_spokesman() -> bool:
    """Returns whether this process speaks for all that PyTorch's `torchrun` started: the first one does."""
    return "TORCHELASTIC_RUN_ID" not in os.environ or os.environ.get("RANK", "0") == "0"


def build_parser(wanted: str = "") -> argparse.ArgumentParser:
    """Returns the parser with every registered subcommand, or with that of the wanted name alone, if there is one."""
    parser = _Parser(prog="noizenet", description="A neural instrument: train on sound, play for ever.")
    parser.add_argument("--version", action="version", version=f"noizenet {version('noizenet')}")
    # argparse gives the list's names two letters less than this word has: "reproduce" must fit beside its sentence
    subparsers = parser.add_subparsers(title="commands", metavar="SUB-COMMAND", required=True)
    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    for entry in [entry for entry in entries if entry.name == wanted] or entries:
        command: Subcommand = entry.load()
        sub = subparsers.add_parser(entry.name, help=command.summary, description=command.summary)
        command.configure(sub)
        sub.set_defaults(subcommand=command, package=entry.value.split(".")[0].split(":")[0])
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status: 0, or as in `noizenet.errors`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = build_parser(*arguments[:1]).parse_args(arguments)
    try:
        try:
            options.subcommand.run(options)
        except ModuleNotFoundError as error:
            extra = EXTRA_OF_PACKAGE.get(options.package, "all")
            raise MissingExtraError(
                f"this command needs the Python package {error.name!r}, which is not installed: "
                f"pip install 'noizenet[{extra}]'"
            ) from error
    except NoizeNetError as error:
        if _is_spokesman():
            print(f"noizenet: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0
