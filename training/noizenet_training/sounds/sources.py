"""Where a corpus comes from: files that may become part of it, and what is known of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from noizenet.errors import SoundFileError
from noizenet.sound_file import ENDINGS


@dataclass(frozen=True)
class Source:
    """A file that may become part of the corpus.

    Attributes:
        about: what is known of the song, for the checkpoint's header: track, title, artist, licence.
        length_s: how long it should be; a file that ends before is cut short. 0 = not known.
    """

    path: Path
    about: dict[str, str] = field(default_factory=dict)
    length_s: float = 0.0


def named_sources(paths: Iterable[Path]) -> list[Source]:
    """Returns the files named, and those in the folders named.

    Raises:
        SoundFileError: a path doesn't exist, or there is no file.
    """
    paths = list(paths)
    found = find_files(paths)
    if not found:
        named = ", ".join(str(path) for path in paths)
        raise SoundFileError(f"no sound file was found in {named}; known endings are {' '.join(sorted(ENDINGS))}")
    return [Source(path) for path in found]


def find_files(paths: Iterable[Path]) -> list[Path]:
    """Returns the files named, and those of known ending in and below the folders named, sorted, once each.

    Raises:
        SoundFileError: a path doesn't exist.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(entry for entry in path.rglob("*") if entry.suffix.lower() in ENDINGS)
            entries = [entry for entry in inside if entry.is_file() and not entry.name.startswith("._")]
        elif path.exists():
            entries = [path]
        else:
            raise SoundFileError(f"{path} doesn't exist")
        for entry in entries:
            found.setdefault(entry.resolve(), entry)
    return list(found.values())
