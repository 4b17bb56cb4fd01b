"""How a sound lives: its loudness, onsets, brightness and flux, as distributions, to be seen beside the corpus' own.

loudness_db    RMS of each second, dB of full scale
onsets         in each two seconds, per second: where the bands rise by 2 dB on average
centroid_hz    spectral centroid of each quarter of a second
flux_db        mean change of a band from one frame to the next (23 ms), of each second
"""

from dataclasses import dataclass
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

Array = NDArray[Any]

PERCENTILES = (10, 50, 90)
FIGURES = ("loudness_db", "onsets", "centroid_hz", "flux_db")
QUIETEST_DB = -120.0
ONSET_DB = 2.0  # mean rise of a band in 23 ms; white noise has 0.7, whatever its level
ONSET_APART_S = 0.08


@dataclass(frozen=True)
class Liveliness:
    """Values of each figure over a sound, (n,) each."""

    loudness_db: Array
    onsets: Array
    centroid_hz: Array
    flux_db: Array

    def percentiles(self) -> dict[str, list[float]]:
        """Returns the 10th, 50th and 90th percentile of each figure; nothing of a sound that is too short for it."""
        found = {name: getattr(self, name) for name in FIGURES}
        return {
            name: [round(float(value), 3) for value in np.percentile(values, PERCENTILES)] if len(values) else []
            for name, values in found.items()
        }


def liveliness(samples: Array, levels: Array, sample_rate: int, frame_rate: float) -> Liveliness:
    """Returns the distributions of a sound.

    Args:
        samples: float32 (n,), finite.
        levels: its bands in dB, (frames, bands).
    """
    seconds = samples[: len(samples) // sample_rate * sample_rate].reshape(-1, sample_rate)
    power = np.mean(np.square(seconds, dtype=np.float64), axis=1)
    loudness = 10.0 * np.log10(np.maximum(power, 10.0 ** (QUIETEST_DB / 10.0)))
    rises = np.maximum(0.0, np.diff(levels, axis=0)).mean(axis=1)
    peaks, _ = find_peaks(rises, height=ONSET_DB, distance=max(1, round(ONSET_APART_S * frame_rate)))
    spans = int(len(levels) / (2.0 * frame_rate))
    onsets = np.histogram(peaks, bins=np.arange(spans + 1) * 2.0 * frame_rate)[0] / 2.0 if spans else np.zeros(0)
    centroid = np.zeros(0)
    if len(samples) >= sample_rate // 4:
        window = 1 << round(np.log2(sample_rate / 4))
        centroid = librosa.feature.spectral_centroid(y=samples, sr=sample_rate, n_fft=window, hop_length=window)[0]
    flux = np.abs(np.diff(levels, axis=0)).mean(axis=1)
    whole = int(len(flux) / frame_rate)
    fluxes = np.array([part.mean() for part in np.array_split(flux, whole)]) if whole else np.zeros(0)
    return Liveliness(loudness, onsets, centroid, fluxes)
