"""Runs the second day in forked processes, each of which exits at another store call, on a copy of the store."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import cast

from test_crashes import WEEKS, bench_on

from finra_core import open_store
from finra_core.ports import Store
from harness import DyingStore

DIED = 77


def run_and_die(path: Path, day: int, dies_at: int) -> int:
    """The exit status of a run that exits at its store call number `dies_at`, or ends before."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    store = open_store(f"sqlite:///{path}")
    dying = DyingStore(store, dies_at, lambda: os._exit(DIED))
    bench_on(store, day).run(store=cast("Store", dying), weeks=WEEKS)
    os._exit(0)


def main(template: str, folder: str, day: str) -> None:
    for dies_at in range(1, 1000):
        path = Path(folder, f"died-at-{dies_at:03}.db")
        shutil.copy(template, path)
        status = run_and_die(path, int(day), dies_at)
        if status == 0:
            path.unlink()
            return
        assert status == DIED, status
    raise AssertionError("the run never ended")


if __name__ == "__main__":
    main(*sys.argv[1:])
