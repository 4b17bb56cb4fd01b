"""The ZeroMQ side: control by JSON, the audio stream and telemetry, over real sockets."""

import json
import math
import random
import time
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_instrument import ControlSide, control_side
from noizenet.errors import DeviceError
from noizenet.protocol import AUDIO_TOPIC, STATUS_FIELDS
from noizenet.stream import AudioHeader
from noizenet_daemon.zeromq import AudioPublisher, ControlServer, TelemetryPublisher

WITHIN_MS = 20_000


class Peer:
    """A client's socket."""

    def __init__(self, context: "zmq.Context[Any]", kind: int, port: int) -> None:
        self.socket = context.socket(kind)
        self.socket.LINGER = 0
        self.socket.RCVTIMEO = WITHIN_MS
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def ask(self, *frames: bytes) -> dict[str, Any]:
        self.socket.send_multipart(frames)
        reply = json.loads(self.socket.recv_multipart()[-1])
        assert isinstance(reply, dict)
        return reply

    def ask_json(self, **request: Any) -> dict[str, Any]:
        return self.ask(json.dumps(request).encode())


@pytest.fixture(scope="module")
def context() -> Generator["zmq.Context[Any]"]:
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def side() -> Generator[ControlSide]:
    with control_side() as side:
        yield side


@pytest.fixture(params=[zmq.REQ, zmq.DEALER], ids=["REQ", "DEALER"])
def peer(request: pytest.FixtureRequest, side: ControlSide, context: "zmq.Context[Any]") -> Generator[Peer]:
    peer = Peer(context, request.param, side.zeromq.port)
    yield peer
    peer.socket.close()


@pytest.fixture
def dealer(side: ControlSide, context: "zmq.Context[Any]") -> Generator[Peer]:
    dealer = Peer(context, zmq.DEALER, side.zeromq.port)
    yield dealer
    dealer.socket.close()


def test_a_request_is_answered_with_its_id(peer: Peer) -> None:
    assert peer.ask_json(id="a", address="/noizenet/gain_db", arguments=[-6]) == {
        "id": "a",
        "ok": True,
        "address": "/noizenet/gain_db",
        "values": [-6.0],
    }
    assert peer.ask_json(address="/noizenet/mute") == {
        "ok": True,
        "address": "/noizenet/mute",
        "values": [False],
    }


def test_a_refusal_says_why(peer: Peer) -> None:
    reply = peer.ask_json(id=1, address="/noizenet/gian_db", arguments=[1])
    assert (reply["id"], reply["ok"], reply["address"]) == (1, False, "/fail")
    assert reply["error"] == "there is no '/noizenet/gian_db' (did you mean /noizenet/gain_db?)"


def test_names_come_beside_the_values(peer: Peer) -> None:
    status = peer.ask_json(address="/status")
    assert list(status["data"]) == list(STATUS_FIELDS)
    assert list(status["data"].values()) == status["values"]
    parameters = peer.ask_json(address="/parameters")
    assert [row[0] for row in parameters["rows"]] == [described["name"] for described in parameters["data"]]


def test_a_slow_command_is_answered_from_its_thread(side: ControlSide, dealer: Peer) -> None:
    side.instrument.let_load.clear()
    dealer.socket.send(json.dumps({"id": 1, "address": "/load", "arguments": ["w.safetensors"]}).encode())
    assert dealer.ask_json(id=2, address="/noizenet/pan")["id"] == 2
    side.instrument.let_load.set()
    assert json.loads(dealer.socket.recv())["values"] == ["/load", "w"]


def test_a_time_goes_through_to_the_instrument(side: ControlSide, peer: Peer) -> None:
    at = time.time() + 60
    assert peer.ask_json(address="/noizenet/noise", arguments=[0.5], at=at)["ok"]
    assert side.instrument.calls.get_nowait() == ("set", "noise", 0.5, None, at)


