"""Writing a picture: a file of the kind that its name asks for, or none at all."""

import io
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from noizenet.atomic_files import write_atomically
from noizenet.errors import InputFileError

DPI = 100


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as png, svg, pdf or whatever else matplotlib knows, by the file's ending; png without one.

    The same figure makes the same bytes in an svg each time.

    Raises:
        InputFileError: the kind is unknown, or the file can't be written.
    """
    buffer = io.BytesIO()
    kind = path.suffix.lower().removeprefix(".") or "png"
    try:
        with mpl.rc_context({"svg.hashsalt": "noizenet"}):
            figure.savefig(buffer, format=kind, dpi=DPI)
    except ValueError as error:
        raise InputFileError(f"can't draw {path}: {str(error).lower()}") from None
    write_atomically(path, buffer.getvalue())
