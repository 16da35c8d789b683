"""The floor: the same rows by the database's own loader into a plain table with a key.

normalized(capture_id, week_ending, tier, symbol, mpid, issue_name, venue_name, shares, trades, last_update_date),
its key (capture_id, symbol, mpid), where mpid is the MPID or the CRD number, and 0 for the De Minimis Firms. In every
partition some 50 rows repeat this key: a ticker that passed to another issue, a security that changed its tape. Their
mpid bears a number, so that the key stays as narrow as it is; a wider one would make the floor slower.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.truth import Row, partition_folders, read_rows

COLUMNS = (
    "capture_id", "week_ending", "tier", "symbol", "mpid",
    "issue_name", "venue_name", "shares", "trades", "last_update_date",
)  # fmt: skip
TABLE = """
CREATE TABLE normalized (
    capture_id TEXT NOT NULL, week_ending {date} NOT NULL, tier TEXT NOT NULL, symbol TEXT NOT NULL,
    mpid TEXT NOT NULL, issue_name TEXT NOT NULL, venue_name TEXT NOT NULL, shares {shares} NOT NULL,
    trades BIGINT NOT NULL, last_update_date {date} NOT NULL, PRIMARY KEY (capture_id, symbol, mpid));
"""
_UNQUOTED = '|"\\'
"""What the loaders would not take literally."""


def bodies(files: Path, day: str = "2026-06-01") -> list[Path]:
    """One pipe-delimited file a partition, without a header, in the table's order; made if they are not there.

    day: the run date in the capture_ids.
    """
    folder = files.with_name(f"{files.name}.bodies-{day}")
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for (week, tier), partition_folder in partition_folders(files).items():
            lines = _lines(week, tier, day, read_rows(partition_folder))
            (unfinished / f"{week}-{tier}.txt").write_text("".join(lines), encoding="utf-8")
        unfinished.rename(folder)
    return sorted(folder.iterdir())


def capture_id(week: str, tier: str, day: str) -> str:
    """As the product's own of this run date."""
    return f"finra.otc_transparency:{tier}:{week}:{day.replace('-', '')}"


def _lines(week: str, tier: str, day: str, rows: Iterator[Row]) -> Iterator[str]:
    taken: Counter[tuple[str, str]] = Counter()
    for row in rows:
        symbol, venue = row["issueSymbolIdentifier"], row.get("MPID") or row["firmCRDNumber"] or "0"
        repeats = taken[symbol, venue]
        taken[symbol, venue] += 1
        cells = (
            capture_id(week, tier, day), week, tier, symbol, f"{venue}/{repeats}" if repeats else venue,
            row["issueName"], row["marketParticipantName"],
            row["totalWeeklyShareQuantity"], row["totalWeeklyTradeCount"], row["lastUpdateDate"],
        )  # fmt: skip
        if any(character in cell for cell in cells for character in _UNQUOTED):
            raise ValueError(f"the loaders would quote this row: {cells}")
        yield "|".join(cells) + "\n"
