"""When the daemon is to end: a signal, or a command, asks for it; the main thread looks now and then.

A signal's handler runs between any two steps of the main thread, and even of another handler, so it takes no lock: it
sets what the main thread looks at. `make` and `timeout` both pass a signal on, so the same one may come twice at once.
"""

import os
import signal
import time
from contextlib import ExitStack
from types import FrameType

AT_ONCE_AFTER_S = 1.0  # a second signal that much later is an impatient user's, and ends the process as it is


class Ending:
    """Attributes:
    is_wanted: whether the daemon is to fade out and end.
    """

    def __init__(self) -> None:
        self.is_wanted = False
        self._is_preparing = True
        self._signalled_at: float | None = None

    def ask(self) -> None:
        """Asks for the end. Any thread."""
        self.is_wanted = True

    def heed_signals(self, stack: ExitStack) -> None:
        """From now on until the stack's end, SIGINT and SIGTERM ask for the end. Main thread.

        Until `wait_for_fade` is called they end the process at once, with status 0: nothing is open yet, and an
        exception would be lost where the compiler calls Python.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, self._on_signal))

    def wait_for_fade(self) -> None:
        """From now on there is something to complete: the main thread has to look at `is_wanted`."""
        self._is_preparing = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._is_preparing:
            os._exit(0)
        now = time.monotonic()
        self.is_wanted = True
        if self._signalled_at is None:
            self._signalled_at = now
        elif now - self._signalled_at > AT_ONCE_AFTER_S:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
