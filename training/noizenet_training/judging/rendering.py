"""Rendering a checkpoint by the project's own command, in a process of its own.

Training never imports the daemon; this way it hears exactly what a performer will.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from noizenet.errors import InputFileError


def render(
    checkpoint: Path,
    out: Path,
    seconds: float,
    seed: int,
    *,
    prime: str = "corpus",
    raw: bool = False,
    settings: Sequence[str] = (),
) -> None:
    """Writes `seconds` of a checkpoint's playing to a sound file.

    Args:
        prime: a sound file, or one of the words that `noizenet render --prime` knows.
        raw: what the network puts out, not what a performer hears: without the safety chain, whose high-pass lets
            a constant fade away only slowly.
        settings: what `noizenet render --set` takes, such as "stray=0.7".

    Raises:
        InputFileError: the command failed; the message is its last line.
    """
    command = [sys.executable, "-m", "noizenet", "render", str(checkpoint), "--out", str(out)]
    command += ["--seconds", f"{seconds:g}", "--seed", str(seed), f"--prime={prime}"]
    command += ["--raw"] if raw else []
    command += [f"--set={setting}" for setting in settings]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode or not out.exists():
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise InputFileError(f"rendering {out} from {checkpoint} failed: {lines[-1].removeprefix('noizenet: ')}")
