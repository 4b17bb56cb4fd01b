"""Vectors of float32 in numba functions: said outright, where a loop only hopes that the compiler finds them.

Numba's compiler does a loop over arrays several numbers at a time only if it can tell that what is written isn't read
again, and of many arrays it can't. Here a function says so itself, with values of the type `Lanes`, which hold `width`
numbers. LLVM divides them among as many registers as that takes (16 numbers fit in one with AVX-512, 8 with AVX2, 4
with NEON), so that one source is right on all of them. Each lane is rounded as it would be alone: what comes out
depends neither on the width nor on where an array lies. NaN goes through. Lanes live within a numba function only.

Of lanes, + - * / are known, too; a plain number beside lanes is spread over all of them.

Source: LLVM Language Reference, "Vector Type", "llvm.fmuladd".
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

_FLOAT, _PLACE = ir.FloatType(), ir.IntType(32)


class Lanes(types.Type):
    """To numba, the type of `width` float32 numbers."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Lanes({width})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        super().__init__(manager, lanes, vector_type(lanes.width))


def vector_type(width: int) -> ir.VectorType:
    """Returns LLVM's type of `width` float32 numbers."""
    return ir.VectorType(_FLOAT, width)


def emitting(build: Callable[..., Any]) -> Any:
    """Returns what numba functions call: their code is emitted by `build(typing_context, *types)`."""
    return intrinsic(prefer_literal=True)(build)


@emitting
def splat(typing: Any, number: Any, width: Any) -> Any:  # noqa: ARG001
    """Returns lanes that all hold `number`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = context.cast(builder, arguments[0], signature.args[0], types.float32)
        return spread(builder, value, width.literal_value)

    return Lanes(width.literal_value)(number, width), generate


@emitting
def multiply_add(typing: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ARG001
    """Returns a b + c, rounded once where the processor has an instruction for it."""
    return element_wise((a, b, c), lambda builder, *vectors: built_in(builder, "fmuladd", vectors))


def element_wise(operands: tuple[Any, ...], emit: Callable[..., Any]) -> Any:
    """Returns what an intrinsic returns whose code `emit(builder, *vectors)` writes; plain numbers are spread."""
    width = next(operand.width for operand in operands if isinstance(operand, Lanes))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return emit(builder, *_all_lanes(context, builder, signature, arguments, width))

    return Lanes(width)(*map(types.unliteral, operands)), generate


def address(target: ir.Type, context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Returns a pointer to `target` at an element of an array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), target.as_pointer())


def built_in(builder: Any, name: str, vectors: Sequence[Any]) -> Any:
    """Returns what a function that LLVM itself knows makes of vectors."""
    kind = vectors[0].type
    described = ir.FunctionType(kind, [kind] * len(vectors))
    return builder.call(get_or_insert_function(builder.module, described, f"llvm.{name}.v{kind.count}f32"), vectors)


def shuffled(builder: Any, a: Any, b: Any, places: Sequence[int]) -> Any:
    """Returns the numbers at these places of two vectors, one behind the other."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_PLACE, len(places)), list(places)))


def spread(builder: Any, number: Any, width: int) -> Any:
    """Returns a vector that holds one number in all lanes."""
    nothing = ir.Constant(ir.VectorType(number.type, width), ir.Undefined)
    first = builder.insert_element(nothing, number, _PLACE(0))
    return shuffled(builder, first, nothing, [0] * width)


def _all_lanes(context: Any, builder: Any, signature: Any, arguments: Any, width: int) -> list[Any]:
    """Returns the arguments as vectors."""
    vectors = []
    for kind, value in zip(signature.args, arguments, strict=True):
        is_plain = not isinstance(kind, Lanes)
        vectors.append(spread(builder, context.cast(builder, value, kind, types.float32), width) if is_plain else value)
    return vectors


def _make_known(operation: Callable[..., Any], instruction: str) -> None:
    """Makes an operator known to numba for two operands, lanes at least one of them."""

    @type_callable(operation)
    def _type(_context: Any) -> Any:
        def result(a: Any, b: Any) -> Any:
            lanes = [operand for operand in (a, b) if isinstance(operand, Lanes)]
            is_known = all(isinstance(operand, Lanes | types.Number) for operand in (a, b))
            return lanes[0] if lanes and is_known and lanes[0] == lanes[-1] else None

        return result

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width = signature.return_type.width
        return getattr(builder, instruction)(*_all_lanes(context, builder, signature, arguments, width))

    for kinds in ((Lanes, Lanes), (Lanes, types.Number), (types.Number, Lanes)):
        lower_builtin(operation, *kinds)(lower)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _make_known(_operation, _instruction)
