"""Products of four vectors and one packed matrix: each weight is read once for all of them.

A network whose weights don't lie in the second cache waits for them, and so do voices that step one after another. Here
four step side by side, and the weights lie in one row, as they are read. Each sum is made of the same products in the
same order as by `kernels.products`, so that a voice sounds bit for bit as it does alone. In float32 and bfloat16: four
int8 in a word tie 32 outputs together, whose sums for four vectors are more than there are registers for.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import kernel
from noizenet.vectors import multiply_add, splat
from noizenet_daemon.kernels.loading import WIDTH, broadcast, load, store
from noizenet_daemon.kernels.matrices import PANEL, Matrices, pack
from noizenet_daemon.kernels.products import STRETCHES, load_weights, words_of
from noizenet_daemon.precision import Precision

Array = NDArray[Any]

TOGETHER = 4  # vectors
SHARED_PANEL = 2 * WIDTH  # outputs: eight registers of sums for four vectors
NARROW = SHARED_PANEL // 2  # of what is left over


def reading_order(inputs: int) -> Array:
    """Returns the order in which `kernels.products` reads the rows of a matrix: its four stretches in turn."""
    stretch = inputs // STRETCHES
    in_stretches = np.arange(STRETCHES * stretch).reshape(STRETCHES, stretch).T
    return np.append(in_stretches, np.arange(STRETCHES * stretch, inputs))


def pack_shared(matrices: Sequence[Array], precision: Precision = "f32") -> Matrices:
    """Returns matrices (inputs, outputs), one or more of one size, packed for `shared_product`; not in int8.

    Outputs are in pairs with the same others as in `kernels.products`: a narrow panel is where there is one.
    """
    narrowest = NARROW if 0 < matrices[0].shape[1] % PANEL <= NARROW else SHARED_PANEL
    return pack([matrix[reading_order(len(matrix))] for matrix in matrices], precision, SHARED_PANEL, narrowest)


def _panel_of(width: int) -> Any:
    """Returns the function that writes one panel's outputs of four vectors."""

    @kernel
    def _write_panel(x: Any, data: Any, start: int, scale: Any, base: Any, out: Any, column: int) -> None:
        count = x.shape[1]
        first, second, third, fourth = x[0], x[1], x[2], x[3]
        a, b = splat(np.float32(0.0), width), splat(np.float32(0.0), width)
        c, d = splat(np.float32(0.0), width), splat(np.float32(0.0), width)
        stretch = count // STRETCHES
        row, step = start, words_of(data, width)
        for place in range(stretch):
            for number in range(STRETCHES):
                i = number * stretch + place
                weights = load_weights(data, row, width)
                row += step
                a = multiply_add(weights, broadcast(first, i, width), a)
                b = multiply_add(weights, broadcast(second, i, width), b)
                c = multiply_add(weights, broadcast(third, i, width), c)
                d = multiply_add(weights, broadcast(fourth, i, width), d)
        for i in range(STRETCHES * stretch, count):
            weights = load_weights(data, row, width)
            row += step
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
    start = 0
    for column in range(0, matrices.outputs, SHARED_PANEL):
        if matrices.outputs - column > NARROW or matrices.outputs % PANEL > NARROW:
            _write_wide(x, data, start, scale, base, out, column)
        else:
            _write_narrow(x, data, start, scale, base, out, column)
        start += matrices.inputs * words_of(data, SHARED_PANEL)
