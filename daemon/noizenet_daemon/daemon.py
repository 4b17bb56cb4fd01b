"""The daemon: puts the parts together, starts them in order, watches over them, and stops them in order.

Start: checkpoint, engine, prefill, output, control servers, "ready". Stop: gate closed and faded out, servers,
output, engine, broadcast. The main thread does nothing for the sound; it shows the live line, publishes telemetry,
feeds the watchdog and ends the daemon.
"""

import logging
import sys
import time
from contextlib import ExitStack
from typing import Any

from noizenet.checkpoint import Checkpoint
from noizenet.errors import NoizeNetError
from noizenet.parameter import Value
from noizenet.protocol import PARAMETERS
from noizenet_daemon.broadcast import Broadcast
from noizenet_daemon.clock import Clock
from noizenet_daemon.config import DaemonConfig
from noizenet_daemon.console import Console
from noizenet_daemon.devices import Devices
from noizenet_daemon.ending import Ending
from noizenet_daemon.engine import Engine
from noizenet_daemon.engines import check_threads
from noizenet_daemon.generator import Generator
from noizenet_daemon.live_instrument import LiveInstrument
from noizenet_daemon.live_line import LiveLine
from noizenet_daemon.messages import Reply
from noizenet_daemon.notify import ServiceManager
from noizenet_daemon.osc import OscServer
from noizenet_daemon.performance import Performance, initial_states
from noizenet_daemon.quick_start import without_collecting
from noizenet_daemon.ring import Ring
from noizenet_daemon.warming import said_if_slow, warm_up
from noizenet_daemon.zeromq import AudioPublisher, ControlServer, TelemetryPublisher

FADE_S = 0.05
TICK_S = 0.1
PREFILL_PATIENCE_S = 30.0
MOST_LATENCY_S = PARAMETERS["latency_ms"].maximum / 1000.0

_log = logging.getLogger("noizenet.daemon")


