"""No test reaches another machine: whoever tries gets an error, and the test fails even if the error was swallowed.

Python raises an audit event for each connection, datagram and look-up of a name, whichever library asks for it, and
whether by connect() or connect_ex(). What is out of reach: code in C that opens its own sockets, as libpq does, and
the processes that a test starts. They are given addresses of this machine alone.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Callable
from functools import cache

_ADDRESS_AT: dict[str, Callable[[tuple[object, ...]], object]] = {
    "socket.connect": lambda arguments: arguments[1],
    "socket.sendto": lambda arguments: arguments[1],
    "socket.sendmsg": lambda arguments: arguments[1],
    "socket.getaddrinfo": lambda arguments: arguments[:1],
    "socket.gethostbyname": lambda arguments: arguments[:1],
    "socket.gethostbyaddr": lambda arguments: arguments[:1],
}
"""Where each event has the address: a tuple that begins with the host, or something else for what is no network's."""

_OUR_NAMES = frozenset({"localhost", socket.gethostname()})

refused: list[str] = []
"""What was tried and has not been told to a test."""


class OtherMachineError(Exception):
    """A test tried to reach another machine."""


@cache
def refuse_other_machines() -> None:
    """Refuse them from now on, in this process and those forked from it. There is no way back."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    find = _ADDRESS_AT.get(event)
    if find is None:
        return
    address = find(arguments)
    if not isinstance(address, tuple) or not address or _is_here(address[0]):
        return
    refused.append(f"{event}: {address[0]!r}")
    raise OtherMachineError(f"a test may not reach another machine: {refused[-1]}")


def _is_here(host: object) -> bool:
    """Whether a host is this machine; None, the empty text and 0.0.0.0 are what one listens on."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host or "localhost")
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name in _OUR_NAMES
    return address.is_loopback or address.is_unspecified
