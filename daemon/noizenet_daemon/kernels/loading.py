"""Lanes, see `noizenet.vectors`, to and from arrays of any length; how many are at work at once in the network.

Nothing checks bounds. Source: LLVM Language Reference, "llvm.masked.load", "llvm.masked.store".
"""

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core.cgutils import get_or_insert_function

from noizenet.vectors import Lanes, address, emitting, shuffled, spread, vector_type

HAS_512_BITS = bool(binding.get_host_cpu_features().get("avx512f", False))
WIDTH = 16 if HAS_512_BITS else 8  # for work that goes along arrays; narrower leaves NEON fewer sums in flight

_BIT, _WORD, _INDEX, _FLOAT = ir.IntType(1), ir.IntType(32), ir.IntType(64), ir.FloatType()
_ALIGN = 4  # bytes: rows begin anywhere


@emitting
def broadcast(typing: Any, array: Any, index: Any, width: Any) -> Any:  # noqa: ARG001
    """Returns lanes that all hold array[index], of a float32 array. Negative indices have no meaning here."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = address(_FLOAT, context, builder, signature.args[0], arguments[0], arguments[1])
        return spread(builder, builder.load(first), width.literal_value)

    return Lanes(width.literal_value)(array, types.intp, width), generate


@emitting
def load(typing: Any, array: Any, start: Any, count: Any, width: Any) -> Any:  # noqa: ARG001
    """Returns array[start : start + width], of a contiguous float32 array; from the lane `count` on it is 0."""
    lanes = Lanes(width.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = vector_type(lanes.width)
        first = address(vector, context, builder, signature.args[0], arguments[0], arguments[1])
        with builder.if_else(_all_lanes(builder, arguments[2], lanes.width), likely=True) as (whole, part):
            with whole:
                loaded = builder.load(first, align=_ALIGN)
                after_whole = builder.block
            with part:
                masked = _masked(builder, "load", vector, lanes.width)
                mask = _first_lanes(builder, arguments[2], lanes.width)
                zeros = ir.Constant(vector, [0.0] * lanes.width)
                masked_part = builder.call(masked, [first, _WORD(_ALIGN), mask, zeros])
                after_part = builder.block
        result = builder.phi(vector)
        result.add_incoming(loaded, after_whole)
        result.add_incoming(masked_part, after_part)
        return result

    return lanes(array, types.intp, types.intp, width), generate


@emitting
def store(typing: Any, lanes: Any, array: Any, start: Any, count: Any) -> Any:  # noqa: ARG001
    """Writes the first `count` lanes, or all, into array[start :], a contiguous float32 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, array, start, count = arguments
        vector = vector_type(lanes.width)
        first = address(vector, context, builder, signature.args[1], array, start)
        with builder.if_else(_all_lanes(builder, count, lanes.width), likely=True) as (whole, part):
            with whole:
                builder.store(values, first, align=_ALIGN)
            with part:
                mask = _first_lanes(builder, count, lanes.width)
                builder.call(_masked(builder, "store", vector, lanes.width), [values, first, _WORD(_ALIGN), mask])
        return context.get_dummy_value()

    return types.void(lanes, array, types.intp, types.intp), generate


def joined(builder: Any, vectors: list[Any]) -> Any:
    """Returns vectors of one type side by side, as one; their number is a power of two. For intrinsics."""
    while len(vectors) > 1:
        order = range(2 * vectors[0].type.count)
        vectors = [shuffled(builder, a, b, order) for a, b in zip(vectors[::2], vectors[1::2], strict=True)]
    return vectors[0]


def _all_lanes(builder: Any, count: Any, width: int) -> Any:
    return builder.icmp_signed(">=", count, _INDEX(width))


def _first_lanes(builder: Any, count: Any, width: int) -> Any:
    """Returns a mask of the lanes below `count`."""
    order = ir.Constant(ir.VectorType(_WORD, width), list(range(width)))
    return builder.icmp_signed("<", order, spread(builder, builder.trunc(count, _WORD), width))


def _masked(builder: Any, what: str, vector: ir.Type, width: int) -> Any:
    """Returns LLVM's function that loads or stores the lanes of a mask."""
    mask = ir.VectorType(_BIT, width)
    if what == "load":
        kind = ir.FunctionType(vector, [vector.as_pointer(), _WORD, mask, vector])
    else:
        kind = ir.FunctionType(ir.VoidType(), [vector, vector.as_pointer(), _WORD, mask])
    return get_or_insert_function(builder.module, kind, f"llvm.masked.{what}.v{width}f32.p0")
