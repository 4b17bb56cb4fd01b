"""A corpus, as sounds are compared with it; every figure of a sound beside it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import SoundFileError
from noizenet_training.judging.bands import MEL_BANDS, gain_of, log_mel
from noizenet_training.judging.collapse import Collapse
from noizenet_training.judging.distances import distance_of_halves, frechet_distance, movements_of, seconds_of
from noizenet_training.judging.liveliness import Liveliness, liveliness
from noizenet_training.judging.recital import Recital, recital
from noizenet_training.judging.survival import half_seconds, is_alive, survival
from noizenet_training.judging.telling import told

Array = NDArray[Any]

LEAST_WINDOWS = 4  # seconds of corpus, for two halves that have a covariance
NAN = float("nan")
NO_LEVELS = np.zeros((0, MEL_BANDS))
NO_RECITAL = Recital(NAN, NAN, np.zeros(0))


@dataclass(frozen=True)
class Score:
    """Figures of one sound; those that can't be given of so short a sound are NaN.

    Attributes:
        survival: see `survival`.
        own_survival: of the corpus.
        fidelity, coherence: see `distances`.
        told: see `telling`; of the corpus, NaN.
        recital: see `recital`; of the corpus, how its halves follow one another.
        collapse: None if it never got stuck for the rest.
        lives: see `liveliness`.
        levels: bands in dB, (frames, MEL_BANDS), for the picture.
    """

    name: str
    seconds: float
    survival: float
    fidelity: float = NAN
    coherence: float = NAN
    told: float = NAN
    recital: Recital = NO_RECITAL
    collapse: Collapse | None = None
    lives: Liveliness | None = field(default=None, repr=False)
    levels: Array = field(default_factory=lambda: NO_LEVELS, repr=False)
    own_survival: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """Returns plain values; NaN becomes None."""
        figures = {name: getattr(self, name) for name in ("seconds", "survival", "fidelity", "coherence", "told")}
        figures |= {"recital_longest_s": self.recital.longest_s, "recital_share": self.recital.share}
        plain: dict[str, Any] = {name: None if value != value else value for name, value in figures.items()}
        plain["collapse"] = asdict(self.collapse) if self.collapse else None
        return plain | (self.lives.percentiles() if self.lives else {})


class Reference:
    """A corpus, as sounds are compared with it.

    Args:
        corpus: recordings, float32 (samples,) each, at the rate of the sounds to be compared, and as loud beside one
            another as they are in these.
        recited: more of the corpus, that a sound may recite.

    Raises:
        SoundFileError: the corpus is too short to be compared with itself.
    """

    def __init__(self, corpus: Sequence[Array], sample_rate: int, recited: Sequence[Array] = ()) -> None:
        self._corpus, self._sample_rate = corpus, sample_rate
        gain = gain_of(corpus)
        heard = [log_mel(recording, sample_rate, gain) for recording in corpus]
        self.frame_rate = heard[0][1]
        self._levels = [levels for levels, _ in heard]
        self._recited = self._levels + [log_mel(recording, sample_rate, gain)[0] for recording in recited]
        seconds = [seconds_of(levels, self.frame_rate) for levels in self._levels]
        movements = [movements_of(levels) for levels in self._levels]
        self._seconds, self._movements = np.concatenate(seconds), np.concatenate(movements)
        if len(self._seconds) < LEAST_WINDOWS:
            raise SoundFileError(
                f"the corpus has {len(self._seconds)} full seconds; evaluation needs at least {LEAST_WINDOWS}"
            )
        windows = [window for part in corpus for window in half_seconds(part, sample_rate)]
        self._survival = sum(is_alive(window, sample_rate) for window in windows) / len(windows)
        self._itself = distance_of_halves(seconds, 1.0), distance_of_halves(movements, self.frame_rate)

    def score(self, name: str, samples: Array, collapse: Collapse | None = None) -> Score:
        """Returns the figures of a sound, (samples,); where it got stuck is for the caller to say."""
        finite = np.where(np.isfinite(samples), samples, 0.0).astype(np.float32)
        levels, _ = log_mel(finite, self._sample_rate)
        heard = seconds_of(levels, self.frame_rate), movements_of(levels)
        known = self._seconds, self._movements
        fidelity, coherence = (
            frechet_distance(mine, theirs) / own if len(mine) > 1 else NAN
            for mine, theirs, own in zip(heard, known, self._itself, strict=True)
        )
        return Score(
            name,
            len(samples) / self._sample_rate,
            survival(samples, self._sample_rate),
            fidelity,
            coherence,
            told(levels, self._levels, self.frame_rate),
            recital(levels, self._recited, self.frame_rate),
            collapse,
            liveliness(finite, levels, self._sample_rate, self.frame_rate),
            levels,
            self._survival,
        )

    def own_score(self, collapse: Collapse | None = None) -> Score:
        """Returns the corpus' own figures: fidelity and coherence are 1, and its first half recites its second."""
        levels, whole = np.concatenate(self._levels), np.concatenate(self._corpus)
        halves = [(part[: len(part) // 2], part[len(part) // 2 :]) for part in self._levels]
        return Score(
            "corpus",
            len(whole) / self._sample_rate,
            self._survival,
            1.0,
            1.0,
            recital=recital(
                np.concatenate([first for first, _ in halves]), [last for _, last in halves], self.frame_rate
            ),
            collapse=collapse,
            lives=liveliness(whole, levels, self._sample_rate, self.frame_rate),
            levels=levels,
            own_survival=self._survival,
        )
