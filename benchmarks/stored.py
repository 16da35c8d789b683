"""Whether a store holds what the files say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.databases import Database
from benchmarks.results import Checks
from benchmarks.truth import Key, Totals, across_tiers

_PREFIX = "finra_otc_transparency_"
_SUMS = f"""
SELECT week_ending, tier, count(*), sum(shares_micros), sum(trades)
FROM {_PREFIX}normalized_latest GROUP BY week_ending, tier"""
_WEEKLY = f"""
SELECT t.week_ending, t.tier, t.shares_micros, t.trades, t.venues, h.hhi, h.hhi_upper
FROM {_PREFIX}weekly_totals_latest AS t
JOIN {_PREFIX}hhi_latest AS h ON h.week_ending = t.week_ending AND h.tier = t.tier"""


def check_store(checks: Checks, database: Database, url: str, truth: Mapping[Key, Totals]) -> None:
    """Rows, shares and trades of every partition, its analytics, its three stages, and that its week is ready."""
    rows = {(str(week), tier): tuple(map(int, sums)) for week, tier, *sums in database.rows(url, _SUMS)}
    checks.equal("rows, millionths of shares and trades", rows, {key: totals.sums for key, totals in truth.items()})
    found = {(str(week), tier): tuple(values) for week, tier, *values in database.rows(url, _WEEKLY)}
    check_analyses(checks, found, truth)
    stages = dict(database.rows(url, "SELECT stage, count(*) FROM core_manifest GROUP BY stage"))
    weeks = len({week for week, _tier in truth})
    expected = {"RAW": len(truth), "NORMALIZED": len(truth), "CALC": len(truth) + weeks}
    checks.equal("stages that are done", stages, expected)
    ready = database.rows(url, "SELECT ready_for, count(*) FROM core_data_readiness WHERE is_ready GROUP BY ready_for")
    checks.equal("weeks that are ready, by use", dict(ready), dict.fromkeys(("trading", "compliance"), weeks))


def check_captures(checks: Checks, database: Database, url: str, expected: int) -> None:
    """How many captures there are."""
    checks.equal("captures", database.rows(url, "SELECT count(*) FROM core_captures"), [(expected,)])


def check_table(checks: Checks, database: Database, url: str, truth: Mapping[Key, Totals]) -> None:
    """The floor's and the rivals' table: rows, shares and trades of every partition."""
    query = "SELECT week_ending, tier, count(*), sum({0}), sum(trades) FROM normalized GROUP BY week_ending, tier"
    # SQLite has no decimals: each number is made whole before it is added up.
    shares = "CAST(round(shares * 1000000) AS BIGINT)"
    found = {(str(week), tier): tuple(map(int, sums)) for week, tier, *sums in database.rows(url, query.format(shares))}
    checks.equal("rows, millionths of shares and trades", found, {key: totals.sums for key, totals in truth.items()})


def check_analyses(checks: Checks, found: Mapping[Key, Sequence[Any]], truth: Mapping[Key, Totals]) -> None:
    """Millionths of shares, trades, venues and both ends of the HHI of every tier and, as tier ALL, of every week."""
    expected = {**truth, **across_tiers(truth)}
    checks.equal("what has analytics", sorted(found), sorted(expected))
    for key, totals in expected.items():
        *sums, lower, upper = found.get(key, (0, 0, 0, 0.0, 0.0))
        wanted = [totals.shares_micros, totals.trades, totals.venues]
        checks.equal(f"{key}: shares, trades and venues of the week", [int(value) for value in sums], wanted)
        checks.close(f"{key}: HHI", float(lower), totals.hhi[0])
        checks.close(f"{key}: HHI at most", float(upper), totals.hhi[1])
