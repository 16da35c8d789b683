"""The SQL of docs/as-of-in-sql.md runs as printed on both databases and tells what was known on the day it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from finra_core import Partition, Tier, open_store
from finra_simulator import Restatement, World
from support.harness import Bench, Clock
from support.postgres import Server
from support.sql import Database, connected

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "as-of-in-sql.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sql\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
ROWS, HHI, READINESS, RESTATEMENTS, VERSIONS = BLOCKS
WEEK = date(2025, 11, 14)
OTC = Partition(WEEK, Tier.OTC)
RUNS = [datetime(2025, 12, day, 15, tzinfo=timezone.utc) for day in (29, 31)]
WORLD = World(
    seed=5,
    symbols=6,
    ats=2,
    firms=2,
    restatement_rate=0.0,
    events=(Restatement(OTC, RUNS[1] - timedelta(hours=5), changed=2, added=1, withdrawn=1),),
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Runs on the day before and on the day after the one that the page asks about."""
    server: Server | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    name = server.new_database() if server else str(tmp_path_factory.mktemp("as-of") / "finra.db")
    url = server.url(name) if server else f"sqlite:///{name}"
    with open_store(url) as store:
        bench = Bench(store, WORLD, Clock())
        for bench.clock.now in RUNS:
            bench.run(weeks=(WEEK,))
    with connected(url) as opened:
        yield opened
    if server:
        server.drop_database(name)


def test_the_rows_are_those_that_finra_showed_before_its_restatement(database: Database) -> None:
    shown = sorted((row.symbol or "", row.shares_micros / 1e6, row.trades) for row in WORLD.rows(OTC, RUNS[0]))
    found = database.rows(ROWS)
    assert sorted((symbol, float(shares), trades) for symbol, _type, _venue, shares, trades, _from in found) == shown
    assert shown != sorted((row.symbol or "", row.shares_micros / 1e6, row.trades) for row in WORLD.rows(OTC, RUNS[1]))


def test_analytics_and_readiness_are_those_of_that_day(database: Database) -> None:
    assert [(week, tier) for week, tier, *_hhi in database.rows(HHI)] == [
        (WEEK.isoformat(), tier) for tier in ("ALL", "NMS_TIER_1", "NMS_TIER_2", "OTC")
    ]
    assert [(week, ready) for week, ready, *_why in database.rows(READINESS)] == [(WEEK.isoformat(), 1)]


def test_the_restatements_are_those_that_finra_made_the_largest_first(database: Database) -> None:
    found = database.rows(RESTATEMENTS)
    assert sorted(row[3] for row in found) == ["added", "changed", "changed", "withdrawn"]
    sizes = [abs(row[-1]) for row in found]
    assert sizes == sorted(sizes, reverse=True)


def test_each_version_of_a_symbols_rows_is_there(database: Database) -> None:
    found = database.rows(VERSIONS)
    assert any(known_to is not None for *_row, known_to in found)


def test_the_condition_that_is_shown_is_the_one_that_is_tested() -> None:
    shown = re.findall(r"known_from <= '(\S+)'\s+AND \(known_to IS NULL OR known_to > '(\S+)'\)", TEXT)
    assert len(shown) == 3
    assert {instant for pair in shown for instant in pair} == {"2025-12-30T23:59:59.999999Z"}
