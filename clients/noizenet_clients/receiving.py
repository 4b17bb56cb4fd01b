"""Takes the audio stream from a daemon: in order, with gaps and restarts noticed."""

import math
import socket
import time
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import zmq
from numpy.typing import NDArray

from noizenet.errors import ControlError, UsageError
from noizenet.protocol import AUDIO_TOPIC
from noizenet.stream import SOCKET_BUFFER, AudioHeader, queue_length

USUAL_RATE, USUAL_BLOCK = 48_000, 256  # what the queue's length is reckoned from before anything has arrived
RECONNECT_MS = 100
HEARTBEAT_MS = 2000  # a host that vanished without a word is noticed and connected to anew
LARGEST_MESSAGE = 16 << 20  # bytes


@dataclass(frozen=True)
class Arrival:
    """One message of the stream.

    Attributes:
        samples: float32 (frames, channels), read-only.
        lost: frames that are missing just before it.
        restarted: True if the daemon started anew since the message before.
    """

    header: AudioHeader
    samples: NDArray[np.float32]
    lost: int
    restarted: bool


def compare(last: AudioHeader | None, header: AudioHeader) -> tuple[int, bool]:
    """Returns the frames lost between two messages, and whether the daemon restarted between them."""
    if last is None:
        return 0, False
    expected = last.position + last.frames
    same_sound = (header.run, header.sample_rate, header.channels) == (
        last.run,
        last.sample_rate,
        last.channels,
    )
    if not same_sound or header.sequence <= last.sequence or header.position < expected:
        return 0, True
    return header.position - expected, False


class AudioReceiver:
    """A subscription to one daemon's stream; ZeroMQ connects again by itself. One thread, but for `stop`.

    Attributes:
        malformed: messages dropped because they aren't audio of a known version.
    """

    def __init__(self, endpoint: str) -> None:
        """Args:
            endpoint: tcp://host:port; "tcp://" may be left out.

        Raises:
            UsageError: it is no address to connect to.
        """
        self.endpoint = endpoint if "://" in endpoint else f"tcp://{endpoint}"
        self.malformed = 0
        self._last: AudioHeader | None = None
        self._stopped = False
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.RCVHWM = queue_length(USUAL_RATE, USUAL_BLOCK)
        self._socket.RCVBUF = SOCKET_BUFFER
        self._socket.MAXMSGSIZE = LARGEST_MESSAGE
        self._socket.RECONNECT_IVL = RECONNECT_MS
        self._socket.HEARTBEAT_IVL = HEARTBEAT_MS
        self._socket.SUBSCRIBE = AUDIO_TOPIC
        try:
            self._socket.connect(self.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise UsageError(
                f"{self.endpoint} is no stream to listen to ({error.strerror}): it looks like tcp://127.0.0.1:57192"
            ) from error
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._woken.fileno(), zmq.POLLIN)

    @property
    def stopped(self) -> bool:
        """True once `stop` was called."""
        return self._stopped

    def stop(self) -> None:
        """Makes `receive` return None from now on. Any thread, and signal handlers."""
        self._stopped = True
        with suppress(OSError):  # closed already
            self._wake.send(b"!")

    def receive(self, timeout_s: float | None) -> Arrival | None:
        """Returns the next message, or None after `timeout_s` without one (None: no limit) or `stop`."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._stopped:
            left_ms = None if deadline is None else math.ceil(max(deadline - time.monotonic(), 0.0) * 1000)
            ready = dict(self._poller.poll(left_ms))
            if not ready:
                return None
            if self._socket in ready and (arrival := self._take(self._socket.recv_multipart())) is not None:
                return arrival
        return None

    def close(self) -> None:
        """Ends the subscription."""
        self._socket.close(linger=0)
        self._context.term()
        self._wake.close()
        self._woken.close()

    def _take(self, frames: list[bytes]) -> Arrival | None:
        try:
            if len(frames) != 3:
                raise ControlError(f"an audio message has 3 frames, not {len(frames)}")
            header = AudioHeader.unpack(frames[1], len(frames[2]))
        except ControlError:
            self.malformed += 1
            return None
        lost, restarted = compare(self._last, header)
        self._last = header
        samples = np.frombuffer(frames[2], dtype="<f4").reshape(header.frames, header.channels)
        return Arrival(header, samples, lost, restarted)
