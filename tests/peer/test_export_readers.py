"""polars, DuckDB and pandas read an export as one table, with week and tier from the folders' names."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finra_core import open_store
from finra_core.domain.tiers import TIERS
from finra_core.history.export import ExportRequest
from finra_export import export
from finra_simulator import World
from support.harness import Bench, Clock

_REASON = "installed by the tox environment readers"
polars: Any = pytest.importorskip("polars", reason=_REASON)
duckdb: Any = pytest.importorskip("duckdb", reason=_REASON)
pandas: Any = pytest.importorskip("pandas", reason=_REASON)

WEEKS = (date(2026, 2, 20), date(2026, 2, 27))
TOTALS = dict[tuple[date, str], Decimal]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], TOTALS]:
    """The same view in each format, and the store's totals by week and tier."""
    world = World(seed=2, symbols=6, ats=3, firms=3, restatement_rate=0.0)
    folder = tmp_path_factory.mktemp("readers")
    with open_store("memory:") as store:
        Bench(store, world, Clock(datetime(2026, 4, 7, 12, tzinfo=timezone.utc))).run(weeks=WEEKS)
        with store.read() as view:
            for form in ("parquet", "csv"):
                export(view, folder / form, ExportRequest(), form)
            totals = {(a.week_ending, a.tier): Decimal(a.shares_micros).scaleb(-6) for a in view.analyses()}
    own = {key: total for key, total in totals.items() if key[1] in {tier.value for tier in TIERS}}
    return {form: folder / form for form in ("parquet", "csv")}, own


def test_duckdb(folders: tuple[dict[str, Path], TOTALS]) -> None:
    paths, totals = folders
    for form, reader in (("parquet", "read_parquet"), ("csv", "read_csv")):
        cast = "shares" if form == "parquet" else "shares::DECIMAL(28, 6)"
        found = duckdb.sql(
            f"SELECT week_ending, tier, sum({cast}) "
            f"FROM {reader}('{paths[form]}/**/part-*', hive_partitioning = true) GROUP BY ALL"
        ).fetchall()
        assert {(week, tier): shares for week, tier, shares in found} == totals


def test_polars(folders: tuple[dict[str, Path], TOTALS]) -> None:
    paths, totals = folders
    frame = polars.scan_parquet(paths["parquet"] / "**/*.parquet", hive_partitioning=True)
    sums = frame.group_by("week_ending", "tier").agg(polars.col("shares").sum()).collect()
    assert {(week, tier): shares for week, tier, shares in sums.iter_rows()} == totals
    assert frame.collect_schema()["shares"] == polars.Decimal(28, 6)


def test_pandas(folders: tuple[dict[str, Path], TOTALS]) -> None:
    paths, totals = folders
    frame = pandas.read_parquet(paths["parquet"])
    sums = frame.groupby(["week_ending", "tier"], observed=True)["shares"].sum()
    assert {(date.fromisoformat(str(week)), str(tier)): shares for (week, tier), shares in sums.items()} == totals
