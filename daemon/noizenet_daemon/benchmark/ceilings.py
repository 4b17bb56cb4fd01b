"""What one core can do at most: the rate of a product of two large matrices, and that of reading memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

SIDE = 1024  # of the square matrices
STREAMS, STREAM = 4, 1 << 24  # rows read side by side, and float32 in each: 256 MiB, more than a cache holds


@dataclass(frozen=True)
class Ceilings:
    """The limits of one core.

    Attributes:
        sgemm: float32 operations a second, an addition and a multiplication counted as two.
        reading: bytes a second that are read from memory.
    """

    sgemm: float
    reading: float

    def share_of_sgemm(self, weights: float, steps_per_second: float) -> float:
        """Returns the share of `sgemm` that products with so many weights a step take, 0..1."""
        return 2.0 * weights * steps_per_second / self.sgemm

    def share_of_reading(self, weight_bytes: float, steps_per_second: float) -> float:
        """Returns the share of `reading` that so many bytes a step take; above 1 where a cache holds some of them."""
        return weight_bytes * steps_per_second / self.reading


@njit(cache=True, nogil=True, fastmath=True)
def _sum(values: Any) -> Any:
    """Returns the sum of values (4, n), its rows read side by side: the fastest of one, two, four and eight."""
    total = np.float32(0.0)
    for k in range(values.shape[1]):
        total += values[0, k] + values[1, k] + values[2, k] + values[3, k]
    return total


def sgemm_measure() -> Callable[[], float]:
    """Returns what measures `Ceilings.sgemm` once, with NumPy's own library."""
    square = np.ones((SIDE, SIDE), np.float32)
    return lambda: 2.0 * SIDE**3 / _processor_time(lambda: square @ square)


def reading_measure() -> Callable[[], float]:
    """Returns what measures `Ceilings.reading` once."""
    large = np.ones((STREAMS, STREAM), np.float32)
    _sum(large[:, :16])  # compiles
    return lambda: large.nbytes / _processor_time(lambda: _sum(large))


def _processor_time(run: Callable[[], object]) -> float:
    started = time.thread_time()
    run()
    return max(time.thread_time() - started, 1e-9)
