"""FMA, the data set of the paper: which of its tracks to learn from.

Described in "FMA: A Dataset For Music Analysis" (Defferrard, Benzi, Vandergheynst, Bresson, 2017). Its table
fma_metadata/tracks.csv has a header of two rows; its sound lies in folders fma_small, fma_medium, fma_large (clips
of thirty seconds) and fma_full (whole tracks), as 000/000002.mp3 for track 2. Each subset is part of the larger
ones, so that a track is looked for in all the folders there are.

Tracks are taken in the order of their numbers, as the paper's author did, and not drawn by the seed: trainings
that differ in the seed are to differ in nothing else.
"""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from noizenet.errors import InputFileError, UsageError
from noizenet.protocol import suggest
from noizenet.sound_file import ENDINGS
from noizenet_training.sounds.sources import Source

if TYPE_CHECKING:
    from pandas import DataFrame, Series

SUBSETS = ("small", "medium", "large", "full")  # each is part of those after it
CLIP_S = 30.0  # of all folders but fma_full
LOSSLESS = (".flac", ".wav")  # come first where a track lies there twice
COLUMNS = {
    "subset": ("set", "subset"),
    "genre": ("track", "genre_top"),
    "duration": ("track", "duration"),
    "title": ("track", "title"),
    "artist": ("artist", "name"),
    "licence": ("track", "license"),
}
MOST_GENRES = 20  # listed in an error


@dataclass(frozen=True)
class FmaChoice:
    """Which tracks of FMA.

    Attributes:
        folder: holds fma_metadata/tracks.csv, or tracks.csv, and the folders of sound; or is tracks.csv itself.
        genre: the track's top genre, as in the table, in upper or lower case; "" = any.
        subset: one of `SUBSETS`.
    """

    folder: Path
    genre: str = ""
    subset: str = SUBSETS[0]


def fma_sources(choice: FmaChoice, songs: int = 0) -> list[Source]:
    """Returns the tracks that are chosen and whose files are there, by track number.

    Args:
        songs: how many are needed; 0 = any number.

    Raises:
        InputFileError: there is no table, it can't be read, or there is no file of sound.
        UsageError: the genre doesn't exist, or has fewer tracks than are needed.
    """
    table_path = _find_table(choice.folder)
    root = table_path.parent.parent if table_path.parent.name == "fma_metadata" else table_path.parent
    files = _find_sound(root, choice.subset)
    table = read_table(table_path)
    here = table[table.index.isin(files)]
    if here.empty:
        raise InputFileError(f"none of the {len(files)} sound files below {root} is of a track in {table_path}")
    chosen = here[_is_of_subset(here, choice.subset)]
    genre = ""
    if choice.genre:
        genre = _find_genre(choice, here, chosen)
        chosen = chosen[chosen["genre"] == genre]
    if len(chosen) < max(songs, 1):
        of_genre = f" of the genre {genre}" if genre else ""
        raise UsageError(
            f"--songs {max(songs, 1)} is more than there are: {root} has the sound of {len(chosen)} tracks{of_genre} "
            f"in the subset {choice.subset}"
        )
    return [_source(int(number), row, files[int(number)]) for number, row in chosen.to_dict("index").items()]


def read_table(path: Path) -> "DataFrame":
    """Returns what is needed of tracks.csv: the columns of `COLUMNS` as text, by track number, sorted.

    Only these are read: the published table has 52 columns and 260 MB.

    Raises:
        InputFileError: it can't be read, or isn't that table.
    """
    import pandas as pd

    try:
        header = list(pd.read_csv(path, header=[0, 1], index_col=0, nrows=0).columns)
        missing = [" ".join(column) for column in COLUMNS.values() if column not in header]
        if missing:
            raise InputFileError(f"{path} is not FMA's tracks.csv: it has no column {', '.join(missing)}")
        # pandas doesn't choose columns below a header of two rows: they are chosen by place. Empty cells stay
        # empty, and a song called NA keeps its title.
        places = {0: "track"} | {header.index(column) + 1: name for name, column in COLUMNS.items()}
        table = pd.read_csv(path, header=None, skiprows=2, usecols=list(places), dtype=str, keep_default_na=False)
    except OSError as error:
        raise InputFileError(f"can't read {path}: {error.strerror}") from None
    except (ValueError, UnicodeDecodeError) as error:  # pandas' own errors are ValueErrors
        reason = str(error).strip().splitlines()[0]
        raise InputFileError(f"{path} is not FMA's tracks.csv: {reason}") from None
    table = table.rename(columns=places)
    numbers = pd.to_numeric(table.pop("track"), errors="coerce")  # not one: the row that names the index
    table = table[numbers.notna()].set_index(numbers[numbers.notna()].astype(int))
    return table[~table.index.duplicated()].sort_index()


