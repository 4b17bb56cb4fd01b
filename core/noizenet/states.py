"""States: nested named tuples of arrays that their owner changes in place.

What a block of sound is made from is more than what the next one needs to know: tables that never change, and room to
work in. Fields annotated `Workspace` or `not_kept` say that they are such: nobody has to save them.
"""

from typing import Annotated, Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
NOT_KEPT = "not kept"  # marks a field: filled anew before it is read, or never changed
Workspace = Annotated[Array, NOT_KEPT]
_CACHE_LINE = 64  # bytes


def arrays_of(state: Any) -> list[Array]:
    """Returns all arrays of nested tuples, in order."""
    if isinstance(state, np.ndarray):
        return [state]
    return [array for part in state for array in arrays_of(part)]


def kept_arrays(state: Any) -> list[Array]:
    """Returns the arrays that a state is known by: all but those of fields marked as not kept."""
    if isinstance(state, np.ndarray):
        return [state]
    names = getattr(state, "_fields", ())
    hints = get_type_hints(type(state), include_extras=True) if names else {}
    left_out = [NOT_KEPT in getattr(hints[name], "__metadata__", ()) for name in names] or [False] * len(state)
    return [array for part, is_out in zip(state, left_out, strict=True) if not is_out for array in kept_arrays(part)]


def copy_state(source: Any, target: Any) -> None:
    """Copies the arrays of one state into those of another of the same kind."""
    for a, b in zip(arrays_of(source), arrays_of(target), strict=True):
        np.copyto(b, a)


def gathered(state: Any) -> tuple[Any, Array]:
    """Returns a state like this one, and the bytes in which all arrays that it is known by lie, uint8.

    So it is saved, and brought back, by one copy. Each array begins a cache line, and neighbours don't begin at the
    same place of a page: what is as long as a power of two would else push its like out of the first cache.
    """
    lengths = [(1 - -array.nbytes // _CACHE_LINE) * _CACHE_LINE for array in kept_arrays(state)]
    raw = np.zeros(sum(lengths) + _CACHE_LINE, np.uint8)
    first = -raw.ctypes.data % _CACHE_LINE
    room = raw[first : first + sum(lengths)]
    places, start = {}, 0
    for array, length in zip(kept_arrays(state), lengths, strict=True):
        place = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
        place[...] = array
        places[id(array)] = place
        start += length
    return _replaced(state, places), room


def _replaced(state: Any, places: dict[int, Array]) -> Any:
    """Returns the state with other arrays in the place of those named by their identity."""
    if isinstance(state, np.ndarray):
        return places.get(id(state), state)
    parts = [_replaced(part, places) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
