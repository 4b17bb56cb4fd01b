"""`noizenet evaluate`: the figures of one sound beside those of trivial rivals and of the corpus itself."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.codecs import Codec, steps_per_second
from noizenet.inspection import describe
from noizenet.sound_file import mixed, read, read_mono
from noizenet.start_values import start_values
from noizenet_training.judging.bands import RMS
from noizenet_training.judging.codec_loss import CodecLoss, codec_loss
from noizenet_training.judging.collapse import Collapse, steps_until_collapse
from noizenet_training.judging.reference import Reference, Score
from noizenet_training.judging.rendering import render
from noizenet_training.judging.slicing import slices
from noizenet_training.recipe import LEVELS, Recipe
from noizenet_training.sounds.corpus import load_corpus
from noizenet_training.sounds.excerpts import spread_pieces
from noizenet_training.sounds.splitting import audible_parts

Array = NDArray[Any]

CHECKPOINT_ENDING = ".safetensors"
CORPUS = "corpus"
COMPARED_S = 1200.0  # of the corpus: longer ones are compared with pieces from all over
AS_RECORDED = "corpus"  # a recipe's level
CODED_S = 600.0  # of the corpus, to find what the codec loses
SLICER = "slicer"
MEANING = """fidelity, coherence: what it sounds like, and how it moves; 1 = as near as the corpus' halves to each other
told: how surely a classifier tells it from the corpus, 0.5 or less = it can't
recital: moving sound that follows the corpus for 2 s and more; the corpus' own: its first halves along its second
slicer: random two-second slices of the corpus, crossfaded; median (10th..90th percentile) of each distribution"""


@dataclass(frozen=True)
class Subject:
    """What is compared with its corpus.

    Attributes:
        heard: as a listener hears it, float32 (samples,).
        raw: as the network puts it out: a constant stays one, while the safety chain would let it fade away.
        step_rate: steps of the network in a second; of a sound file, samples.
        corpus_s: length of what it was trained on; 0 if that is not known.
        codec: of a checkpoint.
        remembered: the sound of its memory, (samples,) each.
        level: how loud it heard the files of its corpus beside one another: `level` of its recipe.
    """

    heard: Array
    raw: Array
    sample_rate: int
    step_rate: float
    corpus_s: float
    codec: Codec | None = None
    remembered: Sequence[Array] = ()
    level: str = AS_RECORDED

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


@dataclass(frozen=True)
class Comparison:
    """What came of a comparison.

    Attributes:
        scores: of the subject, the slicer, white noise, and the corpus.
        frame_rate: of the scores' levels, Hz.
        codec_loss: of the subject's codec; None of a sound file.
        corpus_s: length of the corpus, of which no more than `COMPARED_S` is heard.
    """

    scores: list[Score]
    frame_rate: float
    codec_loss: CodecLoss | None
    corpus_s: float

    def to_json(self) -> dict[str, Any]:
        """Returns plain values: the figures of each sound by its name."""
        told: dict[str, Any] = {entry.name: entry.to_json() for entry in self.scores}
        if self.codec_loss:
            told[self.scores[0].name] |= self.codec_loss._asdict()
        return told


def compare(
    subject: Path,
    corpus: Sequence[Path],
    seconds: float,
    seed: int,
    prime: str = CORPUS,
    settings: Sequence[str] = (),
) -> Comparison:
    """Returns the figures of a checkpoint's playing or of a sound file, beside those of its rivals and of the corpus.

    Args:
        subject: a checkpoint, of which `seconds` are rendered; or a sound file, heard whole.
        prime: what the checkpoint hears before it plays; see `render`.
        settings: parameters that it is played with; see `render`.

    Raises:
        CheckpointError: the checkpoint is refused, or can't be rendered.
        ConfigurationError: a setting is no parameter, or out of range.
        SoundFileError: a file can't be read, or the corpus is too short.
    """
    start_values(settings)  # says what is wrong with them, before anything is rendered
    found = _subject(subject, seconds, seed, prime, settings)
    # As they are, at the subject's rate: what it can't hold because of its rate isn't held against it.
    channels = found.codec.channels if found.codec else 1
    recipe = Recipe(sample_rate=found.sample_rate, channels=channels, level=found.level)
    known = load_corpus(corpus, recipe)
    recordings = known.heard(COMPARED_S)
    reference = Reference(recordings, found.sample_rate, found.remembered if known.seconds > COMPARED_S else ())
    # A recording that ends in silence isn't stuck there: what counts is the music.
    parts = [part for f in known.files for part in audible_parts(f.samples, known.sample_rate, recipe.silence_db)]
    music = np.concatenate([mixed(part) for part in spread_pieces(parts, known.sample_rate, COMPARED_S)])
    deviation = float(music.std())
    primed = float(read_mono(Path(prime), found.sample_rate).std()) if Path(prime).is_file() else 0.0
    corpus_s = found.corpus_s or known.seconds
    length_s = len(found.heard) / found.sample_rate
    noise = (RMS * np.random.default_rng(seed).standard_normal(len(found.heard))).astype(np.float32)
    scores = [
        reference.score(subject.name, found.heard, found.collapse_of(found.raw, primed or deviation, corpus_s)),
        reference.score(SLICER, slices(recordings, found.sample_rate, length_s, seed)),
        reference.score("white noise", noise, found.collapse_of(noise, RMS, corpus_s)),
        reference.own_score(found.collapse_of(music, deviation, corpus_s)),
    ]
    loss = codec_loss(found.codec, spread_pieces(parts, known.sample_rate, CODED_S)) if found.codec else None
    return Comparison(scores, reference.frame_rate, loss, known.seconds)


def table(found: Comparison) -> str:
    """Returns the figures as lines of text."""
    width = max(len(entry.name) for entry in found.scores)
    lines = [f"{'':<{width}}  seconds  survival  fidelity  coherence  told  recital  longest  stuck for the rest after"]
    lines += [f"{entry.name:<{width}}  {_figures(entry)}" for entry in found.scores]
    lines += ["", f"{'':<{width}}  loudness, dBFS       onsets a second  centroid, Hz            flux, dB"]
    lines += [f"{entry.name:<{width}}  {_life(entry)}" for entry in found.scores]
    lines += ["", MEANING]
    if found.codec_loss:
        lines.append(
            "The codec alone: log-spectral distance {:.1f} dB, spectral convergence {:.1f} dB.".format(
                *found.codec_loss
            )
        )
    if found.corpus_s > COMPARED_S:
        lines.append(
            f"The corpus has {found.corpus_s / 60:.0f} minutes: "
            f"pieces from all over, {COMPARED_S / 60:.0f} minutes together, stand for it."
        )
    return "\n".join(lines)


def _figures(entry: Score) -> str:
    stuck = "never"
    if entry.collapse:
        stuck = (
            f"{entry.collapse.steps:,} steps, {entry.collapse.seconds:.3f} s, {entry.collapse.share:.2%} of the corpus"
        )
    return (
        f"{entry.seconds:7.1f}  {_given('{:.0%}', entry.survival):>8}  {_given('{:.2f}', entry.fidelity):>8}  "
        f"{_given('{:.2f}', entry.coherence):>9}  {_given('{:.2f}', entry.told):>4}  "
        f"{_given('{:.0%}', entry.recital.share):>7}  {_given('{:.1f} s', entry.recital.longest_s):>7}  {stuck}"
    )


def _given(pattern: str, value: float) -> str:
    """Returns a figure as text; "-" for NaN: the sound is too short for it."""
    return "-" if value != value else pattern.format(value)


def _life(entry: Score) -> str:
    """Returns the median of each distribution, and its 10th and 90th percentile."""
    if entry.lives is None:
        return "-"
    cells = [
        "-" if not values else f"{values[1]:.{digits}f} ({values[0]:.{digits}f}..{values[2]:.{digits}f})"
        for values, digits in zip(entry.lives.percentiles().values(), (1, 1, 0, 1), strict=True)
    ]
    return f"{cells[0]:<19}  {cells[1]:<15}  {cells[2]:<22}  {cells[3]}"


def level_heard(checkpoint: Checkpoint) -> str:
    """Returns how loud a checkpoint heard the files of its corpus beside one another, as a recipe's `level`."""
    options = checkpoint.training.get("options")
    level = options.get("level") if isinstance(options, dict) else None
    return level if level in LEVELS else AS_RECORDED