def _find_table(folder: Path) -> Path:
    places = [folder] if folder.is_file() else [folder / "fma_metadata" / "tracks.csv", folder / "tracks.csv"]
    for place in places:
        if place.is_file():
            return place
    raise InputFileError(
        f"there is no {' and no '.join(str(place) for place in places)}: FMA's table of tracks is in fma_metadata.zip "
        'of the data set that "FMA: A Dataset For Music Analysis" describes (github.com/mdeff/fma); unpack it there'
    )


def _find_sound(root: Path, subset: str) -> dict[int, Path]:
    """Returns the file of each track number, from the subset's own folder where it has it.

    After it come the larger subsets, which have all of it, then the smaller ones, the nearest first.
    """
    wanted = SUBSETS.index(subset)
    folders = [root / f"fma_{name}" for name in (*SUBSETS[wanted:], *reversed(SUBSETS[:wanted]))]
    files: dict[int, Path] = {}
    for folder in folders:
        found = [path for path in folder.glob("[0-9][0-9][0-9]/*") if path.suffix.lower() in ENDINGS]
        for path in sorted(found, key=lambda path: (path.suffix.lower() not in LOSSLESS, path.name)):
            if path.stem.isdecimal():
                files.setdefault(int(path.stem), path)
    if not files:
        raise InputFileError(
            f"there is no sound in {root}: none of {', '.join(folder.name for folder in folders)} holds files such as "
            f"000/000002.mp3; unpack fma_{subset}.zip there"
        )
    return files


def _is_of_subset(table: "DataFrame", subset: str) -> "Series[bool]":
    """Returns for each track whether it is in a subset; the table names the smallest one that it is in."""
    return table["subset"].isin(SUBSETS[: SUBSETS.index(subset) + 1]) | (subset == SUBSETS[-1])


def _find_genre(choice: FmaChoice, here: "DataFrame", chosen: "DataFrame") -> str:
    """Returns the genre as the table spells it."""
    counts = Counter(genre for genre in chosen["genre"] if genre)
    spelled: dict[str, str] = {genre.casefold(): genre for genre in counts}
    wanted = choice.genre.casefold()
    if wanted in spelled:
        return spelled[wanted]
    listed = ", ".join(f"{genre} ({count})" for genre, count in counts.most_common(MOST_GENRES))
    larger = Counter(genre.casefold() for genre in here["genre"])[wanted]
    near = suggest(choice.genre, counts)
    hint = f"; a larger subset has {larger}: see --subset" if larger else near
    raise UsageError(
        f"no track in the subset {choice.subset} of {choice.folder} is of the genre {choice.genre!r}{hint}; "
        f"there are {listed or 'none with a genre'}"
    )


def _source(number: int, row: dict[str, str], path: Path) -> Source:
    """Returns a track as a source of the corpus."""
    about = {"track": str(number), "title": row["title"], "artist": row["artist"], "licence": row["licence"]}
    try:
        duration_s = float(row["duration"])
    except ValueError:
        duration_s = 0.0
    is_clip = path.parent.parent.name != f"fma_{SUBSETS[-1]}"
    length_s = duration_s if math.isfinite(duration_s) else 0.0
    return Source(path, about, min(length_s, CLIP_S) if is_clip else length_s)
