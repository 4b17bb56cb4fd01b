"""The corpus: sound files mixed down, resampled, levelled, and split into a training and a held-out part."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from noizenet.errors import SoundFileError
from noizenet.sound_file import ENDINGS, read
from noizenet_training.recipe import Recipe
from noizenet_training.splitting import audible_parts, split_by_file, split_by_time

Array = NDArray[Any]

SILENCE_DBFS = -80.0  # a file whose peak lies below has nothing to learn from
SHORTEST_S = 0.5
FILE_PEAK = 0.7
USUAL_RATES = (8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True)
class CorpusFile:
    """One usable file: mono samples, float32 (samples,), at the corpus' rate."""

    path: Path
    samples: Array
    seconds: float
    sha256: str


@dataclass(frozen=True)
class Corpus:
    """What is learnt from.

    Attributes:
        files: in the order in which they were found.
        sample_rate: frames per second of all samples.
        training, held_out: contiguous stretches of samples, float32; none crosses a file's border or a silence.
        skipped: one sentence for each file that could not be used.
    """

    files: list[CorpusFile]
    sample_rate: int
    training: list[Array]
    held_out: list[Array]
    skipped: list[str]

    @property
    def seconds(self) -> float:
        """Length of all usable files."""
        return sum(file.seconds for file in self.files)

    def to_json(self) -> list[dict[str, Any]]:
        """Returns name, seconds and hash of each file, for the checkpoint's header."""
        return [
            {"name": file.path.name, "seconds": round(file.seconds, 3), "sha256": file.sha256} for file in self.files
        ]


def load_corpus(paths: Sequence[Path], recipe: Recipe) -> Corpus:
    """Returns the corpus of the files and folders named. Unusable files are skipped and listed in `skipped`.

    Raises:
        SoundFileError: a path doesn't exist, or nothing usable was found.
    """
    found = find_files(paths)
    if not found:
        named = ", ".join(str(path) for path in paths)
        raise SoundFileError(f"no sound file was found in {named}; known endings are {' '.join(sorted(ENDINGS))}")
    skipped: list[str] = []
    loaded: list[tuple[Path, Array, int, str]] = []
    for path in found:
        try:
            loaded.append(_load(path))
        except SoundFileError as error:
            skipped.append(str(error))
    if not loaded:
        raise SoundFileError(f"none of {len(found)} files can be used: {'; '.join(skipped[:3])}{_more(skipped, 3)}")
    sample_rate = recipe.sample_rate or _usual_rate(max(rate for _, _, rate, _ in loaded))
    files = []
    while loaded:  # each native-rate copy is let go as soon as its resampled one is made
        path, samples, rate, digest = loaded.pop(0)
        if rate != sample_rate:
            samples = librosa.resample(samples, orig_sr=rate, target_sr=sample_rate, res_type="soxr_hq")
        samples = np.ascontiguousarray(samples, np.float32)
        files.append(CorpusFile(path, samples, len(samples) / sample_rate, digest))
    _set_levels(files, recipe.level)
    heard = [audible_parts(file.samples, sample_rate, recipe.silence_db) for file in files]
    if recipe.split == "file":
        training, held_out = split_by_file(heard, recipe.held_out)
    else:
        training, held_out = split_by_time(heard, recipe.held_out, sample_rate)
    return Corpus(files, sample_rate, training, held_out, skipped)


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


def _load(path: Path) -> tuple[Path, Array, int, str]:
    """Returns path, mono samples, native rate and hash of a file worth using."""
    samples, rate = read(path)
    seconds = len(samples) / rate
    if seconds < SHORTEST_S:
        raise SoundFileError(f"{path} is too short: {seconds:.2f} s, at least {SHORTEST_S:g} s are needed")
    mono = librosa.to_mono(samples.T)
    # Some recorders add a constant offset: it would take its share of the level and of the loudest bins.
    mono = mono - np.mean(mono, dtype=np.float64).astype(np.float32)
    peak = float(np.abs(mono).max())
    if peak < 10.0 ** (SILENCE_DBFS / 20.0):
        raise SoundFileError(f"{path} is silent: its peak lies below {SILENCE_DBFS:g} dBFS")
    with path.open("rb") as file:
        return path, mono, rate, hashlib.file_digest(file, "sha256").hexdigest()


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
