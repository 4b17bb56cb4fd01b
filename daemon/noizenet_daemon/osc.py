"""OSC over UDP: packets in, replies out.

Threads. The thread "osc" receives and submits to the console, which never blocks. Replies and news are sent
straight from whichever thread has them: a datagram goes out whole or not at all.

python-osc's servers are not used: they sleep on future time tags or drop them, start a thread per packet, and
die of malformed packets.
"""

import contextlib
import logging
import selectors
import socket
import threading
from collections.abc import Hashable
from dataclasses import dataclass

from noizenet.addresses import LONGEST
from noizenet.errors import ControlError, DeviceError
from noizenet.osc_packet import LARGEST_PACKET, OscPacketMessage, decode_packet, encode_message
from noizenet_daemon.address_patterns import expand, is_pattern
from noizenet_daemon.console import Console
from noizenet_daemon.messages import Reply, Request, Sender
from noizenet_daemon.refusals import Refusals

RECEIVE_BUFFER = 4 << 20  # bytes; a second of 20,000 small messages, each charged about 200 by Linux
PACKETS_AT_ONCE = 256  # taken in a row before the wake-up socket is looked at

# Answers of an OSC server. Answering one, even with /fail, could go back and forth between two for ever.
REPLY_ADDRESSES = ("/fail", "/done", "/synced", "/status.reply", "/parameters.reply")

_log = logging.getLogger("noizenet.control")


class OscServer:
    """Receives OSC on a UDP port from its making until `close`."""

    def __init__(self, host: str, port: int, console: Console) -> None:
        """Args:
            host: address to listen on.
            port: UDP port; 0 takes any free one.

        Raises:
            DeviceError: the port is in use, or the host is not this machine's.
        """
        self._console = console
        self._refusals = Refusals("OSC")
        self._socket = _bound_socket(host, port)
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="osc", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._socket.getsockname()[1])

    @property
    def refused(self) -> int:
        """Malformed packets since the start."""
        return self._refusals.count

    def close(self) -> None:
        """Stops receiving and frees the port."""
        self._wake.close()  # makes the other end readable
        self._thread.join()
        self._woken.close()
        self._socket.close()

    def send(self, reply: Reply, host_port: tuple[str, int]) -> None:
        """Sends a reply, one message a row. Any thread; never raises."""
        for row in reply.rows:
            try:
                self._socket.sendto(encode_message(reply.address, row), host_port)
            except OSError as error:  # too long, receiver's buffer full, or the port closed meanwhile
                self._refusals.add(f"{reply.address} could not be sent to port {host_port[1]}: {error.strerror}")

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while all(key.fileobj is self._socket for key, _ in selector.select()):
                self._receive()

    def _receive(self) -> None:
        with contextlib.suppress(OSError):  # nothing left to read, or a note that an earlier reply was not wanted
            for _ in range(PACKETS_AT_ONCE):
                packet, address = self._socket.recvfrom(LARGEST_PACKET)
                self._take(packet, OscSender(self, address))

    def _take(self, packet: bytes, sender: "OscSender") -> None:
        try:
            messages = decode_packet(packet)
        except ControlError as error:
            self._refusals.add(str(error))
            sender.answer(Reply("/fail", (("packet", str(error)),)))
            return
        for message in messages:
            try:
                self._dispatch(message, sender)
            except Exception as error:  # a fault of ours; the next message may well be fine
                _log.error("an OSC message failed: %s: %s", type(error).__name__, error)

    def _dispatch(self, message: OscPacketMessage, sender: "OscSender") -> None:
        if message.address in REPLY_ADDRESSES:
            return
        addresses: tuple[str, ...] = (message.address,)
        # voice/* is an address of its own, all voices at once; any other wildcard is a pattern.
        plain = message.address.replace("/voice/*/", "/voice/1/", 1)
        if is_pattern(plain):
            addresses = expand(message.address, self._console.voices)
        fault = message.fault or ("" if addresses else "the pattern fits no parameter")
        if fault:
            self._refusals.add(f"{message.address}: {fault}")
            sender.answer(Reply("/fail", ((message.address[:LONGEST], fault),)))
            return
        for address in addresses:
            self._console.submit(Request(address, message.arguments, sender, message.at))


@dataclass(frozen=True)
class OscSender:
    """A UDP address that sent a message, or wants its replies there."""

    server: OscServer
    address: tuple[str, int]

    @property
    def key(self) -> Hashable:
        return ("osc", *self.address)

    def answer(self, reply: Reply) -> None:
        if not reply.quiet:
            self.server.send(reply, self.address)

    def on_port(self, port: int) -> Sender:
        if port == self.server.port:
            raise ControlError(f"{port} is the daemon's own port: name the one that you listen on")
        return OscSender(self.server, (self.address[0], port))


def _bound_socket(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise DeviceError(
            f"OSC can't listen on UDP port {port} of {host} ({error.strerror}): "
            "choose another port with --osc-port, or another host"
        ) from error
    bound.setblocking(False)
    with contextlib.suppress(OSError):
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return bound
