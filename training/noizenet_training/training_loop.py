"""Round after round of a training, until its budget is spent: what is written, heard and said between them."""

from collections.abc import Callable

from noizenet.errors import TrainingError
from noizenet_training.checkpoint_writing import CheckpointWriter
from noizenet_training.learning.distributed import Group
from noizenet_training.learning.fitting import Fitting
from noizenet_training.learning.rounds import Round
from noizenet_training.listening import Listener
from noizenet_training.pace import Pace
from noizenet_training.progress import Reporter, figures
from noizenet_training.resumption import resume_path
from noizenet_training.task import Task


def run_rounds(
    task: Task,
    group: Group,
    fitting: Fitting,
    writer: CheckpointWriter,
    listener: Listener,
    report: Reporter,
    elapsed: Callable[[], float],
    on_round: Callable[[Round], None] | None,
) -> None:
    """Trains until the budget is spent. Interrupted or diverged, it leaves the best weights so far."""
    pace = Pace(task.budget, elapsed, lambda: fitting.passes, lambda: fitting.look_s, task.recipe.round_updates)

    def on_update(updates: int, loss: float) -> None:
        if task.preview and (sentence := pace.after_update(updates)):
            report.say(f"{sentence} ({fitting.precision.in_words()})")
        held_out = fitting.rounds[-1].held_out if fitting.rounds else None
        kept = fitting.best_round.held_out if fitting.best_round else None
        line = figures(len(fitting.rounds) + 1, loss, held_out, kept, task.budget.left_s(elapsed(), updates))
        report.advance(task.budget.spent(elapsed(), updates), line)

    def is_to_go_on() -> bool:
        if not fitting.rounds:
            return True
        return task.budget.spent(elapsed() + fitting.look_s, fitting.updates) < 1.0 and not fitting.is_stalled

    with report:
        try:
            while group.share(is_to_go_on()):
                divergences = fitting.divergences
                fitting.run_round(task.budget, elapsed, on_update)
                if fitting.divergences > divergences:
                    report.say("the loss diverged: the last good weights are restored, the learning rate is halved")
                writer.after_round(elapsed())
                if task.preview and listener.is_due(elapsed(), task.budget):
                    started_s = elapsed()
                    listener.listen(report, started_s)
                    listener.spent(started_s, elapsed())
                if on_round:
                    on_round(fitting.rounds[-1])
            if fitting.is_stalled:
                report.say(
                    f"stopped early: its playing hasn't got better for {task.recipe.patience} looks, since update "
                    f"{fitting.best_round.updates if fitting.best_round else 0:,}; --set patience=0 trains to the end"
                )
        except KeyboardInterrupt:
            if resume_path(task.out).exists():
                report.say("stopped; the same command with --resume goes on")
            raise
        except TrainingError as error:
            resume_path(task.out).unlink(missing_ok=True)
            if not fitting.rounds:
                raise
            writer.write_checkpoint(elapsed())
            raise TrainingError(f"{error}; the best weights so far are in {task.out}") from None