class Daemon:
    """Plays a checkpoint until it is told to stop. Made and run on the main thread."""

    def __init__(self, config: DaemonConfig) -> None:
        self._config = config
        self._ending = Ending()
        self._manager = ServiceManager()
        self._ports: dict[str, int] = {}

    def run(self) -> None:
        """Plays until SIGINT, SIGTERM, `quit` or the end of `for_s`, then fades out.

        A signal before there is sound ends it at once.

        Raises:
            CheckpointError, SoundFileError: the checkpoint or the prime can't be used.
            DeviceError: the sound device or a port isn't available.
            NoizeNetError: the engine failed.
        """
        with ExitStack() as stack:
            self._ending.heed_signals(stack)
            with without_collecting():
                self._build(stack)
            try:
                self._watch()
            finally:
                self._manager.stopping()
                self._fade_out()

    def stop(self) -> None:
        """Asks the daemon to fade out and end. Any thread."""
        self._ending.ask()

    def _build(self, stack: ExitStack) -> None:
        config = self._config
        engine_name: Any = config.engine
        check_threads(engine_name, config.threads)
        self._devices = Devices(config)
        precision: Any = config.precision
        with said_if_slow("Preparing the kernels for this processor (the first start only, about a minute) ..."):
            generator = Generator(Checkpoint.load(config.checkpoint), engine_name, precision)
            warm_up(generator, config.voices)
            states = initial_states(generator, config.prime, config.seed, config.voices)
        if config.threads > 1 and not generator.gains_from_threads:
            _log.info(
                "voices of %s cost less than handing them to another thread: one plays them all", config.checkpoint
            )
        self._ending.wait_for_fade()
        rate = self._devices.sample_rate(generator.sample_rate)
        values: dict[str, Value] = {name: parameter.default for name, parameter in PARAMETERS.items()}
        latency_ms = least_latency_ms(generator, config.latency_ms)
        values |= dict(config.parameters) | {"latency_ms": latency_ms}

        performance = Performance(
            generator,
            states,
            sample_rate=rate,
            channels=config.channels,
            block_frames=config.block_frames,
            values={name: value for name, value in values.items() if name != "latency_ms"},
            threads=config.threads,
        )
        self._ring = Ring(
            round((MOST_LATENCY_S + 0.5) * rate) + config.block_frames,
            config.channels,
            round(latency_ms / 1000.0 * rate),
            round(FADE_S * rate),
        )
        self._clock = Clock(self._ring, rate)
        publisher = None
        if config.audio_port >= 0:
            publisher = AudioPublisher(config.host, config.audio_port, rate, config.block_frames)
            stack.callback(publisher.close)
            self._ports["audio"] = publisher.port
        if self._devices.has_no_sound_card:
            self._say_no_sound_card()
        self._broadcast = Broadcast(rate, config.channels, config.block_frames, publisher)
        stack.callback(self._broadcast.close)
        self._engine = Engine(performance, self._ring, self._broadcast, config.block_frames)
        stack.callback(self._engine.stop)
        self._devices.open(self._ring, rate, stack)
        self._clock.output_latency_s = self._devices.output.latency_s
        self._instrument = LiveInstrument(
            self._engine,
            self._ring,
            self._broadcast,
            self._clock,
            generator,
            engine_name=engine_name,
            precision=precision,
            seed=config.seed,
            record_dir=config.record_dir,
            values=values,
            stop=self.stop,
            sound_input=self._devices.input,
        )
        self._listen(stack)
        self._end_frame = round(config.for_s * rate)
        if self._end_frame:
            self._ring.close_gate_at(max(self._end_frame - round(FADE_S * rate), 0))
        self._start_sound()
        self._announce(rate)

    def _say_no_sound_card(self) -> None:
        print(
            "No sound card was found: playing on to ZeroMQ only; hear it with `noizenet listen "
            f"tcp://{self._config.host}:{self._ports.get('audio', 'PORT')} --out heard.wav`, or start with "
            "--output file:heard.wav.",
            file=sys.stderr,
            flush=True,
        )

    def _listen(self, stack: ExitStack) -> None:
        """Opens the control ports, and what publishes telemetry."""
        config = self._config
        self._console = Console(self._instrument)
        stack.callback(self._console.close)
        self._telemetry: TelemetryPublisher | None = None
        if config.telemetry_port >= 0:
            self._telemetry = TelemetryPublisher(config.host, config.telemetry_port)
            stack.callback(self._telemetry.close)
            self._ports["telemetry"] = self._telemetry.port
        if config.osc_port >= 0:
            osc = OscServer(config.host, config.osc_port, self._console)
            stack.callback(osc.close)
            self._ports["OSC"] = osc.port
        if config.control_port >= 0:
            control = ControlServer(config.host, config.control_port, self._console)
            stack.callback(control.close)
            self._ports["control"] = control.port

    def _start_sound(self) -> None:
        """Fills the ring, then opens the tap."""
        self._engine.start()
        deadline = time.monotonic() + PREFILL_PATIENCE_S
        while self._ring.space > 0 and not (
            self._engine.failure or self._ending.is_wanted or time.monotonic() > deadline
        ):
            time.sleep(0.002)
        self._devices.start()

    def _announce(self, rate: int) -> None:
        _log.info(
            "playing %s to %s at %d Hz; ports: %s; Ctrl-C fades out",
            self._instrument.status()["checkpoint"],
            self._devices.output.name,
            rate,
            ", ".join(f"{name} {port}" for name, port in sorted(self._ports.items())) or "none",
        )
        self._manager.ready()

    def _watch(self) -> None:
        """Runs until the end: telemetry, live line, watchdog, and a device that went away."""
        blocks = -1
        line = LiveLine(self._config.live)
        while not self._ending.is_wanted:
            time.sleep(TICK_S)
            self._clock.observe()
            if self._engine.failure is not None:
                raise NoizeNetError(f"the engine failed: {self._engine.failure}; start again, and report it")
            if self._end_frame and self._ring.read_position >= self._end_frame:
                break
            status = self._instrument.status()
            if self._engine.blocks != blocks:
                blocks = self._engine.blocks
                self._manager.alive()
            self._console.publish(Reply("/status.reply", (tuple(status.values()),), status))
            if self._telemetry is not None:
                self._telemetry.send(status)
            line.show(status)
            self._devices.revive()
        line.close()

    def _fade_out(self) -> None:
        """Closes the gate and waits until the fade has been heard."""
        output = self._devices.output
        self._ring.open_gate(is_open=False)
        deadline = time.monotonic() + 4 * FADE_S + 0.5
        while not self._ring.is_silent and output.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        # what the device still holds is silence by now, or the end of the fade
        time.sleep(min(output.latency_s, 0.5))


def least_latency_ms(generator: Generator, wanted_ms: float) -> float:
    """Returns the latency wanted, or that of one chunk of the generator, if that is longer; then it warns.

    Nothing of a chunk can be heard before all of it is made: the spectrum of a whole clip, say.
    """
    chunk_ms = min(1000.0 * generator.chunk_frames / generator.sample_rate, 1000.0 * MOST_LATENCY_S)
    if chunk_ms <= wanted_ms or generator.codec.group == 1:
        return wanted_ms
    _log.warning(
        "this checkpoint makes %.0f ms of sound at a time: the latency is that, not %g ms", chunk_ms, wanted_ms
    )
    return chunk_ms
