"""Voices dealt to threads, which work on them at the same time; what each voice plays doesn't depend on it.

Threads. Whoever calls `VoiceThreads.each` works on the first share itself, and waits for the others; between two calls
nobody but the caller touches a voice. Kernels run without Python's lock, and so really side by side.
"""

import threading
import weakref
from collections.abc import Callable, Sequence
from itertools import pairwise
from queue import SimpleQueue
from typing import Any, TypeVar

from noizenet_daemon.voice import Voice

Result = TypeVar("Result")
Work = Callable[[Sequence[Voice]], Any]


class VoiceThreads:
    """Some voices, and the threads that share them.

    Attributes:
        count: of threads, the calling one included.
    """

    def __init__(self, voices: Sequence[Voice], threads: int, together: int = 1) -> None:
        """Args:
        threads: the calling one included; no more are used than there are voices.
        together: so many voices step side by side, if a share has as many.
        """
        self._own, *others = dealt(voices, threads, together)
        self._helpers = [_Helper(share) for share in others]
        for helper in self._helpers:
            weakref.finalize(self, helper.orders.put, None)
        self.count = 1 + len(self._helpers)

    def each(self, work: Callable[[Sequence[Voice]], Result]) -> list[Result]:
        """Calls `work` with each share, on its thread; returns what it returns, in the voices' order.

        Raises what it raises: of the first share that failed, after all have ended.
        """
        for helper in self._helpers:
            helper.orders.put(work)
        results, failures = [], []
        for find in [lambda: work(self._own), *(helper.outcome for helper in self._helpers)]:
            try:
                results.append(find())
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return results


class _Helper:
    """One more thread, and its share of the voices. It ends when it is told to do None."""

    def __init__(self, share: Sequence[Voice]) -> None:
        self.orders: SimpleQueue[Work | None] = SimpleQueue()
        self._outcomes: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()
        thread = threading.Thread(target=_follow, args=(share, self.orders, self._outcomes), name="voices", daemon=True)
        thread.start()

    def outcome(self) -> Any:
        """Waits for the end of the work at hand; returns what it returned, or raises what it raised."""
        result, error = self._outcomes.get()
        if error is not None:
            raise error
        return result


def _follow(share: Sequence[Voice], orders: "SimpleQueue[Work | None]", outcomes: "SimpleQueue[Any]") -> None:
    while (work := orders.get()) is not None:
        try:
            outcomes.put((work(share), None))
        except Exception as error:  # the caller must learn of it
            outcomes.put((None, error))


def dealt(voices: Sequence[Voice], threads: int, together: int) -> list[list[Voice]]:
    """Returns the voices in order, in as many shares as there are threads, or fewer.

    Shares are as even as they can be; but where there are enough voices for it, each has whole groups of those that
    step side by side.
    """
    unit = together if len(voices) >= threads * together else 1
    groups = [voices[first : first + unit] for first in range(0, len(voices), unit)]
    count = min(threads, len(groups))
    borders = [len(groups) * number // count for number in range(count + 1)]
    return [[voice for group in groups[first:last] for voice in group] for first, last in pairwise(borders)]