def _subject(path: Path, seconds: float, seed: int, prime: str, settings: Sequence[str]) -> Subject:
    """Returns what a checkpoint plays, or what is in a sound file."""
    if path.suffix.lower() != CHECKPOINT_ENDING:
        samples, sample_rate = read(path, finite=False)
        mono = mixed(samples)
        return Subject(mono, mono, sample_rate, sample_rate, 0.0)
    checkpoint = Checkpoint.load(path)  # names what is wrong with it, before anything is rendered
    with tempfile.TemporaryDirectory() as folder:
        heard, raw = (Path(folder) / f"{name}.wav" for name in ("heard", "raw"))
        render(path, heard, seconds, seed, prime=prime, settings=settings)
        render(path, raw, seconds, seed, prime=prime, raw=True, settings=settings)
        samples, sample_rate = read(heard, finite=False)
        unchanged, _ = read(raw, finite=False)
    corpus_s = float(describe(checkpoint, 0)["corpus"]["seconds"])
    step_rate = steps_per_second(checkpoint.codec)
    remembered = [mixed(checkpoint.memory.sound)] if checkpoint.memory else []
    level = level_heard(checkpoint)
    raw_mono = mixed(unchanged)
    return Subject(mixed(samples), raw_mono, sample_rate, step_rate, corpus_s, checkpoint.codec, remembered, level)
