"""The corpus: sound files resampled, levelled, and split into a training and a held-out part.

For the codec `tokens`, what is stereo stays so; any other codec hears the mean of the channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import SoundFileError, UsageError
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.excerpts import heard_parts
from noizenet_training.sounds.reading import load, resampled
from noizenet_training.sounds.shelf import Shelf, in_pieces, peak
from noizenet_training.sounds.sources import Source, named_sources
from noizenet_training.sounds.splitting import audible_parts, split_by_file, split_by_time

Array = NDArray[Any]

FILE_PEAK = 0.7
STEREO_CODECS = ("tokens",)
PAUSE_S = 1.5
USUAL_RATES = (8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True)
class CorpusFile:
    """One usable file at the corpus' rate; `about` is as in `Source`.

    Attributes:
        samples: float32 (samples,), or (samples, 2) of a stereo corpus.
    """

    path: Path
    samples: Array
    seconds: float
    sha256: str
    about: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Corpus:
    """What is learnt from.

    Attributes:
        files: in the order in which they were found.
        sample_rate: frames per second of all samples.
        remembered: stretches as those below, with up to `PAUSE_S` of a silence on either side: pauses are music, too.
        training, held_out: contiguous stretches of samples, as those of `files`; none crosses a file's border or a
            silence.
        skipped: one sentence for each file that could not be used.
    """

    files: list[CorpusFile]
    sample_rate: int
    remembered: list[Array]
    training: list[Array]
    held_out: list[Array]
    skipped: list[str]

    @property
    def channels(self) -> int:
        """1 or 2, of all samples."""
        return 1 if self.files[0].samples.ndim == 1 else 2

    @property
    def seconds(self) -> float:
        """Length of all usable files."""
        return sum(file.seconds for file in self.files)

    def heard(self, seconds: float) -> list[Array]:
        """Returns what a sound is compared with, in mono: all files, or a fair choice of so many seconds.

        See `excerpts.heard_parts`.
        """
        files = [file.samples for file in self.files]
        return heard_parts(files, self.remembered, self.sample_rate, seconds)

    @property
    def licence(self) -> str:
        """The terms that are known of its songs, each once."""
        return "; ".join(dict.fromkeys(file.about["licence"] for file in self.files if file.about.get("licence")))

    @property
    def attribution(self) -> str:
        """Title, artist and number of each song of which they are known."""
        return "; ".join(
            f"{file.about['title'] or 'untitled'} by {file.about['artist'] or 'an unknown artist'} "
            f"(FMA track {file.about['track']})"
            for file in self.files
            if file.about
        )

    def to_json(self) -> list[dict[str, Any]]:
        """Returns name, seconds, hash, and what else is known of each file, for the checkpoint's header."""
        return [
            {"name": file.path.name, "seconds": round(file.seconds, 3), "sha256": file.sha256} | file.about
            for file in self.files
        ]


def load_corpus(paths: Sequence[Path], recipe: Recipe, songs: int = 0, seconds: float = 0.0) -> Corpus:
    """Returns the corpus of the files and folders named; see `load_sources`.

    Raises:
        SoundFileError: a path doesn't exist, or nothing usable was found.
        UsageError: fewer files can be used than are asked for.
    """
    return load_sources(named_sources(paths), recipe, songs, seconds)


def load_sources(
    sources: Sequence[Source], recipe: Recipe, songs: int = 0, seconds: float = 0.0, shelf: Shelf | None = None
) -> Corpus:
    """Returns the corpus of the first files that can be used. Others are skipped and listed in `skipped`.

    Args:
        songs: how many files; 0 = all.
        seconds: of each file, from its beginning; 0 = all.
        shelf: what keeps the samples; None = one of its own.

    Raises:
        SoundFileError: no file can be used.
        InputFileError: there is no room to keep it.
        UsageError: fewer than `songs` can.
    """
    if songs > len(sources):
        raise UsageError(f"--songs {songs} is more than there are files: {len(sources)}")
    skipped: list[str] = []
    stereo = recipe.codec in STEREO_CODECS and recipe.channels != 1
    shelf = shelf or Shelf()
    loaded: list[tuple[Source, Array, int, str]] = []
    for source in sources:
        try:
            loaded.append(load(source, seconds, stereo, shelf))
        except SoundFileError as error:
            skipped.append(str(error))
        if songs and len(loaded) == songs:
            break
    if not loaded:
        raise SoundFileError(f"none of {len(sources)} files can be used: {'; '.join(skipped[:3])}{_more(skipped, 3)}")
    if len(loaded) < songs:
        raise UsageError(
            f"--songs {songs} is more than can be used: {len(loaded)} of {len(sources)} files, for "
            f"{'; '.join(skipped[:3])}{_more(skipped, 3)}"
        )
    sample_rate = recipe.sample_rate or _usual_rate(max(rate for _, _, rate, _ in loaded))
    stereo = stereo and (recipe.channels == 2 or any(samples.ndim > 1 for _, samples, _, _ in loaded))
    files = []
    while loaded:  # each native-rate copy is let go as soon as its resampled one is made
        source, samples, rate, digest = loaded.pop(0)
        if rate != sample_rate:
            samples = shelf.keep(resampled(samples, rate, sample_rate))
        if stereo and samples.ndim == 1:
            samples = shelf.keep(np.stack([piece, piece], axis=1) for piece in in_pieces(samples))
        files.append(CorpusFile(source.path, samples, len(samples) / sample_rate, digest, source.about))
    _set_levels(files, recipe.level)
    heard = [audible_parts(file.samples, sample_rate, recipe.silence_db) for file in files]
    if recipe.split == "file":
        training, held_out = split_by_file(heard, recipe.held_out)
    else:
        training, held_out = split_by_time(heard, recipe.held_out, sample_rate)
    remembered = [
        part for file in files for part in audible_parts(file.samples, sample_rate, recipe.silence_db, PAUSE_S)
    ]
    return Corpus(files, sample_rate, remembered, training, held_out, skipped)


def _usual_rate(highest: int) -> int:
    """Returns the lowest usual rate that isn't below the corpus' highest, or the highest usual one."""
    return next((rate for rate in USUAL_RATES if rate >= highest), USUAL_RATES[-1])


def _set_levels(files: list[CorpusFile], level: str) -> None:
    """Scales the samples in place."""
    peaks = [peak(file.samples) for file in files]
    loudest = max(peaks)
    for file, own in zip(files, peaks, strict=True):
        factor = np.float32(FILE_PEAK / own if level == "file" else 1.0 / max(loudest, 1.0))
        if factor != 1.0:
            for piece in in_pieces(file.samples):
                piece *= factor


def _more(sentences: Sequence[str], shown: int) -> str:
    return f"; and {len(sentences) - shown} more" if len(sentences) > shown else ""
