"""The two databases: a fresh one for every turn, the floor's loader, and what is in them afterward."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from attrs import Factory, define, field

from benchmarks.floor import TABLE
from benchmarks.measuring import Command, Cost
from benchmarks.postgres import Server


class Database(Protocol):
    """Makes databases, each named by the URL with which the product opens it."""

    @property
    def name(self) -> str:
        """`sqlite` or `postgres`."""

    @property
    def loader(self) -> str:
        """How a table calls the floor."""

    def fresh(self) -> str:
        """A new, empty database's URL."""

    def open_url(self, url: str) -> str:
        """The same for a rival's tools."""

    def drop(self, url: str) -> None:
        """Remove one."""

    def load(self, url: str, bodies: Sequence[Path], *, fractional: bool = False) -> Command:
        """The floor: make the table and load these files into it."""

    def ask(self, url: str, query: str, output: Path) -> Command:
        """Its own shell, which writes the rows without a header, the values with | between them."""

    def rows(self, url: str, query: str) -> list[tuple[Any, ...]]:
        """Ask it."""

    def size(self, url: str) -> int:
        """Its bytes on disk."""

    def measure(self, command: Command) -> Cost:
        """Run a command that uses it; a server's CPU is added."""


@define
class Sqlite(Database):
    """Files of a folder, loaded by the sqlite3 shell."""

    folder: Path
    name: str = field(default="sqlite", init=False)
    loader: str = field(default="sqlite3 .import", init=False)
    _numbers: count[int] = Factory(count)

    def fresh(self) -> str:
        home = self.folder / f"store-{next(self._numbers)}"
        home.mkdir()
        return f"sqlite:///{home / 'finra.db'}"

    def open_url(self, url: str) -> str:
        return url

    def drop(self, url: str) -> None:
        shutil.rmtree(_path(url).parent)

    def load(self, url: str, bodies: Sequence[Path], *, fractional: bool = False) -> Command:
        script = _path(url).with_suffix(".sql")
        table = TABLE.format(date="TEXT", shares="NUMERIC" if fractional else "INTEGER")
        imports = [f".import {body} normalized" for body in bodies]
        script.write_text("\n".join([table, ".separator |", *imports, ""]), encoding="utf-8")
        arguments: list[str | Path] = [sqlite_shell(), "-batch", "-bail", _path(url)]
        return Command(arguments=arguments, folder=self.folder, environ=os.environ, stdin=script)

    def ask(self, url: str, query: str, output: Path) -> Command:
        arguments: list[str | Path] = [sqlite_shell(), "-batch", "-bail", "-list", _path(url), query]
        return Command(arguments=arguments, folder=self.folder, environ=os.environ, stdout=output)

    def rows(self, url: str, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(_path(url))) as connection:
            return connection.execute(query).fetchall()

    def size(self, url: str) -> int:
        """The file and what stands beside it."""
        path = _path(url)
        return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))

    def measure(self, command: Command) -> Cost:
        return command.measure()


@define
class Postgres(Database):
    """Databases of a private server, loaded by psql."""

    server: Server
    folder: Path
    name: str = field(default="postgres", init=False)
    loader: str = field(default=r"psql \copy", init=False)
    _numbers: count[int] = Factory(count)

    def fresh(self) -> str:
        name = f"store_{next(self._numbers)}"
        self.server.say(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.server.url(name)

    def open_url(self, url: str) -> str:
        return self.server.open_url(self._database(url))

    def drop(self, url: str) -> None:
        self.server.say(f"DROP DATABASE IF EXISTS {self._database(url)} WITH (FORCE)")

    def load(self, url: str, bodies: Sequence[Path], *, fractional: bool = False) -> Command:
        script = self.folder / f"{self._database(url)}.sql"
        table = TABLE.format(date="DATE", shares="NUMERIC" if fractional else "BIGINT")
        copies = [rf"\copy normalized FROM '{body}' WITH (DELIMITER '|')" for body in bodies]
        script.write_text("\n".join([table, *copies, ""]), encoding="utf-8")
        arguments: list[str | Path] = [self.server.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", script, url]
        return Command(arguments=arguments, folder=self.folder, environ=os.environ)

    def ask(self, url: str, query: str, output: Path) -> Command:
        arguments: list[str | Path] = [
            self.server.psql,
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            query,
            url,
        ]
        return Command(arguments=arguments, folder=self.folder, environ=os.environ, stdout=output)

    def rows(self, url: str, query: str) -> list[tuple[Any, ...]]:
        return self.server.rows(url, query)

    def size(self, url: str) -> int:
        """Without what every database has."""
        return self._size(self._database(url)) - self._size("template0")

    def measure(self, command: Command) -> Cost:
        """Each begins right after a checkpoint, so that no other's falls into it."""
        self.server.say("CHECKPOINT")
        before = self.server.cpu_seconds()
        cost = command.measure()
        return cost.with_server(self.server.cpu_seconds() - before)

    def log_bytes(self) -> int:
        """The write-ahead log's length since the cluster was made."""
        found = self.server.rows(self.server.url("postgres"), "SELECT pg_current_wal_insert_lsn() - '0/0'")
        return int(found[0][0])

    def _size(self, database: str) -> int:
        query = f"SELECT pg_database_size('{database}')"
        return int(self.server.rows(self.server.url("postgres"), query)[0][0])

    def _database(self, url: str) -> str:
        return url.partition("?")[0].rpartition("/")[2]


def sqlite_shell() -> Path:
    """The sqlite3 command.

    Raises:
        FileNotFoundError: there is none.
    """
    found = shutil.which("sqlite3")
    if found is None:
        raise FileNotFoundError("no sqlite3 command: install the system's package sqlite3")
    return Path(found)


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
