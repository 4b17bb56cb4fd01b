"""Files that are there whole, or not at all."""

import os
import tempfile
from pathlib import Path

from noizenet.errors import InputFileError


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file so that a crash leaves either the old one or the new one, never a part.

    Raises:
        InputFileError: the folder doesn't exist or can't be written to.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise InputFileError(f"can't write {path}: {error.strerror}") from None
