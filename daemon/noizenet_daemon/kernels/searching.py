"""What a search in a memory reads, and what it writes: see `kernels.retrieving`."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

Array = NDArray[Any]

CHOSEN_FROM = 12  # frames: of so many with the best scores one is drawn
LEFT_BEHIND = 8  # departures, to whose surroundings a voice doesn't come back


class MemoryTables(NamedTuple):
    """A memory as the kernels take it. n frames, S stages, C classes, A axes of spectra, K of keys, H hidden units.

    Attributes:
        sound: (samples, channels).
        places, firsts, lasts: of each frame where it plays from, and its stretch's first and last, int32 (n,).
        codes: int32 (n, S).
        keys: (n, K), of length 1.
        points: spectra, scaled so that they deviate by 1 from the mean of their stretch, (n, A).
        outlooks: the mean of the points in the second that follows each, (n, A).
        movements: what points are beside that mean, scaled as points are, (n, A).
        pulses: the level in dB beside its mean in the second that follows, scaled to a variance of 1, (n,).
        code_points: what each code adds to a spectrum, as `points` are scaled, (S, C, A).
        axes, centre: see `noizenet.memory.Memory`.
        pace_s: seconds from departure to departure at stray 0.5.
        second: steps in a second.
        hop: samples of a frame.
    """

    sound: Array
    places: Array
    firsts: Array
    lasts: Array
    codes: Array
    keys: Array
    points: Array
    outlooks: Array
    movements: Array
    pulses: Array
    code_points: Array
    axes: Array
    centre: Array
    pace_s: float
    second: int
    hop: int


class Search(NamedTuple):
    """Workspace of a search, and how much each place was played of late.

    Attributes:
        left: frames that were left last, int64 (LEFT_BEHIND,), a ring; -1 where there is none yet.
        since: steps since each of them was left, int64 (LEFT_BEHIND,).
        heat: one for each step that a frame was played, decaying, (n,).
        sums: heat of all frames before each, (n + 1,).
        scores, departures: of each frame scored, (n,).
        key, point: the hidden state as the keys see it (K,), and the spectrum that is being left (A,).
        likely, chosen: the best scores, float32, and their frames, int32, (CHOSEN_FROM,).
    """

    left: Array
    since: Array
    heat: Array
    sums: Array
    scores: Array
    departures: Array
    key: Array
    point: Array
    likely: Array
    chosen: Array
