"""Arithmetic of lanes, see `kernels.vectors`: the operators + - * / too, once this module is imported.

Source: LLVM Language Reference, "llvm.fmuladd".
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import overload

from noizenet_daemon.kernels.compiling import emitting, kernel
from noizenet_daemon.kernels.vectors import WIDTH, Lanes, load, spread, store

WHOLE = 1.5 * 2.0**23  # added to a small number and taken off again, it leaves the nearest whole number

_WORD = ir.IntType(32)


@emitting
def multiply_add(typing: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ARG001
    """Returns a b + c, rounded once if the processor can."""

    def emit(builder: Any, a: Any, b: Any, c: Any) -> Any:
        name = f"llvm.fmuladd.v{a.type.count}f32"
        return builder.call(
            get_or_insert_function(builder.module, ir.FunctionType(a.type, [a.type] * 3), name), [a, b, c]
        )

    return _element_wise((a, b, c), emit)


@emitting
def at_least(typing: Any, a: Any, least: Any) -> Any:  # noqa: ARG001
    """Returns the larger of a and `least`, and NaN where `a` is NaN."""

    def emit(builder: Any, a: Any, least: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", a, least), least, a)

    return _element_wise((a, least), emit)


@emitting
def at_most(typing: Any, a: Any, most: Any) -> Any:  # noqa: ARG001
    """Returns the smaller of a and `most`, and NaN where `a` is NaN."""

    def emit(builder: Any, a: Any, most: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", a, most), most, a)

    return _element_wise((a, most), emit)


@emitting
def zero_below(typing: Any, a: Any, x: Any, least: Any) -> Any:  # noqa: ARG001
    """Returns a, and 0 where x is below `least`."""

    def emit(builder: Any, a: Any, x: Any, least: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", x, least), ir.Constant(a.type, [0.0] * a.type.count), a)

    return _element_wise((a, x, least), emit)


@emitting
def two_to(typing: Any, shifted: Any) -> Any:  # noqa: ARG001
    """Returns 2^n, n a whole number from -126 to 127, given as n + WHOLE: its lowest bits are those of n."""

    def emit(builder: Any, shifted: Any) -> Any:
        words = ir.VectorType(_WORD, shifted.type.count)
        exponent = builder.shl(builder.bitcast(shifted, words), ir.Constant(words, [23] * words.count))
        return builder.bitcast(builder.add(exponent, ir.Constant(words, [127 << 23] * words.count)), shifted.type)

    return _element_wise((shifted,), emit)


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
        orders = (list(range(width)), list(range(width, 2 * width)))
        halves = [
            builder.shuffle_vector(values, values, ir.Constant(ir.VectorType(_WORD, width), order)) for order in orders
        ]
        values = combine(*halves)
    return builder.extract_element(values, _WORD(0))


def _binary(name: str) -> Any:
    @emitting
    def operate(typing: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
        return _element_wise((a, b), lambda builder, a, b: getattr(builder, name)(a, b))

    return operate


def _overload(python_operator: Callable[..., Any], name: str) -> None:
    operate = _binary(name)

    @overload(python_operator)
    def choose(a: Any, b: Any) -> Any:
        def of_lanes(a: Any, b: Any) -> Any:
            return operate(a, b)

        return of_lanes if isinstance(a, Lanes) or isinstance(b, Lanes) else None


for _operator, _name in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _overload(_operator, _name)


def _element_wise(operands: tuple[Any, ...], emit: Callable[..., Any]) -> Any:
    """Returns what an intrinsic returns whose code for vectors `emit` writes; plain numbers are spread."""
    width = next(operand.width for operand in operands if isinstance(operand, Lanes))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vectors = []
        for kind, value in zip(signature.args, arguments, strict=True):
            if isinstance(kind, Lanes):
                vectors.append(value)
            else:
                vectors.append(spread(builder, context.cast(builder, value, kind, types.float32), width))
        return emit(builder, *vectors)

    return Lanes(width)(*map(types.unliteral, operands)), generate


@kernel
def add(values: Any, out: Any) -> None:
    """Adds values (n,) to out (n,)."""
    n = out.shape[0]
    for k in range(0, n, WIDTH):
        store(load(out, k, n - k, WIDTH) + load(values, k, n - k, WIDTH), out, k, n - k)


@kernel
def copy(values: Any, out: Any) -> None:
    """Writes values (n,) to out (n,), of any type. Numba's own `out[:] = values` is prepared to allocate."""
    for k in range(out.shape[0]):
        out[k] = values[k]
