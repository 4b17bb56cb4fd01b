"""A training from sound files to a checkpoint: corpus, codec, network, rounds, starts, preview.

The file at `out` is written whenever better weights are found (at most every 15 s) and is valid at any time,
so that a performer can load the newest while training goes on. What is not the budget's is the end alone: writing,
drawing and the preview.
"""

import time
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.codecs import Codec
from noizenet.codecs.tokens import TokensCodec
from noizenet.errors import InputFileError, UsageError
from noizenet_training.checkpoint_writing import CheckpointWriter
from noizenet_training.codecs.codec_fitting import fit_codec
from noizenet_training.following import Material, follow, new_fitting
from noizenet_training.judging.comparison import COMPARED_S
from noizenet_training.judging.words import in_words
from noizenet_training.learning.distributed import Group, joined, leave
from noizenet_training.learning.feeding import ONE_STREAM
from noizenet_training.learning.fitting import Fitting
from noizenet_training.learning.free_running import FreeRunning
from noizenet_training.learning.losses import stage_weights
from noizenet_training.learning.networks import network_shape
from noizenet_training.learning.rounds import Round
from noizenet_training.listening import Listener
from noizenet_training.memory_pace import find_pace
from noizenet_training.pictures.loss_plots import plot_checkpoints
from noizenet_training.preparation import encoded_steps, read_corpus, shifted_steps
from noizenet_training.progress import Reporter
from noizenet_training.remembering import Remembering
from noizenet_training.resumption import load_resume, resume_path
from noizenet_training.sounds.corpus import Corpus
from noizenet_training.sounds.shelf import Shelf
from noizenet_training.task import Outcome, Task, check_writable, preview_path
from noizenet_training.tempering import find_temperature
from noizenet_training.training_loop import run_rounds

Array = NDArray[Any]


def train(
    task: Task,
    report: Reporter,
    clock: Callable[[], float] = time.monotonic,
    on_round: Callable[[Round], None] | None = None,
    begun: float | None = None,
) -> Outcome:
    """Trains, and returns where everything lies. Under `torchrun`, all but the first process end in it.

    Args:
        on_round: called after each round. Whatever it raises ends the training, and leaves the resume file.
        begun: when the command was given, as `clock` has it; None = now.

    Raises:
        SoundFileError: nothing usable in the corpus, or too little of it.
        InputFileError: the folder of `out` can't be written to, or the resume file is damaged.
        UsageError: the resume file belongs to another training, or the preview would overwrite the corpus.
        TrainingError: training diverged and couldn't be mended, or another process of `torchrun` has ended.
    """
    started = clock() if begun is None else begun
    with joined() as group:
        if group.size > 1 and task.recipe.feeding in ONE_STREAM:
            raise UsageError(
                f"feeding={task.recipe.feeding} reads one place of the corpus at a time, which {group.size} processes "
                "can't share: train without torchrun, or with --set feeding=streams"
            )
        if not group.is_first:
            follow(task, group)
            leave(0)
        return _lead(task, group, report, lambda: clock() - started, on_round)


def _lead(
    task: Task,
    group: Group,
    report: Reporter,
    since_start: Callable[[], float],
    on_round: Callable[[Round], None] | None,
) -> Outcome:
    """Does what `train` does, in the first process of the group."""
    check_writable(task.out)
    shelf = Shelf()
    corpus = read_corpus(task, report, shelf)
    identity = {"corpus": corpus.to_json(), "recipe": task.recipe.to_json(), "seed": task.seed}
    identity["number of processes"] = group.size
    found = load_resume(resume_path(task.out), identity) if task.resume else None
    codec = found[0] if found else fit_codec(task.recipe, corpus.training, corpus.sample_rate, task.seed)
    training, held_out = encoded_steps(codec, corpus, network_shape(task.recipe, codec).context, shelf)
    report.say(
        f"corpus: {len(corpus.files)} of {len(corpus.files) + len(corpus.skipped)} files, "
        f"{corpus.seconds:.0f} s at {corpus.sample_rate:,} Hz, {'mono' if corpus.channels == 1 else 'stereo'}; "
        f"{sum(map(len, training)):,} steps to learn from, {sum(map(len, held_out)):,} held out"
    )
    if task.recipe.loss == "mbe":
        report.say(
            "loss=mbe has no least value: it falls for ever as predictions rise, so the network will drift; "
            "it is for comparison, mse and mae learn"
        )
    more = shifted_steps(codec, corpus, task.recipe.shifts, shelf)
    fitting = _new_fitting(task, group, codec, (training, more, held_out), found[1] if found else None)
    spent_before_s = found[2] if found else 0.0
    if found:
        report.say(f"going on after {fitting.updates} updates and {spent_before_s / 60:.1f} minutes")
    elif task.resume:
        report.say(f"there is no {resume_path(task.out)} to go on from: training starts from the beginning")

    def elapsed() -> float:
        return spent_before_s + since_start()

    blank = _blank_checkpoint(task, corpus, codec, fitting)
    remembering = None
    if isinstance(codec, TokensCodec) and task.recipe.memory_s:
        remembering = Remembering(codec, corpus.remembered, task.recipe.memory_s)
    writer = CheckpointWriter(task.out, task.half, blank, fitting, training, identity, remembering)
    listener = Listener(task.out, corpus, fitting, writer, task.seed, spent_before_s)
    run_rounds(task, group, fitting, writer, listener, report, elapsed, on_round)
    trained_s = elapsed()
    writer.write_checkpoint(trained_s)
    resume_path(task.out).unlink(missing_ok=True)
    if task.preview and (remembering or task.recipe.frame):
        _find_what_sounds_best(task, corpus, writer, report)
        writer.write_checkpoint(trained_s)
    remembers = remembering is not None and remembering.is_possible
    return _outcome(task, corpus, fitting, listener, remembers, report, trained_s, elapsed)


