"""The way to the daemon over ZeroMQ: JSON requests on a DEALER socket."""

import json
import math
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import zmq

from noizenet.errors import UsageError
from noizenet.parameter import Value
from noizenet.protocol import CONTROL_PORT
from noizenet_clients.transport import ANSWER_WITHIN_S, Answer, no_answer, no_daemon

CONNECT_WITHIN_S = 2.0
RECONNECT_MS = 50
MOST_NEWS = 1000  # the oldest news is dropped beyond that


class ZeroMqTransport:
    """Requests and replies in JSON. For one thread at a time."""

    def __init__(self, host: str = "127.0.0.1", port: int = CONTROL_PORT, timeout_s: float = ANSWER_WITHIN_S) -> None:
        """Args:
            host: the daemon's address.
            port: its ZeroMQ control port.
            timeout_s: how long an answer may take.

        Raises:
            UsageError: host and port make no address.
        """
        self._place = f"tcp://{host}:{port}"
        self._timeout_s = timeout_s
        self._last_id = 0
        self._news: deque[Answer] = deque(maxlen=MOST_NEWS)
        self._news_id: int | None = None
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.LINGER = 0
        self._socket.IMMEDIATE = 1  # send only when somebody is there
        self._socket.RECONNECT_IVL = RECONNECT_MS
        try:
            self._socket.connect(self._place)
        except zmq.ZMQError as error:
            self.close()
            raise UsageError(f"{self._place} is no address to connect to: {error.strerror}") from error

    def ask(self, address: str, arguments: Sequence[Value] = (), at: float | None = None) -> Answer:
        """See `Transport.ask`."""
        if not self._socket.poll(round(min(CONNECT_WITHIN_S, self._timeout_s) * 1000), zmq.POLLOUT):
            raise no_daemon(self._place)
        self._last_id += 1
        request: dict[str, Any] = {"id": self._last_id, "address": address, "arguments": list(arguments)}
        wait_s = self._timeout_s
        if at is not None:
            request["at"] = at
            wait_s += max(at - time.time(), 0.0)
        self._socket.send(json.dumps(request).encode())
        deadline = time.monotonic() + wait_s
        while (reply := self._receive(deadline)) is not None:
            number, answer = reply
            if number == self._last_id:
                if answer.ok and address.endswith("/notify"):
                    self._news_id = number
                return answer
            if number == self._news_id:
                self._news.append(answer)
        raise no_answer(self._place, address, wait_s)

    def news(self, timeout_s: float) -> Answer | None:
        """See `Transport.news`."""
        if self._news:
            return self._news.popleft()
        deadline = time.monotonic() + timeout_s
        while (reply := self._receive(deadline)) is not None:
            if reply[0] == self._news_id:
                return reply[1]
        return None

    def close(self) -> None:
        """Frees the socket."""
        self._socket.close()
        self._context.term()

    def _receive(self, deadline: float) -> tuple[int | None, Answer] | None:
        """Returns the id and the answer of the next message, or None once the deadline is past."""
        left = deadline - time.monotonic()
        if not self._socket.poll(math.ceil(max(left, 0.0) * 1000)):
            return None
        reply = json.loads(self._socket.recv())
        rows = tuple(tuple(row) for row in reply.get("rows", [reply["values"]]))
        return reply.get("id"), Answer(reply["address"], rows, reply.get("data"))
