"""`noizenet listen`: receiving, and the command as a process of its own."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import zmq
from numpy.typing import NDArray

from noizenet.cli import main
from noizenet.errors import UsageError
from noizenet.protocol import AUDIO_TOPIC
from noizenet.stream import AudioHeader
from noizenet_clients.listen import Player, Summary, listen
from noizenet_clients.receiving import Arrival, AudioReceiver, compare
from noizenet_clients.recording import Recording
from noizenet_daemon.zeromq import AudioPublisher

WITHIN_S = 20
RATE = 8000
BLOCK = 64


def header(sequence: int, position: int, rate: int = RATE, channels: int = 1, run: int = 1) -> AudioHeader:
    return AudioHeader(sequence, position, 0, rate, channels, BLOCK, run)


@pytest.mark.parametrize(
    ("second", "lost", "restarted"),
    [
        (header(1, BLOCK), 0, False),
        (header(3, 3 * BLOCK), 2 * BLOCK, False),
        (header(0, 0), 0, True),
        (header(5, 5 * BLOCK, run=2), 0, True),
        (header(1, BLOCK, rate=16_000), 0, True),
        (header(1, BLOCK, channels=2), 0, True),
        (header(1, 0), 0, True),
    ],
)
def test_gaps_and_restarts_are_told_apart(second: AudioHeader, lost: int, restarted: bool) -> None:
    assert compare(None, second) == (0, False)
    assert compare(header(0, 0), second) == (lost, restarted)


class Stream:
    """A publisher that sends numbered samples, at its own pace, until it is closed.

    Args:
        first: the number of the first sample. Streams whose first numbers differ by no multiple of 8 never go on
            where another has ended: their blocks begin at `first` plus multiples of 64, modulo 1000.
    """

    def __init__(self, port: int = 0, rate: int = RATE, channels: int = 1, first: int = 0) -> None:
        # Said to send single frames, it keeps a queue long enough for any pause of a busy test machine.
        self._publisher = AudioPublisher("127.0.0.1", port, rate, block_frames=1)
        self.port = self._publisher.port
        self.position = 0
        self._channels = channels
        self._first = first
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Stream":
        self._thread.start()
        return self

    def send(self) -> None:
        numbers = self._first + self.position + np.arange(BLOCK)
        ramp = (numbers % 1000).astype(np.float32) / 1000
        self._publisher.send(self.position, np.repeat(ramp[:, None], self._channels, axis=1))
        self.position += BLOCK

    def skip(self) -> None:
        self.position += BLOCK

    def close(self) -> None:
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._publisher.close()

    def _run(self) -> None:
        while not self._closing.wait(BLOCK / RATE / 4):  # four times as fast as it would sound
            self.send()


@contextmanager
def stream(port: int = 0, rate: int = RATE, channels: int = 1, first: int = 0) -> Generator[Stream]:
    stream = Stream(port, rate, channels, first).start()
    try:
        yield stream
    finally:
        stream.close()


@pytest.fixture
def receiver() -> Generator[AudioReceiver]:
    """Connected to a port where nobody publishes yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    receiver = AudioReceiver(f"127.0.0.1:{port}")
    yield receiver
    receiver.close()


def port_of(receiver: AudioReceiver) -> int:
    return int(receiver.endpoint.rpartition(":")[2])


class Listening:
    """`listen` on a thread of its own."""

    def __init__(self, receiver: AudioReceiver, players: list[Player], seconds: float | None = None) -> None:
        self.receiver = receiver
        self.summary = Summary()
        self.said: list[str] = []
        self.spoke = threading.Event()
        self._thread = threading.Thread(target=listen, args=(receiver, players, self.summary, seconds, self._say))
        self._thread.start()

    def _say(self, sentence: str) -> None:
        self.said.append(sentence)
        self.spoke.set()

    def end(self, stop: bool = True) -> None:
        if stop:
            self.receiver.stop()
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive()


class Counter:
    """A player that knows how much it has been given."""

    def __init__(self) -> None:
        self.blocks = 0
        self._changed = threading.Condition()

    def play(self, _arrival: Arrival) -> None:
        with self._changed:
            self.blocks += 1
            self._changed.notify_all()

    def close(self) -> None: ...

    def wait_for_more(self, blocks: int = 10) -> None:
        with self._changed:
            enough = self.blocks + blocks
            assert self._changed.wait_for(lambda: self.blocks >= enough, WITHIN_S)


def jumps(samples: NDArray[np.float32]) -> int:
    """Counts the places where numbered samples don't go on one after another."""
    numbers = np.round(samples * 1000).astype(int)
    return int(np.count_nonzero(np.diff(numbers) % 1000 != 1))


