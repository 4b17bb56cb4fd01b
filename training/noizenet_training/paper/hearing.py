"""Running many of the project's own commands in a few processes, and taking what they wrote.

Training never imports the daemon; this way the report hears exactly what a performer will, each sound by a command
that anybody can repeat, and the libraries are loaded once for all of them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from noizenet_training.progress import Reporter

# Reads the arguments of a command from each line, and answers with a line: its status and what it printed.
SERVE = """
import contextlib, io, json, sys
from noizenet.cli import main
for line in sys.stdin:
    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        try:
            status = main(json.loads(line))
        except SystemExit as stop:
            status = stop.code
    print(json.dumps([status, printed.getvalue(), said.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class Command:
    """A command of `noizenet` that writes a file.

    Attributes:
        arguments: after the word noizenet.
        makes: the file. If it is there, the command was run before.
        keep: the file for what it prints; None if that is of no use.
    """

    arguments: tuple[str, ...]
    makes: Path
    keep: Path | None = None

    @property
    def is_done(self) -> bool:
        """Whether what it writes is there."""
        return self.makes.exists() and (self.keep is None or self.keep.exists())


def run_commands(commands: Sequence[Command], report: Reporter) -> dict[Path, str]:
    """Runs what hasn't been run, side by side on all cores; returns why a file couldn't be made, by file."""
    pending = [command for command in dict.fromkeys(commands) if not command.is_done]
    if not pending:
        return {}
    cores = min(len(pending), os.cpu_count() or 1)
    idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
    processes = [_start() for _ in range(cores)]
    for process in processes:
        idle.put(process)

    def run(command: Command) -> str:
        process = idle.get()
        try:
            return _run(command, process)
        finally:
            idle.put(process)

    faults = {}
    with report:
        try:
            with ThreadPoolExecutor(cores) as pool:
                for number, (command, fault) in enumerate(zip(pending, pool.map(run, pending), strict=True), 1):
                    report.advance(number / len(pending), f"{number} of {len(pending)} sounds and measurements")
                    if fault:
                        faults[command.makes] = fault
        finally:
            for process in processes:
                process.kill()
                process.wait()
    return faults


def _start() -> subprocess.Popen[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )


def _run(command: Command, process: "subprocess.Popen[str]") -> str:
    """Runs a command in a process that waits for one; returns why it failed, or nothing."""
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps(command.arguments) + "\n")
        process.stdin.flush()
        answer: list[Any] = json.loads(process.stdout.readline())
    except (OSError, ValueError):
        return "its process ended"
    status, printed, said = answer
    if status:
        lines = str(said).strip().splitlines() or [f"exit status {status}"]
        return lines[-1].removeprefix("noizenet: ")
    if command.keep:
        partial = command.keep.with_suffix(".part")
        partial.write_text(printed, encoding="utf-8")
        partial.replace(command.keep)
    return ""
