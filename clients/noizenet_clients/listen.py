"""`noizenet listen`: plays or writes a daemon's stream, across the daemon's restarts."""

import argparse
import json
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from typing import Protocol

from noizenet_clients.receiving import Arrival, AudioReceiver
from noizenet_clients.recording import LONGEST_FILL_S, Recording
from noizenet_clients.sound_card import SoundCard

NOTHING_AFTER_S = 3.0  # says so when nothing arrives for this long
SAY_EVERY_S = 1.0  # gaps are told one by one, but no faster than this; the summary counts them all


class Player(Protocol):
    """Where the stream goes."""

    def play(self, arrival: Arrival) -> None: ...

    def close(self) -> None: ...


@dataclass
class Summary:
    """What was heard.

    Attributes:
        seconds: sound that arrived, and silence in place of what was lost.
        gaps: times that frames were lost on the way.
        lost_frames: how many.
        restarts: times that the daemon started anew.
        files: paths written.
    """

    seconds: float = 0.0
    gaps: int = 0
    lost_frames: int = 0
    restarts: int = 0
    files: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lost = f" ({self.lost_frames} frames lost)" if self.gaps else ""
        files = f"; written to {', '.join(self.files)}" if self.files else ""
        return f"{self.seconds:.1f} s; gaps: {self.gaps}{lost}; restarts: {self.restarts}{files}"


def run(options: argparse.Namespace) -> None:
    """Listens until the time is over or SIGINT or SIGTERM comes, then prints the summary.

    Raises:
        UsageError: the endpoint is no address.
        DeviceError: no file was named and there is no sound card.
        InputFileError: the file can't be written.
    """
    players: list[Player] = []
    recording = Recording(options.out) if options.out is not None else None
    if recording is not None:
        players.append(recording)
    if recording is None or options.device is not None:
        players.append(SoundCard(options.device))
    receiver = AudioReceiver(options.endpoint)
    summary = Summary()
    try:
        with _stopping_on_signals(receiver):
            listen(receiver, players, summary, options.seconds, _say)
    finally:
        receiver.close()
        for player in players:
            player.close()
    summary.files = [str(path) for path in recording.paths] if recording is not None else []
    print(json.dumps(asdict(summary)) if options.json else summary, flush=True)


def listen(
    receiver: AudioReceiver,
    players: Sequence[Player],
    summary: Summary,
    seconds: float | None,
    say: Callable[[str], None],
) -> None:
    """Hands the stream to the players until the receiver is stopped or `seconds` of sound have been heard.

    Args:
        summary: counted in while listening, so that it is true after an error, too.
        say: takes sentences for the user.
    """
    waiting_s: float | None = NOTHING_AFTER_S
    next_word = 0.0
    heard = Fraction(0)  # exact, so that the length asked for is met to the frame
    while seconds is None or heard < Fraction(seconds):
        arrival = receiver.receive(waiting_s)
        if arrival is None:
            if receiver.stopped:
                return
            found = f", but {receiver.malformed} messages that are no audio" if receiver.malformed else ""
            say(f"nothing arrives from {receiver.endpoint}{found}: still waiting (`noizenet daemon` starts a stream)")
            waiting_s = None
            continue
        waiting_s = NOTHING_AFTER_S
        if arrival.restarted:
            say(f"the daemon has started anew, after {summary.seconds:.1f} s")
        elif arrival.lost and time.monotonic() >= next_word:
            next_word = time.monotonic() + SAY_EVERY_S
            say(f"{arrival.lost} frames were lost, after {summary.seconds:.1f} s")
        if seconds is not None:
            left_s = Fraction(seconds) - heard
            arrival = _cut(arrival, math.ceil(left_s * arrival.header.sample_rate))
        for player in players:
            player.play(arrival)
        heard += _duration_s(arrival)
        summary.seconds = float(heard)
        summary.gaps += arrival.lost > 0
        summary.lost_frames += arrival.lost
        summary.restarts += arrival.restarted


def _cut(arrival: Arrival, frames: int) -> Arrival:
    """Returns the arrival so that it lasts `frames` at most, with the silence for what was lost."""
    lost = min(arrival.lost, frames)
    return replace(arrival, lost=lost, samples=arrival.samples[: frames - lost])


def _duration_s(arrival: Arrival) -> Fraction:
    rate = arrival.header.sample_rate
    lost_s = min(Fraction(arrival.lost, rate), Fraction(LONGEST_FILL_S))
    return lost_s + Fraction(len(arrival.samples), rate)


@contextmanager
def _stopping_on_signals(receiver: AudioReceiver) -> Generator[None]:
    """SIGINT and SIGTERM end the listening, and the file is completed; then they do what they did."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: receiver.stop()) for number in numbers]
    try:
        yield
    finally:
        for number, old in zip(numbers, before, strict=True):
            signal.signal(number, old)


def _say(sentence: str) -> None:
    print(f"noizenet listen: {sentence}", file=sys.stderr, flush=True)
