"""The Python client: one method per command, over ZeroMQ or OSC."""

from types import TracebackType
from typing import Any, Self

from noizenet.addresses import address_of
from noizenet.errors import ControlError
from noizenet.parameter import Value
from noizenet.protocol import CONTROL_PORT, OSC_PORT, PARAMETER_FIELDS, PARAMETERS, PREFIX, STATUS_FIELDS
from noizenet_clients.osc import OscTransport
from noizenet_clients.transport import ANSWER_WITHIN_S, Answer, Transport
from noizenet_clients.zeromq import ZeroMqTransport


class Client:
    """A running daemon, seen from a program. For one thread at a time; a context manager.

        with Client.over_zeromq() as noizenet:
            noizenet.set("gain_db", -6)

    Every method raises `ControlError` if the daemon refuses, with its reason, and `DeviceError` if it isn't
    there or doesn't answer in time. Times (`at`) are seconds since 1970: a parameter is set then, to the
    sample, and a command is carried out and answers then.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @classmethod
    def over_zeromq(cls, host: str = "127.0.0.1", port: int = CONTROL_PORT, timeout_s: float = ANSWER_WITHIN_S) -> Self:
        """Returns a client that talks ZeroMQ: the way for programs."""
        return cls(ZeroMqTransport(host, port, timeout_s))

    @classmethod
    def over_osc(cls, host: str = "127.0.0.1", port: int = OSC_PORT, timeout_s: float = ANSWER_WITHIN_S) -> Self:
        """Returns a client that talks OSC."""
        return cls(OscTransport(host, port, timeout_s))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees the socket."""
        self._transport.close()

    def get(self, parameter: str, voice: int | None = None) -> Value:
        """Returns the value of a parameter, of one voice or of the first."""
        value = self._ask(address_of(parameter, voice)).values[0]
        known = PARAMETERS.get(parameter)
        return known.coerce(value)[0] if known else value  # OSC sends bools as ints

    def set(self, parameter: str, value: Value, voice: int | None = None, at: float | None = None) -> tuple[Value, str]:
        """Sets a parameter, of one voice or of all; returns the value taken and a remark ("" if as given)."""
        answer = self._ask(address_of(parameter, voice), value, at=at)
        taken, remark = (*answer.values, "")[:2]
        known = PARAMETERS.get(parameter)
        return known.coerce(taken)[0] if known else taken, str(remark)

    def get_normalised(self, parameter: str, voice: int | None = None) -> float:
        """Returns a parameter's place in 0..1 of its range."""
        return float(self._ask(address_of(parameter, voice, normalised=True)).values[0])

    def set_normalised(
        self, parameter: str, place: float, voice: int | None = None, at: float | None = None
    ) -> tuple[float, str]:
        """Sets a parameter by its place in 0..1 of its range; returns the place taken and a remark."""
        answer = self._ask(address_of(parameter, voice, normalised=True), place, at=at)
        taken, remark = (*answer.values, "")[:2]
        return float(taken), str(remark)

    def load(self, path: str, at: float | None = None) -> str:
        """Plays another checkpoint, by its path on the daemon's machine; returns its name."""
        return str(self._command("load", path, at=at)[0])

    def prime(self, source: str, at: float | None = None) -> float:
        """Warms the hidden state: a sound file, corpus, normal, perlin or silence; returns its seconds."""
        return float(self._command("prime", source, at=at)[0])

    def reset(self, at: float | None = None) -> None:
        """Starts the hidden state anew."""
        self._command("reset", at=at)

    def panic(self, at: float | None = None) -> None:
        """Fades to silence; `set("mute", False)` brings the sound back."""
        self._command("panic", at=at)

    def state_save(self, name: str, at: float | None = None) -> None:
        """Remembers the hidden state under a name."""
        self._command("state/save", name, at=at)

    def state_recall(self, name: str, at: float | None = None) -> None:
        """Goes back to a remembered state."""
        self._command("state/recall", name, at=at)

    def record_start(self, name: str, at: float | None = None) -> str:
        """Records what is heard to a new WAV file; returns its path on the daemon's machine."""
        return str(self._command("record/start", name, at=at)[0])

    def record_stop(self, at: float | None = None) -> tuple[str, float]:
        """Closes the recording; returns its path and seconds."""
        path, seconds = self._command("record/stop", at=at)
        return str(path), float(seconds)

    def status(self) -> dict[str, Value]:
        """Returns what the instrument is doing; the keys are those of `noizenet.protocol.STATUS_FIELDS`."""
        return dict(zip(STATUS_FIELDS, self._ask("/status").values, strict=True))

    def parameters(self) -> list[dict[str, Any]]:
        """Returns every parameter's name, kind, minimum, maximum, default, unit, doc and choices."""
        described = [dict(zip(PARAMETER_FIELDS, row, strict=True)) for row in self._ask("/parameters").rows]
        return [{**row, "choices": [c for c in str(row["choices"]).split(",") if c]} for row in described]

    def sync(self, number: int = 0) -> None:
        """Returns when everything sent before has been carried out, slow commands too."""
        self._ask("/sync", number)

    def notify(self, on: bool = True, port: int | None = None) -> None:
        """Subscribes to changes and telemetry, which `news` then returns; or no longer.

        Args:
            port: over OSC only: send the news, and all replies, to this port instead.
        """
        self._command("notify", int(on), *(() if port is None else (port,)))

    def news(self, timeout_s: float = 0.0) -> Answer | None:
        """Returns the next change or telemetry since `notify`, or None if none comes within `timeout_s`."""
        return self._transport.news(timeout_s)

    def quit(self, at: float | None = None) -> None:
        """Fades out and stops the daemon."""
        self._command("quit", at=at)

    def _command(self, name: str, *arguments: Value, at: float | None = None) -> tuple[Value, ...]:
        return self._ask(PREFIX + name, *arguments, at=at).values[1:]

    def _ask(self, address: str, *arguments: Value, at: float | None = None) -> Answer:
        answer = self._transport.ask(address, arguments, at)
        if not answer.ok:
            raise ControlError(f"{address}: {answer.values[-1]}")
        return answer
