"""What the ear has of a sound, roughly: the levels of 32 mel bands, 43 times a second."""

from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MEL_BANDS = 32
LOWEST_DB = -60.0  # band energies below are all the same to the ear beside an RMS of 0.1
WINDOW_S = 0.046
FRAMES_AT_ONCE = 4096  # a minute and a half: 34 MB of spectra
RMS = 0.1  # that every sound is brought to: it is not further from its corpus for being turned down


def levelled(samples: Array) -> Array:
    """Returns samples (n,), brought to the RMS that all sounds are compared at, float32."""
    level = RMS / max(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), 1e-9)
    return (level * samples).astype(np.float32)


def log_mel(samples: Array, sample_rate: int) -> tuple[Array, float]:
    """Returns the levels of all bands in dB, float32 (frames, MEL_BANDS), and how many frames there are in a second.

    What isn't finite counts as silence.

    Args:
        samples: float (n,); fewer than a window, 46 ms, give no frame.
    """
    samples = np.where(np.isfinite(samples), samples, 0.0).astype(np.float32)
    window = 1 << round(np.log2(WINDOW_S * sample_rate))
    frame_rate = sample_rate / (window // 2)
    if len(samples) < window:
        return np.zeros((0, MEL_BANDS), np.float32), frame_rate
    samples, hop = levelled(samples), window // 2
    starts = range(0, len(samples) - window + 1, hop * FRAMES_AT_ONCE)
    pieces = [samples[start : start + hop * FRAMES_AT_ONCE + window - hop] for start in starts]
    mel = np.concatenate([_band_powers(piece, sample_rate, window) for piece in pieces])
    levels = np.maximum(10.0 * np.log10(np.maximum(mel / window, 1e-12)), LOWEST_DB)
    return levels.astype(np.float32), frame_rate


def _band_powers(samples: Array, sample_rate: int, window: int) -> Array:
    """Returns the power in each band of each frame, (frames, MEL_BANDS)."""
    mel = librosa.feature.melspectrogram(
        y=samples, sr=sample_rate, n_fft=window, hop_length=window // 2, n_mels=MEL_BANDS, norm=None, center=False
    )
    return np.asarray(mel.T)
