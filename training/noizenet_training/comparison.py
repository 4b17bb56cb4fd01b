"""`noizenet evaluate`: the figures of one sound beside those of white noise and of the corpus itself."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.sound_file import read
from noizenet_training.corpus import load_corpus
from noizenet_training.evaluation import RMS, Reference, Score
from noizenet_training.recipe import Recipe
from noizenet_training.rendering import render

Array = NDArray[Any]

CHECKPOINT_ENDING = ".safetensors"


def compare(subject: Path, corpus: Sequence[Path], seconds: float, seed: int) -> list[Score]:
    """Returns the figures of a checkpoint's playing or of a sound file, of white noise, and of the corpus.

    Args:
        subject: a checkpoint, of which `seconds` are rendered; or a sound file, heard whole.

    Raises:
        CheckpointError: the checkpoint is refused, or can't be rendered.
        SoundFileError: a file can't be read, or the corpus is too short.
    """
    samples, sample_rate = _heard(subject, seconds, seed)
    # As they are, at the subject's rate: what it can't hold because of its rate isn't held against it.
    known = load_corpus(corpus, Recipe(sample_rate=sample_rate, level="corpus"))
    reference = Reference([file.samples for file in known.files], sample_rate)
    noise = RMS * np.random.default_rng(seed).standard_normal(len(samples))
    return [
        reference.score(subject.name, samples),
        reference.score("white noise", noise.astype(np.float32)),
        reference.own_score,
    ]


def table(scores: Sequence[Score]) -> str:
    """Returns the figures as lines of text."""
    width = max(len(entry.name) for entry in scores)
    lines = [f"{'':<{width}}  seconds  survival  fidelity (1 = as near as the corpus to itself)"]
    lines += [
        f"{entry.name:<{width}}  {entry.seconds:7.1f}  {entry.survival:8.0%}  {entry.fidelity:8.2f}" for entry in scores
    ]
    return "\n".join(lines)


def _heard(subject: Path, seconds: float, seed: int) -> tuple[Array, int]:
    """Returns the subject's samples, (samples,), and rate."""
    if subject.suffix.lower() != CHECKPOINT_ENDING:
        samples, sample_rate = read(subject, finite=False)
        return samples.mean(axis=1), sample_rate
    Checkpoint.load(subject)  # names what is wrong with it, before anything is rendered
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rendered.wav"
        render(subject, out, seconds, seed)
        samples, sample_rate = read(out, finite=False)
    return samples.mean(axis=1), sample_rate
