"""The Python client and `noizenet ctl`: the same cases over OSC and ZeroMQ."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from fake_instrument import ControlSide, control_side
from noizenet.cli import main
from noizenet.errors import ControlError, DeviceError, UsageError
from noizenet.parameter import Value
from noizenet.protocol import COMMANDS, PARAMETERS, STATUS_FIELDS
from noizenet_clients.client import Client
from noizenet_clients.ctl import parse

ROOT = Path(__file__).parent.parent
WITHIN_S = 20.0


@pytest.fixture
def side() -> Generator[ControlSide]:
    with control_side() as side:
        yield side


@pytest.fixture(params=["osc", "zeromq"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connect(way: str, side: ControlSide) -> Generator[Callable[[], Client]]:
    """Makes clients of the daemon."""
    clients: list[Client] = []

    def new() -> Client:
        if way == "osc":
            clients.append(Client.over_osc(port=side.osc.port, timeout_s=WITHIN_S))
        else:
            clients.append(Client.over_zeromq(port=side.zeromq.port, timeout_s=WITHIN_S))
        return clients[-1]

    yield new
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[[], Client]) -> Client:
    return connect()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_every_command_has_a_method() -> None:
    for name in COMMANDS:
        assert callable(getattr(Client, name.replace("/", "_")))


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_can_be_set_and_asked(client: Client, name: str) -> None:
    parameter = PARAMETERS[name]
    value = parameter.choices[-1] if parameter.choices else parameter.coerce(parameter.maximum)[0]
    assert client.set(name, value) == (value, "")
    assert client.get(name) == value
    assert type(client.get(name)) is type(value)
    assert client.get_normalised(name) == 1.0


def test_a_clamped_value_is_reported(client: Client) -> None:
    assert client.set("gain_db", 99) == (12.0, "99 is above the limit; set to 12 dB")
    assert client.set_normalised("pan", 2) == (1.0, "2 is outside 0..1; set to 1.0")
    assert client.get("pan") == 1.0


def test_one_voice_is_set_alone(client: Client) -> None:
    client.set("pan", 0.5, voice=2)
    assert [client.get("pan", voice) for voice in (1, 2, 3)] == [0.0, 0.5, 0.0]
    assert client.set_normalised("pan", 1, voice=3) == (1.0, "")
    assert client.get_normalised("pan", voice=3) == 1.0


def test_a_refusal_is_an_error_with_the_reason(client: Client) -> None:
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: client.set("gian_db", 1), "did you mean /noizenet/gain_db?"),
        (lambda: client.get("gian_db"), "did you mean /noizenet/gain_db?"),
        (lambda: client.set("gain_db", "loud"), "takes a number from -60 to 12 dB"),
        (lambda: client.set("pan", 0, voice=9), "there is no voice 9"),
        (lambda: client.load("nothing.txt"), "is no checkpoint"),
        (lambda: client.state_recall("never"), "save one first"),
        (lambda: client.record_stop(), "nothing is being recorded"),
        (lambda: client.notify(False), "not registered"),
    ]
    for ask, reason in cases:
        with pytest.raises(ControlError) as refusal:
            ask()
        assert reason in str(refusal.value)
        assert client.get("top_p") == 1.0  # nothing of the refused request is taken for a later answer


def test_every_command_is_carried_out(client: Client, side: ControlSide) -> None:
    assert client.load("a/whale.safetensors") == "whale"
    assert client.prime("perlin") == 1.5
    client.reset()
    client.panic()
    assert client.get("mute") is True
    client.state_save("one")
    client.state_recall("one")
    assert client.record_start("a.wav") == str(Path("recordings/a.wav"))
    assert client.record_stop() == (str(Path("recordings/a.wav")), 2.5)
    client.sync(5)
    client.quit()
    assert side.instrument.quitting.is_set()


def test_the_status_has_every_field(client: Client) -> None:
    status = client.status()
    assert list(status) == list(STATUS_FIELDS)
    assert (status["position"], status["level_db"], status["checkpoint"]) == (48_000, -12.5, "small")


def test_the_parameters_are_described(client: Client) -> None:
    described = client.parameters()
    assert [row["name"] for row in described] == list(PARAMETERS)
    for row, parameter in zip(described, PARAMETERS.values(), strict=True):
        assert row["choices"] == list(parameter.choices)
        assert row["minimum"] == pytest.approx(parameter.minimum)
    assert client.get("pan") == 0.0


def test_a_time_goes_through_to_the_instrument(client: Client, side: ControlSide) -> None:
    at = time.time() + 50
    assert client.set("noise", 0.5, at=at) == (0.5, "")
    assert side.instrument.calls.get(timeout=WITHIN_S)[-1] == pytest.approx(at, abs=1e-6)
    assert client.set("noise", 5, at=at) == (1.0, "5 is above the limit; set to 1")
    soon = time.time() + 0.1
    client.reset(at=soon)
    assert time.time() >= soon


def test_changes_by_others_are_news(client: Client, connect: Callable[[], Client]) -> None:
    client.notify()
    with pytest.raises(ControlError, match="already registered"):
        client.notify()
    other = connect()
    other.set("gain_db", -3)
    other.set("pan", 0.25, voice=2)
    assert client.set("noise", 0.5) == (0.5, "")  # its own change isn't, and news doesn't get in between
    news = [client.news(WITHIN_S) for _ in range(2)]
    assert [(item.address, item.values) for item in news if item] == [
        ("/noizenet/gain_db", (-3.0,)),
        ("/noizenet/voice/2/pan", (0.25,)),
    ]
    client.notify(False)
    other.set("gain_db", -4)
    client.sync()
    assert client.news(0.0) is None


def test_no_daemon_is_an_error_that_says_how_to_start_one(way: str) -> None:
    make = Client.over_osc if way == "osc" else Client.over_zeromq
    with make(port=free_port(), timeout_s=0.2) as client, pytest.raises(DeviceError, match="noizenet daemon"):
        client.status()


def test_a_daemon_that_does_not_answer_is_an_error(side: ControlSide, way: str) -> None:
    side.instrument.let_load.clear()
    if way == "osc":
        client = Client.over_osc(port=side.osc.port, timeout_s=0.1)
    else:
        client = Client.over_zeromq(port=side.zeromq.port, timeout_s=0.1)
    with client:
        with pytest.raises(DeviceError, match=r"did not answer /noizenet/load within 0\.1 s"):
            client.load("a.safetensors")
        side.instrument.let_load.set()
        with Client.over_zeromq(port=side.zeromq.port, timeout_s=WITHIN_S) as patient:
            patient.sync()
        assert client.get("pan") == 0.0


def test_a_host_that_is_none_is_refused(way: str) -> None:
    make = Client.over_osc if way == "osc" else Client.over_zeromq
    with pytest.raises(UsageError, match="is no address to"):
        make(host="a b", port=1)


def test_a_client_goes_on_when_the_daemon_restarts(way: str) -> None:
    with control_side() as side:
        ports = side.osc.port, side.zeromq.port
        if way == "osc":
            client = Client.over_osc(port=ports[0], timeout_s=WITHIN_S)
        else:
            client = Client.over_zeromq(port=ports[1], timeout_s=WITHIN_S)
        assert client.set("pan", 0.5) == (0.5, "")
    with control_side(*ports), client:
        assert client.get("pan") == 0.0


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("-6", -6), ("0.5", 0.5), ("1e3", 1000.0), ("perlin", "perlin"), ("", "")]
)
def test_arguments_are_ints_floats_or_text(text: str, value: Value) -> None:
    assert (parse(text), type(parse(text))) == (value, type(value))


@pytest.fixture
def ctl(way: str, side: ControlSide, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `noizenet ctl` and returns its exit status, output and errors."""
    at = ["--osc", "--port", str(side.osc.port)] if way == "osc" else ["--port", str(side.zeromq.port)]

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["ctl", *at, *arguments])
        return status, *capsys.readouterr()

    return run


