"""`fetch_all.py URL WEEKS FOLDER`: every partition of these weeks, four at once as in a run, a file each."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from finra_core import Partition, open_source
from finra_core.domain.tiers import TIERS


def main() -> None:
    """Fetch, and keep what came."""
    url, weeks, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    partitions = [Partition(date.fromisoformat(week), tier) for week in weeks.split(",") for tier in TIERS]
    with open_source(url) as source, ThreadPoolExecutor(4) as threads:
        for partition, payload in zip(partitions, threads.map(source.fetch, partitions), strict=True):
            path = folder / f"{partition.week_ending}-{partition.tier.value}.csv"
            path.write_bytes(b"".join(payload.documents))


if __name__ == "__main__":
    main()
