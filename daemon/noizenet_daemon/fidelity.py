"""How near one sound comes to another, in figures."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from noizenet.codecs.stft import hann

Array = NDArray[Any]
WINDOW, HOP = 1024, 512  # samples: 46 ms at 22,050 Hz
FLOOR = 1e-5  # added to magnitudes: -100 dB, so that silence beside near silence is no distance
FRAMES_AT_ONCE = 4096  # bounds the memory that a long sound takes


@dataclass(frozen=True)
class Figures:
    """How far a sound is from the true one.

    Attributes:
        mean_squared_error, mean_absolute_error: of samples at full scale ±1.
        snr_db: power of the true sound over that of the error; None if either is nothing at all.
        log_spectral_distance_db: see `log_spectral_distance`. It is deaf to phase.
    """

    mean_squared_error: float
    mean_absolute_error: float
    snr_db: float | None
    log_spectral_distance_db: float


def compare(true: Array, found: Array) -> Figures:
    """Returns the figures of a sound (n,) beside the true one (n,)."""
    error = found.astype(np.float64) - true
    squared = float(np.mean(np.square(error)))
    power = float(np.mean(np.square(true, dtype=np.float64)))
    snr = 10.0 * float(np.log10(power / squared)) if squared > 0.0 and power > 0.0 else None
    return Figures(squared, float(np.mean(np.abs(error))), snr, log_spectral_distance(true, found))


def log_spectral_distance(first: Array, second: Array) -> float:
    """Returns the distance of two sounds (n,) in dB: of each frame the root mean square over the bins of the difference
    of their log-magnitudes, and of that the mean over the frames.

    Source: Gray and Markel, "Distance measures for speech processing", IEEE Transactions on Acoustics, Speech, and
    Signal Processing 24 (1976).
    """
    count = 1 + len(first) // HOP  # the first frame has its middle at the first sample, so that the edges count
    missing = WINDOW // 2 + (count - 1) * HOP - len(first)
    padded = [np.pad(sound, (WINDOW // 2, missing)) for sound in (first, second)]
    frames = [sliding_window_view(sound, WINDOW)[::HOP] for sound in padded]
    total = 0.0
    for start in range(0, count, FRAMES_AT_ONCE):
        levels = [_levels(part[start : start + FRAMES_AT_ONCE]) for part in frames]
        total += float(np.sqrt(np.mean(np.square(levels[0] - levels[1]), axis=1)).sum())
    return total / count


def _levels(frames: Array) -> Array:
    """Returns the log-magnitudes of frames (n, WINDOW) in dB, (n, bins); a sine at full scale has a peak of -6 dB."""
    magnitudes = np.abs(np.fft.rfft(frames * hann(WINDOW), axis=1)) * (2.0 / WINDOW)
    return 20.0 * np.log10(magnitudes + FLOOR)
