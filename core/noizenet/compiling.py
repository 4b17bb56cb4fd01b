"""How numba functions are compiled here: decorators, typed so that what they decorate keeps its types.

What is compiled is kept on disk, runs without Python's lock, and does not count references (`_nrt`): what a kernel
is given outlives its call and it allocates nothing, while a count for each row that it looks at was a quarter of a step
of 48 units, and compiling what counts takes time. Numba compiles what a kernel calls in the same manner, unless that is
told otherwise. A division by zero gives infinity or NaN, as in C, and no exception.

To numba, the 0 of `f(0)` or of a loop's `n = 0` is a type of its own, and `f` would be compiled for it, and once more
for other numbers: kernels are compiled for all whole numbers at once.

A function whose name begins with _ is for others like it, and can't be called from Python (it would crash:
`tests/test_compiling.py` holds that nobody does): a wrapper that takes apart a state of a hundred arrays is a fifth of
what there is to compile.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba import types

Function = TypeVar("Function", bound=Callable[..., Any])
_njit: Any = numba.njit  # its types don't know `_nrt`
_OPTIONS = {"cache": True, "nogil": True, "boundscheck": False, "error_model": "numpy", "_nrt": False}


def njit(**options: Any) -> Callable[[Function], Function]:
    """Returns a decorator as numba's own, with the options above where others aren't named."""

    def decorate(function: Function) -> Function:
        within = function.__name__.startswith("_") and "inline" not in options
        dispatcher = _njit(no_cfunc_wrapper=True, no_cpython_wrapper=within, **_OPTIONS | options)(function)
        find = dispatcher.get_call_template

        def find_for_all_numbers(kinds: Any, named: Any) -> Any:
            return find(tuple(map(_any_number, kinds)), {name: _any_number(kind) for name, kind in named.items()})

        dispatcher.get_call_template = find_for_all_numbers
        compiled: Function = dispatcher
        return compiled

    return decorate


def _any_number(kind: Any) -> Any:
    """Returns the type of all whole numbers for that of one."""
    unliteral: Any = types.unliteral
    return unliteral(kind)


def kernel(function: Function) -> Function:
    """Returns the function, to be compiled when it is first called."""
    return njit()(function)


def inlined(function: Function) -> Function:
    """Returns the function, to become part of each kernel that calls it."""
    return njit(inline="always")(function)


def counting(function: Function) -> Function:
    """Returns a function that counts references, as one must that hands back a row of an array, or takes one so."""
    return njit(_nrt=True)(function)


@kernel
def copy(values: Any, out: Any) -> None:
    """Writes values (n,) to out (n,), of any type. Numba's own `out[:] = values` is prepared to allocate."""
    for k in range(out.shape[0]):
        out[k] = values[k]
