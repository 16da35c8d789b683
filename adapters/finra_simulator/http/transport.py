"""HTTP/1.1 with keep-alive on sockets, and the faults that happen there."""

from __future__ import annotations

import gzip
import logging
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from attrs import evolve, frozen

from finra_core.domain.partitions import Partition
from finra_simulator.http.api import Alteration, Answer, ApiRequest, Kind, classify, error_answer
from finra_simulator.http.datasets import Record
from finra_simulator.http.faults import STATUSES, Fault
from finra_simulator.rows import FIELDS

if TYPE_CHECKING:
    from finra_simulator.http.server import SimulatorServer

_LOG = logging.getLogger(__name__)
_MAX_BODY = 1_000_000
_NO_CONTENT = 204
_HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
_RESET = struct.pack("ii", 1, 0)
"""The socket option that makes closing send RST in place of FIN."""
_MONDAY = FIELDS.index("weekStartDate")


@frozen
class LoggedRequest:
    """One request, noted when its answer was about to be sent.

    status: 0 where none is sent. fault: what disturbed it. began: seconds on a monotonic clock. bytes_sent: of
    the body, compressed; 0 for what has no end.
    """

    method: str
    path: str
    kind: Kind
    partition: Partition | None
    headers: Mapping[str, str]
    body: bytes
    began: float
    status: int
    bytes_sent: int
    fault: str | None


class Transport(ThreadingHTTPServer):
    """A thread for each connection. Once closed, neither a thread nor a socket is left."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], simulator: SimulatorServer) -> None:
        self.simulator = simulator
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a connection's thread."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection, with RST where that was asked for."""
        with self._lock:
            self._open.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET)) == _RESET:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def end_connections(self) -> None:
        """Wake all threads that wait for their client."""
        with self._lock:
            for connection in self._open:
                with suppress(OSError):  # the client may be quicker
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what is the simulator's own fault."""
        _LOG.exception("a request to the simulator failed")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "finra-simulator"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Transport

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True  # a client may leave when it likes

    def finish(self) -> None:
        try:
            super().finish()
        except ConnectionError:
            self.rfile.close()

    def do_GET(self) -> None:
        simulator = self.server.simulator
        began = time.monotonic()
        request = self._read_request()
        kind, partition = classify(request)
        fault = simulator.faults.strike(kind, partition)
        exchange = _Exchange(handler=self, request=request, kind=kind, partition=partition, fault=fault, began=began)
        if simulator.latency:
            simulator.stopping.wait(simulator.latency)
        exchange.run()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        _LOG.debug(format, *args)

    def _read_request(self) -> ApiRequest:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MAX_BODY:
            self.close_connection = True
        return ApiRequest(
            method=self.command,
            path=parts.path,
            parameters=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(min(length, _MAX_BODY)),
            origin=self.server.simulator.url,
        )


