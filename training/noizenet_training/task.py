"""What is asked of a training, and what it brought."""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from noizenet.errors import InputFileError, UsageError
from noizenet_training.learning.rounds import Budget
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.fma import FmaChoice

CHECKPOINT_ENDING = ".safetensors"


@dataclass(frozen=True)
class Task:
    """What is to be trained.

    Attributes:
        audio: files and folders.
        out: the checkpoint.
        recipe_name: for the header.
        budget: seconds, counted from the command's start, or updates.
        resume: go on from the resume file, if there is one.
        licence: terms of the corpus.
        attribution: whom to name.
        half: store the checkpoint in 16 bits.
        fma: tracks of FMA to learn from, instead of `audio`.
        songs: how many files, the first that can be used; 0 = all.
        seconds: of each file, from its beginning; 0 = all.
        preview: say how long it will take, render listening samples and a preview, and draw the losses.
    """

    audio: tuple[Path, ...]
    out: Path
    recipe_name: str
    recipe: Recipe
    budget: Budget
    seed: int = 0
    resume: bool = False
    licence: str = ""
    attribution: str = ""
    half: bool = False
    fma: FmaChoice | None = None
    songs: int = 0
    seconds: float = 0.0
    preview: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a training brought.

    Attributes:
        held_out: held-out loss of the weights that were kept.
        distance: of their playing from the corpus; None if it wasn't measured.
        scores: of what it plays beside the corpus; see `noizenet_training.judging.reference`; empty without a preview.
        verdict: what they mean in plain words; may be empty.
        afterwards_s: what writing, drawing and the preview took, beyond the training.
    """

    checkpoint: Path
    preview: Path | None
    picture: Path | None
    updates: int
    rounds: int
    minutes: float
    held_out: float
    distance: float | None
    skipped: tuple[str, ...]
    scores: dict[str, Any] = field(default_factory=dict)
    verdict: str = ""
    afterwards_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        paths = {"checkpoint": self.checkpoint, "picture": self.picture, "preview": self.preview}
        return asdict(self) | {name: str(path) if path else None for name, path in paths.items()}


def preview_path(checkpoint: Path) -> Path:
    """Returns where a preview of a checkpoint's playing is rendered to."""
    return checkpoint.with_suffix(".wav")


def check_writable(out: Path) -> None:
    """Returns if a checkpoint can be written.

    Raises:
        UsageError: the file's name doesn't end as a checkpoint's does.
        InputFileError: it is a folder, or its own folder is missing or can't be written to.
    """
    folder = out.parent
    if out.suffix != CHECKPOINT_ENDING:
        raise UsageError(f"can't write the checkpoint {out}: its name must end in {CHECKPOINT_ENDING}")
    if out.is_dir():
        raise InputFileError(f"can't write the checkpoint {out}: it is a folder")
    if not folder.is_dir():
        raise InputFileError(f"can't write the checkpoint {out}: the folder {folder} doesn't exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputFileError(f"can't write the checkpoint {out}: no permission to write in {folder}")
