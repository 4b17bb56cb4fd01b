"""What a client needs of the way to the daemon, whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from noizenet.errors import DeviceError
from noizenet.parameter import Value

ANSWER_WITHIN_S = 10.0


@dataclass(frozen=True)
class Answer:
    """What the daemon said.

    Attributes:
        address: "/done", "/fail", "/status.reply", "/noizenet/<parameter>", ...
        rows: one tuple of values a message.
        data: the same with names, where the transport has it (ZeroMQ); else None.
    """

    address: str
    rows: tuple[tuple[Value, ...], ...]
    data: Any = None

    @property
    def ok(self) -> bool:
        """False if the request was refused; then the last value says why."""
        return self.address != "/fail"

    @property
    def values(self) -> tuple[Value, ...]:
        """The first row."""
        return self.rows[0] if self.rows else ()


class Transport(Protocol):
    """A way to the daemon, for one thread at a time."""

    def ask(self, address: str, arguments: Sequence[Value] = (), at: float | None = None) -> Answer:
        """Sends a request and returns the answer; a refusal too is an answer.

        Args:
            at: seconds since 1970 at which it is to take effect; a command answers only then.

        Raises:
            DeviceError: no daemon is there, or it doesn't answer in time.
        """
        ...

    def news(self, timeout_s: float) -> Answer | None:
        """Returns the next change or telemetry sent since `/notify 1`, or None after `timeout_s`."""
        ...

    def close(self) -> None:
        """Frees the socket."""
        ...


def no_daemon(place: str) -> DeviceError:
    """Returns the error for a daemon that isn't there."""
    return DeviceError(f"no NoizeNet daemon answers at {place}: start it with `noizenet daemon`, or name its port")


def no_answer(place: str, address: str, seconds: float) -> DeviceError:
    """Returns the error for an answer that doesn't come."""
    return DeviceError(
        f"the daemon at {place} did not answer {address} within {seconds:g} s: "
        "start it with `noizenet daemon` if it has stopped, or wait longer"
    )
