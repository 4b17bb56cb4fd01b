"""Products of four vectors and one packed matrix: each weight is read once for all of them.

A network whose weights don't lie in the second cache waits for them, and so do voices that step one after another. Here
four step side by side, and the weights lie in one row, as they are read. Each sum is made of the same products in the
same order as by `kernels.products`, so that a voice sounds bit for bit as it does alone. Float32 only: what has to be
unpacked costs arithmetic, not memory.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import kernel
from noizenet.vectors import multiply_add, splat
from noizenet_daemon.kernels.loading import WIDTH, broadcast, load, store
from noizenet_daemon.kernels.matrices import Matrices, pack
from noizenet_daemon.kernels.products import STRETCHES, load_weights

Array = NDArray[Any]

TOGETHER = 4  # vectors
SHARED_PANEL = 2 * WIDTH  # outputs: eight registers of sums for four vectors
NARROW = SHARED_PANEL // 2  # of what is left over


def reading_order(inputs: int) -> Array:
    """Returns the order in which `kernels.products` reads the rows of a matrix: its four stretches in turn."""
    stretch = inputs // STRETCHES
    in_stretches = np.arange(STRETCHES * stretch).reshape(STRETCHES, stretch).T
    return np.append(in_stretches, np.arange(STRETCHES * stretch, inputs))


def pack_shared(matrices: Sequence[Array]) -> Matrices:
    """Returns matrices (inputs, outputs), one or more of one size, packed for `shared_product`."""
    return pack([matrix[reading_order(len(matrix))] for matrix in matrices], "f32", SHARED_PANEL, NARROW)


def _panel_of(width: int) -> Any:
    """Returns the function that writes one panel's outputs of four vectors."""

    @kernel
    def _write_panel(x: Any, data: Any, start: int, scale: Any, base: Any, out: Any, column: int) -> None:
        count = x.shape[1]
        first, second, third, fourth = x[0], x[1], x[2], x[3]
        a, b = splat(np.float32(0.0), width), splat(np.float32(0.0), width)
        c, d = splat(np.float32(0.0), width), splat(np.float32(0.0), width)
        stretch = count // STRETCHES
        row = start
        for place in range(stretch):
            for number in range(STRETCHES):
                i = number * stretch + place
                weights = load_weights(data, row, width)
                row += width
                a = multiply_add(weights, broadcast(first, i, width), a)
                b = multiply_add(weights, broadcast(second, i, width), b)
                c = multiply_add(weights, broadcast(third, i, width), c)
                d = multiply_add(weights, broadcast(fourth, i, width), d)
        for i in range(STRETCHES * stretch, count):
            weights = load_weights(data, row, width)
            row += width
            a = multiply_add(weights, broadcast(first, i, width), a)
            b = multiply_add(weights, broadcast(second, i, width), b)
            c = multiply_add(weights, broadcast(third, i, width), c)
            d = multiply_add(weights, broadcast(fourth, i, width), d)
        left = out.shape[1] - column
        factor = load(scale, column, left, width)
        store(multiply_add(a, factor, load(base[0], column, left, width)), out[0], column, left)
        store(multiply_add(b, factor, load(base[1], column, left, width)), out[1], column, left)
        store(multiply_add(c, factor, load(base[2], column, left, width)), out[2], column, left)
        store(multiply_add(d, factor, load(base[3], column, left, width)), out[3], column, left)

    return _write_panel


_write_narrow, _write_wide = map(_panel_of, (NARROW, SHARED_PANEL))


@kernel
def shared_product(x: Any, matrices: Any, which: int, base: Any, out: Any) -> None:
    """Writes base (4, outputs) plus x (4, inputs) times a matrix to out, which may be `base`.

    Args:
        x: rows may be apart, the numbers of each are not.
        matrices: see `pack_shared`.
        which: of them.
    """
    data, scale = matrices.data[which], matrices.scale[which]
    for column in range(0, matrices.outputs, SHARED_PANEL):
        if matrices.outputs - column > NARROW:
            _write_wide(x, data, matrices.inputs * column, scale, base, out, column)
        else:
            _write_narrow(x, data, matrices.inputs * column, scale, base, out, column)
