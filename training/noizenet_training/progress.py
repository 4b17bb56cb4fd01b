"""Progress on standard error: a live line in a terminal, else a plain line every ten seconds."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

PLAIN_EVERY_S = 10.0


class Reporter(Protocol):
    """Tells the user how training goes."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def say(self, sentence: str) -> None:
        """Shows a sentence that stays."""
        ...

    def advance(self, spent: float, figures: str) -> None:
        """Shows the share of the budget that is spent, and a line of figures."""
        ...


def reporter(stream: TextIO | None = None) -> Reporter:
    """Returns the reporter that suits a stream, standard error if none is given."""
    stream = stream or sys.stderr
    return LiveReporter(stream) if stream.isatty() else PlainReporter(stream)


def figures(round_number: int, loss: float, held_out: float | None, kept: float | None, left_s: float) -> str:
    """Returns the line of figures.

    Args:
        held_out: of the last round, None before its end.
        kept: held-out loss of the weights that are kept for now.
    """
    known = [f"round {round_number}", f"loss {loss_text(loss)}"]
    if held_out is not None and kept is not None:
        known.append(f"held-out {loss_text(held_out)} (kept: {loss_text(kept)})")
    minutes, seconds = divmod(round(left_s), 60)
    return ", ".join(known) + f", {minutes}:{seconds:02d} left"


def loss_text(loss: float) -> str:
    """Returns a loss to three decimals, a small one to three digits: mean squared errors may be tiny."""
    return f"{loss:.3f}" if abs(loss) >= 0.1 or loss == 0 else f"{loss:.3g}"


class PlainReporter:
    """Plain lines, for logs."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._shown = -PLAIN_EVERY_S

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def say(self, sentence: str) -> None:
        print(sentence, file=self._stream, flush=True)

    def advance(self, spent: float, figures: str) -> None:
        now = self._clock()
        if now - self._shown >= PLAIN_EVERY_S:
            self._shown = now
            print(f"{min(spent, 1.0):4.0%}  {figures}", file=self._stream, flush=True)


class LiveReporter:
    """One line that is redrawn, for a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._progress = Progress(
            BarColumn(20),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            console=Console(file=stream),
        )
        self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, sentence: str) -> None:
        self._progress.console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def advance(self, spent: float, figures: str) -> None:
        self._progress.update(self._task, completed=min(spent, 1.0), description=figures)
