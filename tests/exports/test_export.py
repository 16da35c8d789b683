"""Exported folders, read back and held against the simulated FINRA's truth and the store's analytics."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from finra_core import ConfigurationError, JudgmentQuery, Partition, ReadView, Store, Tier, open_store
from finra_core.domain.tiers import ALL_TIERS
from finra_core.history.export import ExportRequest, Versions, ViewName
from finra_export import FORMATS, Exported, Outcome, export
from finra_simulator import Restatement, World
from support.harness import Bench, Clock, as_record

START = datetime(2026, 4, 7, 12, tzinfo=timezone.utc)
WEEK, EARLIER = date(2026, 2, 27), date(2026, 2, 20)
"""From the first of them on FINRA publishes fractions of a share."""
OTC, T1 = Partition(WEEK, Tier.OTC), Partition(WEEK, Tier.NMS_TIER_1)
DAYS = 8
EVENTS = (
    Restatement(OTC, START + timedelta(days=2), changed=2, added=1),
    Restatement(OTC, START + timedelta(days=4), changed=1, withdrawn=2),
    Restatement(T1, START + timedelta(days=4), changed=1),
    Restatement(OTC, START + timedelta(days=6), restores=True),
)
WORLD = World(seed=4, symbols=6, ats=3, firms=3, restatement_rate=0.0, events=EVENTS)
NAMES = ("symbol", "issue_name", "venue_type", "mpid", "crd", "venue_name", "product_type")

Rows = list[dict[str, Any]]


@pytest.fixture
def bench(store_url: str) -> Iterator[Bench]:
    with open_store(store_url) as opened:
        yield Bench(opened, WORLD, Clock(START))


@pytest.fixture
def lived(bench: Bench) -> Store:
    """A store after eight daily runs over two weeks."""
    return live(bench)


@pytest.fixture
def in_memory() -> Bench:
    return Bench(open_store("memory:"), WORLD, Clock(START))


@pytest.fixture(scope="module")
def remembered() -> Store:
    """The same in memory, for what does not depend on the store."""
    return live(Bench(open_store("memory:"), WORLD, Clock(START)))


def live(bench: Bench) -> Store:
    for _ in range(DAYS):
        bench.run(weeks=(WEEK, EARLIER))
        bench.clock.forward(days=1)
    return bench.store


def exported(store: Store, folder: Path, form: str = "parquet", **request: Any) -> Exported:
    with store.read() as view:
        return export(view, folder, ExportRequest(**request), form)


def read(folder: Path) -> Rows:
    """All rows, with week and tier from the folders' names."""
    hive = pa.schema([("week_ending", pa.date32()), ("tier", pa.string())])
    rows = ds.dataset(folder, format="parquet", partitioning=ds.partitioning(hive, flavor="hive")).to_table()
    found: Rows = rows.to_pylist()
    return found


def of(rows: Rows, partition: Partition) -> Rows:
    return [row for row in rows if (row["week_ending"], row["tier"]) == (partition.week_ending, str(partition.tier))]


def plain(row: dict[str, Any]) -> tuple[Any, ...]:
    names = [row[name] or "" for name in NAMES]
    micros = int(row["shares"].scaleb(6))
    return (*names, micros, row["trades"], row["last_update_date"].isoformat())


def truth(partition: Partition, at: datetime) -> list[tuple[Any, ...]]:
    """What FINRA had published, written without the export."""
    found = []
    for row in WORLD.rows(partition, at):
        (symbol, issue, product), (kind, mpid, crd, name), micros, trades, day = as_record(row)
        found.append((symbol, issue, kind, mpid, crd, name, product, micros, trades, day))
    return sorted(found)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def test_the_latest_rows_are_what_finra_last_published(lived: Store, tmp_path: Path) -> None:
    done = exported(lived, tmp_path / "out")

    rows = read(tmp_path / "out")
    for partition in (OTC, T1, Partition(EARLIER, Tier.NMS_TIER_2)):
        assert sorted(map(plain, of(rows, partition))) == truth(partition, day(DAYS))
    assert {(p.week_ending, p.outcome) for p in done.parts} == {(WEEK, Outcome.WRITTEN), (EARLIER, Outcome.WRITTEN)}
    assert sum(part.rows or 0 for part in done.parts) == len(rows)
    assert any(row["shares"] % 1 for row in rows), "no fraction of a share was tested"


def test_as_of_each_day_are_the_rows_of_that_day_whatever_came_later(lived: Store, tmp_path: Path) -> None:
    for number in range(DAYS):
        exported(lived, tmp_path / "out", versions=Versions.AS_OF, at=day(number) + timedelta(hours=1))
        assert sorted(map(plain, of(read(tmp_path / "out"), OTC))) == truth(OTC, day(number))