def test_the_stream_is_written_sample_by_sample(receiver: AudioReceiver, tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.wav")
    with stream(port_of(receiver), channels=2):
        listening = Listening(receiver, [recording], seconds=0.5)
        listening.end(stop=False)
    recording.close()
    samples, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert (samples.shape, rate) == ((RATE // 2, 2), RATE)
    assert jumps(samples[:, 0]) == 0
    assert listening.summary == Summary(seconds=0.5)
    assert str(listening.summary) == "0.5 s; gaps: 0; restarts: 0"


def test_a_restart_of_the_daemon_goes_on_in_the_same_file(receiver: AudioReceiver, tmp_path: Path) -> None:
    recording, counter = Recording(tmp_path / "a.wav"), Counter()
    listening = Listening(receiver, [recording, counter])
    for first in range(3):
        with stream(port_of(receiver), first=first):
            counter.wait_for_more()
    listening.end()
    recording.close()
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert jumps(samples) == listening.summary.restarts == 2
    assert len(samples) == counter.blocks * BLOCK
    assert listening.summary.gaps == 0
    assert [sentence.startswith("the daemon has started anew") for sentence in listening.said] == [True, True]
    assert recording.paths == [tmp_path / "a.wav"]


def test_a_daemon_that_comes_back_with_another_rate_goes_on_in_a_new_file(
    receiver: AudioReceiver, tmp_path: Path
) -> None:
    recording, counter = Recording(tmp_path / "a.wav"), Counter()
    listening = Listening(receiver, [recording, counter])
    for rate, channels in ((RATE, 1), (11_025, 2), (11_025, 1)):
        with stream(port_of(receiver), rate, channels):
            counter.wait_for_more()
    listening.end()
    recording.close()
    shapes = [(i.samplerate, i.channels) for i in (soundfile.info(str(path)) for path in recording.paths)]
    assert shapes == [(RATE, 1), (11_025, 2), (11_025, 1)]
    assert [path.name for path in recording.paths] == ["a.wav", "a-2.wav", "a-3.wav"]


def test_lost_frames_are_reported_and_written_as_silence(receiver: AudioReceiver, tmp_path: Path) -> None:
    recording, counter = Recording(tmp_path / "a.wav"), Counter()
    source = Stream(port_of(receiver))
    listening = Listening(receiver, [recording, counter])
    while not counter.blocks:  # a subscription takes a moment to reach the publisher
        source.send()
        threading.Event().wait(0.005)
    source.skip()
    source.skip()
    source.send()
    while not listening.summary.gaps:
        source.send()
        threading.Event().wait(0.005)
    listening.end()
    source.close()
    recording.close()
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert (listening.summary.gaps, listening.summary.lost_frames) == (1, 2 * BLOCK)
    assert len(samples) == (counter.blocks + 2) * BLOCK
    assert "128 frames were lost" in listening.said[0]
    assert "gaps: 1 (128 frames lost)" in str(listening.summary)


def test_silence_on_the_line_is_told_once_and_the_waiting_goes_on(
    receiver: AudioReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("noizenet_clients.listen.NOTHING_AFTER_S", 0.05)
    counter = Counter()
    listening = Listening(receiver, [counter])
    assert listening.spoke.wait(WITHIN_S)
    with stream(port_of(receiver)):
        counter.wait_for_more()
    listening.end()
    assert listening.said[0].startswith(f"nothing arrives from {receiver.endpoint}: still waiting")


def test_messages_that_are_no_audio_are_counted_and_dropped(receiver: AudioReceiver) -> None:
    context = zmq.Context()
    publisher = context.socket(zmq.PUB)
    publisher.bind(receiver.endpoint)
    good = [AUDIO_TOPIC, header(0, 0).pack(), bytes(4 * BLOCK)]
    bad = [
        [AUDIO_TOPIC],
        [AUDIO_TOPIC, b"x", b""],
        [AUDIO_TOPIC, header(0, 0).pack(), b"123"],
        [b"audio?", b"", b""],
    ]
    counter = Counter()
    listening = Listening(receiver, [counter])
    while counter.blocks < 3:
        for message in [*bad, good]:
            publisher.send_multipart(message)
        threading.Event().wait(0.005)
    listening.end()
    assert receiver.malformed >= 8
    context.destroy(linger=0)


@pytest.mark.parametrize("endpoint", ["nowhere", "tcp://127.0.0.1", "smtp://127.0.0.1:1", "tcp://:x"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(UsageError, match="is no stream to listen to"):
        AudioReceiver(endpoint)


@contextmanager
def listen_process(*arguments: str) -> Generator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "noizenet", "listen", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def frames_in(path: Path) -> int:
    return soundfile.info(str(path)).frames if path.exists() and path.stat().st_size else 0


def wait_for_frames(path: Path, frames: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + WITHIN_S
    while frames_in(path) < frames:
        assert process.poll() is None
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_listening_with_a_whole_file(number: int, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with (
        stream() as source,
        listen_process(f"tcp://127.0.0.1:{source.port}", "--out", str(path), "--json") as process,
    ):
        wait_for_frames(path, RATE // 2, process)
        process.send_signal(number)
        out, error = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, error) == (0, "")
    summary = json.loads(out)
    assert summary["files"] == [str(path)]
    assert summary["gaps"] == summary["restarts"] == 0
    samples, _ = soundfile.read(path, dtype="float32")
    assert len(samples) / RATE == pytest.approx(summary["seconds"])
    assert jumps(samples) == 0


def test_a_killed_listener_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with stream() as source, listen_process(f"127.0.0.1:{source.port}", "--out", str(path)) as process:
        wait_for_frames(path, RATE // 2, process)
        process.kill()
        process.wait(WITHIN_S)
    samples, _ = soundfile.read(path, dtype="float32")
    assert len(samples) >= RATE // 2
    assert jumps(samples) == 0


def test_the_command_stops_after_its_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.wav"
    with stream() as source:
        assert main(["listen", f"127.0.0.1:{source.port}", "--out", str(path), "--for", "0.3"]) == 0
    assert frames_in(path) == 3 * RATE // 10
    assert capsys.readouterr().out == f"0.3 s; gaps: 0; restarts: 0; written to {path}\n"


def test_faults_of_the_command_line_exit_with_their_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        (["listen", "--out", str(tmp_path / "no" / "a.wav")], 3),
        (["listen", "--device", "no such card"], 4),
        (["listen", "nowhere", "--out", str(tmp_path / "a.wav")], 2),
    ]
    for arguments, status in cases:
        assert main(arguments) == status
        assert capsys.readouterr().err.count("\n") == 1
