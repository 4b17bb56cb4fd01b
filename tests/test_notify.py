"""Messages to the service manager, over real datagram sockets."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from noizenet_daemon.notify import ServiceManager


@pytest.fixture
def manager_socket(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(10)
        yield receiver


def test_every_message_reaches_the_service_manager_in_order(manager_socket: socket.socket) -> None:
    service = ServiceManager({"NOTIFY_SOCKET": manager_socket.getsockname()})
    service.ready()
    service.status("playing demo")
    service.alive()
    service.stopping()
    received = [manager_socket.recv(4096) for _ in range(4)]
    assert received == [b"READY=1", b"STATUS=playing demo", b"WATCHDOG=1", b"STOPPING=1"]


def test_a_status_of_two_lines_can_not_become_another_message(manager_socket: socket.socket) -> None:
    ServiceManager({"NOTIFY_SOCKET": manager_socket.getsockname()}).status("fine\nSTOPPING=1")
    assert manager_socket.recv(4096) == b"STATUS=fine STOPPING=1"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract sockets")
def test_an_abstract_socket_is_found_by_its_at_sign() -> None:
    name = f"noizenet-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name)
        receiver.settimeout(10)
        ServiceManager({"NOTIFY_SOCKET": "@" + name}).ready()
        assert receiver.recv(4096) == b"READY=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/no/such/socket"}])
def test_without_a_service_manager_nothing_happens(environment: dict[str, str]) -> None:
    ServiceManager(environment).ready()


def test_a_manager_that_reads_nothing_holds_nobody_up(manager_socket: socket.socket) -> None:
    service = ServiceManager({"NOTIFY_SOCKET": manager_socket.getsockname()})
    for _ in range(5000):
        service.alive()
    assert manager_socket.recv(4096) == b"WATCHDOG=1"


def test_the_watchdog_period_is_read_in_microseconds() -> None:
    assert ServiceManager({"WATCHDOG_USEC": "30000000"}).watchdog_s == 30.0
    assert ServiceManager({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}).watchdog_s == 0.5


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
    ],
)
def test_a_watchdog_that_is_off_or_watches_another_process_has_no_period(environment: dict[str, str]) -> None:
    assert ServiceManager(environment).watchdog_s is None
