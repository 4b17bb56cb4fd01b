"""Telling systemd how the daemon is: ready, alive, stopping. Does nothing where no service manager listens.

Source: sd_notify(3) and sd_watchdog_enabled(3).
"""

import contextlib
import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """The service manager that started this process, if one did. Any method may be called from any thread."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Takes the manager's address from `NOTIFY_SOCKET`, the watchdog's period from `WATCHDOG_USEC`."""
        path = environment.get("NOTIFY_SOCKET", "")
        # A path that begins with @ stands for Linux' abstract namespace, which begins with a zero byte.
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self.watchdog_s = _watchdog_period(environment)

    def ready(self) -> None:
        """Says that the start is over and the sound plays."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Sets the line that `systemctl status` shows."""
        self._send("STATUS=" + text.replace("\n", " "))

    def alive(self) -> None:
        """Resets the watchdog. Call it at least every `watchdog_s / 2`, and only while sound is made."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Says that the daemon is ending on purpose."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A manager that is gone or too busy must not stop the sound: the watchdog is its own remedy.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)


def _watchdog_period(environment: Mapping[str, str]) -> float | None:
    """Returns the seconds after which this process, unheard, is killed; None if it isn't watched."""
    period = environment.get("WATCHDOG_USEC", "")
    owner = environment.get("WATCHDOG_PID", str(os.getpid()))
    if owner != str(os.getpid()) or not period.isdecimal() or int(period) == 0:
        return None
    return int(period) / 1e6
