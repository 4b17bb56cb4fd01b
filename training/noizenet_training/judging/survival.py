"""Survival: the share of half-seconds of a sound that are alive: neither silent, nor stuck, nor NaN or infinity."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet_training.judging.collapse import cycle_lag

Array = NDArray[Any]

SILENT_DBFS = -60.0


def survival(samples: Array, sample_rate: int) -> float:
    """Returns the share of half-second windows that are alive; NaN of a sound shorter than one."""
    windows = half_seconds(samples, sample_rate)
    return sum(is_alive(window, sample_rate) for window in windows) / len(windows) if windows else float("nan")


def half_seconds(samples: Array, sample_rate: int) -> list[Array]:
    """Returns all full half-seconds."""
    length = sample_rate // 2
    return [samples[first : first + length] for first in range(0, len(samples) - length + 1, length)]


def is_alive(window: Array, sample_rate: int) -> bool:
    """Returns whether a window (samples,) is finite, audible, and neither constant nor one short cycle."""
    if not np.isfinite(window).all():
        return False
    moving = window.astype(np.float64) - window.mean()
    power = float(np.mean(np.square(moving)))
    if power < 10.0 ** (SILENT_DBFS / 10.0):
        return False
    return cycle_lag(window, sample_rate) is None
