"""The commands in README.md and docs/*.md, as a test can run them.

A block of `sh` or `python` is run as it stands, in the order of its document. A comment above it says more:

    <!-- not run: REASON -->    it is not run: it would install something, or needs what tests don't have
    <!-- keeps running -->      it starts a daemon, which plays on until the document's end (Ctrl-C)
    <!-- needs a daemon -->     a daemon is started before it, and plays on until the document's end

What is changed before a block is run is in `SUBSTITUTIONS`: training takes a few steps instead of minutes, what is
rendered lasts a few seconds, and a daemon plays to nowhere.
"""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"sh", "python"}
PATIENCE_S = 600.0  # for a block; compiling kernels for the first time takes most of it

BLOCK = re.compile(r"(?:<!--\s*(?P<marker>[^>]*?)\s*-->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
SUBSTITUTIONS = (
    (re.compile(r"--minutes \S+"), "--steps 5"),
    (re.compile(r"--seconds \d\d+"), "--seconds 5"),
    (re.compile(r"noizenet daemon(?![^\n]*--output)"), "noizenet daemon --output null"),
    (re.compile(r"noizenet daemon(?![^\n]*--live)"), "noizenet daemon --live off"),
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a document, the line it begins at, and the marker above it, or ""."""

    language: str
    text: str
    line: int
    marker: str

    @property
    def is_run(self) -> bool:
        return self.language in LANGUAGES and not self.marker.startswith("not run:")

    @property
    def program(self) -> str:
        """What is run in its place."""
        text = self.text
        for pattern, replacement in SUBSTITUTIONS:
            text = pattern.sub(replacement, text)
        return text


def blocks_of(path: Path) -> list[Block]:
    """Returns the fenced blocks of a document, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(match["language"], match["text"], text.count("\n", 0, match.start("text")), match["marker"] or "")
        for match in BLOCK.finditer(text)
    ]


class Session:
    """A user who works through one document, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[tuple[subprocess.Popen[bytes], Path]] = []
        self.environment = {**os.environ, "HOME": str(folder), "MPLBACKEND": "agg", "COLUMNS": "120"}
        scripts = sysconfig.get_path("scripts")
        self.environment["PATH"] = f"{scripts}{os.pathsep}{os.environ['PATH']}"

    def run(self, block: Block) -> None:
        """Runs a block to its end; it must succeed and print no traceback."""
        done = subprocess.run(
            _command(block),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, f"line {block.line} ended with {done.returncode}:\n{block.program}\n{done.stdout}"
        assert "Traceback" not in done.stdout, f"line {block.line}:\n{block.program}\n{done.stdout}"

    def start(self, block: Block) -> None:
        """Starts a block that keeps running, and returns once its daemon answers."""
        log = self.folder / f"line-{block.line}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                _command(block),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C goes to the group: to all that the block started
            )
        self.running.append((process, log))
        deadline = time.monotonic() + PATIENCE_S
        while not self.answers():
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
            fault = f"line {block.line} doesn't work:\n{block.program}\n{log.read_text()}"
            assert process.returncode is None, fault
            assert time.monotonic() < deadline, fault

    def answers(self) -> bool:
        """Returns whether a daemon answers at the default ports."""
        command = ["noizenet", "ctl", "status"]
        asked = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True)
        return asked.returncode == 0

    def stop(self) -> None:
        """Sends Ctrl-C to all that keeps running, the latest first; each must end as it should."""
        faults = []
        while self.running:
            process, log = self.running.pop()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            try:
                status = process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                status = process.wait()
            if status or "Traceback" in log.read_text():
                faults.append(f"{log.name}: ended with {status}:\n{log.read_text()}")
        assert not faults, "\n".join(faults)


DEFAULT_DAEMON = Block("sh", "noizenet daemon mine.safetensors --output null\n", 0, "keeps running")


@contextmanager
def session_in(folder: Path) -> Iterator[Session]:
    """Gives a session, and ends what it left running."""
    session = Session(folder)
    try:
        yield session
    finally:
        session.stop()


def work_through(document: Path, session: Session) -> None:
    """Runs every block of a document that can be run."""
    for block in blocks_of(document):
        if not block.is_run:
            continue
        if block.marker == "keeps running":
            session.start(block)
        else:
            if block.marker == "needs a daemon":
                session.start(DEFAULT_DAEMON)
            session.run(block)


def _command(block: Block) -> list[str]:
    if block.language == "python":
        return [sys.executable, "-c", block.program]
    return ["bash", "-euo", "pipefail", "-c", block.program]
