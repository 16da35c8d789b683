"""FINRA's API in a process of its own: the simulator's answers, each made once and then given again after a delay.

Making an answer of 5,000 rows costs the simulator more than asking for it costs a client. So answers are recorded,
by what was asked, when they are first asked for, in memory and in a folder; from then on only the latency counts.
`/-/requests` gives the log, `/-/forget` empties it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from attrs import Factory, define, frozen

from benchmarks.inputs import PUBLISHED, SIZES, Inputs
from finra_simulator.http import SimulatorServer

_KEPT = ("content-type", "content-encoding", "record-total", "record-limit", "record-offset", "record-max-limit")
Question = tuple[str, str, str, bytes]


@frozen
class Asked:
    """One request: when, in seconds on the server's clock, of which kind, and its body."""

    began: float
    kind: str
    body: str


@frozen
class Service:
    """A running one."""

    url: str

    def asked(self) -> list[Asked]:
        """All requests since the log was last emptied."""
        with urllib.request.urlopen(f"{self.url}/-/requests") as answer:
            return [Asked(**entry) for entry in json.load(answer)]

    def forget(self) -> None:
        """Empty the log."""
        urllib.request.urlopen(f"{self.url}/-/forget").close()


@contextmanager
def serving(inputs: Inputs, latency: float) -> Iterator[Service]:
    """Start it in another process; it ends with the block."""
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "benchmarks.serving", str(inputs.folder), inputs.size.name, str(latency)]
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        try:
            yield Service(process.stdout.readline().strip())
        finally:
            process.terminate()


@frozen
class _Answer:
    """headers: those that are the simulator's own."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(json.dumps([self.status, self.headers]).encode() + b"\n" + self.body)
        unfinished.rename(path)


def _saved(path: Path) -> _Answer | None:
    if not path.exists():
        return None
    head, _, body = path.read_bytes().partition(b"\n")
    status, headers = json.loads(head)
    return _Answer(status, headers, body)


@define
class _Tape:
    """The answers so far, and the log."""

    origin: str
    folder: Path
    latency: float
    answers: dict[Question, _Answer] = Factory(dict)
    asked: list[dict[str, object]] = Factory(list)
    lock: Lock = Factory(Lock)

    def answer(self, question: Question, headers: dict[str, str]) -> _Answer:
        method, _path, _accept, body = question
        kind = "listing" if method == "GET" else "probe" if json.loads(body)["limit"] == 1 else "page"
        with self.lock:
            self.asked.append({"began": time.monotonic(), "kind": kind, "body": body.decode()})
            known = self.answers.get(question)
        if known is not None:
            time.sleep(self.latency)
            return known
        path = self.folder / sha256(repr(question).encode()).hexdigest()
        made = _saved(path) or self._make(question, headers)
        made.save(path)
        with self.lock:
            self.answers[question] = made
        return made

    def _make(self, question: Question, headers: dict[str, str]) -> _Answer:
        connection = HTTPConnection(urlsplit(self.origin).netloc)
        connection.request(question[0], question[1], question[3] or None, headers)
        answer = connection.getresponse()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() in _KEPT]
        body = answer.read()
        connection.close()
        return _Answer(answer.status, kept, body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    tape: _Tape

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/-/"):
            return self._control()
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        return self._send(self.tape.answer((self.command, self.path, headers.get("Accept", ""), body), headers))

    do_POST = do_GET  # noqa: N815 - http.server's name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def _control(self) -> None:
        with self.tape.lock:
            content = json.dumps(self.tape.asked).encode()
            if self.path == "/-/forget":
                self.tape.asked.clear()
        self._send(_Answer(200, [("Content-Type", "application/json")], content))

    def _send(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()


def _published() -> datetime:
    return PUBLISHED


def _main() -> None:
    folder, size, latency = sys.argv[1:]
    inputs = Inputs(Path(folder), SIZES[size])
    with SimulatorServer(inputs.world(), _published) as simulator:
        _Handler.tape = _Tape(simulator.url, inputs.folder / "answers", float(latency))
        with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
            server.daemon_threads = True
            sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
            sys.stdout.flush()
            server.serve_forever()


if __name__ == "__main__":
    _main()