@frozen(kw_only=True)
class _Exchange:
    """One request and what is done about it."""

    handler: _Handler
    request: ApiRequest
    kind: Kind
    partition: Partition | None
    fault: Fault | None
    began: float

    @property
    def simulator(self) -> SimulatorServer:
        return self.handler.server.simulator

    def run(self) -> None:
        """Answer, or do what the fault says in its place."""
        fault = self.fault
        if fault is None:
            self._send(self._answer())
        elif fault.kind in STATUSES:
            self._send(self._refusal(int(fault.kind), fault.retry_after))
        else:
            actions: dict[str, Callable[[], None]] = {
                "reset": self._reset,
                "truncate": self._truncate,
                "truncate-silently": self._truncate_silently,
                "html": lambda: self._send(Answer(200, _HTML, "text/html")),
                "stall": self._stall,
                "huge": self._send_without_end,
                "republish": self._republish,
                "expired-token": self._expire_tokens,
                "wrong-rows": lambda: self._send(self._answer(_with_row_of_week_before)),
            }
            actions[fault.kind]()

    def _answer(self, alter: Alteration = tuple) -> Answer:
        return self.simulator.api.answer(self.request, self.simulator.clock(), alter)

    def _refusal(self, status: int, retry_after: int | None = None, message: str = "Simulated fault") -> Answer:
        answer = error_answer(self.request, status, message, "simulated-fault")
        headers = [("FINRA-api-request-id", "simulated-fault")]
        if retry_after is not None:
            headers.append(("Retry-After", str(retry_after)))
        return evolve(answer, headers=tuple(headers))

    def _send(self, answer: Answer) -> None:
        body = self._begin(answer)
        self._write(body)

    def _begin(self, answer: Answer) -> bytes:
        """Send the status and the headers; the body as it is to follow."""
        body, encoding = answer.body, None
        if body and "gzip" in self.request.headers.get("accept-encoding", ""):
            body, encoding = gzip.compress(body, compresslevel=1), "gzip"
        self._note(answer.status, len(body))
        self._send_headers(answer)
        if encoding:
            self.handler.send_header("Content-Encoding", encoding)
        if answer.status != _NO_CONTENT:
            self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        return b"" if self.request.method == "HEAD" else body

    def _send_headers(self, answer: Answer) -> None:
        self.handler.send_response(answer.status)
        self.handler.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers:
            self.handler.send_header(name, value)

    def _write(self, content: bytes) -> None:
        self.handler.wfile.write(content)
        self.handler.wfile.flush()

    def _reset(self) -> None:
        self._note(0, 0)
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.handler.close_connection = True

    def _truncate(self) -> None:
        body = self._begin(self._answer())
        self._write(body[: len(body) // 2])
        self.handler.close_connection = True

    def _truncate_silently(self) -> None:
        answer = self._answer()
        end = len(answer.body) * 2 // 3
        while answer.body[end - 1 : end] in (b"}", b",", b"\n", b"["):
            end -= 1
        self._send(evolve(answer, body=answer.body[:end]))

    def _stall(self) -> None:
        self._note(0, 0)
        self.handler.close_connection = True
        self.simulator.stopping.wait()

    def _send_without_end(self) -> None:
        answer = self._answer()
        self._note(answer.status, 0)
        self._send_headers(answer)
        self.handler.send_header("Transfer-Encoding", "chunked")
        self.handler.end_headers()
        self.handler.close_connection = True
        head, piece = _endless(answer.body)
        self._write(_chunk(head))
        while not self.simulator.stopping.is_set():
            self._write(_chunk(piece))

    def _republish(self) -> None:
        try:
            self.simulator.republish(self.partition)
        except ValueError as error:
            self._send(self._refusal(500, message=str(error)))
        else:
            self._send(self._answer())

    def _expire_tokens(self) -> None:
        self.simulator.tokens.revoke_all()
        self._send(self._refusal(401))

    def _note(self, status: int, size: int) -> None:
        self.simulator.log(
            LoggedRequest(
                method=self.request.method,
                path=self.handler.path,
                kind=self.kind,
                partition=self.partition,
                headers=self.request.headers,
                body=self.request.body,
                began=self.began,
                status=status,
                bytes_sent=size,
                fault=self.fault.kind if self.fault else None,
            )
        )


def _with_row_of_week_before(records: Sequence[Record]) -> Sequence[Record]:
    """The first record says that it is of the week before; nothing changes where records have no week there."""
    if not records or len(records[0]) < len(FIELDS):
        return records
    strange = list(records[0])
    strange[_MONDAY] -= timedelta(weeks=1)
    return [tuple(strange), *records[1:]]


def _endless(body: bytes) -> tuple[bytes, bytes]:
    """How a body begins and what can follow it for ever, still JSON or CSV as far as it goes."""
    if body.startswith(b"["):
        return body[:-1], b"," + body[1:-1]
    return body, body.partition(b"\n")[2] or b" " * 1024


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)
