"""Two days of a small FINRA; as a script, runs one of them in processes that each exit at another store call.

Usage: python -m support.killed_at_each_call TEMPLATE.db FOLDER DAY
Leaves FOLDER/died-at-NNN.db, one for each store call of the run.
"""

from __future__ import annotations

import os
import shutil
import sys
from datetime import date, timedelta
from pathlib import Path

from finra_core import Store, Tier, open_store
from finra_simulator import Restatement, World
from support.harness import Bench, Clock, DyingStore, partition

DIED = 77
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


def run_and_die(path: Path, day: int, dies_at: int) -> int:
    """The exit status of a run that exits at its store call number `dies_at`, or ends before."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    store = open_store(f"sqlite:///{path}")
    dying = DyingStore(store, dies_at, lambda: os._exit(DIED))
    bench_on(store, day).run(store=dying, weeks=WEEKS)
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
