"""Which frame is heard at which time: for changes that are to happen at a time, to the sample."""

import threading
import time

from noizenet_daemon.ring import Ring

SMOOTHING = 0.002  # share of each observation; a callback's jitter of some ms shrinks to a few frames
JUMP_S = 0.05  # the output stopped or skipped: begin anew


class Clock:
    """Wall-clock time against frames of the output, smoothed. Any method may be called from any thread.

    Attributes:
        output_latency_s: time from the ring to the ear.
    """

    def __init__(self, ring: Ring, sample_rate: int) -> None:
        self.output_latency_s = 0.0
        self._ring = ring
        self._sample_rate = sample_rate
        self._origin: float | None = None
        self._lock = threading.Lock()

    def observe(self) -> None:
        """Compares the output's position with the time; call it regularly while the output plays."""
        origin = self._measure()
        with self._lock:
            if self._origin is None or abs(origin - self._origin) > JUMP_S:
                self._origin = origin
            else:
                self._origin += SMOOTHING * (origin - self._origin)

    def position_at(self, at: float) -> int:
        """Returns the frame that is heard at a time, in seconds since 1970; may lie in the past."""
        with self._lock:
            origin = self._measure() if self._origin is None else self._origin
        return round((at - self.output_latency_s - origin) * self._sample_rate) - self._ring.missing

    def _measure(self) -> float:
        """Returns the time at which the output began, as it looks now; what was missing took its time, too."""
        return time.time() - (self._ring.read_position + self._ring.missing) / self._sample_rate
