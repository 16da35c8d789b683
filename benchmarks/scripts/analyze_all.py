"""`analyze_all.py STORE`: the analytics of every capture, and across the tiers of every week, as JSON lines."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import datetime, timezone
from itertools import chain

from finra_core import open_store
from finra_core.domain.analytics import analyze, volumes_of
from finra_core.domain.records import Records


def main() -> None:
    """Compute all and print a line for each: week, tier, millionths of shares, trades, venues, HHI."""
    at = datetime.now(timezone.utc)
    with closing(open_store(sys.argv[1], read_only=True)) as store:
        captures = store.captures()
        weeks = sorted({capture.partition.week_ending for capture in captures})
        together = [[capture for capture in captures if capture.partition.week_ending == week] for week in weeks]
        for inputs in [*([capture] for capture in captures), *together]:
            rows = chain.from_iterable(store.records(capture).rows() for capture in inputs)
            found = analyze(inputs, volumes_of(Records.of(rows)), at.date(), at)
            tier = inputs[0].partition.tier.value if len(inputs) == 1 else "ALL"
            values = found.shares_micros, found.trades, len(found.venue_shares), found.hhi
            sys.stdout.write(json.dumps([str(inputs[0].partition.week_ending), tier, *values]) + "\n")


if __name__ == "__main__":
    main()
