"""Two runs at once on PostgreSQL, killed by the system at random moments: the next run ends where one alone would."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from finra_core import open_store
from support.harness import contents
from support.killed_at_each_call import WEEKS, bench_on
from support.postgres import Server

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

_RUN = """
import sys
from support.killed_at_each_call import WEEKS, bench_on
from finra_core import open_store
print("in", flush=True)
sys.stdin.readline()
store = open_store(sys.argv[1])
bench_on(store, 2).run(weeks=WEEKS)
"""


class Kills:
    """Day one in a template; day two done by two processes that do not live to see its end."""

    def __init__(self, server: Server, template: str) -> None:
        self.server = server
        self.template = template
        with open_store(server.url(template)) as store:
            bench_on(store, 1).run(weeks=WEEKS)
        self.longest, self.expected = self._undisturbed()

    def _undisturbed(self) -> tuple[float, dict[str, object]]:
        """How long two runs at once take when nobody kills them, and where they end."""
        database = self.server.new_database(self.template)
        started = time.monotonic()
        for process in self._two_runs(database):
            process.wait()
        longest = time.monotonic() - started
        return longest, self._contents_after_a_run(database)

    def kill(self, chance: random.Random) -> None:
        database = self.server.new_database(self.template)
        for process in self._two_runs(database):
            time.sleep(chance.uniform(0, self.longest / 2))
            process.kill()
        assert self._contents_after_a_run(database) == self.expected

    def _two_runs(self, database: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-c", _RUN, self.server.url(database)]
        folder = Path(__file__).parents[1]
        with (
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder) as one,
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder) as other,
        ):
            for process in (one, other):
                assert process.stdout is not None
                assert process.stdout.readline() == "in\n"
            for process in (one, other):
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            yield from (one, other)

    def _contents_after_a_run(self, database: str) -> dict[str, object]:
        # What a killed process was having done, the server may still be doing.
        self.server.disconnect(database)
        with open_store(self.server.url(database)) as store:
            bench_on(store, 2).run(weeks=WEEKS)
            found = contents(store)
        self.server.drop_database(database)
        return found


@pytest.fixture
def kills(postgres: Server, postgres_database: str) -> Kills:
    return Kills(postgres, postgres_database)


def test_two_runs_at_once_end_where_one_alone_would(kills: Kills, postgres: Server) -> None:
    database = postgres.new_database(kills.template)
    with open_store(postgres.url(database)) as store:
        bench_on(store, 2).run(weeks=WEEKS)
        assert contents(store) == kills.expected
    postgres.drop_database(database)


def test_killed_runs_are_made_good_by_the_next(kills: Kills) -> None:
    for seed in range(10):
        kills.kill(random.Random(seed))


@pytest.mark.soak
def test_many_killed_runs_are_made_good_by_the_next(kills: Kills) -> None:
    for seed in range(100):
        kills.kill(random.Random(seed))
