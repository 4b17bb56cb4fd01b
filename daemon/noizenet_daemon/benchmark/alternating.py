"""Contestants that take turns: what a neighbour on this machine takes away, it takes from all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping

Measure = Callable[[], float]  # one turn of a contestant; returns its rate
FEWEST_STEPS = 4
FIRST_TRY = 32  # steps by which a turn's length is estimated


def stepping_measure(run: Callable[[int], object], seconds: float) -> Measure:
    """Returns what measures steps per second of processor time, in turns of about so many seconds.

    Args:
        run: makes so many steps, on the calling thread alone. What it does once is done by its first call, here.
    """
    run(FEWEST_STEPS)
    started = time.thread_time()
    run(FIRST_TRY)
    a_step = max(time.thread_time() - started, 1e-6) / FIRST_TRY
    steps = max(FEWEST_STEPS, round(seconds / a_step))

    def measure() -> float:
        started = time.thread_time()
        run(steps)
        return steps / max(time.thread_time() - started, 1e-9)

    return measure


def median_rates(measures: Mapping[str, Measure], turns: int) -> dict[str, float]:
    """Returns the median rate of each; all have their first turn before any has its second."""
    rates: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(turns):
        for name, measure in measures.items():
            rates[name].append(measure())
    return {name: statistics.median(found) for name, found in rates.items()}
