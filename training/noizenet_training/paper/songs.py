"""The songs of the experiments: the longest of a corpus, one of them never trained on, all in one simple form.

Each is written once as FLAC, mono, at the paper's sample rate, from its first sound on: so an excerpt of a tenth of a
second holds music, and a hundred trainings don't decode the same file a hundred times.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noizenet.errors import InputFileError, SoundFileError, UsageError
from noizenet_training.sounds.splitting import split_by_file

RATE = 22_050
ONSET = 0.03  # of the peak: where a song begins to sound
MOST_S = 300.0  # of a song
LEAST_SHARE = 0.01  # of a corpus that `held_out` can ask for


@dataclass(frozen=True)
class Song:
    """A song as the experiments use it: `path` is the copy, `seconds` its length."""

    name: str
    path: Path
    seconds: float


@dataclass(frozen=True)
class Library:
    """The songs to train on, and the one that no network is trained on.

    Attributes:
        songs: to train on, the first `usual` of them as a rule.
        skipped: one sentence for each file that could not be used.
    """

    songs: tuple[Song, ...]
    unseen: Song
    usual: int
    skipped: tuple[str, ...]

    def to_train(self, count: int, with_unseen: bool) -> tuple[Path, ...]:
        """Returns the first songs, and the unseen one at the place of the file that `split=file` holds out."""
        paths = [song.path for song in self.songs[:count]]
        if with_unseen:
            places = [np.array([place]) for place in range(len(paths) + 1)]
            _, held_out = split_by_file([[place] for place in places], LEAST_SHARE)
            paths.insert(int(held_out[0][0]), self.unseen.path)
        return tuple(paths)


def gather_songs(corpus: Sequence[Path], folder: Path, usual: int, most: int) -> Library:
    """Returns the longest songs of a corpus: `usual` to train on, the next one unseen, then more to train on.

    Args:
        corpus: files and folders.
        folder: for the copies.
        most: songs to train on, if there are so many.

    Raises:
        SoundFileError: a path doesn't exist, or holds no sound.
        UsageError: there are less than two songs that can be used.
        InputFileError: the folder can't be written to.
    """
    from noizenet_training.sounds.sources import named_sources

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputFileError(f"can't write to {folder}: {error.strerror}") from None
    found: list[Song] = []
    skipped = []
    by_length = sorted(named_sources(corpus), key=lambda source: _length_s(source.path), reverse=True)
    for source in by_length:
        try:
            found.append(_copied(source.path, folder))
        except SoundFileError as error:
            skipped.append(str(error))
        if len(found) > most:
            break
    if len(found) < 2:
        why = f": {skipped[0]}" if skipped else ""
        raise UsageError(
            f"{len(found)} song can be used; the experiments need at least two, one of them to be unseen{why}"
        )
    usual = min(usual, len(found) - 1)
    unseen = found.pop(usual)
    return Library(tuple(found), unseen, usual, tuple(skipped))


def _length_s(path: Path) -> float:
    """Returns a file's length as its header tells, 0 if libsndfile doesn't know it: such files come last."""
    import soundfile

    try:
        about = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError):
        return 0.0
    return float(about.duration)


def _copied(path: Path, folder: Path) -> Song:
    """Returns the song of a file, copied unless it was before.

    Raises:
        SoundFileError: the file can't be read, or is silent.
    """
    import soundfile

    from noizenet.sound_file import read_mono

    told = path.stat()
    digest = hashlib.sha256(f"{path.resolve()} {told.st_size} {told.st_mtime_ns}".encode()).hexdigest()[:6]
    copy = folder / f"{path.stem}-{digest}.flac"
    if not copy.exists():
        samples = read_mono(path, RATE)
        samples = samples - samples.mean()
        peak = float(np.abs(samples).max())
        if peak < 1e-4:
            raise SoundFileError(f"{path} is silent: its peak lies below -80 dBFS")
        first = int(np.flatnonzero(np.abs(samples) >= ONSET * peak)[0])
        kept = samples[first : first + round(MOST_S * RATE)] / max(peak, 1.0)
        if len(kept) < RATE // 2:
            raise SoundFileError(f"{path} is too short: {len(kept) / RATE:.2f} s from its first sound on")
        partial = copy.with_suffix(".part")
        soundfile.write(partial, kept, RATE, subtype="PCM_24", format="FLAC")
        partial.replace(copy)
    return Song(path.name, copy, float(soundfile.info(copy).duration))
