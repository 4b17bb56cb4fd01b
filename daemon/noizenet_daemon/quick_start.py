"""What lets a command that only plays begin sooner: less is imported, and no garbage is looked for meanwhile.

On one machine, from the daemon's command to its first sound: 2.0 s before, 1.5 s so (`benchmarks/start.py`).
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LINEAR_ALGEBRA = "scipy.linalg.cython_blas"


def import_numba_alone() -> None:
    """Imports numba, but not SciPy's linear algebra, for which it asks where SciPy is installed.

    No kernel here uses it, and it takes as long to import as all the rest of numba. For processes that only play.
    """
    if LINEAR_ALGEBRA in sys.modules:
        return
    modules: dict[str, Any] = sys.modules
    modules[LINEAR_ALGEBRA] = None  # an import of it fails as if it weren't installed
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del modules[LINEAR_ALGEBRA]


@contextmanager
def without_collecting() -> Iterator[None]:
    """Looks for no garbage inside; what is there at the end is taken to stay, and never looked at again.

    While modules and kernels are loaded, a hundred thousand objects are made and nearly all of them stay. Looking at
    them again and again takes a tenth of that time, and later 50 ms at once, in the middle of the sound.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
