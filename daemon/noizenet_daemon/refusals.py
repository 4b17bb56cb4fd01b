"""Counts refused messages and logs few of them: a flood of bad packets must not become a flood of lines."""

import logging
import threading
import time

LOG_EVERY_S = 1.0
LONGEST_REASON = 200  # characters in the log

_log = logging.getLogger("noizenet.control")


class Refusals:
    """The refused messages of one way in. Any method may be called from any thread.

    Attributes:
        count: messages refused since the start.
    """

    def __init__(self, source: str) -> None:
        """Args:
        source: what the log calls the way in, such as "OSC".
        """
        self.count = 0
        self._source = source
        self._lock = threading.Lock()
        self._logged_count = 0
        self._next_log = 0.0

    def add(self, reason: str) -> None:
        """Counts one refusal, and logs it unless another one was logged within the last second."""
        with self._lock:
            self.count += 1
            if time.monotonic() < self._next_log:
                return
            self._next_log = time.monotonic() + LOG_EVERY_S
            unlogged = self.count - self._logged_count - 1
            self._logged_count = self.count
        more = f" (and {unlogged} more since the last such line)" if unlogged else ""
        shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in reason)
        _log.warning("%s: refused a message: %s%s", self._source, shown[:LONGEST_REASON], more)
