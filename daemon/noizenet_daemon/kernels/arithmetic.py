"""Arithmetic of lanes, see `noizenet.vectors`, that a network needs beside that of plain numbers."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types

from noizenet.compiling import kernel
from noizenet.vectors import element_wise, emitting, shuffled
from noizenet_daemon.kernels.loading import WIDTH, load, store

WHOLE = 1.5 * 2.0**23  # added to a small number and taken off again, it leaves the nearest whole number

_WORD = ir.IntType(32)


@emitting
def at_least(typing: Any, a: Any, least: Any) -> Any:  # noqa: ARG001
    """Returns the larger of a and `least`, and NaN where `a` is NaN."""

    def emit(builder: Any, a: Any, least: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", a, least), least, a)

    return element_wise((a, least), emit)


@emitting
def at_most(typing: Any, a: Any, most: Any) -> Any:  # noqa: ARG001
    """Returns the smaller of a and `most`, and NaN where `a` is NaN."""

    def emit(builder: Any, a: Any, most: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", a, most), most, a)

    return element_wise((a, most), emit)


@emitting
def zero_below(typing: Any, a: Any, x: Any, least: Any) -> Any:  # noqa: ARG001
    """Returns a, and 0 where x is below `least`."""

    def emit(builder: Any, a: Any, x: Any, least: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", x, least), ir.Constant(a.type, [0.0] * a.type.count), a)

    return element_wise((a, x, least), emit)


@emitting
def two_to(typing: Any, shifted: Any) -> Any:  # noqa: ARG001
    """Returns 2^n, n a whole number from -126 to 127, given as n + WHOLE: its lowest bits are those of n."""

    def emit(builder: Any, shifted: Any) -> Any:
        words = ir.VectorType(_WORD, shifted.type.count)
        exponent = builder.shl(builder.bitcast(shifted, words), ir.Constant(words, [23] * words.count))
        return builder.bitcast(builder.add(exponent, ir.Constant(words, [127 << 23] * words.count)), shifted.type)

    return element_wise((shifted,), emit)


@emitting
def total(typing: Any, lanes: Any) -> Any:  # noqa: ARG001
    """Returns the sum of all lanes in double precision."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        doubles = builder.fpext(arguments[0], ir.VectorType(ir.DoubleType(), lanes.width))
        return _folded(builder, doubles, builder.fadd)

    return types.float64(lanes), generate


@emitting
def largest_lane(typing: Any, lanes: Any) -> Any:  # noqa: ARG001
    """Returns the largest of all lanes; any of them if NaN is among them."""

    def larger(builder: Any, a: Any, b: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", a, b), a, b)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return _folded(builder, arguments[0], lambda a, b: larger(builder, a, b))

    return types.float32(lanes), generate


def _folded(builder: Any, values: Any, combine: Callable[..., Any]) -> Any:
    """Returns the one number left when the upper half of a vector is combined with the lower, again and again."""
    width = values.type.count
    while width > 1:
        width //= 2
        halves = [shuffled(builder, values, values, range(first, first + width)) for first in (0, width)]
        values = combine(*halves)
    return builder.extract_element(values, _WORD(0))


@kernel
def quotient(a: Any, b: Any) -> Any:
    """Returns a / b of plain numbers, exactly rounded where `fastmath` calls it, too.

    There, the compiler would take 1 / sqrt(x) from an instruction that estimates it, and each processor's differs.
    """
    return a / b


@kernel
def add(values: Any, out: Any) -> None:
    """Adds values (n,) to out (n,)."""
    n = out.shape[0]
    for k in range(0, n, WIDTH):
        store(load(out, k, n - k, WIDTH) + load(values, k, n - k, WIDTH), out, k, n - k)
