"""Two days of a small FINRA; as a script, what is left of a SQLite store by a run that is killed at any store call.

Usage: python -m support.killed_at_each_call TEMPLATE.db FOLDER DAY
Leaves FOLDER/NAME/finra.db with the files beside it, a folder for each state that differs from those before, and prints
how many store calls the run makes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from pathlib import Path

from attrs import define

from finra_core import Store, Tier, open_store
from finra_simulator import Restatement, World
from support.harness import Bench, Clock, DyingStore, partition

DIED = 77
EACH = 12
"""A process really ends at every so manieth call; at the others its files are copied."""
WEEKS = (date(2025, 11, 28), date(2025, 11, 21))
DAY_ONE = Clock().now
DAY_TWO = DAY_ONE + timedelta(days=1)
WORLD = World(
    symbols=2,
    ats=2,
    firms=2,
    restatement_rate=0.0,
    events=(
        Restatement(partition("2025-11-28", Tier.OTC), DAY_ONE + timedelta(hours=1), changed=1, added=1),
        Restatement(partition("2025-11-21", Tier.NMS_TIER_1), DAY_ONE + timedelta(hours=2), withdrawn=1),
    ),
)


def bench_on(store: Store, day: int) -> Bench:
    return Bench(store, WORLD, Clock(DAY_ONE if day == 1 else DAY_TWO))


def in_a_fork(work: Callable[[], None]) -> int:
    """The exit status of a process that does this and ends without cleaning up."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    work()
    os._exit(0)


def run_and_die(path: Path, day: int, dies_at: int) -> None:
    store = open_store(f"sqlite:///{path}")
    bench_on(store, day).run(store=DyingStore(store, dies_at, lambda: os._exit(DIED)), weeks=WEEKS)


@define(slots=False)
class CopyingStore(DyingStore):
    """Does at each call what a dying store does at one."""

    def _count(self) -> None:
        self.calls += 1
        self.die()


@define
class States:
    """Copies of a store's files as they are at a moment, which is all that a process killed then would leave."""

    path: Path
    folder: Path
    _numbers: count[int]
    _seen: set[bytes]

    def keep(self) -> None:
        """Copy what no earlier copy equals: the next run does with equal files what it did with those."""
        copy = self.folder / f"killed-at-{next(self._numbers):03}"
        # In a process of its own: by closing the file, this one would give up SQLite's locks on it.
        assert in_a_fork(lambda: self._copy_to(copy)) == 0
        digest = _digest(copy)
        if digest in self._seen:
            shutil.rmtree(copy)
        self._seen.add(digest)

    def _copy_to(self, copy: Path) -> None:
        copy.mkdir()
        for file in self.path.parent.iterdir():
            shutil.copy(file, copy)


def _digest(folder: Path) -> bytes:
    """Of the database and its journals; what processes share in memory (-shm) is made anew by the next one."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if not file.name.endswith("-shm"):
            digest.update(f"{file.name} {file.stat().st_size} ".encode() + file.read_bytes())
    return digest.digest()


def main(template: str, folder: str, day: str) -> None:
    live = Path(folder, "live", "finra.db")
    live.parent.mkdir()
    shutil.copy(template, live)
    store = open_store(f"sqlite:///{live}")
    copying = CopyingStore(store, 0, States(live, Path(folder), count(1), set()).keep)
    bench_on(store, int(day)).run(store=copying, weeks=WEEKS)
    store.close()
    shutil.rmtree(live.parent)
    for dies_at in range(1, copying.calls + 1, EACH):
        path = Path(folder, f"died-at-{dies_at:03}", "finra.db")
        path.parent.mkdir()
        shutil.copy(template, path)
        status = in_a_fork(lambda path=path, dies_at=dies_at: run_and_die(path, int(day), dies_at))  # type: ignore[misc]
        assert status == DIED, status
    print(copying.calls)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
