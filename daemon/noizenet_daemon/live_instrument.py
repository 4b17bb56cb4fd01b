"""The instrument that the control side turns: hands every change to the engine thread, at its time.

Threads. All methods may be called from any thread; only what they post runs on the engine's. `_set` holds what
was last asked for, so that a value can be read back at once.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from noizenet.checkpoint import Checkpoint
from noizenet.errors import ControlError
from noizenet.parameter import Value
from noizenet.protocol import PARAMETERS, STATUS_FIELDS, suggest
from noizenet_daemon.broadcast import Broadcast
from noizenet_daemon.clock import Clock
from noizenet_daemon.engine import Engine
from noizenet_daemon.engines import EngineName
from noizenet_daemon.generator import Generator, GeneratorState
from noizenet_daemon.performance import initial_states
from noizenet_daemon.precision import PrecisionChoice
from noizenet_daemon.ring import Ring
from noizenet_daemon.sound_input import SoundCardInput
from noizenet_daemon.warming import warm_up

MOST_STATES = 1000


class LiveInstrument:
    """Implements `noizenet_daemon.instrument.Instrument` on a running engine."""

    def __init__(
        self,
        engine: Engine,
        ring: Ring,
        broadcast: Broadcast,
        clock: Clock,
        generator: Generator,
        *,
        engine_name: EngineName,
        precision: PrecisionChoice = "auto",
        seed: int,
        record_dir: Path,
        values: dict[str, Value],
        stop: Callable[[], None],
        sound_input: SoundCardInput | None = None,
    ) -> None:
        """Args:
        values: start values of all parameters.
        stop: asks the daemon to end.
        sound_input: what the live level comes from, if one is open.
        """
        self._engine = engine
        self._ring = ring
        self._broadcast = broadcast
        self._clock = clock
        self._generator = generator
        self._engine_name = engine_name
        self._precision: PrecisionChoice = precision
        self._seed = seed
        self._record_dir = record_dir
        self._stop = stop
        self._input = sound_input
        if sound_input is not None:
            engine.performance.live_level_db = sound_input.level_db
        self._voices = len(engine.performance.voices)
        self._set: list[dict[str, Value]] = [dict(values) for _ in range(self._voices)]
        self._states: dict[str, tuple[Generator, list[GeneratorState]]] = {}
        self._replacing = threading.Lock()  # one load, prime or recall at a time

    @property
    def voices(self) -> int:
        return self._voices

    def get(self, parameter: str, voice: int = 1) -> Value:
        if parameter == "live_level_db" and self._input is not None:
            return round(self._input.level_db(), 2)
        return self._set[voice - 1][parameter]

    def set(self, parameter: str, value: Value, voice: int | None = None, at: float | None = None) -> None:
        if parameter == "live_level_db" and self._input is not None:
            raise ControlError(
                f"live_level_db follows the sound input {self._input.name!r}: start with --input none to set it"
            )
        if at is None or at <= time.time():
            self._remember(parameter, value, voice)
            self._engine.post(lambda: self._apply(parameter, value, voice))
            return

        def when_due() -> None:
            self._remember(parameter, value, voice)
            self._apply(parameter, value, voice)

        position = self._clock.position_at(at) - self._engine.performance.delay_frames
        self._engine.post(lambda: self._engine.performance.at(position, when_due))

    def _remember(self, parameter: str, value: Value, voice: int | None) -> None:
        everyone = voice is None or PARAMETERS[parameter].scope == "master"
        for number, values in enumerate(self._set, 1):
            if everyone or number == voice:
                values[parameter] = value

    def _apply(self, parameter: str, value: Value, voice: int | None) -> None:
        """On the engine's thread."""
        if parameter == "latency_ms":
            self._ring.virtual_frames = round(float(value) / 1000.0 * self._engine.performance.sample_rate)
            return
        if parameter == "mute" and not value:
            self._ring.open_gate(is_open=True)
        self._engine.performance.set(parameter, value, voice)

    def load(self, path: Path) -> str:
        generator = Generator(Checkpoint.load(path), self._engine_name, self._precision)
        warm_up(generator, self._voices)
        with self._replacing:
            self._replace(generator, initial_states(generator, "corpus", self._seed, self._voices))
        return generator.checkpoint.name

    def prime(self, source: str) -> float:
        with self._replacing:
            numbers = range(1, self._voices + 1)
            primed = [self._generator.primed_state(source, self._seed, voice) for voice in numbers]
            self._replace(self._generator, [state for state, _ in primed])
        return primed[0][1]

    def reset(self) -> None:
        with self._replacing:
            generator = self._generator
            self._replace(generator, initial_states(generator, "corpus", self._seed, self._voices))

    def panic(self) -> None:
        self._ring.open_gate(is_open=False)
        self.set("mute", True)

    def save_state(self, name: str) -> None:
        if len(self._states) >= MOST_STATES and name not in self._states:
            raise ControlError(f"{MOST_STATES} states are remembered, no more fit: save over one of them")
        states: list[GeneratorState] = []

        def copy() -> None:
            states.extend(self._generator.copy_of(voice.source.state) for voice in self._engine.performance.voices)

        with self._replacing:
            self._engine.call(copy)
            self._states[name] = (self._generator, states)

    def recall_state(self, name: str) -> None:
        if name not in self._states:
            raise ControlError(f"no state was saved as {name!r}{suggest(name, self._states)}")
        with self._replacing:
            generator, states = self._states[name]
            self._replace(generator, [generator.copy_of(state) for state in states])

    def start_recording(self, name: str) -> Path:
        path = (self._record_dir / name).resolve()
        if path.parent != self._record_dir.resolve() or not path.name or path.name.startswith("."):
            raise ControlError(f"{name!r} is not a plain file name: recordings go to {self._record_dir.resolve()}")
        if path.suffix != ".wav":
            path = path.with_name(path.name + ".wav")
        self._broadcast.start_recording(path)
        return path

    def stop_recording(self) -> tuple[Path, float]:
        return self._broadcast.stop_recording()

    def status(self) -> dict[str, Value]:
        engine = self._engine
        rate = engine.performance.sample_rate
        values: dict[str, Value] = {
            "position": self._ring.read_position,
            "sample_rate": rate,
            "voices": self._voices,
            "level_db": round(engine.level_db, 2),
            "realtime_factor": round(engine.realtime_factor, 2),
            "underruns": self._ring.underruns,
            "missing_frames": self._ring.missing,
            "latency_ms": round(1000.0 * (self._ring.filled / rate + self._clock.output_latency_s), 1),
            "quarantined": engine.performance.quarantined,
            "checkpoint": self._generator.checkpoint.name,
        }
        assert list(values) == list(STATUS_FIELDS)
        return values

    def quit(self) -> None:
        self._stop()

    def _replace(self, generator: Generator, states: list[GeneratorState]) -> None:
        self._engine.call(lambda: self._engine.performance.replace(generator, states))
        self._generator = generator
