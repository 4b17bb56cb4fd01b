"""What the ear has of a sound, roughly: the levels of 32 mel bands, 43 times a second."""

from collections.abc import Sequence
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


def gain_of(recordings: Sequence[Array]) -> float:
    """Returns the factor that brings recordings, (n,) each, to the RMS that sounds are compared at, taken together.

    One by one, soft recordings would be louder beside loud ones than they are in any sound that plays them all.
    """
    energy = sum(float(np.square(recording, dtype=np.float64).sum()) for recording in recordings)
    return RMS / max(float(np.sqrt(energy / max(1, sum(map(len, recordings))))), 1e-9)


def log_mel(samples: Array, sample_rate: int, gain: float | None = None) -> tuple[Array, float]:
    """Returns the levels of all bands in dB, float32 (frames, MEL_BANDS), and how many frames there are in a second.

    What isn't finite counts as silence.

    Args:
        samples: float (n,); fewer than a window, 46 ms, give no frame.
        gain: what they are multiplied by; unless given, they are brought to `RMS`.
    """
    samples = np.where(np.isfinite(samples), samples, 0.0).astype(np.float32)
    window = 1 << round(np.log2(WINDOW_S * sample_rate))
    frame_rate = sample_rate / (window // 2)
    if len(samples) < window:
        return np.zeros((0, MEL_BANDS), np.float32), frame_rate
    hop = window // 2
    samples = (gain_of([samples]) if gain is None else gain) * samples
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
