"""ZeroMQ: control by JSON (ROUTER), and the audio and telemetry streams (PUB).

Threads. A ZeroMQ socket belongs to one thread at a time. The control socket belongs to the thread "zeromq";
replies that others have for it go through a queue, and a byte on a socket pair wakes that thread. The
publishers belong to whoever calls them: one thread each. Each has a context of its own, so that a flood of
control messages can't hold up the sound.
"""

import queue
import secrets
import socket
import threading
import time
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import zmq
from numpy.typing import NDArray

from noizenet.errors import ControlError, DeviceError
from noizenet.parameter import Value
from noizenet.protocol import AUDIO_TOPIC
from noizenet.stream import SOCKET_BUFFER, AudioHeader, queue_length
from noizenet_daemon.console import Console
from noizenet_daemon.json_messages import arguments_of, as_json, decode, encode, time_of
from noizenet_daemon.messages import Reply, Request, Sender
from noizenet_daemon.refusals import Refusals

LARGEST_REQUEST = 1 << 20  # bytes; a connection that sends more is cut by ZeroMQ
REQUESTS_AT_ONCE = 256  # taken in a row before waiting replies are sent
LINGER_MS = 200  # what is left to send may take this long at the end
TELEMETRY_QUEUE = 2  # a late reader wants the newest only


class ControlServer:
    """Takes JSON requests from REQ and DEALER sockets, from its making until `close`.

    A request is one frame: {"address": ..., "arguments": [...], "id": number or text, "at": seconds since
    1970}, all but the address optional. The reply has "id", "ok", "address", "values", "rows", "data" and
    "error", without those that don't apply; `rows` only if there is more than one.
    """

    def __init__(self, host: str, port: int, console: Console) -> None:
        """Args:
            host: address to listen on.
            port: TCP port; 0 takes any free one.

        Raises:
            DeviceError: the port is in use, or the host is not this machine's.
        """
        self._console = console
        self._refusals = Refusals("ZeroMQ")
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.MAXMSGSIZE = LARGEST_REQUEST
        self._router.ROUTER_MANDATORY = 1  # so that a subscriber who left is noticed
        self.port = _bind(self._context, self._router, host, port, "control")
        self._replies: queue.SimpleQueue[tuple[ZeroMqSender, bytes]] = queue.SimpleQueue()
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="zeromq", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Sends what is answered already, stops and frees the port."""
        self._closing.set()
        self._call()
        self._thread.join()
        self._wake.close()
        self._woken.close()
        _close(self._context, self._router)

    def send(self, sender: "ZeroMqSender", reply: Reply) -> None:
        """Sends a reply as soon as the socket's thread gets to it. Any thread; never raises."""
        self._replies.put((sender, encode(reply, sender.request_id)))
        if threading.current_thread() is not self._thread:
            self._call()

    def _call(self) -> None:
        with suppress(OSError):  # full: it is woken already; closed: too late for replies
            self._wake.send(b"!")

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._woken.fileno(), zmq.POLLIN)
        while not self._closing.is_set():
            poller.poll()
            with suppress(BlockingIOError):
                self._woken.recv(4096)
            with suppress(zmq.Again):
                for _ in range(REQUESTS_AT_ONCE):
                    self._take(self._router.recv_multipart(zmq.NOBLOCK))
            self._send_replies()

    def _take(self, frames: list[bytes]) -> None:
        sender = ZeroMqSender(self, tuple(frames[:-1]))
        address = "packet"
        try:
            values = decode(frames)
            sender = replace(sender, request_id=values.get("id"))
            address = values["address"]
            request = Request(address, arguments_of(values), sender, time_of(values))
        except ControlError as error:
            self._refusals.add(str(error))
            sender.answer(Reply("/fail", ((address, str(error)),)))
        else:
            self._console.submit(request)

    def _send_replies(self) -> None:
        with suppress(queue.Empty):
            while True:
                sender, message = self._replies.get_nowait()
                try:
                    self._router.send_multipart([*sender.envelope, message], zmq.NOBLOCK)
                except zmq.ZMQError as error:  # it has left, or doesn't read its replies
                    self._console.forget(sender.key)
                    self._refusals.add(f"a reply could not be delivered: {error.strerror}")


