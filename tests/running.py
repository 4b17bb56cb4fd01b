"""A daemon in a process of its own, and the questions that tests ask it, for tests that play it as a user would."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY = "playing "
ANY_PORTS = [f"--{name}-port=0" for name in ("osc", "control", "audio", "telemetry")]
PATIENCE_S = 300.0  # the first start on a machine compiles the kernels, maybe beside others that do


class RunningDaemon:
    """`noizenet daemon` with its ports and what it has said so far."""

    def __init__(self, *options: str | Path, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "noizenet", "daemon", "--live", "off", *ANY_PORTS, *map(str, options)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.said: list[str] = []
        self._is_ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip())
            if READY in line:
                self._is_ready.set()
        self._is_ready.set()

    @property
    def errors(self) -> str:
        """All that it has said on standard error."""
        return "\n".join(self.said)

    def wait_until_ready(self) -> None:
        assert self._is_ready.wait(PATIENCE_S), self.errors
        assert READY in self.errors, self.errors

    def port(self, name: str) -> int:
        """Returns the port of "OSC", "control", "audio" or "telemetry"."""
        found = re.search(rf"{name} (\d+)", self.errors)
        assert found, self.errors
        return int(found[1])

    def finish(self) -> int:
        """Waits for its end and returns its exit status."""
        status = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return status

    def interrupt(self) -> int:
        """Presses Ctrl-C and returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.finish()


@contextmanager
def daemon(*options: str | Path, environment: dict[str, str] | None = None) -> Iterator[RunningDaemon]:
    """A daemon that plays; killed at the end if it still runs."""
    running = RunningDaemon(*options, environment=environment)
    try:
        running.wait_until_ready()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.finish()
