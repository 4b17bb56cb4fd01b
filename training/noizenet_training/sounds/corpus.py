"""The corpus: sound files resampled, levelled, and split into a training and a held-out part.

For the codec `tokens`, what is stereo stays so; any other codec hears the mean of the channels.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from noizenet.errors import SoundFileError, UsageError
from noizenet.sound_file import mixed, read
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.sources import Source, named_sources
from noizenet_training.sounds.splitting import audible_parts, split_by_file, split_by_time

Array = NDArray[Any]

SILENCE_DBFS = -80.0  # a file whose peak lies below has nothing to learn from
SHORTEST_S = 0.5
WHOLE = 0.9  # of a known length: a file with less of it is cut short
FILE_PEAK = 0.7
STEREO_CODECS = ("tokens",)
PAUSE_S = 1.5
WIDE_DB = -60.0  # of the side beside all: with less, both channels hold the same
MIDDLE, SIDE = np.array([0.5, 0.5], np.float32), np.array([0.5, -0.5], np.float32)
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

    @property
    def mono(self) -> Array:
        """The mean of the channels, (samples,): what is judged and drawn."""
        return mixed(self.samples)


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


def load_sources(sources: Sequence[Source], recipe: Recipe, songs: int = 0, seconds: float = 0.0) -> Corpus:
    """Returns the corpus of the first files that can be used. Others are skipped and listed in `skipped`.

    Args:
        songs: how many files; 0 = all.
        seconds: of each file, from its beginning; 0 = all.

    Raises:
        SoundFileError: no file can be used.
        UsageError: fewer than `songs` can.
    """
    if songs > len(sources):
        raise UsageError(f"--songs {songs} is more than there are files: {len(sources)}")
    skipped: list[str] = []
    stereo = recipe.codec in STEREO_CODECS and recipe.channels != 1
    loaded: list[tuple[Source, Array, int, str]] = []
    for source in sources:
        try:
            loaded.append(_load(source, seconds, stereo))
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
            samples = librosa.resample(samples, orig_sr=rate, target_sr=sample_rate, res_type="soxr_hq", axis=0)
        if stereo and samples.ndim == 1:
            samples = np.stack([samples, samples], axis=1)
        samples = np.ascontiguousarray(samples, np.float32)
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


def _load(source: Source, longest_s: float, stereo: bool) -> tuple[Source, Array, int, str]:
    """Returns samples, native rate and hash of a file worth using; `longest_s` of it, if not 0.

    Args:
        stereo: keep two channels, (samples, 2), of a file that has two that differ.
    """
    path = source.path
    with _silent_decoder():
        samples, rate = read(path)
    seconds = len(samples) / rate
    length_s = min(source.length_s, longest_s or source.length_s)
    if seconds < WHOLE * length_s:
        raise SoundFileError(f"{path} is cut short: it holds {seconds:.1f} s of {length_s:.1f} s")
    if seconds < SHORTEST_S:
        raise SoundFileError(f"{path} is too short: {seconds:.2f} s, at least {SHORTEST_S:g} s are needed")
    if longest_s:  # however little of it: the paper trains on a tenth of a second
        samples = samples[: max(1, round(longest_s * rate))]
    if not (stereo and samples.shape[1] == 2):
        samples = mixed(samples)
    # Some recorders add a constant offset: it would take its share of the level and of the loudest bins.
    samples = samples - np.mean(samples, axis=0, dtype=np.float64).astype(np.float32)
    if samples.ndim > 1 and not _is_wide(samples):
        samples = mixed(samples)
    peak = float(np.abs(samples).max())
    if peak < 10.0 ** (SILENCE_DBFS / 20.0):
        raise SoundFileError(f"{path} is silent: its peak lies below {SILENCE_DBFS:g} dBFS")
    with path.open("rb") as file:
        return source, samples, rate, hashlib.file_digest(file, "sha256").hexdigest()


def _is_wide(samples: Array) -> bool:
    """Returns whether the difference of two channels (samples, 2) can be heard beside their sum."""
    middle, side = (float(np.square(samples @ half, dtype=np.float64).mean()) for half in (MIDDLE, SIDE))
    return bool(side > (middle + side) * 10.0 ** (WIDE_DB / 10.0))


@contextmanager
def _silent_decoder() -> Iterator[None]:
    """Keeps what is written to standard error from the user: libsndfile's mp3 decoder comments on every fault.

    The faults that matter are said in one sentence once the file is read.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _usual_rate(highest: int) -> int:
    """Returns the lowest usual rate that isn't below the corpus' highest, or the highest usual one."""
    return next((rate for rate in USUAL_RATES if rate >= highest), USUAL_RATES[-1])


def _set_levels(files: list[CorpusFile], level: str) -> None:
    """Scales the samples in place."""
    if level == "file":
        for file in files:
            file.samples[:] *= FILE_PEAK / np.abs(file.samples).max()
        return
    peak = max(float(np.abs(file.samples).max()) for file in files)
    if peak > 1.0:
        for file in files:
            file.samples[:] /= peak


def _more(sentences: Sequence[str], shown: int) -> str:
    return f"; and {len(sentences) - shown} more" if len(sentences) > shown else ""
