"""How often the coverage bounds raise a false alarm, and what they find. The rates stand in docs/coverage.md.

Usage: python -m benchmarks.coverage_rates [--weeks N] [--seeds N] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import partial
from itertools import pairwise
from pathlib import Path

from attrs import Factory, evolve, frozen

from finra_core.domain.captures import Capture
from finra_core.domain.completeness import CoverageBounds, Measure, Shortfall, shortfalls
from finra_core.domain.coverage import coverage_of
from finra_core.domain.partitions import Partition
from finra_core.domain.records import Records
from finra_core.domain.tiers import TIERS, Tier
from finra_core.weekly_summary.parsing import parse_content
from finra_simulator import SimulatorSource, World

START = datetime(2026, 1, 5, tzinfo=timezone.utc)
FIRST_WEEK = date(2025, 1, 3)
BOUNDS = CoverageBounds()
HOLIDAY_WEEKS = {"four trading days": 0.8, "three and a half (Thanksgiving)": 0.7, "Christmas, thin trading": 0.45}
"""Shares of an ordinary week's volume; of its rows the share that is left falls half as much."""

_numbers = iter(range(1, 10**9))


def say(*words: object) -> None:
    """Print a line."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")


@frozen
class Tally:
    """asked: how often a capture that is whole was checked, by kind; alarms: how often it was refused.

    found: how often one that is not whole was.
    """

    asked: Counter[str] = Factory(Counter)
    alarms: Counter[str] = Factory(Counter)
    found: Counter[str] = Factory(Counter)


def capture(partition: Partition, records: Records) -> Capture:
    """A normalized capture of these records."""
    return Capture(
        number=next(_numbers),
        capture_id=str(partition),
        revision=1,
        partition=partition,
        captured_at=START,
        content_hash="",
        version=None,
        row_count=len(records),
        size_bytes=0,
        source_url="",
        run_id="",
        reason="",
        verified_at=START,
        checked_at=START,
        normalized_at=START,
        rejected_rows=0,
        coverage=coverage_of(records),
    )


def thinned(whole: Capture, rows: float, shares: float) -> Capture:
    """The capture with so much of its rows, symbols and shares; its venues stay."""
    coverage = tuple(
        evolve(
            half,
            rows=int(half.rows * rows),
            symbols=int(half.symbols * rows),
            shares_micros=int(half.shares_micros * shares),
        )
        for half in whole.coverage
    )
    return evolve(whole, number=next(_numbers), coverage=coverage)


def truncated(partition: Partition, records: Records, share: float, *, by_venue: bool) -> Capture:
    """What is left of a download that broke off, or of one that lacks venues."""
    rows = list(records.rows())
    if by_venue:
        venues = sorted({row.venue for row in rows}, key=lambda venue: (venue.crd + venue.mpid)[::-1])  # of both halves
        kept = set(venues[: max(1, int(len(venues) * share))])
        rows = [row for row in rows if row.venue in kept]
    else:
        rows = rows[: max(1, int(len(rows) * share))]
    return capture(partition, Records.of(rows))


def states(world: World, partition: Partition) -> Iterator[Records]:
    """What FINRA shows of a partition, from its publication on."""
    for at in world.change_instants(partition):
        source = SimulatorSource(world, partial(_now, at))
        yield parse_content(source.fetch(partition).documents, partition).records


def _now(at: datetime) -> datetime:
    return at


def simulated(seeds: int, weeks: int) -> None:
    """Print the rates over simulated years."""
    tally = Tally()
    for seed in range(1, seeds + 1):
        world = World(seed=seed, first_week=FIRST_WEEK, restatement_rate=0.5, late_restatement_rate=0.5)
        for tier in TIERS:
            _one_tier(world, tier, weeks, tally)
    say("false alarms")
    for kind, count in tally.asked.items():
        say(f"  {kind}: {tally.alarms[kind]} of {count:,}")
    say("found")
    for kind, count in tally.found.items():
        say(f"  {kind}: {count:,} of {tally.asked['a week after others']:,}")


def _one_tier(world: World, tier: Tier, weeks: int, tally: Tally) -> None:
    alarms, asked, found = tally.alarms, tally.asked, tally.found
    recent: list[Capture] = []
    for week in range(weeks):
        partition = Partition(FIRST_WEEK + timedelta(weeks=week), tier)
        seen = list(states(world, partition))
        history: list[Capture] = []
        for records in seen:
            history.append(capture(partition, records))
            if len(history) > 1:
                asked["a restatement"] += 1
                alarms["a restatement"] += bool(shortfalls(history, (), BOUNDS))
        if len(recent) >= BOUNDS.fewest_weeks:
            last = recent[: BOUNDS.recent_weeks]
            asked["a week after others"] += 1
            alarms["a week after others"] += bool(shortfalls(history[:1], last, BOUNDS))
            for name, share in HOLIDAY_WEEKS.items():
                thin = thinned(history[0], 1 - (1 - share) / 2, share)
                asked[name] += 1
                alarms[name] += bool(shortfalls([thin], last, BOUNDS))
            for share in (0.9, 0.75, 0.3):
                broken = truncated(partition, seen[-1], share, by_venue=False)
                found[f"a capture cut to {share:.0%} of its rows, after a whole one"] += bool(
                    shortfalls([*history, broken], last, BOUNDS)
                )
            lacking = truncated(partition, seen[-1], 0.3, by_venue=True)
            found["30 % of the venues, after a whole capture"] += bool(shortfalls([*history, lacking], last, BOUNDS))
            found["30 % of the venues, first capture of its week"] += bool(shortfalls([lacking], last, BOUNDS))
        recent.insert(0, history[0])


def real(folder: Path) -> None:
    """Print how the real files compare, week by week."""
    weeks = []
    for path in sorted(folder.glob("finra_otc_weekly_otc_*.csv")):
        published = datetime.strptime(path.stem[-8:], "%Y%m%d").date()  # noqa: DTZ007  a calendar day
        partition = Partition(published - timedelta(days=35 - 4), Tier.OTC)
        weeks.append(capture(partition, parse_content([path.read_bytes()], partition).records))
    for before, after in pairwise(weeks):
        for own, other in zip(after.coverage, before.coverage, strict=True):
            shares = {measure.value: measure.of(own) / measure.of(other) for measure in Measure if measure.of(other)}
            if shares:
                say(after.partition, own.half, {name: round(share, 3) for name, share in shares.items()})
    bounds = CoverageBounds(fewest_weeks=1)
    lost: list[Sequence[Shortfall]] = [shortfalls([each], weeks[:i], bounds) for i, each in enumerate(weeks) if i]
    say("false alarms over the real files:", sum(map(bool, lost)), "of", len(lost))


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    if given.data:
        real(given.data)
    simulated(given.seeds, given.weeks)


if __name__ == "__main__":
    main()
