"""The OSC side: packets, patterns, and the server as real programs meet it."""

import random
import re
import select
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Generator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message_builder import OscMessageBuilder

from fake_instrument import VOICES, ControlSide, control_side
from noizenet.errors import ControlError, DeviceError
from noizenet.osc_packet import (
    BUNDLE,
    DEEPEST_BUNDLE,
    LARGEST_PACKET,
    OscPacketMessage,
    decode_packet,
    encode_bundle,
    encode_message,
)
from noizenet.parameter import Value
from noizenet.protocol import PARAMETERS, STATUS_FIELDS
from noizenet_daemon.address_patterns import expand, matches
from noizenet_daemon.osc import OscServer

WITHIN_S = 20
needs_liblo = pytest.mark.skipif(shutil.which("oscsend") is None, reason="liblo's oscsend is not installed")


class OscEnd:
    """A UDP socket of a client's."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(WITHIN_S)
        self.server = ("127.0.0.1", port)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def send(self, packet: bytes) -> None:
        self.socket.sendto(packet, self.server)

    def tell(self, address: str, *arguments: Value) -> None:
        self.send(encode_message(address, arguments))

    def next(self) -> tuple[str, tuple[Value, ...]]:
        (message,) = decode_packet(self.socket.recv(LARGEST_PACKET))
        return message.address, message.arguments

    def ask(self, address: str, *arguments: Value) -> tuple[str, tuple[Value, ...]]:
        self.tell(address, *arguments)
        return self.next()

    def replies_until_synced(self, number: int) -> list[tuple[str, tuple[Value, ...]]]:
        """What comes back to what was sent before."""
        self.tell("/sync", number)
        replies = []
        while (reply := self.next()) != ("/synced", (number,)):
            replies.append(reply)
        return replies


@pytest.fixture
def side() -> Generator[ControlSide]:
    with control_side() as side:
        yield side


@pytest.fixture
def end(side: ControlSide) -> Generator[OscEnd]:
    end = OscEnd(side.osc.port)
    yield end
    end.socket.close()


VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=32, allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
)


@given(st.lists(VALUES, max_size=20))
def test_a_message_survives_the_wire(values: list[Value]) -> None:
    assert decode_packet(encode_message("/a", values)) == [OscPacketMessage("/a", tuple(values))]


def test_bools_leave_as_ints_and_large_numbers_whole() -> None:
    packet = encode_message("/a", (True, False, 1e300, 2**80, "half\ud800", "a\0b"))
    assert decode_packet(packet)[0].arguments == (1, 0, 1e300, 2**63 - 1, "half?", "a")
    assert b",iidhss" in packet


def test_all_kinds_of_numbers_and_text_arrive() -> None:
    builder = OscMessageBuilder("/a")
    for kind, value in (("i", 1), ("h", 2), ("f", 0.5), ("d", 0.25), ("T", True), ("F", False), ("s", "x")):
        builder.add_arg(value, kind)
    assert decode_packet(builder.build().dgram)[0].arguments == (1, 2, 0.5, 0.25, True, False, "x")


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [("b", b"1", "a blob"), ("N", None, "nil"), ("m", (1, 2, 3, 4), "a MIDI message")],
)
def test_other_kinds_are_refused_in_words(kind: str, value: object, word: str) -> None:
    builder = OscMessageBuilder("/a")
    builder.add_arg(value, kind)
    assert decode_packet(builder.build().dgram)[0].fault.startswith(f"{word} can't be used")


def test_unknown_and_too_many_tags_are_refused() -> None:
    assert decode_packet(b"/a\0\0,z\0\0")[0].fault.startswith("type 'z' can't be used")
    assert "at most 64 arguments" in decode_packet(b"/a\0\0," + b"T" * 60_000 + b"\0\0\0")[0].fault
    assert decode_packet(b"/a\0\0,[[[\0\0\0\0")[0].fault.startswith("an array can't be used")


def test_a_bundle_gives_its_time_to_its_messages() -> None:
    inner = encode_bundle(1_800_000_001.25, [encode_message("/b", ())])
    outer = encode_bundle(1_800_000_000.5, [encode_message("/a", (1,)), inner])
    assert decode_packet(outer) == [
        OscPacketMessage("/a", (1,), pytest.approx(1_800_000_000.5, abs=1e-6)),
        OscPacketMessage("/b", (), pytest.approx(1_800_000_001.25, abs=1e-6)),
    ]


def test_the_immediate_time_tag_means_now() -> None:
    message = encode_message("/a", ())
    packet = BUNDLE + struct.pack(">Qi", 1, len(message)) + message
    assert decode_packet(packet) == [OscPacketMessage("/a", ())]


def test_bundles_are_nested_to_a_limit() -> None:
    packet = encode_message("/a", ())
    for _ in range(DEEPEST_BUNDLE):
        packet = encode_bundle(0, [packet])
    assert decode_packet(packet)[0].address == "/a"
    for _ in range(2000):
        packet = encode_bundle(0, [packet])
    with pytest.raises(ControlError, match="nested 8 deep"):
        decode_packet(packet)


@settings(max_examples=500)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda tail: BUNDLE + tail)))
def test_random_bytes_are_a_packet_or_refused(packet: bytes) -> None:
    with suppress(ControlError):
        assert all(isinstance(message, OscPacketMessage) for message in decode_packet(packet))


@pytest.mark.parametrize(
    ("pattern", "word", "fits"),
    [
        ("gain_db", "gain_db", True),
        ("*", "gain_db", True),
        ("*", "", True),
        ("noise_*", "noise_kind", True),
        ("*_*", "noise_period_s", True),
        ("*x", "gain_db", False),
        ("?an", "pan", True),
        ("?", "", False),
        ("[a-q]an", "pan", True),
        ("[!a-o]an", "pan", True),
        ("[!p]an", "pan", False),
        ("pa[n-]", "pan", True),
        ("{pan,mute}", "mute", True),
        ("{pa,p}{n,an}", "pan", True),
        ("noise_{kind,mode}", "noise_target", False),
        ("[", "[", False),
        ("{pan", "pan", False),
        ("", "", True),
    ],
)
def test_patterns_match_as_osc_says(pattern: str, word: str, fits: bool) -> None:
    assert matches(pattern, word) is fits


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_matching_agrees_with_regular_expressions(pattern: str, word: str) -> None:
    expression = pattern.replace("*", ".*").replace("?", ".")
    assert matches(pattern, word) == bool(re.fullmatch(expression, word))


def test_a_pattern_of_many_stars_is_matched_at_once() -> None:
    assert not matches("*a" * 120 + "b", "a" * 250)


def test_a_pattern_reaches_parameters_and_never_commands() -> None:
    assert set(expand("/noizenet/*", VOICES)) == {f"/noizenet/{name}" for name in PARAMETERS}
    assert expand("/noizenet/voice/[12]/pan", VOICES) == ("/noizenet/voice/1/pan", "/noizenet/voice/2/pan")
    assert expand("/*", VOICES) == ()
    assert expand("*" * 1000, VOICES) == ()


def test_a_value_in_range_is_set_without_an_answer(side: ControlSide, end: OscEnd) -> None:
    end.tell("/noizenet/gain_db", -6)
    assert end.replies_until_synced(1) == []
    assert side.instrument.get("gain_db") == -6


def test_a_pattern_sets_what_it_fits(side: ControlSide, end: OscEnd) -> None:
    end.tell("/noizenet/voice/{1,3}/*n", 0.5)
    end.tell("/noizenet/voice/*/norm/noise", 0.25)
    assert end.replies_until_synced(1) == []
    assert [side.instrument.get("pan", voice) for voice in (1, 2, 3)] == [0.5, 0.0, 0.5]
    assert [side.instrument.get("noise", voice) for voice in (1, 2, 3)] == [0.25, 0.25, 0.25]
    assert end.ask("/noizenet/q*") == ("/fail", ("/noizenet/q*", "the pattern fits no parameter"))


def test_a_time_tagged_bundle_carries_its_time(side: ControlSide, end: OscEnd) -> None:
    at = time.time() + 50
    end.send(encode_bundle(at, [encode_message("/noizenet/noise", (0.5,)), encode_message("/bogus", ())]))
    assert end.next()[0] == "/fail"
    method, *values, heard_at = side.instrument.calls.get(timeout=WITHIN_S)
    assert (method, *values) == ("set", "noise", 0.5, None)
    assert heard_at == pytest.approx(at, abs=1e-6)


def test_a_malformed_packet_is_answered_in_a_sentence_and_counted(side: ControlSide, end: OscEnd) -> None:
    end.send(b"GET / HTTP/1.1\r\n")
    address, arguments = end.next()
    assert (address, arguments[0]) == ("/fail", "packet")
    assert str(arguments[1]).startswith("this is no OSC packet")
    assert side.osc.refused == 1


def test_a_blob_is_refused_by_name(end: OscEnd) -> None:
    builder = OscMessageBuilder("/noizenet/load")
    builder.add_arg(b"pickle")
    end.send(builder.build().dgram)
    assert end.next() == ("/fail", ("/noizenet/load", "a blob can't be used here: send numbers or text"))


def test_the_largest_datagram_is_taken(side: ControlSide, end: OscEnd) -> None:
    count = (LARGEST_PACKET - 16) // 36
    packet = encode_bundle(0, [encode_message("/noizenet/gain_db", (float(-(n % 60)),)) for n in range(count)])
    assert 58_000 < len(packet) <= LARGEST_PACKET
    end.send(packet)
    assert end.replies_until_synced(1) == []
    assert side.instrument.calls.qsize() == count
    assert end.ask("/" + "x" * 65_498)[0] == "/fail"
    assert end.ask("/noizenet/state/recall", "x" * 65_000)[0] == "/fail"


def test_answers_of_other_servers_are_not_answered(end: OscEnd) -> None:
    for address in ("/fail", "/done", "/synced", "/status.reply"):
        end.tell(address, "/x", 1)
    assert end.replies_until_synced(1) == []


def test_the_daemons_own_port_can_not_be_subscribed(side: ControlSide, end: OscEnd) -> None:
    assert "the daemon's own port" in str(end.ask("/notify", 1, side.osc.port)[1][1])


def test_notify_sends_replies_and_news_to_the_port_named(side: ControlSide, end: OscEnd) -> None:
    ear = OscEnd(side.osc.port)
    end.tell("/notify", 1, ear.port)
    assert ear.next() == ("/done", ("/notify", 1))
    end.tell("/status")
    address, values = ear.next()
    assert (address, len(values)) == ("/status.reply", len(STATUS_FIELDS))
    other = OscEnd(side.osc.port)
    other.tell("/noizenet/mute", 1)
    assert ear.next() == ("/noizenet/mute", (1,))
    ear.socket.close()
    other.tell("/noizenet/mute", 0)  # a subscriber that has gone does no harm
    assert other.replies_until_synced(1) == []
    other.socket.close()


def test_a_port_in_use_is_refused_with_the_remedy(side: ControlSide) -> None:
    with pytest.raises(DeviceError, match=rf"UDP port {side.osc.port} .*another port with --osc-port"):
        OscServer("127.0.0.1", side.osc.port, side.console)
    with pytest.raises(DeviceError, match="OSC can't listen"):
        OscServer("192.0.2.1", 0, side.console)


def test_the_port_is_free_again_once_closed() -> None:
    with control_side() as side:
        port = side.osc.port
    with control_side(osc_port=port) as side:
        assert side.osc.port == port


def test_a_flood_is_carried_out_to_the_last_message(side: ControlSide, end: OscEnd) -> None:
    packets = [encode_message("/noizenet/gain_db", (float(-(n % 60)),)) for n in range(60)]
    for n in range(20_000):
        end.send(packets[n % 60])
        if n % 500 == 499:  # as fast as a sender may be: an answer each 500 keeps within the kernel's buffer
            assert end.replies_until_synced(n) == []
    assert side.instrument.calls.qsize() == 20_000


def mutated(packet: bytes, random_source: random.Random) -> bytes:
    changed = bytearray(packet)
    for _ in range(random_source.randint(1, 6)):
        place = random_source.randrange(len(changed) + 1)
        change = random_source.random()
        if change < 0.5 and place < len(changed):
            changed[place] = random_source.randrange(256)
        elif change < 0.75:
            del changed[place : place + random_source.randint(1, 8)]
        else:
            changed[place:place] = random_source.randbytes(random_source.randint(1, 8))
        if not changed:
            break
    return bytes(changed)


def test_ten_thousand_random_and_mutated_packets_leave_the_server_answering(side: ControlSide, end: OscEnd) -> None:
    chance = random.Random(1)
    message = encode_message("/noizenet/gain_db", (-6.0, "text", 1))
    valid = [message, encode_message("/status", ()), encode_bundle(0, [message, encode_bundle(0, [message])])]
    for n in range(10_000):
        if chance.random() < 0.5:
            end.send(chance.randbytes(chance.randint(0, 300)))
        else:
            end.send(mutated(chance.choice(valid), chance))
        if n % 100 == 99:
            end.replies_until_synced(n)
    assert side.osc.refused > 5_000
    assert end.ask("/noizenet/pan") == ("/noizenet/pan", (0.0,))


@needs_liblo
def test_oscsend_turns_a_parameter(side: ControlSide, end: OscEnd) -> None:
    port = str(side.osc.port)
    for kind, value in (("f", "-12"), ("i", "-12"), ("d", "-12")):
        subprocess.run(["oscsend", "127.0.0.1", port, "/noizenet/gain_db", kind, value], check=True, timeout=30)
        assert side.instrument.calls.get(timeout=WITHIN_S) == ("set", "gain_db", -12.0, None, None)
    subprocess.run(["oscsend", "127.0.0.1", port, "/noizenet/mute", "T"], check=True, timeout=30)
    assert side.instrument.calls.get(timeout=WITHIN_S) == ("set", "mute", True, None, None)
    assert end.ask("/noizenet/mute") == ("/noizenet/mute", (1,))


@needs_liblo
def test_oscdump_shows_the_replies_and_changes(side: ControlSide, end: OscEnd) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    dump = subprocess.Popen(["oscdump", "-L", port], stdout=subprocess.PIPE, text=True)
    assert dump.stdout is not None
    try:
        # oscdump doesn't say when it listens, and what is sent before that is lost: ask until it hears.
        lines: list[str] = []
        while not lines:
            assert dump.poll() is None
            end.send(encode_message("/sync", (1,)))
            end.next()
            subprocess.run(["oscsend", "127.0.0.1", port, "/ready"], check=True, timeout=30)
            lines = _lines_ready(dump)
        subprocess.run(["oscsend", "127.0.0.1", str(side.osc.port), "/notify", "ii", "1", port], check=True, timeout=30)
        assert '"/notify" 1' in _next_line(dump, "/done")
        end.tell("/noizenet/gain_db", -6)
        assert "f -6.000000" in _next_line(dump, "/noizenet/gain_db")
        end.tell("/noizenet/voice/2/noise_kind", 2)
        assert '"perlin"' in _next_line(dump, "/noizenet/voice/2/noise_kind")
    finally:
        dump.terminate()
        dump.wait(30)
        dump.stdout.close()


def _lines_ready(process: "subprocess.Popen[str]") -> list[str]:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], 0.2)
    return [process.stdout.readline()] if ready else []


def _next_line(process: "subprocess.Popen[str]", address: str) -> str:
    assert process.stdout is not None
    while True:
        line = process.stdout.readline()
        assert line, "oscdump has ended"
        if address in line:
            return line
