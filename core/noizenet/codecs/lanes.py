"""Eight numbers at once: a type for numba's kernels that is one or two registers of the CPU.

Numba's compiler does a loop over arrays eight numbers at a time only if it can tell that what is written isn't read
again, and of the many arrays of a Fourier transform it can't. Here the kernel says so itself: lanes are loaded,
reckoned with and stored, in the order of the program. So what comes out depends on no array's place in memory, and
without `fastmath` not on the caller either.

Lanes live within a kernel only. Arrays are float32, one-dimensional and contiguous; nothing checks that eight numbers
are there. LLVM makes of them what the CPU has: one register of AVX, two of NEON or SSE.
"""

# mypy: disallow-untyped-calls=False, disallow-untyped-decorators=False
# (the functions of numba and llvmlite that this is made of have no types)

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, errors, types
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

LANES = 8
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INDEX = ir.IntType(32)


class LanesType(types.Type):
    """The type of eight float32 numbers."""

    def __init__(self) -> None:
        super().__init__("Lanes")


lanes_type = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, described: Any) -> None:
        super().__init__(manager, described, _VECTOR)


def in_kernels(generator: Callable[..., Any]) -> Any:
    """Returns what kernels call, without the compiler's context, of a function that generates code."""
    return intrinsic(generator)


def _arithmetic(operation: Callable[..., Any], instruction: str) -> None:
    """Makes an operator known for two lanes."""

    @type_callable(operation)
    def _type(_context: Any) -> Any:
        return lambda a, b: lanes_type if isinstance(a, LanesType) and isinstance(b, LanesType) else None

    @lower_builtin(operation, LanesType, LanesType)
    def _lower(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_operation, _instruction)


def _place(width: int, context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Returns a pointer to `width` numbers of an array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), ir.VectorType(ir.FloatType(), width).as_pointer())


def _tuple(count: int) -> Any:
    return types.UniTuple(lanes_type, count)


def _check(array: Any) -> None:
    if not (
        isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C" and array.dtype == types.float32
    ):
        raise errors.TypingError(f"lanes lie in contiguous float32 arrays of one dimension, not in {array}")


def _built_in(builder: Any, name: str, arguments: Sequence[Any]) -> Any:
    """Returns what a function that LLVM itself knows makes of vectors."""
    described = ir.FunctionType(_VECTOR, [_VECTOR] * len(arguments))
    function = cgutils.get_or_insert_function(builder.module, described, f"llvm.{name}.v{LANES}f32")
    return builder.call(function, arguments)


def _shuffled(builder: Any, a: Any, b: Any, places: Sequence[int]) -> Any:
    """Returns the numbers at these places of two vectors, one behind the other."""
    mask = ir.Constant(ir.VectorType(_INDEX, len(places)), [ir.Constant(_INDEX, place) for place in places])
    return builder.shuffle_vector(a, b, mask)


@in_kernels
def load(_typing: Any, array: Any, index: Any) -> Any:
    """Returns the eight numbers of an array from an index on."""
    _check(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(LANES, context, builder, signature.args[0], *arguments)
        return builder.load(place, align=4)

    return lanes_type(array, index), generate


@in_kernels
def store(_typing: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Writes eight numbers to an array, from an index on."""
    _check(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(LANES, context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], place, align=4)
        return context.get_dummy_value()

    return types.void(array, index, lanes), generate


@in_kernels
def load_pairs(_typing: Any, array: Any, index: Any) -> Any:
    """Returns the even and the odd ones of sixteen numbers of an array from an index on."""
    _check(array)
    both = _tuple(2)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(2 * LANES, context, builder, signature.args[0], *arguments)
        numbers = builder.load(place, align=4)
        parts = [_shuffled(builder, numbers, numbers, range(first, 2 * LANES, 2)) for first in (0, 1)]
        return context.make_tuple(builder, both, parts)

    return both(array, index), generate


@in_kernels
def store_pairs(_typing: Any, array: Any, index: Any, even: Any, odd: Any) -> Any:
    """Writes sixteen numbers, the even and the odd ones of which are given, to an array from an index on."""
    _check(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(2 * LANES, context, builder, signature.args[0], *arguments[:2])
        order = [lane + LANES * odd for lane in range(LANES) for odd in (0, 1)]
        builder.store(_shuffled(builder, arguments[2], arguments[3], order), place, align=4)
        return context.get_dummy_value()

    return types.void(array, index, even, odd), generate


@in_kernels
def spread(_typing: Any, number: Any) -> Any:
    """Returns a float32 number eight times."""
    if number != types.float32:
        raise errors.TypingError(f"lanes are of float32 numbers, not of {number}")

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), arguments[0], ir.Constant(_INDEX, 0))
        return _shuffled(builder, one, one, [0] * LANES)

    return lanes_type(number), generate


@in_kernels
def backward(_typing: Any, lanes: Any) -> Any:
    """Returns the numbers in reverse."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _shuffled(builder, arguments[0], arguments[0], range(LANES - 1, -1, -1))

    return lanes_type(lanes), generate


@in_kernels
def root(_typing: Any, lanes: Any) -> Any:
    """Returns the square roots."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _built_in(builder, "sqrt", arguments)

    return lanes_type(lanes), generate


@in_kernels
def plus_product(_typing: Any, c: Any, a: Any, b: Any) -> Any:
    """Returns c + a b, rounded once where the CPU has an instruction for it, and only there."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        c, a, b = arguments
        return _built_in(builder, "fmuladd", [a, b, c])

    return lanes_type(c, a, b), generate


@in_kernels
def minus_product(_typing: Any, c: Any, a: Any, b: Any) -> Any:
    """Returns c - a b, rounded as `plus_product`."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        c, a, b = arguments
        return _built_in(builder, "fmuladd", [builder.fneg(a), b, c])

    return lanes_type(c, a, b), generate


@in_kernels
def load_columns(_typing: Any, array: Any, index: Any) -> Any:
    """Returns 64 numbers of an array from an index on, in eight lanes: every eighth from the first, the second, ..."""
    _check(array)
    columns = _tuple(LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = []
        for row in range(LANES):
            index = builder.add(arguments[1], ir.Constant(arguments[1].type, LANES * row))
            rows.append(builder.load(_place(LANES, context, builder, signature.args[0], arguments[0], index), align=4))
        # pairs, then fours, then all: each time, blocks of that size change places across the diagonal
        for size in (1, 2, 4):
            near = [lane if not lane & size else LANES + lane - size for lane in range(LANES)]
            far = [lane + size if not lane & size else LANES + lane for lane in range(LANES)]
            for row in range(LANES):
                if not row & size:
                    a, b = rows[row], rows[row + size]
                    rows[row], rows[row + size] = _shuffled(builder, a, b, near), _shuffled(builder, a, b, far)
        return context.make_tuple(builder, columns, rows)

    return columns(array, index), generate
