"""A local server that sends exactly the bytes it is told to, also those that no sound HTTP server would send."""

from __future__ import annotations

import gzip
import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import field, frozen

STALL = b"\x00stall"
"""In place of an answer: say nothing until the client has gone."""
RESET = b"\x00reset"
"""In place of an answer: reset the connection."""


@frozen
class Seen:
    """A request as the server saw it; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def query(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


Script = Callable[[Seen], bytes]


def answer(
    body: bytes | str = b"",
    *,
    status: int = 200,
    media_type: str = "text/plain",
    zipped: bool = False,
    **headers: object,
) -> bytes:
    """A sound HTTP answer; header names are written with underscores."""
    content = body.encode() if isinstance(body, str) else body
    if zipped:
        content = gzip.compress(content)
        headers["Content_Encoding"] = "gzip"
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {media_type}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@contextmanager
def serving(script: Script, certificate: Path | None = None) -> Iterator[str]:
    """Serve on a free local port, over TLS with a certificate; yields the URL."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.script = script
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    script: Script


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            while (seen := self._read()) is not None:
                if not self._send(self.server.script(seen)):
                    return
        except OSError:
            return  # the client has gone, as it may

    def _read(self) -> Seen | None:
        first = self.rfile.readline()
        if not first.strip():
            return None
        method, path, _ = first.decode().split(" ", 2)
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Seen(method, path, headers, self.rfile.read(int(headers.get("content-length", "0"))))

    def _send(self, content: bytes) -> bool:
        """Whether the connection is still good."""
        if content == STALL:
            self.rfile.read(1)
            return False
        if content == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return False
        self.wfile.write(content)
        head, _, body = content.partition(b"\r\n\r\n")
        return f"content-length: {len(body)}".encode() in head.lower()
