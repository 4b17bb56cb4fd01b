"""Cutting a corpus: long silences out, and a held-out part off."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import SoundFileError
from noizenet_training.sounds.shelf import in_pieces, peak

Array = NDArray[Any]

WINDOW_S = 0.05  # in which the level is measured
LONGEST_REST_S = 0.5  # a shorter silence is a rest, and stays
POWERS = 512  # measured at once
NOTHING_DB = -120.0  # a recipe's lowest level: even silence without any noise stays
STRETCHES = 5  # held-out stretches, spread over the corpus
SHORTEST_STRETCH_S = 1.0


def audible_parts(samples: Array, sample_rate: int, silence_db: float, pause_s: float = 0.0) -> list[Array]:
    """Returns a file's samples (n,) or (n, channels) without its long silences, as views, in order.

    A network that has heard nothing follow on nothing stays silent for ever: the end of one fade-out in the
    corpus is enough.

    Args:
        silence_db: level below the file's peak, in dB, under which half a second and more is cut out; nothing is
            at `NOTHING_DB`.
        pause_s: how much of a silence stays on either side of what is cut out.
    """
    if silence_db <= NOTHING_DB:
        return [samples]
    window = max(1, int(WINDOW_S * sample_rate))
    count = len(samples) // window
    if not count:
        return [samples]
    powers = np.concatenate([_powers(part, window) for part in in_pieces(samples[: count * window], POWERS * window)])
    loud = powers > peak(samples) ** 2 * 10.0 ** (silence_db / 10.0)
    pause = round(pause_s / WINDOW_S)
    borders = np.flatnonzero(np.diff(loud)) + 1
    runs = np.split(np.arange(count), borders)
    parts: list[Array] = []
    begin = 0
    for run in runs:
        if not loud[run[0]] and len(run) * WINDOW_S >= LONGEST_REST_S and len(run) > 2 * pause:
            parts.append(samples[begin : (run[0] + pause) * window])
            begin = (run[-1] + 1 - pause) * window
    parts.append(samples[begin:])
    return [part for part in parts if len(part)]


def _powers(samples: Array, window: int) -> Array:
    """Returns the variance in each window of a whole number of them, of the louder channel; a constant has none."""
    windows = samples.reshape(-1, window, *samples.shape[1:])
    return np.asarray(windows.var(axis=1).reshape(len(windows), -1).max(axis=1))


def split_by_time(files: list[list[Array]], share: float, sample_rate: int) -> tuple[list[Array], list[Array]]:
    """Returns training and held-out stretches: the latter in the middle of equal parts of the corpus.

    So all of the corpus is sampled. A stretch that would cross a border is shared out on both sides of it.

    Args:
        files: each file's audible parts.
        share: of the corpus, to be held out.
    """
    parts = [part for file in files for part in file]
    total = sum(map(len, parts))
    count = max(1, min(STRETCHES, int(total * share / (SHORTEST_STRETCH_S * sample_rate))))
    length = int(total * share / count)
    starts = [int((index + 0.5) * total / count) - length // 2 for index in range(count)]
    training: list[Array] = []
    held_out: list[Array] = []
    first = 0
    for part in parts:
        last = first + len(part)
        at = first
        for start in starts:
            begin, end = max(start, first), min(start + length, last)
            if begin < end:
                training.append(part[at - first : begin - first])
                held_out.append(part[begin - first : end - first])
                at = end
        training.append(part[at - first :])
        first = last
    return [stretch for stretch in training if len(stretch)], held_out


def split_by_file(files: list[list[Array]], share: float) -> tuple[list[Array], list[Array]]:
    """Returns training and held-out stretches: every n-th file is held out, where 1/n is the share.

    Raises:
        SoundFileError: there is only one file.
    """
    if len(files) < 2:
        raise SoundFileError("split=file needs at least two usable files; use split=time for one")
    every = max(2, round(1.0 / share))
    chosen = set(range(every // 2, len(files), every)) or {len(files) // 2}
    training = [part for index, file in enumerate(files) if index not in chosen for part in file]
    held_out = [part for index, file in enumerate(files) if index in chosen for part in file]
    return training, held_out
