"""The way to the daemon over OSC: one UDP socket, whose port the daemon answers."""

import socket
import time
from collections import deque
from collections.abc import Sequence

from noizenet.addresses import Knob, parse_address
from noizenet.errors import ControlError, UsageError
from noizenet.osc_packet import LARGEST_PACKET, OscPacketMessage, decode_packet, encode_bundle, encode_message
from noizenet.parameter import Value
from noizenet.protocol import OSC_PORT, Command
from noizenet_clients.transport import ANSWER_WITHIN_S, Answer, no_answer, no_daemon

MOST_NEWS = 1000  # the oldest news is dropped beyond that
LARGEST_SYNC = 0x7FFFFFFF
REPLY_ADDRESSES = {"status": "/status.reply", "parameters": "/parameters.reply", "sync": "/synced"}


class OscTransport:
    """Requests and replies in OSC. For one thread at a time.

    OSC has no request numbers, and like scsynth the daemon doesn't acknowledge a parameter that was set. So a
    question that is always answered follows each request, and its answer ends the wait.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = OSC_PORT, timeout_s: float = ANSWER_WITHIN_S) -> None:
        """Args:
            host: the daemon's address.
            port: its OSC port.
            timeout_s: how long an answer may take.

        Raises:
            UsageError: host and port make no address.
        """
        self._place = f"UDP port {port} of {host}"
        self._timeout_s = timeout_s
        self._last_sync = 0
        self._news: deque[Answer] = deque(maxlen=MOST_NEWS)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            # Connected, so that the kernel tells if nobody listens there.
            self._socket.connect((host, port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            raise UsageError(f"{self._place} is no address to send to: {error}") from error

    def ask(self, address: str, arguments: Sequence[Value] = (), at: float | None = None) -> Answer:
        """See `Transport.ask`."""
        self._keep_news()
        packet = encode_message(address, arguments)
        wait_s = self._timeout_s
        self._last_sync = self._last_sync % LARGEST_SYNC + 1
        question = _Question(address, arguments, at is not None, self._last_sync)
        if at is not None and not question.is_list:
            packet = encode_bundle(at, [packet])
            wait_s += max(at - time.time(), 0.0)
        self._send(packet)
        if question.follow_up:
            self._send(question.follow_up)
        deadline = time.monotonic() + wait_s
        while (message := self._receive(deadline)) is not None:
            if not question.take(message):
                self._news.append(Answer(message.address, (message.arguments,)))
            elif question.complete(message):
                return question.answer()
        raise no_answer(self._place, address, wait_s)

    def news(self, timeout_s: float) -> Answer | None:
        """See `Transport.news`."""
        if self._news:
            return self._news.popleft()
        message = self._receive(time.monotonic() + timeout_s)
        return None if message is None else Answer(message.address, (message.arguments,))

    def close(self) -> None:
        """Frees the socket."""
        self._socket.close()

    def _keep_news(self) -> None:
        """Empties the socket before a request, so that what lies there isn't taken for its answer."""
        while (message := self._receive(time.monotonic())) is not None:
            if message.address not in ("/fail", "/done", "/synced"):
                self._news.append(Answer(message.address, (message.arguments,)))

    def _send(self, packet: bytes) -> None:
        try:
            self._socket.send(packet)
        except ConnectionRefusedError:
            raise no_daemon(self._place) from None
        except OSError as error:
            raise UsageError(f"the request could not be sent to {self._place}: {error.strerror}") from error

    def _receive(self, deadline: float) -> OscPacketMessage | None:
        """Returns the next message, or None once the deadline is past."""
        while True:
            self._socket.settimeout(max(deadline - time.monotonic(), 1e-6))
            try:
                return decode_packet(self._socket.recv(LARGEST_PACKET))[0]
            except (TimeoutError, BlockingIOError):
                return None
            except ConnectionRefusedError:
                raise no_daemon(self._place) from None
            except (ControlError, IndexError):
                continue  # not from a NoizeNet daemon


class _Question:
    """A request, the message that follows it, and what has come back so far.

    A parameter that is set is asked for its value afterwards. `/sync` follows where nothing, or an unknown
    number of messages, comes back. Everything else is answered anyway.
    """

    def __init__(self, address: str, arguments: Sequence[Value], timed: bool, sync: int) -> None:
        self._address = address
        self._arguments = tuple(arguments)
        self._sync = sync
        self._rows: list[tuple[Value, ...]] = []
        self._reply_address = address
        self._fails: list[tuple[Value, ...]] = []
        self.is_list = False
        try:
            target: Knob | Command | None = parse_address(address)
        except ControlError:
            target = None  # unknown here; the daemon has the say
        if isinstance(target, Command):
            self._reply_address = REPLY_ADDRESSES.get(target.name, "/done")
            self.is_list = target.name == "parameters"
        sets = isinstance(target, Knob) and bool(arguments)
        self._asks_again = sets and not timed
        self.follow_up = b""
        if self._asks_again:
            self.follow_up = encode_message(address, ())
        elif sets or self.is_list or target is None:
            self.follow_up = encode_message("/sync", (sync,))

    def take(self, message: OscPacketMessage) -> bool:
        """Notes a message if it belongs to this question; returns whether it does."""
        first = message.arguments[:1]
        if message.address == "/fail":
            if first == (self._address,):
                self._fails.append(message.arguments)
            return first == (self._address,)
        if message.address == "/done" and first != (self._address,):
            return False
        if message.address == self._reply_address:
            self._rows.append(message.arguments)
            return True
        return message.address == "/synced"

    def complete(self, message: OscPacketMessage) -> bool:
        """Returns whether the message just taken was the last one to wait for."""
        if self._asks_again:  # a value alone is the second answer; one with a remark is about what was set
            return len(self._fails) == 2 or (message.address != "/fail" and len(message.arguments) == 1)
        if self._fails:
            return True
        if self.follow_up:
            return message.address == "/synced" and message.arguments == (self._sync,)
        return bool(self._rows)

    def answer(self) -> Answer:
        """Returns what came back, once complete."""
        if self._fails:
            return Answer("/fail", (self._fails[0],))
        if not self._rows:
            return Answer(self._address, (self._arguments,))
        return Answer(self._reply_address, tuple(self._rows) if self.is_list else (self._rows[0],))