def test_one_comparison_finds_any_day_in_the_history(lived: Store, tmp_path: Path) -> None:
    exported(lived, tmp_path / "out", versions=Versions.HISTORY)

    rows = of(read(tmp_path / "out"), OTC)
    for number in range(DAYS):
        at = day(number) + timedelta(hours=1)
        held = [r for r in rows if r["known_from"] <= at and (r["known_to"] is None or at < r["known_to"])]
        assert sorted(map(plain, held)) == truth(OTC, day(number))
    assert len(rows) > len(truth(OTC, day(0))) + 3


def test_sums_of_the_rows_equal_the_exported_and_the_stored_analytics(lived: Store, tmp_path: Path) -> None:
    views = (ViewName.NORMALIZED, ViewName.VENUE_VOLUME, ViewName.VENUE_SHARE, ViewName.WEEKLY_TOTALS, ViewName.HHI)
    for name in views:
        exported(lived, tmp_path / name, view=name)
    normalized, volumes, shares, totals, index = (read(tmp_path / name) for name in views)
    with lived.read() as view:
        stored = {(a.week_ending, a.tier): a for a in view.analyses()}  # the last one stays

    assert len(totals) == len(index) == len(stored) == 8
    for total in totals:
        key = total["week_ending"], total["tier"]
        own = [r for r in normalized if r["week_ending"] == key[0] and key[1] in (r["tier"], ALL_TIERS)]
        assert total["shares"] == sum(row["shares"] for row in own)
        assert total["trades"] == sum(row["trades"] for row in own) == stored[key].trades
        by_venue = [row for row in volumes if (row["week_ending"], row["tier"]) == key]
        assert sum(row["shares"] for row in by_venue) == total["shares"]
        fractions = [row["share"] for row in shares if (row["week_ending"], row["tier"]) == key]
        assert sum(fractions) == pytest.approx(1)
        (hhi,) = (row for row in index if (row["week_ending"], row["tier"]) == key)
        assert (hhi["hhi"], hhi["hhi_upper"]) == (stored[key].hhi, stored[key].hhi_upper)


def test_analytics_of_the_past_are_those_that_were_the_newest_then(lived: Store, tmp_path: Path) -> None:
    exported(lived, tmp_path / "all", view=ViewName.WEEKLY_TOTALS, versions=Versions.HISTORY)
    history = of(read(tmp_path / "all"), OTC)

    for number in range(DAYS):
        at = day(number) + timedelta(hours=1)
        exported(lived, tmp_path / "then", view=ViewName.WEEKLY_TOTALS, versions=Versions.AS_OF, at=at)
        (then,) = of(read(tmp_path / "then"), OTC)
        (held,) = (r for r in history if r["known_from"] <= at and (r["known_to"] is None or at < r["known_to"]))
        micros = sum(row[-3] for row in truth(OTC, day(number)))
        assert then["shares"] == held["shares"] == Decimal(micros).scaleb(-6)


def test_restatements_turn_the_first_release_into_the_latest(lived: Store, tmp_path: Path) -> None:
    exported(lived, tmp_path / "out", view=ViewName.RESTATEMENTS)

    rows = of(read(tmp_path / "out"), OTC)
    moved = sum(row["shares_delta"] for row in rows)
    first, last = (sum(row[-3] for row in truth(OTC, day(number))) for number in (0, DAYS))
    assert moved == Decimal(last - first).scaleb(-6)
    assert {row["kind"] for row in rows} == {"added", "withdrawn", "changed"}
    for row in rows:
        delta = (row["shares_after"] or 0) - (row["shares_before"] or 0)
        assert (row["shares_delta"], row["shares_before"] is None) == (delta, row["kind"] == "added")


def test_readiness_has_the_judgments_that_hold(lived: Store, tmp_path: Path) -> None:
    exported(lived, tmp_path / "out", view=ViewName.READINESS)
    exported(lived, tmp_path / "all", view=ViewName.READINESS, versions=Versions.HISTORY)

    with lived.read() as view:
        held = view.judgments()
        ever = view.judgments(JudgmentQuery(history=True))
    assert {(r["week_ending"], r["ready_for"], r["is_ready"], r["judged_at"]) for r in read(tmp_path / "out")} == {
        (j.readiness.week_ending, j.readiness.ready_for, j.readiness.is_ready, j.judged_at) for j in held
    }
    intervals = read(tmp_path / "all")
    assert sum(row["known_to"] is None for row in intervals) == len(held)
    assert {row["known_from"] for row in intervals} <= {judgment.judged_at for judgment in ever}


def test_a_second_export_writes_what_has_changed_and_nothing_else(in_memory: Bench, tmp_path: Path) -> None:
    for _ in range(2):
        in_memory.run(weeks=(WEEK, EARLIER))
        in_memory.clock.forward(days=1)
    folder = tmp_path / "out"
    first = exported(in_memory.store, folder)
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("part-*")}

    again = exported(in_memory.store, folder)
    in_memory.run(weeks=(WEEK, EARLIER))  # OTC has been restated
    third = exported(in_memory.store, folder)

    assert [first.count(outcome) for outcome in Outcome] == [6, 0, 0]
    assert [again.count(outcome) for outcome in Outcome] == [0, 6, 0]
    assert [third.count(outcome) for outcome in Outcome] == [1, 5, 0]
    after = {file: file.stat().st_mtime_ns for file in folder.rglob("part-*")}
    assert len(after) == 6
    assert len(after.items() & before.items()) == 5
    assert not [file for file in folder.rglob(".*") if file.is_file()]


