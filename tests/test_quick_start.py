"""A command that only plays imports less, and looks for no garbage while it starts."""

import gc
import subprocess
import sys

import pytest

from noizenet_daemon.quick_start import without_collecting


def said_by(program: str) -> list[str]:
    """Returns the words that a Python of its own prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_numba_comes_without_linear_algebra_which_can_be_imported_later() -> None:
    program = """
import sys
from noizenet_daemon.quick_start import import_numba_alone
import_numba_alone()
import_numba_alone()
import numba
print("scipy.linalg" in sys.modules, numba.njit(lambda x: 2 * x)(21))
import scipy.linalg.cython_blas
import_numba_alone()
print("scipy.linalg" in sys.modules)
"""
    pytest.importorskip("scipy")
    assert said_by(program) == ["False", "42", "True"]


def test_a_command_line_of_one_command_loads_that_alone() -> None:
    program = """
import sys
from noizenet.cli import build_parser
print(build_parser("daemon").parse_args(["daemon", "--voices", "3"]).voices)
print(*[name for name in sys.modules if name.startswith("noizenet_training")])
"""
    assert said_by(program) == ["3"]


def test_no_garbage_is_looked_for_inside_and_what_is_there_is_never_looked_at_again() -> None:
    before = gc.get_freeze_count()
    try:
        with without_collecting():
            kept = [[] for _ in range(1000)]  # type: ignore[var-annotated]
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before + len(kept)
        with pytest.raises(ValueError, match="a fault"), without_collecting():
            raise ValueError("a fault")
        assert gc.isenabled()
    finally:
        gc.unfreeze()
