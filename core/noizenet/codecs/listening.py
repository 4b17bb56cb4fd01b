"""What can be heard around a sample: loudness, onset strength and chroma of the sound up to there.

Every `hop` samples the last `window` samples are looked at, and what is found is held until the next look. So nothing
is known of the future, and blocks of any size give the same as all at once.

    rms      root of the mean square
    onset    mean over the mel bands of max(0, L(now) - L(before)), where L is the power in dB, -100 dB at least
    chroma   power in each of 12 pitch classes, over that of the strongest

With the same filters these are librosa's `feature.rms`, `onset.onset_strength` and `feature.chroma_stft` of frames
that aren't centred. The filters are made when the codec is fitted, and lie in the checkpoint: playing needs no librosa.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np

from noizenet.codecs import Array, whole_number
from noizenet.errors import CheckpointError

WIDTHS = {"rms": 1, "onset": 1, "chroma": 12}  # numbers of each feature, in the order of a step
MOST_BANDS = 1024
LEAST_POWER = np.float32(1e-10)  # -100 dB, librosa's default


class ListeningState(NamedTuple):
    """What has been heard; changed in place.

    Attributes:
        history: the last `window` samples, float32 (window,).
        waiting: samples heard since the last look, int64 (1,).
        bands: mel power in dB at the last look, float32 (bands,).
        features: what that look found, float32 (features,).
    """

    history: Array
    waiting: Array
    bands: Array
    features: Array


@dataclass(frozen=True, eq=False)
class Listening:
    """Hears features. Immutable.

    Attributes:
        names: some of `WIDTHS`, in its order.
        window, hop: samples that a look covers, and from one look to the next.
        filters: of `onset` the mel filters, float32 (bands, window / 2 + 1); of `chroma` the pitch classes',
            float32 (12, window / 2 + 1).
    """

    names: tuple[str, ...]
    window: int
    hop: int
    filters: Mapping[str, Array]

    @property
    def width(self) -> int:
        """Numbers that are heard with each sample."""
        return sum(WIDTHS[name] for name in self.names)

    @cached_property
    def _hann(self) -> Array:
        from noizenet.codecs.stft import hann  # here, as it loads numba, which reading a checkpoint can do without

        return hann(self.window)

    def new_state(self) -> ListeningState:
        """Returns the state after silence."""
        return ListeningState(
            np.zeros(self.window, np.float32),
            np.zeros(1, np.int64),
            np.full(len(self.filters.get("onset", ())), 10.0 * np.log10(LEAST_POWER), np.float32),
            np.zeros(self.width, np.float32),
        )

    def listen(self, state: ListeningState, samples: Array) -> Array:
        """Returns the features as they stand after each of samples (n,), float32 (n, width)."""
        heard = np.empty((len(samples), self.width), np.float32)
        done = 0
        while done < len(samples):
            count = min(len(samples) - done, self.hop - int(state.waiting[0]))
            state.history[:-count] = state.history[count:]
            state.history[-count:] = samples[done : done + count]
            state.waiting[0] += count
            heard[done : done + count] = state.features
            done += count
            if state.waiting[0] == self.hop:
                state.waiting[0] = 0
                self._look(state)
                heard[done - 1] = state.features
        return heard

    def _look(self, state: ListeningState) -> None:
        """Fills the state's features from its history."""
        power = np.square(np.abs(np.fft.rfft(state.history * self._hann)))
        found = []
        for name in self.names:
            if name == "rms":
                found.append([np.sqrt(np.mean(np.square(state.history)))])
            elif name == "onset":
                bands = 10.0 * np.log10(np.maximum(self.filters["onset"] @ power, LEAST_POWER))
                found.append([np.maximum(bands - state.bands, 0.0).mean()])
                state.bands[:] = bands
            else:
                classes = self.filters["chroma"] @ power
                found.append(classes / max(classes.max(), np.finfo(np.float32).tiny))
        state.features[:] = np.concatenate(found)

    def arrays(self) -> dict[str, Array]:
        """Returns the arrays for the checkpoint."""
        return {f"filters.{name}": filters for name, filters in self.filters.items()}

    def options(self) -> dict[str, Any]:
        """Returns the plain values for the checkpoint's header."""
        return {"features": list(self.names), "window": self.window, "hop": self.hop}

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """Returns what a codec's options and arrays describe; others of the codec may be among them.

        Raises:
            CheckpointError: a feature is unknown, or its filters are missing, of another shape, or below 0.
        """
        names = options["features"]
        if not isinstance(names, list) or not names or names != [name for name in WIDTHS if name in names]:
            raise CheckpointError(f"its codec's features are {names!r}, not some of {', '.join(WIDTHS)} in this order")
        window = whole_number(options, "window", 64, 65536)
        if window % 2:
            raise CheckpointError(f"its codec's window is {window}, not an even number")
        hop = whole_number(options, "hop", 1, window)
        filters = {
            name: _filters(name, arrays.get(f"filters.{name}"), window // 2 + 1) for name in names if name != "rms"
        }
        return cls(tuple(names), window, hop, filters)


def _filters(name: str, array: Array | None, bins: int) -> Array:
    """Returns the filters (rows, bins) of a feature.

    Raises:
        CheckpointError: they are missing, of another shape, or below 0.
    """
    least, most = (12, 12) if name == "chroma" else (1, MOST_BANDS)
    if array is None or array.ndim != 2 or array.shape[1] != bins or not least <= len(array) <= most:
        found = "missing" if array is None else f"of the shape {array.shape}"
        rows = f"{least}..{most}" if least < most else str(least)
        raise CheckpointError(f"its codec's filters.{name} are {found}, not ({rows}, {bins})")
    if (array < 0).any():
        raise CheckpointError(f"its codec's filters.{name} hold numbers below 0")
    return array
