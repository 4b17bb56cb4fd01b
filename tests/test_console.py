"""The console, without any transport."""

import logging
import queue
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_instrument import VOICES, FakeInstrument
from noizenet.addresses import known_addresses
from noizenet.errors import ControlError
from noizenet.parameter import Value
from noizenet.protocol import COMMANDS, PARAMETERS, STATUS_FIELDS
from noizenet_daemon import console as console_module
from noizenet_daemon.console import Console
from noizenet_daemon.messages import Reply, Request, Sender
from noizenet_daemon.refusals import Refusals
from noizenet_daemon.schedule import AT_ONCE, Schedule
from noizenet_daemon.subscriptions import MOST_SUBSCRIBERS

WITHIN_S = 20


class Asker:
    """A sender that keeps what it is answered."""

    def __init__(self, name: str, port: int = 0) -> None:
        self.key = (name, port)
        self.replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self.ports: dict[int, Asker] = {}

    def answer(self, reply: Reply) -> None:
        self.replies.put(reply)

    def on_port(self, port: int) -> Sender:
        return self.ports.setdefault(port, Asker(self.key[0], port))

    def next(self) -> Reply:
        return self.replies.get(timeout=WITHIN_S)


class Desk:
    """A console and somebody who asks it."""

    def __init__(self) -> None:
        self.instrument = FakeInstrument()
        self.console = Console(self.instrument)
        self.asker = Asker("me")

    def tell(self, address: str, *arguments: Value, by: Asker | None = None, at: float | None = None) -> None:
        self.console.submit(Request(address, arguments, by or self.asker, at))

    def ask(self, address: str, *arguments: Value, by: Asker | None = None, at: float | None = None) -> Reply:
        self.tell(address, *arguments, by=by, at=at)
        return (by or self.asker).next()


@pytest.fixture
def desk() -> Generator[Desk]:
    desk = Desk()
    yield desk
    desk.instrument.let_load.set()
    desk.console.close()


def test_a_value_in_range_is_set_and_quietly_acknowledged(desk: Desk) -> None:
    assert desk.ask("/noizenet/gain_db", -6) == Reply("/noizenet/gain_db", ((-6.0,),), quiet=True)
    assert desk.instrument.calls.get_nowait() == ("set", "gain_db", -6.0, None, None)


def test_a_clamped_value_is_reported(desk: Desk) -> None:
    reply = desk.ask("/noizenet/gain_db", 99)
    assert reply == Reply("/noizenet/gain_db", ((12.0, "99 is above the limit; set to 12 dB"),))


def test_a_parameter_without_a_value_answers_what_it_is(desk: Desk) -> None:
    desk.ask("/noizenet/voice/2/pan", 0.5)
    assert desk.ask("/noizenet/pan").rows == ((0.0,),)
    assert desk.ask("/noizenet/voice/2/pan") == Reply("/noizenet/voice/2/pan", ((0.5,),))


def test_a_place_in_the_range_sets_and_answers_places(desk: Desk) -> None:
    assert desk.ask("/noizenet/norm/gain_db", 0.5).rows == ((0.5,),)
    assert desk.instrument.get("gain_db") == -24.0
    assert desk.ask("/noizenet/norm/gain_db").rows == ((0.5,),)
    assert desk.ask("/noizenet/voice/3/norm/noise_kind", 1).rows == ((1.0,),)
    assert desk.instrument.get("noise_kind", 3) == "live"


def test_a_time_goes_through_to_the_instrument(desk: Desk) -> None:
    at = time.time() + 100
    desk.ask("/noizenet/voice/1/noise", 0.5, at=at)
    assert desk.instrument.calls.get_nowait() == ("set", "noise", 0.5, 1, at)


@pytest.mark.parametrize(
    ("address", "arguments", "reason"),
    [
        ("/bogus", (), "there is no '/bogus'"),
        ("/noizenet/gain_bd", (1,), "did you mean /noizenet/gain_db?"),
        ("/noizenet/gain_db", ("loud",), "takes a number from -60 to 12 dB"),
        ("/noizenet/gain_db", (float("nan"),), "takes a number"),
        ("/noizenet/gain_db", (1, 2), "takes one value, not 2"),
        ("/noizenet/noise_kind", ("brown",), "choose one of normal, uniform, perlin, pink, live"),
        ("/noizenet/voice/4/pan", (0,), "there is no voice 4: 3 playing"),
        ("/noizenet/load", (), "takes path"),
        ("/noizenet/load", ("nothing.txt",), "is no checkpoint"),
        ("/noizenet/load", ("a\0b",), "takes a path of 1 to 4096 characters"),
        ("/noizenet/state/save", ("",), "takes a name of 1 to 4096 characters"),
        ("/noizenet/state/recall", ("never",), "save one first"),
        ("/noizenet/record/stop", (), "nothing is being recorded"),
        ("/notify", (2,), "1 (on) or 0 (off)"),
        ("/notify", ("on",), "whole numbers"),
        ("/notify", (1, 70_000), "from 1 to 65535"),
        ("/notify", (1, float("nan")), "whole numbers"),
        ("/notify", (0,), "not registered"),
    ],
)
def test_a_fault_is_answered_with_its_reason(
    desk: Desk, address: str, arguments: tuple[Value, ...], reason: str
) -> None:
    reply = desk.ask(address, *arguments)
    assert not reply.ok
    assert reply.rows[0][0] == address
    assert reason in str(reply.rows[0][1])


