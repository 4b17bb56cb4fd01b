"""Eight numbers at once, see `noizenet.vectors`: how the codecs' kernels load, turn about and store them.

Arrays are float32, one-dimensional and contiguous; nothing checks that eight numbers are there.
"""

from typing import Any

from numba.core import errors, types

from noizenet.vectors import Lanes, address, built_in, element_wise, emitting, shuffled, vector_type

LANES = 8
_EIGHT = Lanes(LANES)
_VECTOR = vector_type(LANES)


def _tuple(count: int) -> Any:
    return types.UniTuple(_EIGHT, count)


def _check(array: Any) -> None:
    if not (
        isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C" and array.dtype == types.float32
    ):
        raise errors.TypingError(f"lanes lie in contiguous float32 arrays of one dimension, not in {array}")


@emitting
def load(_typing: Any, array: Any, index: Any) -> Any:
    """Returns the eight numbers of an array from an index on."""
    _check(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(_VECTOR, context, builder, signature.args[0], *arguments)
        return builder.load(place, align=4)

    return _EIGHT(array, index), generate


@emitting
def store(_typing: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Writes eight numbers to an array, from an index on."""
    _check(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(_VECTOR, context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], place, align=4)
        return context.get_dummy_value()

    return types.void(array, index, lanes), generate


@emitting
def load_pairs(_typing: Any, array: Any, index: Any) -> Any:
    """Returns the even and the odd ones of sixteen numbers of an array from an index on."""
    _check(array)
    both = _tuple(2)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(vector_type(2 * LANES), context, builder, signature.args[0], *arguments)
        numbers = builder.load(place, align=4)
        parts = [shuffled(builder, numbers, numbers, range(first, 2 * LANES, 2)) for first in (0, 1)]
        return context.make_tuple(builder, both, parts)

    return both(array, index), generate


@emitting
def store_pairs(_typing: Any, array: Any, index: Any, even: Any, odd: Any) -> Any:
    """Writes sixteen numbers, the even and the odd ones of which are given, to an array from an index on."""
    _check(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(vector_type(2 * LANES), context, builder, signature.args[0], *arguments[:2])
        order = [lane + LANES * odd for lane in range(LANES) for odd in (0, 1)]
        builder.store(shuffled(builder, arguments[2], arguments[3], order), place, align=4)
        return context.get_dummy_value()

    return types.void(array, index, even, odd), generate


@emitting
def backward(_typing: Any, lanes: Any) -> Any:
    """Returns the numbers in reverse."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return shuffled(builder, arguments[0], arguments[0], range(LANES - 1, -1, -1))

    return _EIGHT(lanes), generate


@emitting
def root(_typing: Any, lanes: Any) -> Any:
    """Returns the square roots."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return built_in(builder, "sqrt", arguments)

    return _EIGHT(lanes), generate


@emitting
def minus_product(_typing: Any, c: Any, a: Any, b: Any) -> Any:
    """Returns c - a b, rounded as `multiply_add`."""
    return element_wise((c, a, b), lambda builder, c, a, b: built_in(builder, "fmuladd", [builder.fneg(a), b, c]))


@emitting
def load_columns(_typing: Any, array: Any, index: Any) -> Any:
    """Returns 64 numbers of an array from an index on, in eight lanes: every eighth from the first, the second, ..."""
    _check(array)
    columns = _tuple(LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = []
        for row in range(LANES):
            index = builder.add(arguments[1], arguments[1].type(LANES * row))
            rows.append(
                builder.load(address(_VECTOR, context, builder, signature.args[0], arguments[0], index), align=4)
            )
        # pairs, then fours, then all: each time, blocks of that size change places across the diagonal
        for size in (1, 2, 4):
            near = [lane if not lane & size else LANES + lane - size for lane in range(LANES)]
            far = [lane + size if not lane & size else LANES + lane for lane in range(LANES)]
            for row in range(LANES):
                if not row & size:
                    a, b = rows[row], rows[row + size]
                    rows[row], rows[row + size] = shuffled(builder, a, b, near), shuffled(builder, a, b, far)
        return context.make_tuple(builder, columns, rows)

    return columns(array, index), generate
