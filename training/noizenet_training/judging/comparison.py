"""`noizenet evaluate`: the figures of one sound beside those of white noise and of the corpus itself."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.codecs import steps_per_second
from noizenet.inspection import describe
from noizenet.sound_file import read, read_mono
from noizenet_training.judging.collapse import Collapse, steps_until_collapse
from noizenet_training.judging.evaluation import RMS, Reference, Score
from noizenet_training.judging.rendering import render
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.corpus import load_corpus
from noizenet_training.sounds.splitting import audible_parts

Array = NDArray[Any]

CHECKPOINT_ENDING = ".safetensors"
CORPUS = "corpus"
FIDELITY = "fidelity (1 = as near as the corpus to itself)"


@dataclass(frozen=True)
class Subject:
    """What is compared with its corpus.

    Attributes:
        heard: as a listener hears it, float32 (samples,).
        raw: as the network puts it out: a constant stays one, while the safety chain would let it fade away.
        step_rate: steps of the network in a second; of a sound file, samples.
        corpus_s: length of what it was trained on; 0 if that is not known.
    """

    heard: Array
    raw: Array
    sample_rate: int
    step_rate: float
    corpus_s: float

    def collapse_of(self, samples: Array, deviation: float, corpus_s: float) -> Collapse | None:
        """Returns where samples (n,), at the subject's rates, get stuck for the rest; None if nowhere.

        Args:
            deviation: of what the network was primed with.
            corpus_s: length of the corpus, for the share.
        """
        place = steps_until_collapse(samples, deviation, self.sample_rate)
        if place is None:
            return None
        seconds = place / self.sample_rate
        return Collapse(int(seconds * self.step_rate + 1e-6), seconds, seconds / corpus_s)


def compare(subject: Path, corpus: Sequence[Path], seconds: float, seed: int, prime: str = CORPUS) -> list[Score]:
    """Returns the figures of a checkpoint's playing or of a sound file, of white noise, and of the corpus.

    Args:
        subject: a checkpoint, of which `seconds` are rendered; or a sound file, heard whole.
        prime: what the checkpoint hears before it plays; see `render`.

    Raises:
        CheckpointError: the checkpoint is refused, or can't be rendered.
        SoundFileError: a file can't be read, or the corpus is too short.
    """
    found = _subject(subject, seconds, seed, prime)
    # As they are, at the subject's rate: what it can't hold because of its rate isn't held against it.
    recipe = Recipe(sample_rate=found.sample_rate, level="corpus")
    known = load_corpus(corpus, recipe)
    reference = Reference([file.samples for file in known.files], found.sample_rate)
    # A recording that ends in silence isn't stuck there: what counts is the music.
    parts = [part for file in known.files for part in audible_parts(file.samples, known.sample_rate, recipe.silence_db)]
    music = np.concatenate(parts)
    deviation = float(music.std())
    primed = float(read_mono(Path(prime), found.sample_rate).std()) if Path(prime).is_file() else 0.0
    corpus_s = found.corpus_s or known.seconds
    noise = (RMS * np.random.default_rng(seed).standard_normal(len(found.heard))).astype(np.float32)
    return [
        reference.score(subject.name, found.heard, found.collapse_of(found.raw, primed or deviation, corpus_s)),
        reference.score("white noise", noise, found.collapse_of(noise, RMS, corpus_s)),
        replace(reference.own_score, collapse=found.collapse_of(music, deviation, corpus_s)),
    ]


def table(scores: Sequence[Score]) -> str:
    """Returns the figures as lines of text."""
    width = max(len(entry.name) for entry in scores)
    heads = f"{'':<{width}}  seconds  survival  {FIDELITY}  stuck for the rest after"
    return "\n".join([heads, *(f"{entry.name:<{width}}  {_figures(entry)}" for entry in scores)])


def _figures(entry: Score) -> str:
    # a figure that is NaN can't be given: the sound is too short for it
    survival = "-" if entry.survival != entry.survival else f"{entry.survival:.0%}"
    fidelity = "-" if entry.fidelity != entry.fidelity else f"{entry.fidelity:.2f}"
    stuck = "never"
    if entry.collapse:
        stuck = (
            f"{entry.collapse.steps:,} steps, {entry.collapse.seconds:.3f} s, {entry.collapse.share:.2%} of the corpus"
        )
    return f"{entry.seconds:7.1f}  {survival:>8}  {fidelity:<{len(FIDELITY)}}  {stuck}"


def _subject(path: Path, seconds: float, seed: int, prime: str) -> Subject:
    """Returns what a checkpoint plays, or what is in a sound file."""
    if path.suffix.lower() != CHECKPOINT_ENDING:
        samples, sample_rate = read(path, finite=False)
        mono = samples.mean(axis=1)
        return Subject(mono, mono, sample_rate, sample_rate, 0.0)
    checkpoint = Checkpoint.load(path)  # names what is wrong with it, before anything is rendered
    with tempfile.TemporaryDirectory() as folder:
        heard, raw = (Path(folder) / f"{name}.wav" for name in ("heard", "raw"))
        render(path, heard, seconds, seed, prime=prime)
        render(path, raw, seconds, seed, prime=prime, raw=True)
        samples, sample_rate = read(heard, finite=False)
        unchanged, _ = read(raw, finite=False)
    corpus_s = float(describe(checkpoint, 0)["corpus"]["seconds"])
    step_rate = steps_per_second(checkpoint.codec)
    return Subject(samples.mean(axis=1), unchanged.mean(axis=1), sample_rate, step_rate, corpus_s)