def test_every_command_is_carried_out(desk: Desk) -> None:
    assert desk.ask("/noizenet/load", "a/whale.safetensors").rows == (("/noizenet/load", "whale"),)
    assert desk.ask("/prime", "perlin").rows == (("/prime", 1.5),)
    assert desk.ask("/reset") == desk.ask("/reset") == Reply("/done", (("/reset",),))
    assert desk.ask("/panic").rows == (("/panic",),)
    assert desk.ask("/noizenet/state/save", 1.0).ok
    assert desk.ask("/noizenet/state/recall", "1").ok
    assert desk.ask("/record/start", "a.wav").rows == (("/record/start", str(Path("recordings/a.wav"))),)
    assert desk.ask("/record/stop").rows == (("/record/stop", str(Path("recordings/a.wav")), 2.5),)
    assert desk.ask("/sync", 42) == Reply("/synced", ((42,),))
    assert desk.ask("/quit").ok
    assert desk.instrument.quitting.is_set()


def test_the_status_has_its_fields_in_order(desk: Desk) -> None:
    reply = desk.ask("/status")
    assert reply.address == "/status.reply"
    assert reply.rows[0] == tuple(reply.data[field] for field in STATUS_FIELDS)


def test_every_parameter_is_described(desk: Desk) -> None:
    reply = desk.ask("/parameters")
    assert reply.address == "/parameters.reply"
    assert [row[0] for row in reply.rows] == list(PARAMETERS)
    assert {"choices": ["normal", "uniform", "perlin", "pink", "live"]}.items() <= reply.data[
        list(PARAMETERS).index("noise_kind")
    ].items()


def test_sync_waits_for_slow_commands_while_parameters_turn(desk: Desk) -> None:
    desk.instrument.let_load.clear()
    desk.tell("/load", "whale.safetensors")
    desk.tell("/sync", 7)
    assert desk.ask("/noizenet/gain_db", -6).address == "/noizenet/gain_db"
    assert desk.asker.replies.empty()
    desk.instrument.let_load.set()
    assert desk.asker.next().rows == (("/load", "whale"),)
    assert desk.asker.next() == Reply("/synced", ((7,),))


def test_commands_with_a_time_run_in_the_order_of_their_times(desk: Desk) -> None:
    now = time.time()
    desk.ask("/state/save", "a")
    desk.tell("/reset", at=now + 0.3)
    desk.tell("/state/recall", "a", at=now + 0.2)
    desk.tell("/prime", "normal", at=now + 0.1)
    assert desk.ask("/state/save", "b").ok
    addresses = [str(desk.asker.next().rows[0][0]) for _ in range(3)]
    assert addresses == ["/prime", "/state/recall", "/reset"]
    calls = [desk.instrument.calls.get_nowait()[0] for _ in range(5)]
    assert calls == ["save_state", "save_state", "prime", "recall_state", "reset"]


def test_a_command_whose_time_is_past_runs_at_once(desk: Desk) -> None:
    assert desk.ask("/reset", at=1.0).ok


def test_a_timed_command_is_not_held_up_by_a_slow_one(desk: Desk) -> None:
    desk.instrument.let_load.clear()
    desk.tell("/load", "whale.safetensors")
    desk.tell("/reset", at=time.time() + 0.05)
    assert desk.asker.next().rows == (("/reset",),)


def test_a_time_beyond_tomorrow_is_refused(desk: Desk) -> None:
    reply = desk.ask("/reset", at=time.time() + 1e6)
    assert "24 hours ahead" in str(reply.rows[0][1])


def test_a_full_queue_refuses_more(desk: Desk) -> None:
    desk.instrument.let_load.clear()
    desk.tell("/load", "whale.safetensors")
    for number in range(console_module.MOST_SLOW + 1):
        desk.tell("/sync", number)
    assert "are waiting already" in str(desk.asker.next().rows[0][1])


def test_a_change_is_announced_to_the_other_subscribers(desk: Desk) -> None:
    other, third = Asker("other"), Asker("third")
    assert desk.ask("/notify", 1) == Reply("/done", (("/notify", 1),))
    assert desk.ask("/notify", 1, by=other).rows == (("/notify", 2),)
    desk.ask("/noizenet/norm/gain_db", 1)
    desk.ask("/noizenet/voice/2/pan", 0.5, by=third)
    assert other.next() == Reply("/noizenet/gain_db", ((12.0,),))
    assert other.next() == desk.asker.next() == Reply("/noizenet/voice/2/pan", ((0.5,),))
    assert third.replies.empty()


