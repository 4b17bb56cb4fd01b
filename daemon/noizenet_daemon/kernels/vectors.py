"""Vectors of float32 in numba functions: said outright, where a loop only hopes that the compiler finds them.

A value of type `Lanes` holds `width` numbers. LLVM divides it among as many registers as that takes (16 numbers fit in
one with AVX-512, 8 with AVX2, 4 with NEON), so that one source is right on all of them. A plain number beside lanes is
spread over all of them. Each lane is rounded as it would be alone: what comes out depends neither on the width nor on
where an array lies. NaN goes through; nothing checks bounds.

Source: LLVM Language Reference, "Vector Type", "llvm.fmuladd", "llvm.masked.load".
"""

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import models, register_model

from noizenet_daemon.kernels.compiling import emitting

HAS_512_BITS = bool(binding.get_host_cpu_features().get("avx512f", False))
WIDTH = 16 if HAS_512_BITS else 8  # for work that goes along arrays; narrower leaves NEON fewer sums in flight

_BIT, _WORD, _INDEX, _FLOAT = ir.IntType(1), ir.IntType(32), ir.IntType(64), ir.FloatType()
_ALIGN = 4  # bytes: rows begin anywhere


class Lanes(types.Type):
    """To numba, the type of `width` float32 numbers."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Lanes({width})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        super().__init__(manager, lanes, ir.VectorType(_FLOAT, lanes.width))


@emitting
def splat(typing: Any, number: Any, width: Any) -> Any:  # noqa: ARG001
    """Returns lanes that all hold `number`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = context.cast(builder, arguments[0], signature.args[0], types.float32)
        return spread(builder, value, width.literal_value)

    return Lanes(width.literal_value)(number, width), generate


@emitting
def broadcast(typing: Any, array: Any, index: Any, width: Any) -> Any:  # noqa: ARG001
    """Returns lanes that all hold array[index], of a float32 array. Negative indices have no meaning here."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature.args[0], arguments[0], arguments[1], _FLOAT)
        return spread(builder, builder.load(address), width.literal_value)

    return Lanes(width.literal_value)(array, types.intp, width), generate


@emitting
def load(typing: Any, array: Any, start: Any, count: Any, width: Any) -> Any:  # noqa: ARG001
    """Returns array[start : start + width], of a contiguous float32 array; from the lane `count` on it is 0."""
    lanes = Lanes(width.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(_FLOAT, lanes.width)
        address = _address(context, builder, signature.args[0], arguments[0], arguments[1], vector)
        with builder.if_else(_all_lanes(builder, arguments[2], lanes.width), likely=True) as (whole, part):
            with whole:
                loaded = builder.load(address, align=_ALIGN)
                after_whole = builder.block
            with part:
                masked = _masked(builder, "load", vector, lanes.width)
                mask = _first_lanes(builder, arguments[2], lanes.width)
                zeros = ir.Constant(vector, [0.0] * lanes.width)
                first = builder.call(masked, [address, _WORD(_ALIGN), mask, zeros])
                after_part = builder.block
        result = builder.phi(vector)
        result.add_incoming(loaded, after_whole)
        result.add_incoming(first, after_part)
        return result

    return lanes(array, types.intp, types.intp, width), generate


@emitting
def store(typing: Any, lanes: Any, array: Any, start: Any, count: Any) -> Any:  # noqa: ARG001
    """Writes the first `count` lanes, or all, into array[start :], a contiguous float32 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, array, start, count = arguments
        vector = ir.VectorType(_FLOAT, lanes.width)
        address = _address(context, builder, signature.args[1], array, start, vector)
        with builder.if_else(_all_lanes(builder, count, lanes.width), likely=True) as (whole, part):
            with whole:
                builder.store(values, address, align=_ALIGN)
            with part:
                mask = _first_lanes(builder, count, lanes.width)
                builder.call(_masked(builder, "store", vector, lanes.width), [values, address, _WORD(_ALIGN), mask])
        return context.get_dummy_value()

    return types.void(lanes, array, types.intp, types.intp), generate


def joined(builder: Any, vectors: list[Any]) -> Any:
    """Returns vectors of one type side by side, as one; their number is a power of two. For intrinsics."""
    while len(vectors) > 1:
        width = 2 * vectors[0].type.count
        order = ir.Constant(ir.VectorType(_WORD, width), list(range(width)))
        vectors = [builder.shuffle_vector(a, b, order) for a, b in zip(vectors[::2], vectors[1::2], strict=True)]
    return vectors[0]


def spread(builder: Any, number: Any, width: int) -> Any:
    """Returns a vector that holds one number in all lanes. For intrinsics."""
    nothing = ir.Constant(ir.VectorType(number.type, width), ir.Undefined)
    first = builder.insert_element(nothing, number, _WORD(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_WORD, width), [0] * width))


def _address(context: Any, builder: Any, kind: Any, array: Any, start: Any, target: ir.Type) -> Any:
    """Returns a pointer to `target` at an element of an array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), target.as_pointer())


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
