"""How near one sound comes to another, in figures."""

from collections.abc import Iterator
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
    total, count = 0.0, 0
    for near, far in _spectra(first, second):
        levels = [20.0 * np.log10(magnitudes + FLOOR) for magnitudes in (near, far)]
        total += float(np.sqrt(np.mean(np.square(levels[0] - levels[1]), axis=1)).sum())
        count += len(near)
    return total / count


def spectral_convergence(true: Array, found: Array) -> float:
    """Returns the distance of a sound (n,) from the true one (n,) in dB: the norm of the difference of their
    magnitudes, over the norm of the true ones. Lower is nearer; it is deaf to phase.

    Source: Sturmel and Daudet, "Signal reconstruction from STFT magnitude: a state of the art", DAFx-11 (2011).
    """
    error, power = 1e-30, 1e-30
    for magnitudes, others in _spectra(true, found):
        error += float(np.square(magnitudes - others).sum())
        power += float(np.square(magnitudes).sum())
    return 10.0 * float(np.log10(error / power))


def _spectra(first: Array, second: Array) -> Iterator[tuple[Array, Array]]:
    """Yields magnitudes of both sounds at the same places, (n, bins) each; a sine at full scale has a peak of 0.5."""
    count = 1 + len(first) // HOP  # the first frame has its middle at the first sample, so that the edges count
    missing = WINDOW // 2 + (count - 1) * HOP - len(first)
    padded = [np.pad(sound, (WINDOW // 2, missing)) for sound in (first, second)]
    frames = [sliding_window_view(sound, WINDOW)[::HOP] for sound in padded]
    for start in range(0, count, FRAMES_AT_ONCE):
        one, other = (
            np.abs(np.fft.rfft(part[start : start + FRAMES_AT_ONCE] * hann(WINDOW), axis=1)) * (2.0 / WINDOW)
            for part in frames
        )
        yield one, other
