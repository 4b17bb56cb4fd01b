"""Matrices as the products read them: from the first byte to the last, in float32, bfloat16 or int8.

A matrix of n inputs and m outputs is cut into panels of 64 outputs (128 with AVX-512); what is left over makes one
narrower panel, filled up with zeros. A panel holds its weights for input 0, then those for input 1, and so on: the sums
of a panel stay in registers while its weights pass by in order, the way in which memory is read fastest.

    f32    one weight in a word, as it is
    bf16   two in a word of 32 bits, each the upper 16 bits of a float32
    int8   four in a word, each a whole number in units of its output's own scale

In int8, part p of the words of a panel of width w holds its outputs p w / 4 and up, the lowest part first. In bfloat16
it is so for each 16 outputs of a panel (32 with AVX-512), so that these may be read alone. Taking a weight
out of a word costs a shift that brings it to the top, and nothing that clears what is then below it: that makes the
weight larger by less than one unit in its last place, and is known when the weight is rounded. So what is read is as
near to the weight as if each stood alone, half a unit at most, and products in bfloat16 run 1.7 times as fast.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet_daemon.kernels.loading import HAS_512_BITS, WIDTH
from noizenet_daemon.precision import Precision

Array = NDArray[Any]

PANEL = 128 if HAS_512_BITS else 64  # eight registers of sums: as many as two adders of latency 4 keep busy
WIDTHS = (8, 16, 32, 64, 128)  # of panels
INT8_STEPS = 127  # of an output's largest weight
INT8_UNIT = 2.0**-24  # of a word whose uppermost byte is the weight
_CACHE_LINE = 64  # bytes; what lies across two is read at half the pace


class Matrices(NamedTuple):
    """Matrices of one size, packed.

    Attributes:
        data: (matrices, words): float32, uint32 of two bfloat16, or int32 of four int8.
        scale: what each output is multiplied by, float32 (matrices, outputs).
        inputs, outputs: the size.
    """

    data: Array
    scale: Array
    inputs: int
    outputs: int


def pack(
    matrices: Sequence[Array], precision: Precision = "f32", panel: int = PANEL, narrowest: int = WIDTH
) -> Matrices:
    """Returns matrices (inputs, outputs), one or more of one size, packed. Their numbers are finite.

    Args:
        panel: width of all panels but the last.
        narrowest: least width of the last.
    """
    stacked: Array = np.stack(matrices).astype(np.float32)
    count, inputs, outputs = stacked.shape
    scale = np.ones((count, outputs), np.float32)
    if precision == "int8":
        largest = np.abs(stacked).max(axis=1, initial=0.0)
        stacked = stacked * (INT8_STEPS / np.where(largest > 0.0, largest, 1.0))[:, None]
        scale = (largest * (INT8_UNIT / INT8_STEPS)).astype(np.float32)
    encode = {"f32": _as_they_are, "bf16": _in_pairs, "int8": _in_fours}[precision]
    parts = []
    for column, width in panels(outputs, panel, narrowest):
        filled = np.zeros((count, inputs, width), np.float32)
        part = stacked[:, :, column : column + width]
        filled[:, :, : part.shape[2]] = part
        parts.append(encode(filled).reshape(count, -1))
    return Matrices(_aligned(np.concatenate(parts, axis=1)), scale, inputs, outputs)


def panels(outputs: int, panel: int = PANEL, narrowest: int = WIDTH) -> list[tuple[int, int]]:
    """Returns the first output and the width of each panel."""
    full = outputs - outputs % panel
    found = [(column, panel) for column in range(0, full, panel)]
    if outputs > full:
        found.append((full, next(width for width in WIDTHS if width >= max(outputs - full, narrowest))))
    return found


def _as_they_are(panel: Array) -> Array:
    return panel


def _in_pairs(panel: Array) -> Array:
    """Returns words of two bfloat16, uint32 (..., width / 2)."""
    half = panel.shape[-1] // 2
    part = min(half, WIDTH)
    bits = panel.view(np.uint32).astype(np.int64).reshape(*panel.shape[:-1], half // part, 2, part)
    lower, upper = bits[..., 0, :], bits[..., 1, :]
    words = _rounded_above(lower, np.zeros_like(lower))
    return (_rounded_above(upper, words) << 16 | words).astype(np.uint32).reshape(*panel.shape[:-1], half)


def _in_fours(panel: Array) -> Array:
    """Returns words of four int8, int32 (..., width / 4)."""
    words = np.zeros((*panel.shape[:-1], panel.shape[-1] // 4), np.int64)
    for place, part in enumerate(np.split(panel, 4, axis=-1)):
        below = words / float(1 << 8 * place)
        words |= (np.rint(part - below).astype(np.int64) & 0xFF) << 8 * place
    return words.astype(np.uint32).view(np.int32)


def _rounded_above(bits: Array, below: Array) -> Array:
    """Returns the upper 16 bits that, with `below` for the lower, come nearest to a float32 of `bits`."""
    magnitude = bits & 0x7FFFFFFF
    rounded: Array = np.maximum(magnitude - below + 0x8000, 0) >> 16 | (bits >> 16 & 0x8000)
    return rounded


def _aligned(words: Array) -> Array:
    """Returns a copy whose rows begin on cache lines, (count, words and some)."""
    line = _CACHE_LINE // words.itemsize
    length = -(-max(words.shape[1], 1) // line) * line
    raw = np.zeros(words.shape[0] * length + line, words.dtype)
    first = -raw.ctypes.data % _CACHE_LINE // words.itemsize
    out = raw[first : first + words.shape[0] * length].reshape(words.shape[0], length)
    out[:, : words.shape[1]] = words
    return out