def _find_what_sounds_best(task: Task, corpus: Corpus, writer: CheckpointWriter, report: Reporter) -> None:
    """Lets the checkpoint find how often to leave a place of its memory, or how surely to draw samples."""
    try:
        if task.recipe.frame:
            writer.temperature = find_temperature(task.out, corpus.heard(COMPARED_S), task.seed)
            if writer.temperature != 1.0:
                report.say(f"it is nearest to your sound at a temperature of {writer.temperature:g}: its 1 from now on")
        elif pace_s := find_pace(task.out, corpus.heard(task.recipe.memory_s), task.seed):
            writer.pace_s = pace_s
            report.say(f"it leaves one place of its memory for another every {pace_s:g} s; stray changes that")
    except InputFileError as error:
        report.say(f"the checkpoint is ready, but could not be listened to: {error}")


def _blank_checkpoint(task: Task, corpus: Corpus, codec: Codec, fitting: Fitting) -> Checkpoint:
    """Returns the checkpoint but for what training brings."""
    return Checkpoint(
        fitting.network.shape,
        {},
        codec,
        corpus=corpus.to_json(),
        training={"recipe": task.recipe_name, "options": task.recipe.to_json(), "seed": task.seed},
        licence=task.licence or corpus.licence,
        attribution="; ".join(filter(None, (task.attribution, corpus.attribution))),
    )


def _outcome(
    task: Task,
    corpus: Corpus,
    fitting: Fitting,
    listener: Listener,
    remembers: bool,
    report: Reporter,
    trained_s: float,
    elapsed: Callable[[], float],
) -> Outcome:
    """Draws the losses, renders the preview, and returns where everything lies."""
    best = fitting.best_round
    assert best is not None  # a training has at least one round
    picture = preview = score = None
    if task.preview:
        picture, preview = task.out.with_suffix(".png"), preview_path(task.out)
        plot_checkpoints([task.out], picture)
        try:
            score = listener.preview(report, preview, trained_s, remembers)
        except InputFileError as error:
            report.say(f"the checkpoint is ready, but there is no preview: {error}")
            preview = None
    return Outcome(
        task.out,
        preview,
        picture,
        fitting.updates,
        len(fitting.rounds),
        round(trained_s / 60.0, 2),
        best.held_out,
        best.distance,
        tuple(corpus.skipped),
        score.to_json() if score else {},
        in_words(score, remembers) if score else "",
        round(elapsed() - trained_s, 1),
    )


def _new_fitting(
    task: Task, group: Group, codec: Codec, steps: tuple[list[Array], list[Array], list[Array]], resumed: Any
) -> Fitting:
    """Returns the first process' fitting, after telling the others what they need for theirs.

    Shifted readings of the corpus are learnt from, but not played from.
    """
    training, more, held_out = steps
    shape = network_shape(task.recipe, codec)
    material = group.share(Material(shape, training + more, stage_weights(codec, training), resumed))
    playing = FreeRunning(codec, training, task.seed) if isinstance(codec, TokensCodec) else None
    return new_fitting(material, task, group, held_out, playing if playing and playing.is_possible else None)