def test_partitions_that_were_not_known_then_are_removed_and_those_not_asked_for_stay(
    remembered: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    exported(remembered, folder, versions=Versions.AS_OF, at=day(1))
    nothing = START - timedelta(days=1)

    done = exported(remembered, folder, versions=Versions.AS_OF, at=nothing, weeks=frozenset({WEEK}), tiers=[Tier.OTC])

    assert [(part.week_ending, part.tier, part.outcome) for part in done.parts] == [(WEEK, "OTC", Outcome.REMOVED)]
    assert len(list(folder.rglob("part-*"))) == 5


def test_files_left_by_a_killed_export_are_cleared_away(remembered: Store, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    exported(remembered, folder)
    place = folder / f"week_ending={WEEK}" / "tier=OTC"
    (good,) = place.iterdir()
    stray = place / "part-20200101-r1-000000000000.parquet"
    stray.write_bytes(good.read_bytes())
    (place / f".{good.stem}.tmp").write_bytes(b"half")

    exported(remembered, folder)

    assert [file.name for file in place.iterdir() if not file.name.startswith(".")] == [good.name]


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_says_the_same(remembered: Store, tmp_path: Path, form: str) -> None:
    exported(remembered, tmp_path / "out", form, versions=Versions.HISTORY)

    (file,) = (tmp_path / "out" / f"week_ending={WEEK}" / "tier=OTC").iterdir()
    with remembered.read() as view:
        expected = _every_version(view)
    if form == "csv":
        with file.open(encoding="utf-8", newline="") as lines:
            found = [
                (row["symbol"], row["mpid"], row["crd"], Decimal(row["shares"]), row["known_from"])
                for row in csv.DictReader(lines)
            ]
        expected = [(*row[:4], row[4].strftime("%Y-%m-%dT%H:%M:%S.%fZ")) for row in expected]
    else:
        table = pq.read_table(file) if form == "parquet" else pa.ipc.open_file(file).read_all()
        found = [
            (row["symbol"], row["mpid"] or "", row["crd"] or "", row["shares"], row["known_from"])
            for row in table.to_pylist()
        ]
    assert sorted(found) == sorted(expected)


def _every_version(view: ReadView) -> list[tuple[Any, ...]]:
    """Each row of OTC when it first said what it says: from the captures' rows alone."""
    found = []
    before: set[Any] = set()
    captures = [c for c in view.captures() if c.partition == OTC]
    for capture in captures:
        rows = set(view.records(capture).rows())
        for row in rows - before:
            shares = Decimal(row.shares_micros).scaleb(-6)
            found.append((row.security.symbol, row.venue.mpid, row.venue.crd, shares, capture.normalized_at))
        before = rows
    return found


def test_the_types_are_exact(remembered: Store, tmp_path: Path) -> None:
    exported(remembered, tmp_path / "out", versions=Versions.HISTORY)

    (file,) = (tmp_path / "out" / f"week_ending={WEEK}" / "tier=OTC").iterdir()
    types = {field.name: field.type for field in pq.read_schema(file)}
    assert types["shares"] == pa.decimal128(28, 6)
    assert types["last_update_date"] == pa.date32()
    assert types["known_from"] == types["known_to"] == pa.timestamp("us", tz="UTC")
    assert all(pa.types.is_dictionary(types[name]) for name in ("capture_id", *NAMES))
    assert {"week_ending", "tier"}.isdisjoint(types)


def test_a_folder_holds_one_export(in_memory: Bench, tmp_path: Path) -> None:
    in_memory.run(weeks=(WEEK,))
    exported(in_memory.store, tmp_path / "out")
    for change in ({"view": ViewName.HHI}, {"versions": Versions.HISTORY}):
        with pytest.raises(ConfigurationError, match="give another folder"):
            exported(in_memory.store, tmp_path / "out", **change)
    with pytest.raises(ConfigurationError, match="format 'parquet', not 'csv'"):
        exported(in_memory.store, tmp_path / "out", "csv")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(ConfigurationError, match="no export of finra"):
        exported(in_memory.store, tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_without_pyarrow_one_line_says_what_to_install(
    in_memory: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "finra_export.arrow_files", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'finra-core\[arrow\]'"):
        exported(in_memory.store, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    exported(in_memory.store, tmp_path / "out", "csv")
    assert json.loads((tmp_path / "out" / "_finra_export.json").read_text(encoding="utf-8"))["format"] == "csv"


@pytest.mark.parametrize(
    "wrong",
    [
        {"versions": Versions.AS_OF},
        {"at": START},
        {"view": ViewName.RESTATEMENTS, "versions": Versions.HISTORY},
    ],
)
def test_a_request_that_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        ExportRequest(**wrong)
