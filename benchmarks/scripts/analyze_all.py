"""`analyze_all.py STORE`: the analytics of every capture, and across the tiers of every week, as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timezone

from finra_core import Analysis, Capture, ReadView, Volumes, open_store
from finra_core.domain.analytics import analyze, analyze_across_tiers, volumes_of
from finra_core.domain.records import Records


def main() -> None:
    """Compute all and print a line for each: week, tier, millionths of shares, trades, venues, both ends of the HHI."""
    at = datetime.now(timezone.utc)
    with open_store(sys.argv[1], read_only=True) as store, store.read() as view:
        captures = view.captures()
        for capture in captures:
            _print(analyze(capture, _volumes(view, [capture]), at))
        for week in sorted({capture.partition.week_ending for capture in captures}):
            together = [capture for capture in captures if capture.partition.week_ending == week]
            _print(analyze_across_tiers(together, _volumes(view, together), (), at.date(), at))


def _volumes(view: ReadView, captures: Sequence[Capture]) -> Volumes:
    return volumes_of(Records.joined([view.records(capture) for capture in captures]))


def _print(found: Analysis) -> None:
    values = found.shares_micros, found.trades, found.volumes.venue_count, found.hhi, found.hhi_upper
    sys.stdout.write(json.dumps([str(found.week_ending), found.tier, *values]) + "\n")


if __name__ == "__main__":
    main()
