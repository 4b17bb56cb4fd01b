"""Arrays that may be longer than the memory: kept in it while there is room, beyond that in files, mapped.

The files have no name, and are gone with the process. Whoever passes through a long array takes it in pieces
(`in_pieces`), each of which is let go when the next is asked for: so ten hours of sound need no more memory than one.
"""

import mmap
import os
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import InputFileError

Array = NDArray[Any]

MOST_IN_MEMORY = 1 << 27  # bytes: six minutes of stereo at 44,100 Hz
PIECE = 1 << 20  # rows: 24 seconds
LASTING = Path("/var/tmp")  # where temporary files lie on a disk; /tmp often is memory


class Shelf:
    """Keeps arrays, the first of them in memory.

    Args:
        most_in_memory: bytes, of all arrays that are still in use.
    """

    def __init__(self, most_in_memory: int = MOST_IN_MEMORY) -> None:
        self._room = most_in_memory
        self._counting = threading.Lock()

    def keep(self, blocks: Iterable[Array]) -> Array:
        """Returns blocks (n, ...) of one kind, at least one, as one array. Any thread.

        Raises:
            InputFileError: there is neither room in the memory nor on the disk.
        """
        found: list[Array] = []
        size = 0
        rest = iter(blocks)
        for block in rest:
            found.append(block)
            size += block.nbytes
            if size > self._room:
                return self._in_file(found, rest)
        whole = found[0] if len(found) == 1 and found[0].base is None else np.concatenate(found)
        self._give_back(-whole.nbytes)
        weakref.finalize(whole, self._give_back, whole.nbytes)
        return whole

    def _give_back(self, size: int) -> None:
        with self._counting:
            self._room += size

    def _in_file(self, found: list[Array], rest: Iterator[Array]) -> Array:
        folder = _folder()
        kind, shape = found[0].dtype, found[0].shape[1:]
        try:
            with tempfile.TemporaryFile(dir=folder, prefix="noizenet-") as file:
                rows = sum(_written(file, block) for block in found)
                found.clear()
                rows += sum(_written(file, block) for block in rest)
                file.flush()
                return np.asarray(np.memmap(file, kind, "r+", shape=(rows, *shape)))
        except OSError as error:
            raise InputFileError(
                f"can't keep a sound longer than the memory in {folder}: {error.strerror}; let TMPDIR name a folder on "
                "a disk with more room"
            ) from None


def _folder() -> Path:
    """Returns the folder for temporary files, on a disk if there is one."""
    is_usable = "TMPDIR" not in os.environ and os.access(LASTING, os.W_OK)
    return LASTING if is_usable else Path(tempfile.gettempdir())


def _written(file: IO[bytes], block: Array) -> int:
    file.write(np.ascontiguousarray(block).data)
    return len(block)


def in_pieces(array: Array, length: int = PIECE) -> Iterator[Array]:
    """Yields an array (n, ...) in views of up to `length` rows, and lets each go after it. Empty, it is one piece."""
    for first in range(0, max(len(array), 1), length):
        yield array[first : first + length]
        let_go(array)


def let_go(array: Array) -> None:
    """Lets the memory go that holds an array's file, or a view's; what was written to it stays. Else does nothing."""
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def peak(array: Array) -> float:
    """Returns the greatest absolute value of an array (n, ...) of at least one row."""
    return max(float(np.abs(piece).max()) for piece in in_pieces(array))
