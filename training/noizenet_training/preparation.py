"""What a training reads before its first update: the corpus, and its steps.

All of it goes through one shelf, so that a corpus of hours needs no more memory than one of minutes.
"""

from typing import Any

from numpy.typing import NDArray

from noizenet.codecs import Codec
from noizenet.errors import SoundFileError, UsageError
from noizenet_training.following import usable_cores
from noizenet_training.learning.batches import encode_stretches, shifted
from noizenet_training.listening import is_sample_of
from noizenet_training.progress import Reporter
from noizenet_training.sounds.corpus import Corpus, load_sources
from noizenet_training.sounds.fma import fma_sources
from noizenet_training.sounds.shelf import Shelf
from noizenet_training.sounds.sources import named_sources
from noizenet_training.task import Task, preview_path

Array = NDArray[Any]


def read_corpus(task: Task, report: Reporter, shelf: Shelf) -> Corpus:
    """Returns the corpus, after saying which files are of no use."""
    sources = fma_sources(task.fma, task.songs) if task.fma else named_sources(task.audio)
    corpus = load_sources(sources, task.recipe, task.songs, task.seconds, shelf)
    preview = preview_path(task.out)
    if any(file.path.resolve() == preview.resolve() for file in corpus.files):
        raise UsageError(f"the preview would overwrite {preview}, which is part of the corpus: choose another --out")
    for file in corpus.files:
        if is_sample_of(task.out, file.path):
            raise UsageError(
                f"listening samples would replace {file.path}, which is part of the corpus: choose another --out"
            )
    for sentence in corpus.skipped:
        report.say(f"skipped: {sentence}")
    return corpus


def encoded_steps(codec: Codec, corpus: Corpus, context: int, shelf: Shelf) -> tuple[list[Array], list[Array]]:
    """Returns the steps of the training and of the held-out stretches."""
    training, held_out = (
        encode_stretches(codec, stretches, context, shelf, usable_cores())
        for stretches in (corpus.training, corpus.held_out)
    )
    if not training or not held_out:
        raise SoundFileError(
            f"the corpus is too short: its {corpus.seconds:.1f} s don't make a training and a held-out part; "
            "add sound, or hold out more with --set held_out=0.3"
        )
    return training, held_out


def shifted_steps(codec: Codec, corpus: Corpus, shifts: int, shelf: Shelf) -> list[Array]:
    """Returns the steps of the shifted readings of the training stretches; see `shifted`."""
    return encode_stretches(codec, shifted(codec, corpus.training, shifts), 0, shelf, usable_cores())
