"""The engine thread: makes blocks ahead of what is heard, and writes them to the rings.

Threads. `Engine._run` is the only code that touches the performance once it is started. Others hand it work with
`post` (carried out between two blocks) and read its figures, which are single values replaced as a whole.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import ControlError
from noizenet_daemon.broadcast import Broadcast
from noizenet_daemon.performance import Performance
from noizenet_daemon.ring import Ring

Array = NDArray[Any]
_log = logging.getLogger("noizenet.engine")
SMOOTHING_BLOCKS = 200  # over which the real-time factor is averaged
LEVEL_S = 0.1
SILENCE_DB = -120.0
PRIORITY = 10  # real-time priority, where the system allows one; below what sound servers take


class Engine:
    """Keeps the rings filled from a performance.

    Attributes:
        blocks: blocks made so far; a watchdog sees by it that the engine lives.
        failure: what ended the thread, or None.
        level_db: peak of the last tenth of a second.
        realtime_factor: seconds of sound made in a second of work, averaged.
    """

    def __init__(self, performance: Performance, ring: Ring, broadcast: Broadcast, block_frames: int) -> None:
        self.performance = performance
        self.blocks = 0
        self.failure: BaseException | None = None
        self.level_db = SILENCE_DB
        self.realtime_factor = 0.0
        self._ring = ring
        self._broadcast = broadcast
        self._block: Array = np.zeros((block_frames, performance.channels), np.float32)
        self._block_s = block_frames / performance.sample_rate
        self._work: deque[Callable[[], None]] = deque()
        self._peaks: deque[float] = deque(maxlen=max(1, round(LEVEL_S / self._block_s)))
        self._busy_s = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Starts making blocks."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the block at hand."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def post(self, work: Callable[[], None]) -> None:
        """Lets the engine thread do something between two blocks. Any thread."""
        self._work.append(work)

    def call(self, work: Callable[[], None], patience_s: float = 5.0) -> None:
        """Posts work and waits until it is done; raises what it raises. Not for the engine's own thread.

        Raises:
            ControlError: it wasn't done in time, and won't be done any more.
        """
        done = threading.Event()
        waiting = threading.Lock()
        outcome: list[Exception | None] = []

        def carry_out() -> None:
            if not waiting.acquire(blocking=False):
                return  # the caller has given up
            try:
                work()
                outcome.append(None)
            except Exception as error:
                outcome.append(error)
            done.set()

        self.post(carry_out)
        if not done.wait(patience_s) and waiting.acquire(blocking=False):
            raise ControlError(f"the engine didn't take the change within {patience_s:g} s: see the daemon's log")
        done.wait()
        if outcome[0] is not None:
            raise outcome[0]

    def _run(self) -> None:
        try:
            self.performance.on_threads(raise_priority)
            while not self._stopping.is_set():
                self._carry_out()
                ahead = self._ring.filled - self._ring.virtual_frames
                if ahead >= 0:
                    self._stopping.wait(self._pause(ahead))
                else:
                    self._make_block()
        except BaseException as error:  # whatever it is, the main thread must learn of it
            self.failure = error
            _log.exception("the engine stopped")

    def _pause(self, ahead: int) -> float:
        """Returns how long to wait with `ahead` frames too many: long enough to make some blocks in a row."""
        rate = self.performance.sample_rate
        return ahead / rate + max(0.5 * self._block_s, 0.125 * self._ring.virtual_frames / rate)

    def _carry_out(self) -> None:
        while self._work:
            work = self._work.popleft()
            try:
                work()
            except Exception:  # a bad command must not stop the sound
                _log.exception("a change could not be carried out")

    def _make_block(self) -> None:
        started = time.perf_counter()
        self.performance.render(self._block)
        spent = time.perf_counter() - started
        self._busy_s += (spent - self._busy_s) / min(self.blocks + 1, SMOOTHING_BLOCKS)
        self._ring.write(self._block)
        self._broadcast.write(self._block)
        self._peaks.append(max(float(self._block.max()), -float(self._block.min())))
        peak = max(self._peaks)
        self.level_db = 20.0 * float(np.log10(peak)) if peak > 1e-6 else SILENCE_DB
        self.realtime_factor = self._block_s / max(self._busy_s, 1e-9)
        self.blocks += 1


def raise_priority() -> bool:
    """Asks for real-time scheduling of this thread; most systems grant it only to members of group audio.

    Returns whether it was granted.
    """
    if not hasattr(os, "sched_setscheduler"):
        return False
    try:
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError:
        _log.debug("no permission for real-time scheduling: the engine runs at normal priority")
        return False
    return True
