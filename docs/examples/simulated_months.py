"""Fill a store with months of a simulated FINRA: one run on each weekday, with a clock of its own.

Usage: python simulated_months.py [STORE_URL [WEEKS]]
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from attrs import define

from finra_core import RunRequest, Scheduler, open_store
from finra_simulator import SimulatorSource, World

FIRST_RUN = datetime(2025, 9, 2, 12, tzinfo=timezone.utc)
WORLD = World(seed=7, symbols=(30, 40, 30), ats=8, firms=8, restatement_rate=0.3, late_restatement_rate=0.3)
SATURDAY = 5


def weekdays(first: datetime, weeks: int) -> Iterator[datetime]:
    """The instants of the runs: the same hour on each Monday to Friday."""
    for day in range(7 * weeks):
        now = first + timedelta(days=day)
        if now.weekday() < SATURDAY:
            yield now


@define
class Clock:
    """The time is what the loop below says it is."""

    now: datetime = FIRST_RUN

    def __call__(self) -> datetime:
        """This instant."""
        return self.now


def main(url: str = "sqlite:///finra_tutorial.db", weeks: str = "18") -> None:
    """Make the runs, and say how many."""
    logging.disable()
    clock = Clock()
    runs = list(weekdays(FIRST_RUN, int(weeks)))
    with open_store(url) as store, SimulatorSource(WORLD, clock) as source:
        scheduler = Scheduler(source=source, store=store, clock=clock)
        for clock.now in runs:
            scheduler.run(RunRequest(lookback_weeks=2))
    sys.stdout.write(f"{len(runs)} runs from {runs[0].date()} to {clock.now.date()}, kept in {url}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
