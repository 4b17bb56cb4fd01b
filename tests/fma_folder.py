"""A folder in the layout of FMA, the data set, with a small table and small mp3 files."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from making import melody, write_sound

RATE = 22050
# as in the published table: the first column has no name, a third row names it, and there are columns of no use
HEADER = [
    ["", "album", "album", "artist", "set", "set", "track", "track", "track", "track"],
    ["", "comments", "title", "name", "split", "subset", "duration", "genre_top", "license", "title"],
    ["track_id", *[""] * 9],
]


@dataclass(frozen=True)
class Row:
    """A track of the table."""

    number: int
    genre: str
    subset: str
    title: str = "Food"
    duration: str = "168"

    def cells(self) -> list[str]:
        licence = "Attribution-NonCommercial-ShareAlike 3.0 International"
        album = 'an album,\nof "two" lines'
        return [
            str(self.number),
            "0",
            album,
            "AWOL",
            "training",
            self.subset,
            self.duration,
            self.genre,
            licence,
            self.title,
        ]


ROWS = [
    Row(2, "Hip-Hop", "small"),
    Row(10, "Instrumental", "small", "NA"),  # no missing value: a title
    Row(141, "Instrumental", "small", "1999", "3"),
    Row(140, "Instrumental", "small", "Größe"),
    Row(1500, "Instrumental", "small"),
    Row(1501, "Instrumental", "medium"),
    Row(2000, "Jazz", "large"),
    Row(2001, "", "large"),
]


def make_fma(folder: Path, rows: list[Row] = ROWS, subfolder: str = "fma_small", seconds: float = 3.0) -> Path:
    """Returns a folder with the table of the rows, and an mp3 for each."""
    (folder / "fma_metadata").mkdir(parents=True, exist_ok=True)
    with (folder / "fma_metadata" / "tracks.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*HEADER, *(replace(row, duration=f"{seconds:g}").cells() for row in rows)])
    for row in rows:
        write_sound(track_path(folder, row.number, subfolder), melody(seconds, RATE, row.number), RATE)
    return folder


def track_path(folder: Path, number: int, subfolder: str = "fma_small", ending: str = "mp3") -> Path:
    """Returns where a track's file lies; the folders down to it are made."""
    name = f"{number:06d}"
    path = folder / subfolder / name[:3] / f"{name}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
