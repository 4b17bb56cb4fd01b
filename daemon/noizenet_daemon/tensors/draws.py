"""The random numbers of `kernels.rng`, many at once: the same numbers in the same order, without a loop.

One step of xoshiro256++ is linear over single bits: each bit of any later state is the exclusive or of some of the
256 bits of this one. So a table says, of each four bits of the state and each value that they may have, what they add
to the words of every later state that is of use; 64 of its rows, put together by exclusive or, are all that is drawn.

Words are int64, whose sums and products wrap around as those of uint64 do; a shift to the right needs a mask.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
WORDS = 4  # of the state that move
NIBBLES = 16  # of a word
VALUES = 16  # of four bits


class Draws:
    """Draws so many numbers from each voice's generator."""

    def __init__(self, numbers: int, advances: Sequence[int], device: torch.device) -> None:
        """Args:
        numbers: that are drawn at once.
        advances: after how many numbers the generator's state may be wanted.
        """
        rows = _later_words(numbers, advances)
        table = np.zeros((WORDS * NIBBLES, VALUES, rows.shape[1]), np.uint64)
        for value in range(VALUES):
            for bit in range(4):
                if value >> bit & 1:
                    table[:, value] ^= rows[bit::4]
        self._numbers = numbers
        self._table = torch.from_numpy(table.view(np.int64).reshape(-1, rows.shape[1])).to(device)
        self._shifts = torch.arange(0, 64, 4, device=device)
        self._firsts = torch.arange(0, len(self._table), VALUES, device=device)

    def __call__(self, rng: Tensor) -> tuple[Tensor, Tensor]:
        """Returns numbers evenly spread over 0 <= x < 1, and the states that the generators may go on from.

        Args:
            rng: int64 (V, 5).

        Returns:
            float64 (V, numbers), and the words that move, int64 (V, advances, 4).
        """
        nibbles = (rng[:, :WORDS, None] >> self._shifts) & (VALUES - 1)
        words = self._table[nibbles.flatten(1) + self._firsts]
        while words.shape[1] > 1:
            words = words[:, : words.shape[1] // 2] ^ words[:, words.shape[1] // 2 :]
        first, last, states = words[:, 0].tensor_split((self._numbers, 2 * self._numbers), 1)
        drawn = shifted_right(_rotated(first + last, 23) + first, 11).double() * 2.0**-53
        return drawn, states.view(len(rng), -1, WORDS)


def shifted_right(words: Tensor, by: int) -> Tensor:
    """Returns words of 64 bits shifted to the right, zeros coming in from the left."""
    return (words >> by) & ((1 << (64 - by)) - 1)


def _rotated(words: Tensor, by: int) -> Tensor:
    return (words << by) | shifted_right(words, 64 - by)


def normals(uniforms: Tensor) -> Tensor:
    """Returns numbers of a normal distribution, mean 0, deviation 1, (V, n), from evenly spread ones, (V, 2 n)."""
    radius = torch.sqrt(-2.0 * torch.log(1.0 - uniforms[:, 0::2]))
    return radius * torch.cos(2.0 * torch.pi * uniforms[:, 1::2])


def _later_words(numbers: int, advances: Sequence[int]) -> Array:
    """Returns what each of the 256 bits of a state alone adds to later words, uint64 (256, columns).

    Columns: of the states that numbers are drawn from the first words, and the last; all words of those advanced to.
    """
    bits = np.arange(64 * WORDS)
    ones = np.uint64(1) << (bits % 64).astype(np.uint64)
    state: list[Array] = [np.where(bits // 64 == word, ones, np.uint64(0)) for word in range(WORDS)]
    history: list[list[Array]] = []
    for _ in range(max(numbers, *advances) + 1):
        history.append(list(state))
        a, b, c, d = state
        c, d = c ^ a, d ^ b
        b, a = b ^ c, a ^ d
        state = [a, b, c ^ (state[1] << np.uint64(17)), (d << np.uint64(45)) | (d >> np.uint64(19))]
    drawn = [history[number][word] for word in (0, WORDS - 1) for number in range(numbers)]
    return np.stack(drawn + [words for number in advances for words in history[number]], axis=1)
