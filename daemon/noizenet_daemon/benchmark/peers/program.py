"""Any other program: it is run by a command, and the last number that it prints is its steps per second."""

import math
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass

from noizenet.errors import UsageError
from noizenet_daemon.benchmark.peers.peer import PeerUnavailableError

PLACE = "{hidden}"  # in a command; the size is put there
PATIENCE_S = 120.0  # for one run
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")


@dataclass(frozen=True)
class Program:
    """A program that steps an LSTM of two layers by itself.

    Attributes:
        name: what it is called in the table.
        words: of its command line; `{hidden}` in them stands for the size.
    """

    name: str
    words: tuple[str, ...]

    def steps_per_second(self, hidden: int) -> float:
        """Runs it once and returns what it prints.

        Raises:
            PeerUnavailableError: it can't be started, fails, takes too long, or prints no number above 0.
        """
        words = [word.replace(PLACE, str(hidden)) for word in self.words]
        shown = shlex.join(words)
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=PATIENCE_S
            )
        except OSError as error:
            raise PeerUnavailableError(f"{self.name}: {shown} can't be run ({error.strerror})") from None
        except subprocess.TimeoutExpired:
            raise PeerUnavailableError(
                f"{self.name}: {shown} took more than {PATIENCE_S:g} s: let it make fewer steps"
            ) from None
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise PeerUnavailableError(f"{self.name}: {shown} ended with status {done.returncode} ({said[:120]})")
        numbers = NUMBER.findall(done.stdout)
        if not numbers:
            raise PeerUnavailableError(f"{self.name}: {shown} printed no number: let it print its steps per second")
        rate = float(numbers[-1])
        if not 0.0 < rate < math.inf:
            raise PeerUnavailableError(f"{self.name}: {shown} printed {numbers[-1]}, not steps per second above 0")
        return rate


def program_from_text(text: str) -> Program:
    """Returns the program that a flag `NAME=COMMAND` describes.

    Raises:
        UsageError: it has another form, or there is no such command.
    """
    name, equals, command = text.partition("=")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"--peer {text}: the command's quotes don't close ({error})") from None
    if not name.strip() or not equals or not words:
        raise UsageError(f"--peer {text} is not of the form NAME='command {PLACE}'")
    if shutil.which(words[0]) is None:
        kind = "can't be run as a program" if os.path.exists(words[0]) else "doesn't exist, here or on the PATH"
        raise UsageError(f"--peer {name}: the command {words[0]} {kind}")
    return Program(name.strip(), words)
