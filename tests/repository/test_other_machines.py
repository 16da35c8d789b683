"""The guard that keeps tests on this machine holds, whichever way a library goes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import urllib3

from support.other_machines import OtherMachineError, refused

ELSEWHERE = ("192.0.2.1", 80)  # RFC 5737: an address for documentation, which is nobody's


def connect_ex() -> None:
    with socket.socket() as opened:
        opened.connect_ex(ELSEWHERE)


def send_a_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.sendto(b"", ELSEWHERE)


def connect_by_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as opened:
        opened.connect(("2001:db8::1", 80, 0, 0))


def connect_in_an_event_loop() -> None:
    asyncio.run(asyncio.open_connection(*ELSEWHERE))


@pytest.fixture
def expected() -> Iterator[list[str]]:
    """What this test is refused; left standing, it would fail the test."""
    yield refused
    refused.clear()


@pytest.mark.parametrize(
    "go",
    [
        lambda: socket.create_connection(ELSEWHERE),
        connect_ex,
        send_a_datagram,
        connect_by_ipv6,
        connect_in_an_event_loop,
        lambda: socket.getaddrinfo("example.com", 443),
        lambda: socket.gethostbyname("example.com"),
        lambda: urllib3.PoolManager(retries=False).request("GET", "http://example.com/"),
    ],
    ids=["connection", "connect_ex", "datagram", "IPv6", "event loop", "getaddrinfo", "gethostbyname", "urllib3"],
)
def test_nobody_gets_to_another_machine(go: Callable[[], object], expected: list[str]) -> None:
    with pytest.raises(OtherMachineError):
        go()
    assert len(expected) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached(host: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        socket.create_connection((host, server.getsockname()[1])).close()
