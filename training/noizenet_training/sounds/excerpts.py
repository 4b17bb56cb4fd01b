"""A fair choice of a long corpus: pieces spread evenly over all of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.sound_file import mixed

Array = NDArray[Any]

PIECE_S = 20.0


def spread_pieces(stretches: Sequence[Array], sample_rate: int, seconds: float, shortest: int = 1) -> list[Array]:
    """Returns the stretches themselves, or evenly spread pieces of them that last `seconds` together.

    Args:
        shortest: samples; shorter stretches are left out.
    """
    piece = max(round(PIECE_S * sample_rate), shortest)
    total = sum(map(len, stretches))
    if total > seconds * sample_rate:
        pieces = [part[n : n + piece] for part in stretches for n in range(0, len(part), piece)]
        wanted = max(1, int(seconds * sample_rate / piece))
        stretches = [pieces[n] for n in np.linspace(0, len(pieces) - 1, wanted).astype(int)]
    return [part for part in stretches if len(part) >= shortest]


def heard_parts(
    recordings: Sequence[Array], stretches: Sequence[Array], sample_rate: int, seconds: float
) -> list[Array]:
    """Returns in mono what a sound is compared with: the recordings, or, of longer ones, `seconds` of the stretches.

    Args:
        stretches: of the recordings, from which pieces are chosen; they become one recording.
    """
    if sum(map(len, recordings)) <= seconds * sample_rate:
        return [mixed(recording) for recording in recordings]
    return [np.concatenate([mixed(piece) for piece in spread_pieces(stretches, sample_rate, seconds)])]
