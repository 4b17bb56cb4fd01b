"""OSC packets to messages and back, without any input or output.

python-osc encodes and decodes the messages. Bundles are taken apart here: its own parser recurses as deep as
a packet asks it to, and turns time tags into the local clock's calendar. The type tags are looked at first,
because it logs a line for every tag it doesn't know, and copies the rest of the packet for every argument.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from noizenet.errors import ControlError
from noizenet.parameter import Value

LARGEST_PACKET = 65_507  # what fits into a UDP datagram over IPv4
DEEPEST_BUNDLE = 8
MOST_ARGUMENTS = 64
IMMEDIATELY = 1  # the time tag that means "now"

BUNDLE = b"#bundle\0"
NTP_TO_UNIX_S = 2_208_988_800  # from 1900 to 1970. Source: RFC 868
LARGEST_FLOAT = 3.4028234e38
TAG_NAMES = {
    "b": "a blob",
    "m": "a MIDI message",
    "t": "a time tag",
    "N": "nil",
    "[": "an array",
    "r": "a colour",
}


@dataclass(frozen=True)
class OscPacketMessage:
    """One message of a packet.

    Attributes:
        arguments: the values; empty if there is a fault.
        at: seconds since 1970 at which it is to take effect, from its bundle; None = now.
        fault: why the message can't be used, or "".
    """

    address: str
    arguments: tuple[Value, ...]
    at: float | None = None
    fault: str = ""


def encode_message(address: str, arguments: Sequence[Value]) -> bytes:
    """Returns the packet of one message. Bools go out as ints: many receivers don't know T and F."""
    builder = OscMessageBuilder(address=address)
    for value in arguments:
        if isinstance(value, str):
            text = value.partition("\0")[0].encode("utf-8", "replace").decode("utf-8")
            builder.add_arg(text, OscMessageBuilder.ARG_TYPE_STRING)
        elif isinstance(value, float):
            wide = LARGEST_FLOAT < abs(value) < float("inf")
            builder.add_arg(value, OscMessageBuilder.ARG_TYPE_DOUBLE if wide else OscMessageBuilder.ARG_TYPE_FLOAT)
        elif -(1 << 31) <= value < 1 << 31:
            builder.add_arg(int(value), OscMessageBuilder.ARG_TYPE_INT)
        else:
            inside = min(max(value, -(1 << 63)), (1 << 63) - 1)
            builder.add_arg(inside, OscMessageBuilder.ARG_TYPE_INT64)
    packet: bytes = builder.build().dgram
    return packet


def encode_bundle(at: float, packets: Sequence[bytes]) -> bytes:
    """Returns a bundle of packets that take effect at `at` seconds since 1970."""
    tag = round((at + NTP_TO_UNIX_S) * (1 << 32))
    parts = [BUNDLE, struct.pack(">Q", tag)]
    for packet in packets:
        parts += [struct.pack(">i", len(packet)), packet]
    return b"".join(parts)


def decode_packet(packet: bytes) -> list[OscPacketMessage]:
    """Returns the messages of a packet, in order.

    Raises:
        ControlError: the packet is not OSC; nothing of it is to be used.
    """
    try:
        return _decode(packet, None, 0)
    except ControlError:
        raise
    except Exception as error:  # whatever a parser lets through: UnicodeDecodeError, struct.error, ...
        raise ControlError(f"this is no OSC packet: {type(error).__name__} in {len(packet)} bytes") from error


def _decode(packet: bytes, at: float | None, depth: int) -> list[OscPacketMessage]:
    if not packet.startswith(BUNDLE):
        return [_decode_message(packet, at)]
    if depth == DEEPEST_BUNDLE:
        raise ControlError(f"bundles may be nested {DEEPEST_BUNDLE} deep, no deeper")
    if len(packet) < 16:
        raise ControlError(f"this is no OSC packet: a bundle has 16 bytes or more, not {len(packet)}")
    (tag,) = struct.unpack_from(">Q", packet, 8)
    if tag > IMMEDIATELY:
        at = tag / (1 << 32) - NTP_TO_UNIX_S
    messages = []
    start = 16
    while start < len(packet):
        (size,) = struct.unpack_from(">i", packet, start)
        start += 4
        if not 0 < size <= len(packet) - start:
            raise ControlError(f"this is no OSC packet: a part of {size} bytes where {len(packet) - start} are left")
        messages += _decode(packet[start : start + size], at, depth + 1)
        start += size
    return messages


def _decode_message(packet: bytes, at: float | None) -> OscPacketMessage:
    if not packet.startswith(b"/"):
        raise ControlError("this is no OSC packet: a message begins with / and a bundle with #bundle")
    end = packet.find(b"\0")
    if end < 0:
        raise ControlError("this is no OSC packet: its address has no end")
    address = packet[:end].decode("utf-8")
    start = end + 4 - end % 4
    if packet[start : start + 1] == b",":
        tags = packet[start + 1 : max(packet.find(b"\0", start), start + 1)].decode("ascii")
        fault = _fault_of(tags)
        if fault:
            return OscPacketMessage(address, (), at, fault)
    return OscPacketMessage(address, tuple(OscMessage(packet).params), at)


def _fault_of(tags: str) -> str:
    if len(tags) > MOST_ARGUMENTS:
        return f"a message has at most {MOST_ARGUMENTS} arguments, not {len(tags)}"
    for tag in tags:
        if tag not in "ihfdsTF":
            return f"{TAG_NAMES.get(tag, f'type {tag!r}')} can't be used here: send numbers or text"
    return ""