@pytest.mark.parametrize(
    ("request_frame", "reason"),
    [
        (b"", "this is no JSON"),
        (b"\xff\xfe", "this is no JSON"),
        (b"[" * 100_000, "this is no JSON"),
        (b"[1]", 'with an "address"'),
        (b'{"address": 5}', 'with an "address"'),
        (b'{"address": "/a\\ud800"}', 'with an "address"'),
        (b'{"address": "/status", "id": [1]}', '"id" is a number or text'),
        (b'{"address": "/status", "arguments": 5}', "a list of numbers and text"),
        (b'{"address": "/sync", "arguments": [null]}', "a list of numbers and text"),
        (b'{"address": "/sync", "arguments": ["\\udfff"]}', "a list of numbers and text"),
        (b'{"address": "/sync", "arguments": [1], "at": "noon"}', "a time in seconds since 1970"),
        (b'{"address": "/sync", "arguments": [1], "at": NaN}', "a time in seconds since 1970"),
        (
            b'{"address": "/sync", "arguments": [1], "at": 1' + b"0" * 400 + b"}",
            "a time in seconds since 1970",
        ),
        (b'{"address": "/noizenet/gain_db", "arguments": [1' + b"0" * 400 + b"]}", "takes a number"),
    ],
)
def test_a_malformed_request_is_refused_and_the_next_one_answered(
    peer: Peer, request_frame: bytes, reason: str
) -> None:
    reply = peer.ask(request_frame)
    assert not reply["ok"]
    assert reason in reply["error"]
    assert peer.ask_json(address="/sync", arguments=[3])["values"] == [3]


def test_more_frames_than_one_are_refused(dealer: Peer) -> None:
    assert "not 2 frames" in dealer.ask(b"a", b"b")["error"]
    assert "not 4 frames" in dealer.ask(b"", b"b", b"c", b"{}")["error"]


@settings(max_examples=200, deadline=None)
@given(frames=st.lists(st.binary(max_size=60), min_size=1, max_size=4))
def test_random_frames_are_answered(lasting_peer: Peer, frames: list[bytes]) -> None:
    assert lasting_peer.ask(*frames)["ok"] is False


@pytest.fixture(scope="module")
def lasting_peer(context: "zmq.Context[Any]") -> Generator[Peer]:
    """One server and client for all examples of a property."""
    with control_side() as side:
        peer = Peer(context, zmq.DEALER, side.zeromq.port)
        yield peer
        peer.socket.close()


