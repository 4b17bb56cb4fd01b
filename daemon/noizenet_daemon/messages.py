"""Requests and replies, free of any transport. OSC and ZeroMQ turn their messages into these and back."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from noizenet.parameter import Value


@dataclass(frozen=True)
class Reply:
    """An answer, or news for a subscriber.

    Attributes:
        address: "/done", "/fail", "/synced", "/status.reply", "/noizenet/<parameter>", ...
        rows: the values; OSC sends one message a row.
        data: the same for programs: what JSON carries beside the values; None if rows say it all.
        quiet: an acknowledgement that OSC, like scsynth, does not send.
    """

    address: str
    rows: tuple[tuple[Value, ...], ...] = ((),)
    data: Any = None
    quiet: bool = False

    @property
    def ok(self) -> bool:
        """False if the request was refused."""
        return self.address != "/fail"


class Sender(Protocol):
    """Who asked, and how to answer. `key` tells two senders apart."""

    @property
    def key(self) -> Hashable: ...

    def answer(self, reply: Reply) -> None:
        """Sends a reply; may be called later and from another thread. Never raises."""
        ...

    def on_port(self, port: int) -> "Sender":
        """Returns the same sender at another UDP port; raises ControlError where there are no ports."""
        ...


@dataclass(frozen=True)
class Request:
    """One message from outside.

    Attributes:
        address: as it was sent, such as "/noizenet/gain_db" or "/status".
        arguments: plain values; anything else was refused by the adapter.
        sender: who asked.
        at: wall-clock time in seconds since 1970 at which it is to take effect; None = now.
    """

    address: str
    arguments: tuple[Value, ...]
    sender: Sender
    at: float | None = None
