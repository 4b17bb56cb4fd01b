"""How good a sound is beside its corpus: does it survive, and does it sound like what it was trained on?

survival   share of half-second windows that are alive: neither silent, nor stuck, nor NaN or infinity
collapse   after how many steps it is stuck for the rest; see `noizenet_training.judging.collapse`
fidelity   Frechet distance between the one-second log-mel statistics of sound and corpus, over the distance
           between two halves of the corpus: about 1 = as near as the corpus is to itself, more = further away

The halves are the even and the odd seconds of the corpus. Interleaved, both hear the same passages, so their
distance is that of sampling alone, the least that a faithful sound could reach. First half against second
half would measure how much the piece changes, and call a poor imitation of either good.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from noizenet.errors import SoundFileError
from noizenet_training.judging.collapse import Collapse, cycle_lag

Array = NDArray[Any]

MEL_BANDS = 32
LOWEST_DB = -60.0  # band energies below are all the same to the ear beside an RMS of 0.1
WINDOW_S = 0.046
RMS = 0.1
SILENT_DBFS = -60.0
LEAST_WINDOWS = 4  # seconds of corpus, for two halves that have a covariance


@dataclass(frozen=True)
class Score:
    """Figures of one sound.

    Attributes:
        survival: NaN of less than half a second.
        fidelity: NaN of less than two seconds.
        collapse: None if it never got stuck for the rest.
    """

    name: str
    seconds: float
    survival: float
    fidelity: float
    collapse: Collapse | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns plain values; NaN becomes None."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


class Reference:
    """A corpus, as sounds are compared with it.

    Args:
        corpus: stretches of samples, float32 (samples,) each, at the rate of the sounds to be compared.

    Raises:
        SoundFileError: the corpus is too short to be compared with itself.
    """

    def __init__(self, corpus: Sequence[Array], sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._known = np.concatenate([features(stretch, sample_rate) for stretch in corpus])
        if len(self._known) < LEAST_WINDOWS:
            raise SoundFileError(
                f"the corpus has {len(self._known)} full seconds; evaluation needs at least {LEAST_WINDOWS}"
            )
        self._itself = max(frechet_distance(self._known[::2], self._known[1::2]), 1e-9)
        windows = [is_alive(window, sample_rate) for stretch in corpus for window in _windows(stretch, sample_rate)]
        seconds = sum(map(len, corpus)) / sample_rate
        self.own_score = Score("corpus", seconds, sum(windows) / len(windows), 1.0)

    def score(self, name: str, samples: Array, collapse: Collapse | None = None) -> Score:
        """Returns the figures of a sound, (samples,); where it got stuck is for the caller to say."""
        finite = np.where(np.isfinite(samples), samples, 0.0).astype(np.float32)
        heard = features(finite, self._sample_rate)
        fidelity = frechet_distance(heard, self._known) / self._itself if len(heard) > 1 else float("nan")
        seconds = len(samples) / self._sample_rate
        return Score(name, seconds, survival(samples, self._sample_rate), fidelity, collapse)


def features(samples: Array, sample_rate: int) -> Array:
    """Returns mean and deviation of each band in each full second, in dB, (seconds, 2 x MEL_BANDS).

    Samples are scaled to an RMS of 0.1 first: a sound is not further from its corpus for being turned down.
    """
    seconds = len(samples) // sample_rate
    if not seconds:
        return np.zeros((0, 2 * MEL_BANDS))
    level = RMS / max(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), 1e-9)
    window = 1 << round(np.log2(WINDOW_S * sample_rate))
    rows = []
    for second in range(seconds):
        mel = librosa.feature.melspectrogram(
            y=level * samples[second * sample_rate : (second + 1) * sample_rate],
            sr=sample_rate,
            n_fft=window,
            hop_length=window // 2,
            n_mels=MEL_BANDS,
            norm=None,
            center=False,
        )
        decibels = np.maximum(10.0 * np.log10(np.maximum(mel / window, 1e-12)), LOWEST_DB)
        rows.append(np.concatenate([decibels.mean(axis=1), decibels.std(axis=1)]))
    return np.array(rows)


def frechet_distance(first: Array, second: Array) -> float:
    """Returns the Frechet distance between two sets of features (n, d), each taken as a Gaussian.

    Source: Dowson and Landau, "The Frechet distance between multivariate normal distributions", 1982:
    |mean difference|^2 + tr(A + B - 2 (A B)^1/2) for covariances A and B. With A = X'X and B = Y'Y, the
    last trace is the nuclear norm of X Y', which is exact also with fewer seconds than features.
    """
    means = float(np.square(first.mean(axis=0) - second.mean(axis=0)).sum())
    x = (first - first.mean(axis=0)) / np.sqrt(len(first))
    y = (second - second.mean(axis=0)) / np.sqrt(len(second))
    shared = float(np.linalg.norm(x @ y.T, ord="nuc"))
    return max(0.0, means + float(np.square(x).sum() + np.square(y).sum()) - 2.0 * shared)


def survival(samples: Array, sample_rate: int) -> float:
    """Returns the share of half-second windows that are alive; NaN of a sound shorter than one."""
    windows = _windows(samples, sample_rate)
    return sum(is_alive(window, sample_rate) for window in windows) / len(windows) if windows else float("nan")


def _windows(samples: Array, sample_rate: int) -> list[Array]:
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
