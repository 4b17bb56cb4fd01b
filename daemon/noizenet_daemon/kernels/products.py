"""Products of a vector and a packed matrix: where a network spends its time.

Sums are float32 whatever the weights are. Of each panel four stretches are read at once, each on its own way through a
quarter of the inputs: memory beyond the second cache is faster on several ways than on one.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import overload

from noizenet.compiling import kernel
from noizenet.vectors import Lanes, emitting, multiply_add, shuffled, splat
from noizenet_daemon.kernels.loading import WIDTH, broadcast, joined, load, store
from noizenet_daemon.kernels.matrices import PANEL, WIDTHS

PARTS = {types.float32: 1, types.uint32: 2, types.int32: 4}  # weights in a word, by the type of the words
STRETCHES = 4
_WORD, _FLOAT = ir.IntType(32), ir.FloatType()


@emitting
def load_weights(typing: Any, data: Any, start: Any, width: Any) -> Any:  # noqa: ARG001
    """Returns `width` weights of a row of `Matrices.data` as lanes, from its word `start` on."""
    lanes = Lanes(width.literal_value)
    parts = PARTS[data.dtype]
    bits = 32 // parts
    count = lanes.width // parts

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        words, floats = (ir.VectorType(kind, count) for kind in (_WORD, _FLOAT))
        first = builder.gep(context.make_array(data)(context, builder, arguments[0]).data, [arguments[1]])
        loaded = builder.load(builder.bitcast(first, words.as_pointer()), align=4)
        found = []
        for part in range(parts):
            shift = 32 - bits * (part + 1)
            raised = builder.shl(loaded, ir.Constant(words, [shift] * count)) if shift else loaded
            found.append(builder.sitofp(raised, floats) if parts == 4 else builder.bitcast(raised, floats))
        if parts == 2 and count > WIDTH:  # what lies in the same words belongs together, a register of each part
            places = [range(first, first + WIDTH) for first in range(0, count, WIDTH)]
            found = [shuffled(builder, half, half, place) for place in places for half in found]
        return joined(builder, found)

    return lanes(data, types.intp, width), generate


@emitting
def words_of(typing: Any, data: Any, width: Any) -> Any:  # noqa: ARG001
    """Returns how many words of a matrix hold `width` weights."""
    words = width.literal_value // PARTS[data.dtype]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return ir.IntType(64)(words)

    return types.intp(data, width), generate


def _input_at(chosen: Any, place: int) -> int:  # noqa: ARG001
    """Returns chosen[place]; of all inputs, which () stands for, `place` itself."""
    return place


@overload(_input_at, inline="always")
def _input_at_in_kernels(chosen: Any, place: int) -> Any:  # noqa: ARG001
    def among_all(chosen: Any, place: int) -> int:  # noqa: ARG001
        return place

    def among_chosen(chosen: Any, place: int) -> int:
        return int(chosen[place])

    return among_chosen if isinstance(chosen, types.Array) else among_all


def _panel_of(width: int) -> Any:
    """Returns the function that writes one panel's outputs."""

    @kernel
    def _write_panel(
        x: Any, chosen: Any, count: int, data: Any, start: int, scale: Any, base: Any, out: Any, column: int
    ) -> None:
        total = splat(np.float32(0.0), width)
        step = words_of(data, width)
        stretch = count // STRETCHES
        for place in range(stretch):
            for number in range(STRETCHES):
                i = _input_at(chosen, number * stretch + place)
                total = multiply_add(load_weights(data, start + i * step, width), broadcast(x, i, width), total)
        for place in range(STRETCHES * stretch, count):
            i = _input_at(chosen, place)
            total = multiply_add(load_weights(data, start + i * step, width), broadcast(x, i, width), total)
        left = out.shape[0] - column
        total = multiply_add(total, load(scale, column, left, width), load(base, column, left, width))
        store(total, out, column, left)

    return _write_panel


_write_8, _write_16, _write_32, _write_64, _write_128 = map(_panel_of, WIDTHS)


@kernel
def _write(x: Any, chosen: Any, count: int, matrices: Any, which: int, base: Any, out: Any) -> None:
    data, scale = matrices.data[which], matrices.scale[which]
    start = 0
    for column in range(0, matrices.outputs, PANEL):
        left = matrices.outputs - column
        if left > 64 and PANEL > 64:
            _write_128(x, chosen, count, data, start, scale, base, out, column)
        elif left > 32:
            _write_64(x, chosen, count, data, start, scale, base, out, column)
        elif left > 16:
            _write_32(x, chosen, count, data, start, scale, base, out, column)
        elif left > 8 or WIDTH > 8:
            _write_16(x, chosen, count, data, start, scale, base, out, column)
        else:
            _write_8(x, chosen, count, data, start, scale, base, out, column)
        start += matrices.inputs * words_of(data, PANEL)


@kernel
def product(x: Any, matrices: Any, which: int, base: Any, out: Any) -> None:
    """Writes base (outputs,) plus x (n,) times the first n inputs of a matrix to out (outputs,), which may be `base`.

    Args:
        which: of the packed matrices.
    """
    _write(x, (), x.shape[0], matrices, which, base, out)


@kernel
def rectified_product(x: Any, matrices: Any, which: int, base: Any, out: Any, positive: Any) -> None:
    """Writes base plus the positive part of x (inputs,) times a matrix to out. NaN goes through.

    The weights of inputs that are not positive are not read.

    Args:
        positive: workspace, int64 (inputs,).
    """
    count = 0
    for i in range(x.shape[0]):
        positive[count] = i
        count += 0 if x[i] <= np.float32(0.0) else 1  # NaN is not
    _write(x, positive, count, matrices, which, base, out)