def test_mutated_requests_leave_the_server_answering(dealer: Peer) -> None:
    chance = random.Random(2)
    valid = json.dumps({"id": 1, "address": "/noizenet/gain_db", "arguments": [-6.5], "at": 1.5}).encode()
    for _ in range(2000):
        changed = bytearray(valid)
        for _ in range(chance.randint(1, 5)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        assert "address" in dealer.ask(bytes(changed))
    assert dealer.ask_json(address="/sync", arguments=[3])["values"] == [3]


def test_a_request_beyond_the_limit_does_no_harm(side: ControlSide, dealer: Peer, context: "zmq.Context[Any]") -> None:
    dealer.socket.send(b"x" * (2 << 20))
    other = Peer(context, zmq.DEALER, side.zeromq.port)
    assert other.ask_json(address="/sync", arguments=[3])["ok"]
    other.socket.close()


def test_news_comes_with_the_id_of_its_notify(side: ControlSide, dealer: Peer, context: "zmq.Context[Any]") -> None:
    assert dealer.ask_json(id="news", address="/notify", arguments=[1])["values"] == ["/notify", 1]
    assert "leave out the port" in dealer.ask_json(address="/notify", arguments=[1, 9000])["error"]
    other = Peer(context, zmq.REQ, side.zeromq.port)
    other.ask_json(address="/noizenet/gain_db", arguments=[-3])
    news = json.loads(dealer.socket.recv())
    assert news == {"id": "news", "ok": True, "address": "/noizenet/gain_db", "values": [-3.0]}
    other.socket.close()


def test_a_subscriber_that_has_gone_is_forgotten(side: ControlSide, context: "zmq.Context[Any]") -> None:
    for number in range(100):  # more than there may be at once
        dealer = Peer(context, zmq.DEALER, side.zeromq.port)
        reply = dealer.ask_json(address="/notify", arguments=[1])
        while not reply["ok"]:  # the server learns of the last ones' leaving when it tries to send to them
            assert "64 subscribers already" in reply["error"], number
            dealer.ask_json(address="/noizenet/gain_db", arguments=[0])
            reply = dealer.ask_json(address="/notify", arguments=[1])
        dealer.socket.close()


def test_a_port_in_use_is_refused_with_the_remedy(side: ControlSide) -> None:
    port = side.zeromq.port
    with pytest.raises(DeviceError, match=f"TCP port {port} .*another port with --control-port"):
        ControlServer("127.0.0.1", port, side.console)
    with pytest.raises(DeviceError, match="another port with --audio-port"):
        AudioPublisher("127.0.0.1", port, 48_000, 256)
    with pytest.raises(DeviceError, match="another port with --telemetry-port"):
        TelemetryPublisher("no such host", port)


def listener(context: "zmq.Context[Any]", port: int, conflate: bool = False) -> "zmq.Socket[Any]":
    sub = context.socket(zmq.SUB)
    sub.CONFLATE = conflate
    sub.RCVTIMEO = WITHIN_MS
    sub.SUBSCRIBE = b""
    sub.connect(f"tcp://127.0.0.1:{port}")
    return sub


def test_blocks_arrive_in_order_with_their_header(context: "zmq.Context[Any]") -> None:
    publisher = AudioPublisher("127.0.0.1", 0, 44_100, 128)
    sub = listener(context, publisher.port)
    block = np.arange(256, dtype=np.float32).reshape(128, 2)
    position = 0
    while not sub.poll(10):  # a subscription takes a moment to reach the publisher
        publisher.send(position, block)
        position += 128
    block[:] = -1  # what was sent is not what the buffer holds now
    received = []
    for _ in range(5):
        publisher.send(position, block)
        position += 128
    while not received or received[-1].position < position - 128:
        topic, header, samples = sub.recv_multipart()
        assert topic == AUDIO_TOPIC
        received.append(AudioHeader.unpack(header, len(samples)))
    first = received[0]
    assert [h.sequence for h in received] == list(range(first.sequence, first.sequence + len(received)))
    assert [h.position for h in received] == [128 * h.sequence for h in received]
    assert {(h.sample_rate, h.channels, h.frames, h.run) for h in received} == {(44_100, 2, 128, first.run)}
    assert np.array_equal(np.frombuffer(samples, "<f4"), np.full(256, -1))
    sub.close()
    publisher.close()


def test_a_stalled_listener_hears_no_more_than_the_recent_past(context: "zmq.Context[Any]") -> None:
    publisher = AudioPublisher("127.0.0.1", 0, 48_000, 256)
    stalled = context.socket(zmq.SUB)
    stalled.RCVHWM = 2
    stalled.RCVBUF = 8192
    stalled.RCVTIMEO = WITHIN_MS
    stalled.SUBSCRIBE = b""
    stalled.connect(f"tcp://127.0.0.1:{publisher.port}")
    block = np.zeros((256, 2), dtype=np.float32)
    while not stalled.poll(10):
        publisher.send(0, block)
    for _ in range(1000):  # more than five seconds of sound, and no end of it read
        publisher.send(0, block)
    count = 0
    while stalled.poll(500):
        stalled.recv_multipart()
        count += 1
    assert count * 256 / 48_000 < 0.75
    stalled.close()
    publisher.close()


def test_telemetry_can_be_conflated(side: ControlSide, context: "zmq.Context[Any]") -> None:
    publisher = TelemetryPublisher("127.0.0.1", 0)
    sub = listener(context, publisher.port, conflate=True)
    while not sub.poll(10):
        publisher.send({**side.instrument.status(), "level_db": -math.inf})
    values = json.loads(sub.recv())
    assert list(values) == list(STATUS_FIELDS)
    assert values["level_db"] is None
    sub.close()
    publisher.close()