def test_ctl_sets_asks_and_prints(ctl: Callable[..., tuple[int, str, str]]) -> None:
    assert ctl("gain_db", "-6") == (0, "/noizenet/gain_db -6\n", "")
    assert ctl("/noizenet/gain_db") == (0, "/noizenet/gain_db -6\n", "")
    assert ctl("noise_kind", "perlin") == (0, "/noizenet/noise_kind perlin\n", "")
    assert ctl("gain_db", "99") == (0, "/noizenet/gain_db 12 99 is above the limit; set to 12 dB\n", "")
    assert ctl("/reset") == (0, "/done /reset\n", "")
    assert "level_db -12.5\n" in ctl("status")[1]
    assert len(ctl("parameters")[1].splitlines()) == len(PARAMETERS)


def test_ctl_prints_one_json_object(ctl: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = ctl("status", "--json")
    assert status == 0
    assert json.loads(out)["values"][-1] == "small"
    assert len(json.loads(ctl("parameters", "--json")[1])["rows"]) == len(PARAMETERS)


def test_ctl_says_what_is_refused_and_exits_with_1(ctl: Callable[..., tuple[int, str, str]]) -> None:
    status, out, error = ctl("gian_db", "1")
    assert (status, out) == (1, "")
    assert error.startswith("noizenet: /noizenet/gian_db: there is no")
    assert error.count("\n") == 1


def test_ctl_without_a_daemon_exits_with_4(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    osc = ["--osc"] if way == "osc" else []
    assert main(["ctl", *osc, "--port", str(free_port()), "--timeout", "0.2", "status"]) == 4
    assert "start it with `noizenet daemon`" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--port", "x"], ["--timeout", "0"], ["--timeout", "nan"]])
def test_ctl_refuses_useless_options(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["ctl", *arguments, "status"])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_client_that_only_controls_needs_no_engine() -> None:
    code = (
        "import sys; import noizenet_clients.client, noizenet_clients.ctl, noizenet_clients.listen; "
        "assert not sys.modules.keys() & {'torch', 'numba', 'soundfile', 'sounddevice', 'scipy'}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