@dataclass(frozen=True)
class ZeroMqSender:
    """One request's way back: the routing frames before it, and its id."""

    server: ControlServer
    envelope: tuple[bytes, ...]
    request_id: Any = None

    @property
    def key(self) -> Hashable:
        return ("zeromq", self.envelope[0])

    def answer(self, reply: Reply) -> None:
        self.server.send(self, reply)

    def on_port(self, port: int) -> Sender:
        raise ControlError(f"over ZeroMQ, news comes on the same socket: leave out the port {port}")


class AudioPublisher:
    """The audio stream. `send` and `close` are called from one thread at a time.

    A listener that doesn't keep up loses messages; the others and the sound itself are never held up.
    """

    def __init__(self, host: str, port: int, sample_rate: int, block_frames: int) -> None:
        """Args:
            host: address to listen on.
            port: TCP port; 0 takes any free one.
            sample_rate: frames per second.
            block_frames: frames in a usual message.

        Raises:
            DeviceError: the port is in use, or the host is not this machine's.
        """
        self._sample_rate = sample_rate
        self._sequence = 0
        self._run = secrets.randbits(32)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.SNDHWM = queue_length(sample_rate, block_frames)
        self._socket.SNDBUF = SOCKET_BUFFER
        self.port = _bind(self._context, self._socket, host, port, "audio")

    def send(self, position: int, samples: NDArray[np.float32]) -> None:
        """Sends one block; never blocks.

        Args:
            position: index of its first frame, from the daemon's start.
            samples: float32 (frames, channels), C-contiguous; may be overwritten as soon as this returns.
        """
        frames, channels = samples.shape
        header = AudioHeader(self._sequence, position, time.time_ns(), self._sample_rate, channels, frames, self._run)
        self._sequence += 1
        self._socket.send_multipart([AUDIO_TOPIC, header.pack(), samples.astype("<f4", copy=False).tobytes()])

    def close(self) -> None:
        """Frees the port, after what is on its way has had a moment to leave."""
        _close(self._context, self._socket)


class TelemetryPublisher:
    """The telemetry stream, for one thread at a time: a frame of JSON a message, so that CONFLATE works."""

    def __init__(self, host: str, port: int) -> None:
        """Args:
            host: address to listen on.
            port: TCP port; 0 takes any free one.

        Raises:
            DeviceError: the port is in use, or the host is not this machine's.
        """
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.SNDHWM = TELEMETRY_QUEUE
        self.port = _bind(self._context, self._socket, host, port, "telemetry")

    def send(self, values: Mapping[str, Value]) -> None:
        """Sends what `Instrument.status` returns; never blocks."""
        self._socket.send(as_json(values))

    def close(self) -> None:
        """Frees the port."""
        _close(self._context, self._socket)


def _bind(context: zmq.Context[Any], bound: zmq.Socket[Any], host: str, port: int, purpose: str) -> int:
    """Binds a socket and returns its port; on failure closes both and raises DeviceError."""
    try:
        bound.bind(f"tcp://{host}:{port or '*'}")
    except zmq.ZMQError as error:
        bound.close(linger=0)
        context.term()
        raise DeviceError(
            f"ZeroMQ {purpose} can't listen on TCP port {port} of {host} ({error.strerror}): "
            f"choose another port with --{purpose}-port, or another host"
        ) from error
    endpoint: str = bound.getsockopt_string(zmq.LAST_ENDPOINT)
    return int(endpoint.rpartition(":")[2])


def _close(context: zmq.Context[Any], bound: zmq.Socket[Any]) -> None:
    bound.close(linger=LINGER_MS)
    context.term()
