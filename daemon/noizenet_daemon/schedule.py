"""Jobs that run on a thread of their own, each when its time has come."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

from noizenet.errors import ControlError

AT_ONCE = 0.0
LONGEST_WAIT_S = 1.0  # wakes this often while something is due later, so that a clock set forward isn't missed

_log = logging.getLogger("noizenet.control")


class Schedule:
    """A time-ordered queue and the thread that empties it. Jobs of the same time run in the order they came.

    `put` may be called from any thread. A job that raises is logged; the thread goes on.
    """

    def __init__(self, name: str, capacity: int) -> None:
        """Args:
        name: the thread's name.
        capacity: jobs that may wait at once.
        """
        self._capacity = capacity
        self._jobs: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, at: float, job: Callable[[], None]) -> None:
        """Adds a job that runs at `at` seconds since 1970; AT_ONCE = after those that wait already.

        Raises:
            ControlError: too many jobs wait, or the schedule is closed.
        """
        with self._changed:
            if self._closed:
                raise ControlError("the daemon is stopping")
            if len(self._jobs) >= self._capacity:
                raise ControlError(f"{self._capacity} messages are waiting already: send fewer, or later")
            heapq.heappush(self._jobs, (at, next(self._count), job))
            self._changed.notify()

    def close(self, timeout_s: float = 5.0) -> None:
        """Ends the thread after the job it is at; those that still wait are dropped."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (job := self._next_due()) is not None:
            try:
                job()
            except Exception as error:
                _log.error("a scheduled message failed: %s: %s", type(error).__name__, error)
                _log.debug("where it failed", exc_info=True)

    def _next_due(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closed:
                if not self._jobs:
                    self._changed.wait()
                elif (left := self._jobs[0][0] - time.time()) > 0:
                    self._changed.wait(min(left, LONGEST_WAIT_S))
                else:
                    return heapq.heappop(self._jobs)[2]
        return None
