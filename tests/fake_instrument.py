"""A small instrument that keeps what it is told in memory, and a control side that runs on it."""

import queue
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from noizenet.errors import CheckpointError, ControlError
from noizenet.parameter import Value
from noizenet.protocol import PARAMETERS
from noizenet_daemon.console import Console
from noizenet_daemon.osc import OscServer
from noizenet_daemon.zeromq import ControlServer

VOICES = 3


class FakeInstrument:
    """Attributes:
    calls: (method, arguments...) in the order they came.
    let_load: `load` waits for this event; set from the start.
    """

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[tuple[object, ...]] = queue.SimpleQueue()
        self.let_load = threading.Event()
        self.let_load.set()
        self.quitting = threading.Event()
        self._values: dict[tuple[str, int], Value] = {}
        self._states: set[str] = set()
        self._recording: Path | None = None

    @property
    def voices(self) -> int:
        return VOICES

    def get(self, parameter: str, voice: int = 1) -> Value:
        return self._values.get((parameter, voice), PARAMETERS[parameter].default)

    def set(self, parameter: str, value: Value, voice: int | None = None, at: float | None = None) -> None:
        self.calls.put(("set", parameter, value, voice, at))
        for number in range(1, VOICES + 1) if voice is None else (voice,):
            self._values[parameter, number] = value

    def load(self, path: Path) -> str:
        self.let_load.wait(30)
        if path.suffix != ".safetensors":
            raise CheckpointError(f"{path} is no checkpoint")
        self.calls.put(("load", path))
        return path.stem

    def prime(self, source: str) -> float:
        self.calls.put(("prime", source))
        return 1.5

    def reset(self) -> None:
        self.calls.put(("reset",))

    def panic(self) -> None:
        self.calls.put(("panic",))
        self.set("mute", True)

    def save_state(self, name: str) -> None:
        self.calls.put(("save_state", name))
        self._states.add(name)

    def recall_state(self, name: str) -> None:
        if name not in self._states:
            raise ControlError(f"there is no state {name!r}: save one first")
        self.calls.put(("recall_state", name))

    def start_recording(self, name: str) -> Path:
        self._recording = Path("recordings") / name
        return self._recording

    def stop_recording(self) -> tuple[Path, float]:
        if self._recording is None:
            raise ControlError("nothing is being recorded")
        path, self._recording = self._recording, None
        return path, 2.5

    def status(self) -> dict[str, Value]:
        return {
            "position": 48_000,
            "sample_rate": 48_000,
            "voices": VOICES,
            "level_db": -12.5,
            "realtime_factor": 31.0,
            "underruns": 0,
            "missing_frames": 0,
            "latency_ms": 60.0,
            "quarantined": 0,
            "checkpoint": "small",
        }

    def quit(self) -> None:
        self.quitting.set()


@dataclass(frozen=True)
class ControlSide:
    """A console on a fake instrument, reachable over OSC and ZeroMQ on free ports."""

    instrument: FakeInstrument
    console: Console
    osc: OscServer
    zeromq: ControlServer


@contextmanager
def control_side(osc_port: int = 0, control_port: int = 0) -> Generator[ControlSide]:
    """A running control side; closed in the daemon's order."""
    instrument = FakeInstrument()
    console = Console(instrument)
    osc = OscServer("127.0.0.1", osc_port, console)
    zeromq = ControlServer("127.0.0.1", control_port, console)
    try:
        yield ControlSide(instrument, console, osc, zeromq)
    finally:
        instrument.let_load.set()
        osc.close()
        zeromq.close()
        console.close()
