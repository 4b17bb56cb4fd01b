"""Listening while a network is being trained: every few minutes a sample of its playing, judged beside the corpus.

A sample is rendered from the best weights so far by the project's own command, so that it is what a performer would
hear. Only the latest is kept, beside the checkpoint; its figures stay in the checkpoint's header. The time that it
takes is part of the training's budget.
"""

import re
import tempfile
from pathlib import Path

from noizenet.errors import InputFileError, SoundFileError
from noizenet.sound_file import read_mono
from noizenet_training.checkpoint_writing import CheckpointWriter
from noizenet_training.judging.reference import Reference, Score
from noizenet_training.judging.rendering import render
from noizenet_training.judging.words import figures_in_words
from noizenet_training.learning.fitting import Fitting
from noizenet_training.learning.rounds import Budget
from noizenet_training.progress import Reporter
from noizenet_training.sounds.corpus import Corpus

LISTEN_EVERY_S = 180.0
SAMPLE_S = 30.0  # long enough for a judgement of what is always the same
MOST_JUDGED_S = 300.0  # of what goes about in a memory, which takes as long as its corpus
COMPARED_S = 1200.0  # of the corpus: longer ones are compared with pieces from all over
FIRST_GUESS_S = 20.0  # that a sample takes, before one was made
MINUTE = re.compile(r"\.minute-\d+\.wav")


def sample_path(checkpoint: Path, minute: int) -> Path:
    """Returns where the sample of a minute lies: `mine.minute-3.wav` beside `mine.safetensors`."""
    return checkpoint.with_suffix(f".minute-{minute}.wav")


def is_sample_of(checkpoint: Path, sound: Path) -> bool:
    """Returns whether a sound file has the name of a listening sample of a checkpoint."""
    rest = sound.name.removeprefix(checkpoint.stem)
    return sound.parent.resolve() == checkpoint.parent.resolve() and bool(MINUTE.fullmatch(rest))


class Listener:
    """Hears what a training has come to.

    Args:
        out: the checkpoint.
        seed: of the rendering.
        begun_s: seconds of training before this command, if it goes on.
    """

    def __init__(
        self, out: Path, corpus: Corpus, fitting: Fitting, writer: CheckpointWriter, seed: int, begun_s: float = 0.0
    ) -> None:
        self._out = out
        self._corpus = corpus
        self._fitting = fitting
        self._writer = writer
        self._seed = seed
        self._due_s = (begun_s // LISTEN_EVERY_S + 1) * LISTEN_EVERY_S
        self._cost_s = FIRST_GUESS_S
        self._reference: Reference | None = None
        self._too_short = ""  # why there is no reference, and can't be one

    def is_due(self, elapsed_s: float, budget: Budget) -> bool:
        """Returns whether a sample is to be made now: it is time, and another will not come at once, at the end."""
        left_s = budget.left_s(elapsed_s, self._fitting.updates)
        return elapsed_s >= self._due_s and left_s >= max(2.0 * self._cost_s, 0.25 * LISTEN_EVERY_S)

    def listen(self, report: Reporter, started_s: float) -> None:
        """Writes a sample, and says what it is like. A sample that can't be rendered is said, and ends nothing.

        Args:
            started_s: seconds of training so far.
        """
        minute = round(started_s / 60.0)
        path = sample_path(self._out, minute)
        self._writer.write_checkpoint(started_s)
        try:
            score = self._judged(path)
        except InputFileError as error:
            report.say(f"minute {minute}: no listening sample: {error}")
            return
        for older in [file for file in path.parent.iterdir() if file != path and is_sample_of(self._out, file)]:
            older.unlink()
        self._note(score, started_s)
        heard = f"minute {minute}: {figures_in_words(score)}" if score else f"minute {minute}"
        report.say(f"{heard}; hear it in {path} (the latest sample is kept)")

    def preview(self, report: Reporter, path: Path, trained_s: float, remembers: bool) -> Score | None:
        """Writes the sample of the end, says what the checkpoint is like, and lets it know; returns its figures.

        Args:
            remembers: whether it has a memory. It is then heard for longer than the sample, about once through all of
                it: the sample may lie in one of several recordings.

        Raises:
            InputFileError: it can't be rendered.
        """
        score = self._judged(path, min(self._corpus.seconds, MOST_JUDGED_S) if remembers else SAMPLE_S)
        if score:
            report.say(f"the end: {figures_in_words(score)}")
            self._note(score, trained_s)
            self._writer.write_checkpoint(trained_s)
        else:
            report.say(f"the end: only listening tells how good it is: {self._too_short}")
        return score

    def _note(self, score: Score | None, seconds: float) -> None:
        """Keeps a sample's figures for the checkpoint's header."""
        entry = {"minutes": round(seconds / 60.0, 2), "updates": self._fitting.updates}
        if score:
            told = score.to_json()
            entry |= {name: told[name] for name in ("survival", "fidelity", "recital_share", "told")}
        self._fitting.heard.append(entry)

    def spent(self, started_s: float, ended_s: float) -> None:
        """Notes how long a sample took, and when the next is due."""
        self._cost_s = ended_s - started_s
        self._due_s = (ended_s // LISTEN_EVERY_S + 1) * LISTEN_EVERY_S

    def _judged(self, path: Path, heard_s: float = SAMPLE_S) -> Score | None:
        """Renders the checkpoint to a file; returns its figures, None if the corpus is too short to compare with.

        Args:
            heard_s: how long it is heard for the figures; what is longer than the file isn't kept.

        Raises:
            InputFileError: it can't be rendered.
        """
        render(self._out, path, SAMPLE_S, self._seed)
        if self._reference is None and not self._too_short:
            try:
                self._reference = Reference(self._corpus.heard(COMPARED_S), self._corpus.sample_rate)
            except SoundFileError as error:
                self._too_short = str(error)
        if self._reference is None:
            return None
        if heard_s <= SAMPLE_S:
            return self._reference.score(path.name, read_mono(path, self._corpus.sample_rate))
        with tempfile.TemporaryDirectory() as folder:
            longer = Path(folder) / path.name
            render(self._out, longer, heard_s, self._seed)
            return self._reference.score(path.name, read_mono(longer, self._corpus.sample_rate))
