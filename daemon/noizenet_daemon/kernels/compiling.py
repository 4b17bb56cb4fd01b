"""How the kernels of the network are compiled: decorators, typed so that what they decorate keeps its types.

Kernels are kept on disk, and run without Python's lock. They don't count references either (numba's `_nrt`): what a
kernel is given outlives its call and it allocates nothing, while a count for each row that it looks at was a quarter
of a step of 48 units. Numba compiles what a kernel calls in the same manner, unless that is told otherwise.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
_njit: Any = njit  # its types don't know `_nrt`
_OPTIONS = {"cache": True, "nogil": True, "boundscheck": False, "error_model": "numpy"}


def kernel(function: Function) -> Function:
    """Returns the function, to be compiled when it is first called."""
    compiled: Function = _njit(**_OPTIONS, _nrt=False)(function)
    return compiled


def inlined(function: Function) -> Function:
    """Returns the function, to become part of each kernel that calls it."""
    compiled: Function = _njit(**_OPTIONS, _nrt=False, inline="always")(function)
    return compiled


def counting(function: Function) -> Function:
    """Returns a function that counts references, as one must that hands back a row of an array, or takes one so."""
    compiled: Function = _njit(**_OPTIONS, _nrt=True)(function)
    return compiled
