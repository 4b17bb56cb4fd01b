"""Reading one sound file for a corpus, piece by piece: one channel or two, without offset, if it is worth using."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from noizenet.errors import SoundFileError
from noizenet.sound_file import mixed, read_blocks
from noizenet_training.sounds.shelf import Shelf, in_pieces, peak
from noizenet_training.sounds.sources import Source

Array = NDArray[Any]

SILENCE_DBFS = -80.0  # a file whose peak lies below has nothing to learn from
SHORTEST_S = 0.5
WHOLE = 0.9  # of a known length: a file with less of it is cut short
WIDE_DB = -60.0  # of the side beside all: with less, both channels hold the same
MIDDLE, SIDE = np.array([0.5, 0.5], np.float32), np.array([0.5, -0.5], np.float32)


def load(source: Source, longest_s: float, stereo: bool, shelf: Shelf) -> tuple[Source, Array, int, str]:
    """Returns samples, native rate and hash of a file worth using; `longest_s` of it, if not 0.

    Args:
        stereo: keep two channels, (samples, 2), of a file that has two that differ.

    Raises:
        SoundFileError: it can't be read, or isn't worth using.
        InputFileError: there is no room to keep it.
    """
    path = source.path
    with _silent_decoder():
        rate, blocks = read_blocks(path)
        # however little of it: the paper trains on a tenth of a second
        wanted = max(1, round(longest_s * rate)) if longest_s else None
        read = _Reading(blocks, wanted, stereo)
        samples = shelf.keep(read)
    seconds = read.frames / rate
    length_s = min(source.length_s, longest_s or source.length_s)
    if seconds < WHOLE * length_s:
        raise SoundFileError(f"{path} is cut short: it holds {seconds:.1f} s of {length_s:.1f} s")
    if seconds < SHORTEST_S:
        raise SoundFileError(f"{path} is too short: {seconds:.2f} s, at least {SHORTEST_S:g} s are needed")
    # Some recorders add a constant offset: it would take its share of the level and of the loudest bins.
    sums = [piece.sum(axis=0, dtype=np.float64) for piece in in_pieces(samples)]
    offset = np.asarray(sum(sums) / len(samples), np.float32)
    for piece in in_pieces(samples):
        piece -= offset
    if samples.ndim > 1 and not _is_wide(samples):
        samples = shelf.keep(mixed(piece) for piece in in_pieces(samples))
    if peak(samples) < 10.0 ** (SILENCE_DBFS / 20.0):
        raise SoundFileError(f"{path} is silent: its peak lies below {SILENCE_DBFS:g} dBFS")
    with path.open("rb") as file:
        return source, samples, rate, hashlib.file_digest(file, "sha256").hexdigest()


class _Reading:
    """A file's blocks, in one channel or two, up to the length that is wanted.

    Attributes:
        frames: how many there were in the whole file, as far as it was read.
    """

    def __init__(self, blocks: Iterator[Array], wanted: int | None, stereo: bool) -> None:
        self.frames = 0
        self._blocks, self._wanted, self._stereo = blocks, wanted, stereo

    def __iter__(self) -> Iterator[Array]:
        for block in self._blocks:
            left = block if self._wanted is None else block[: max(0, self._wanted - self.frames)]
            self.frames += len(block)
            if len(left):
                yield left if self._stereo and left.shape[1] == 2 else mixed(left)


def resampled(samples: Array, rate: int, sample_rate: int) -> Iterator[Array]:
    """Yields a sound (n,) or (n, channels) at another rate, resampled by soxr's HQ."""
    stream = soxr.ResampleStream(rate, sample_rate, 1 if samples.ndim == 1 else samples.shape[1], "float32", "HQ")
    for piece in in_pieces(samples):
        yield stream.resample_chunk(piece)
    yield stream.resample_chunk(samples[:0], last=True)


def _is_wide(samples: Array) -> bool:
    """Returns whether the difference of two channels (samples, 2) can be heard beside their sum."""
    middle, side = (
        sum(float(np.square(piece @ half, dtype=np.float64).sum()) for piece in in_pieces(samples))
        for half in (MIDDLE, SIDE)
    )
    return bool(side > (middle + side) * 10.0 ** (WIDE_DB / 10.0))


@contextmanager
def _silent_decoder() -> Iterator[None]:
    """Keeps what is written to standard error from the user: libsndfile's mp3 decoder comments on every fault.

    The faults that matter are said in one sentence once the file is read.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