def test_a_change_with_a_time_is_announced_when_it_takes_effect(desk: Desk) -> None:
    other = Asker("other")
    desk.ask("/notify", 1, by=other)
    at = time.time() + 0.2
    desk.ask("/noizenet/gain_db", -6, at=at)
    assert other.replies.empty()
    assert other.next().rows == ((-6.0,),)
    assert time.time() >= at


def test_panic_is_announced_as_the_mute_that_it_is(desk: Desk) -> None:
    other = Asker("other")
    desk.ask("/notify", 1, by=other)
    desk.ask("/panic")
    assert other.next() == Reply("/noizenet/mute", ((True,),))


def test_a_second_subscription_is_refused_as_scsynth_does(desk: Desk) -> None:
    desk.ask("/notify", 1)
    assert desk.ask("/notify", 1) == Reply("/fail", (("/notify", "already registered"),))
    assert desk.ask("/notify", 0).rows == (("/notify", 0),)
    assert desk.ask("/notify", 1).ok


def test_a_named_port_gets_the_news_and_the_replies(desk: Desk) -> None:
    desk.tell("/notify", 1, 9000.0)
    there = desk.asker.ports[9000]
    assert there.next().rows == (("/notify", 1),)
    desk.tell("/sync", 1)
    assert there.next() == Reply("/synced", ((1,),))
    desk.console.publish(Reply("/status.reply", ((1,),)))
    assert there.next() == Reply("/status.reply", ((1,),))
    desk.tell("/notify", 0)
    assert desk.asker.next().rows == (("/notify", 0),)


def test_a_port_can_be_unsubscribed_from_another_socket(desk: Desk) -> None:
    desk.tell("/notify", 1, 9000)
    elsewhere = Asker("me", 5)
    elsewhere.ports = desk.asker.ports
    assert desk.ask("/notify", 0, 9000, by=elsewhere).rows == (("/notify", 0),)


def test_there_is_a_limit_of_subscribers(desk: Desk) -> None:
    for number in range(MOST_SUBSCRIBERS):
        assert desk.ask("/notify", 1, by=Asker("crowd", number)).ok
    assert "64 subscribers already" in str(desk.ask("/notify", 1).rows[0][1])
    desk.console.forget(("crowd", 5))
    assert desk.ask("/notify", 1).ok


def test_a_fault_inside_the_instrument_is_answered_and_the_console_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr(desk.instrument, "reset", broken)
    assert "a wheel came off" in str(desk.ask("/reset").rows[0][1])
    assert desk.ask("/sync", 1).ok


def test_a_closed_console_refuses_what_would_wait() -> None:
    desk = Desk()
    desk.console.close()
    assert desk.ask("/sync", 1).rows == (("/sync", "the daemon is stopping"),)


def test_senders_on_many_threads_are_all_answered(desk: Desk) -> None:
    askers = [Asker("thread", number) for number in range(4)]

    def turn(asker: Asker) -> None:
        for number in range(100):
            desk.tell("/noizenet/gain_db", -(number % 60), by=asker)
            desk.tell("/sync", number, by=asker)

    threads = [threading.Thread(target=turn, args=(asker,)) for asker in askers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for asker in askers:
        replies = [asker.next() for _ in range(200)]
        assert sum(reply.address == "/noizenet/gain_db" for reply in replies) == 100
        assert all(reply.address in ("/noizenet/gain_db", "/synced", "/fail") for reply in replies)


ADDRESSES = st.one_of(
    st.sampled_from([*known_addresses(VOICES + 1), *(f"/{name}" for name in COMMANDS if name != "load")]),
    st.text(max_size=30),
)
VALUES = st.one_of(st.floats(), st.integers(), st.booleans(), st.text(max_size=20))


@pytest.fixture(scope="module")
def lasting_desk() -> Generator[Desk]:
    """One desk for all examples of a property."""
    desk = Desk()
    yield desk
    desk.console.close()


class OneEarAsker(Asker):
    """Hears at one place whatever port it names."""

    def on_port(self, port: int) -> Sender:
        assert 1 <= port <= 65535
        return self


@settings(max_examples=500, deadline=None)
@given(address=ADDRESSES, arguments=st.lists(VALUES, max_size=3))
def test_anything_is_answered(lasting_desk: Desk, address: str, arguments: list[Value]) -> None:
    reply = lasting_desk.ask(address, *arguments, by=OneEarAsker("any"))
    assert reply.ok or "inside the daemon" not in str(reply.rows[0][1])


def test_a_schedule_survives_a_job_that_raises() -> None:
    schedule = Schedule("test", 10)
    done = threading.Event()
    schedule.put(AT_ONCE, lambda: 1 / 0)
    schedule.put(AT_ONCE, done.set)
    assert done.wait(WITHIN_S)
    schedule.close()
    with pytest.raises(ControlError, match="is stopping"):
        schedule.put(AT_ONCE, done.set)


def test_a_flood_of_refusals_makes_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals("test")
    with caplog.at_level(logging.WARNING, "noizenet.control"):
        for _ in range(1000):
            refusals.add("bad\nnews" * 1000)
    assert refusals.count == 1000
    assert len(caplog.messages) < 10
    assert all("\n" not in line and len(line) < 400 for line in caplog.messages)
