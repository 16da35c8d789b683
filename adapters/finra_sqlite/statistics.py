"""What SQLite's planner is told of our tables' sizes, from the start.

Without statistics it reads every row version of every week to find the history of one symbol. ANALYZE would
help once there are rows; figures in the right order of size do from the first row on, and plans do not change
from one day to the next. A user's own ANALYZE replaces them.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

_SIZES = (
    ("core_captures", "core_captures_by_partition", "2000 3 1"),
    ("core_captures", "core_captures_by_week", "2000 9 3 1"),
    ("finra_otc_securities", "sqlite_autoindex_finra_otc_securities_1", "25000 2 1 1"),
    ("finra_otc_venues", "sqlite_autoindex_finra_otc_venues_1", "500 250 2 2 1"),
    ("finra_otc_row_versions", "finra_otc_row_versions", "50000000 80000 10 2 1"),
)
"""Table, index, and as sqlite_stat1 has it: rows, then rows per value of the first column, of the first two, ...

Three tiers of some years: a partition has tens of thousands of rows, about ten of each security.
"""


def describe_sizes(connection: Connection) -> None:
    """Put the figures in the place of those that are there."""
    connection.execute(text("ANALYZE"))  # makes the table of statistics
    for table, index, figures in _SIZES:
        own = {"tbl": table, "idx": index, "stat": figures}
        connection.execute(text("DELETE FROM sqlite_stat1 WHERE tbl = :tbl AND idx = :idx"), own)
        connection.execute(text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)"), own)
