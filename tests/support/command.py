"""The installed `finra` command, run as its users run it: another process, a folder, an environment."""

from __future__ import annotations

import gc
import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from attrs import Factory, define

from finra_cli.main import main
from finra_core import open_store
from support.harness import contents

FINRA = Path(sys.executable).with_name("finra")
SIMULATOR = "simulator:?symbols=4&rate=0&now=2026-01-05T15:30:00Z"
RUN = ("run", "--run-date", "2026-01-05", "--source", SIMULATOR)
STORE = "finra_otc.db"
"""The file of the default store."""

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", re.MULTILINE)
"""What each line of the log begins with where standard error is no terminal."""

Ended = subprocess.CompletedProcess[str]


def unstamped(log: str) -> str:
    """The log without the time stamps of its lines."""
    return STAMP.sub("", log)


def _environment() -> dict[str, str]:
    """This process's, without what would lead the command to another store, source or copy of the code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FINRA_", "PYTHON", "LC_"))}
    return {**kept, "LANG": "C.UTF-8"}


@define
class Command:
    """`finra`, called with its arguments; a folder is its working directory."""

    folder: Path
    environ: dict[str, str] = Factory(_environment)

    def __call__(self, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> Ended:
        """Run it to its end. Whatever it met, it has shown no traceback and ended with a code that is documented.

        Its log comes without the time stamps.
        """
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        ended = subprocess.run(
            [FINRA, *arguments],
            cwd=self.folder,
            env={**self.environ, **(env or {})},
            encoding="utf-8",
            check=False,
            **options,
        )
        assert ended.returncode in (0, 1, 2, 130, 141, 143), ended
        if "--verbose" not in arguments:
            assert "Traceback" not in (ended.stderr or ""), ended.stderr
        if ended.stderr is not None:
            ended.stderr = unstamped(ended.stderr)
        return ended

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin it; its log can be read line by line while it runs."""
        return subprocess.Popen(
            [FINRA, *arguments],
            cwd=self.folder,
            env=self.environ,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def ok(self, *arguments: str, **options: Any) -> str:
        """What it printed, where it had to succeed."""
        ended = self(*arguments, **options)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def contents(self, name: str = STORE) -> dict[str, Any]:
        with closing(open_store(f"sqlite:///{self.folder / name}")) as store:
            return contents(store)

    def query(self, sql: str, *values: object, name: str = STORE) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / name)) as connection:
            return connection.execute(sql, values).fetchall()


class CommandHere(Command):
    """The command in this process: much faster, for what does not depend on being a process of its own."""

    def __call__(self, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> Ended:
        """As for a process; without options of one."""
        assert not options
        out, log = StringIO(), StringIO()
        with _as_before(), patch.dict(os.environ, {**self.environ, **(env or {})}, clear=True):
            os.chdir(self.folder)
            with redirect_stdout(out), redirect_stderr(log):
                code = main(arguments)
        return Ended(arguments, code, out.getvalue(), unstamped(log.getvalue()))


@contextmanager
def _as_before() -> Iterator[None]:
    """What the command changes of the process that it has to itself is changed back."""
    folder, handler = Path.cwd(), signal.getsignal(signal.SIGTERM)
    loggers = [logging.getLogger(name) for name in ("", "finra_core", "finra_cli")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    raising, threshold = logging.raiseExceptions, gc.get_threshold()
    try:
        yield
    finally:
        os.chdir(folder)
        signal.signal(signal.SIGTERM, handler)
        logging.raiseExceptions = raising
        gc.unfreeze()
        gc.set_threshold(*threshold)
        for logger, level, handlers in before:
            logger.setLevel(level)
            logger.handlers[:] = handlers


def until_logged(process: subprocess.Popen[str], wanted: Callable[[str], bool]) -> list[str]:
    """The lines of a process's log until the first one wanted, or all of them."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if wanted(line):
            break
    return lines
