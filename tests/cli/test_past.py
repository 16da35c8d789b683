"""`finra asof`, `diff` and `restatements`: they say what the library says, in every form."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finra_cli import tabular
from finra_core import MICROS, Partition, ReadView, Store, Tier, open_store
from finra_core.history.asof import analyses_as_of, as_of, judgments_as_of, releases
from finra_core.history.choosing import choose
from finra_core.history.diff import diff
from finra_core.history.impact import impact
from finra_core.history.restatements import ledger
from finra_core.history.source_time import published_by
from finra_core.history.vintages import Release, end_of_day
from finra_simulator import Restatement, World
from support.command import STORE, Command, CommandHere
from support.harness import Bench, Clock, as_record

START = datetime(2025, 12, 16, 12, tzinfo=timezone.utc)
WEEK = date(2025, 11, 14)
OTC, T1 = Partition(WEEK, Tier.OTC), Partition(WEEK, Tier.NMS_TIER_1)
WORLD = World(
    seed=4,
    symbols=12,
    ats=4,
    firms=4,
    restatement_rate=0.0,
    events=(
        Restatement(OTC, START + timedelta(days=1), changed=2, added=1),
        Restatement(T1, START + timedelta(days=1), changed=30),
        Restatement(OTC, START + timedelta(days=3), changed=0, withdrawn=2),
    ),
)
DAYS = 5


@pytest.fixture(scope="module")
def finra(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command, in a folder with a store that has seen some restatements."""
    finra = CommandHere(tmp_path_factory.mktemp("past"))
    with open_store(f"sqlite:///{finra.folder / STORE}") as store:
        bench = Bench(store, WORLD, Clock(START))
        for _ in range(DAYS):
            bench.run(weeks=(WEEK,))
            bench.clock.forward(days=1)
    return finra


@pytest.fixture
def view(finra: Command) -> Iterator[ReadView]:
    store: Store
    with open_store(f"sqlite:///{finra.folder / STORE}", read_only=True) as store, store.read() as view:
        yield view


def asked(finra: Command, *arguments: str) -> Any:
    return json.loads(finra.ok(*arguments, "--json"))


def names(captures: Any) -> list[tuple[str, int]]:
    return [(each["capture_id"], each["revision"]) for each in captures]


def micros(text: str | None) -> int | None:
    """Exact, by another way than the command's."""
    return None if text is None else int(Decimal(text) * MICROS)


def truth(partition: Partition, at: datetime) -> list[tuple[Any, ...]]:
    return sorted((symbol, mpid, crd, shares, trades, day)
                  for (symbol, _issue, _type), (_kind, mpid, crd, _name), shares, trades, day
                  in map(as_record, WORLD.rows(partition, at)))  # fmt: skip


def as_truth(rows: Any) -> list[tuple[Any, ...]]:
    return sorted(
        (
            r["symbol"],
            r["mpid"] or "",
            r["crd"] or "",
            micros(r["shares"]),
            int(r["trades"]),
            str(r["last_update_date"]),
        )
        for r in rows
    )


# As-of -----------------------------------------------------------------------------------------------


def test_asof_says_what_the_library_says_of_every_day(finra: Command, view: ReadView) -> None:
    for day in (START.date() + timedelta(days=i) for i in range(-1, DAYS)):
        printed = asked(finra, "asof", str(day))
        known = as_of(view, end_of_day(day))
        assert names(printed["captures"]) == [(c.capture_id, c.revision) for c in known.captures]
        held = [(j.readiness.ready_for, j.readiness.is_ready) for j in judgments_as_of(view, end_of_day(day))]
        assert [(each["ready_for"], each["is_ready"]) for each in printed["readiness"]] == held
        assert printed["begins"] == "2025-12-16T12:00:00.000000Z"
        assert printed["is_before_begin"] is (day < START.date())


def test_rows_are_those_that_finra_showed_then(finra: Command) -> None:
    for i in range(DAYS):
        run = START + timedelta(days=i)
        printed = asked(finra, "asof", str(run.date()), "--rows", "--tiers", "OTC")
        assert as_truth(printed["rows"]) == truth(OTC, run)


def test_releases_are_asked_for_by_number(finra: Command, view: ReadView) -> None:
    for words, number in {"first": 1, "latest": -1, "release:2": 2, "release:-2": -2}.items():
        printed = asked(finra, "asof", words)
        known = as_of(view, Release(number))
        assert names(printed["captures"]) == [(c.capture_id, c.revision) for c in known.captures]
        assert (printed["as_of"], printed["release"]) == (None, number)
        assert bool(printed["readiness"]) is (words == "latest")


def test_analytics_are_those_that_were_known_then(finra: Command, view: ReadView) -> None:
    day = START.date() + timedelta(days=2)
    printed = asked(finra, "asof", str(day), "--analytics")["analytics"]
    known = analyses_as_of(view, as_of(view, end_of_day(day)))
    assert [(a["tier"], a["hhi"], a["hhi_upper"], micros(a["shares"])) for a in printed] == [
        (a.tier, a.hhi, a.hhi_upper, a.shares_micros) for a in known
    ]
    assert [[(micros(v["shares"]), v["share"]) for v in a["venues"]] for a in printed] == [
        [(v.shares_micros, share) for v, share in zip(a.volumes.venues, a.venue_shares, strict=True)] for a in known
    ]
    table = list(csv.DictReader(StringIO(finra.ok("asof", str(day), "--analytics", "--format", "csv"))))
    assert [float(row["share"]) for row in table] == [v["share"] for a in printed for v in a["venues"]]


def test_by_finras_clock_an_unknown_row_has_no_values(finra: Command, view: ReadView) -> None:
    day = START.date() - timedelta(days=1)
    printed = asked(finra, "asof", str(day), "--source-time", "--rows")
    found = list(published_by(view, day))
    assert (printed["clock"], printed["finra_day"]) == ("finra", str(day))
    assert [(p["state"], p["basis"], p["known"], p["unknown"]) for p in printed["published"]] == [
        (p.state, p.basis, len(p.records), len(p.unknown)) for p in found
    ]
    unknown = [row for row in printed["rows"] if not row["is_known"]]
    assert len(unknown) == sum(len(p.unknown) for p in found)
    assert all(row["shares"] is row["trades"] is row["last_update_date"] is None for row in unknown)


def test_a_store_that_was_filled_later_says_so_and_shows_no_look_ahead(tmp_path: Path) -> None:
    finra = CommandHere(tmp_path)
    with open_store(f"sqlite:///{tmp_path / STORE}") as store:
        Bench(store, WORLD, Clock(START + timedelta(days=60))).run(weeks=(WEEK,))

    early = asked(finra, "asof", "2025-12-16")
    assert (early["captures"], early["is_before_begin"], early["begins"]) == ([], True, "2026-02-14T12:00:00.000000Z")
    assert "begins at 2026-02-14 12:00Z" in finra.ok("asof", "2025-12-16")
    (published,) = asked(finra, "asof", "2025-12-16", "--source-time", "--tiers", "OTC")["published"]
    assert (published["basis"], published["unknown"]) == ("dates", 3)
    text = finra.ok("asof", "2025-12-16", "--source-time", "--rows", "--all", "--tiers", "OTC")
    assert "3 rows changed or came since; what they said then is unknown" in text
    assert text.count("unknown  ") >= 3


def test_csv_and_parquet_are_exact(finra: Command) -> None:
    run = START + timedelta(days=2)
    arguments = ("asof", str(run.date()), "--rows")
    finra.ok(*arguments, "--format", "parquet", "--out", "rows.parquet")
    table = pq.read_table(finra.folder / "rows.parquet")
    text = finra.ok(*arguments, "--format", "csv")

    assert table.schema.field("shares").type == pa.decimal128(28, 6)
    assert table.schema.field("week_ending").type == pa.date32()
    everything = sorted(row for tier in Tier for row in truth(Partition(WEEK, tier), run))
    assert as_truth(table.to_pylist()) == everything
    assert as_truth(csv.DictReader(StringIO(text))) == everything
    assert any(row[3] % MICROS for row in everything) is any(
        "." in row["shares"] for row in csv.DictReader(StringIO(text))
    )


def test_captures_and_published_partitions_have_tables_too(finra: Command) -> None:
    printed = asked(finra, "asof", "latest")["captures"]
    table = list(csv.DictReader(StringIO(finra.ok("asof", "latest", "--format", "csv"))))
    assert [(r["capture_id"], int(r["revision"]), int(r["records"]), r["shares"]) for r in table] == [
        (c["capture_id"], c["revision"], c["records"], c["shares"]) for c in printed
    ]
    for number, options in enumerate(([], ["--source-time"])):
        finra.ok("asof", "2025-12-18", *options, "--format", "parquet", "--out", f"{number}.parquet")
        assert pq.read_table(finra.folder / f"{number}.parquet").num_rows == 3


def test_what_is_empty_has_its_columns_all_the_same(finra: Command) -> None:
    assert finra.ok("asof", "2020-01-01", "--rows", "--format", "csv").startswith("week_ending,tier,capture_id")
    finra.ok("asof", "2020-01-01", "--rows", "--format", "parquet", "--out", "empty.parquet")
    assert pq.read_table(finra.folder / "empty.parquet").num_rows == 0


def test_a_file_has_what_standard_output_has(finra: Command) -> None:
    for form in ("text", "csv", "json"):
        printed = finra.ok("asof", "latest", "--format", form)
        assert finra.ok("asof", "latest", "--format", form, "--out", f"as.{form}") == ""
        assert (finra.folder / f"as.{form}").read_text(encoding="utf-8") == printed
    assert finra.ok("asof", "latest", "--format", "json") == finra.ok("asof", "latest", "--json")


def test_shares_keep_their_sixth_decimal() -> None:
    columns = [tabular.Column("shares", tabular.Kind.SHARES)]
    values = [(1,), (2**63 - 1,), (-1_500_000,), (None,)]
    assert "".join(tabular.csv_batches(columns, [values])).split() == [
        "shares", "0.000001", "9223372036854.775807", "-1.5", '""',
    ]  # fmt: skip


def test_parquet_keeps_their_sixth_decimal(tmp_path: Path) -> None:
    columns = [tabular.Column("shares", tabular.Kind.SHARES)]
    tabular.write_parquet(columns, [[(1,), (2**63 - 1,)], [(-1_500_000,), (None,)]], str(tmp_path / "x"))
    read = pq.read_table(tmp_path / "x").column("shares").to_pylist()
    assert read == [Decimal("0.000001"), Decimal("9223372036854.775807"), Decimal("-1.5"), None]


def test_without_pyarrow_parquet_says_what_to_install(finra: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ended = finra("asof", "latest", "--format", "parquet", "--out", "x.parquet")
    assert ended.returncode == 2
    assert "pip install 'finra-core[arrow]'" in ended.stderr
    assert not (finra.folder / "x.parquet").exists()


def test_a_file_that_cannot_be_written_leaves_nothing_behind(finra: Command) -> None:
    before = sorted(finra.folder.iterdir())
    for form in ("csv", "parquet"):
        for out in ("no/such/folder/x", ".", "/dev/full"):
            ended = finra("asof", "latest", "--format", form, "--out", out)
            assert ended.returncode == 2
            assert f"--out {out} cannot be written" in ended.stderr
    assert sorted(finra.folder.iterdir()) == before


def test_what_breaks_off_leaves_the_older_file_as_it_was(tmp_path: Path) -> None:
    def breaking_off() -> Iterator[str]:
        yield "begun"
        raise ValueError("the store has gone")

    (tmp_path / "x").write_text("older", encoding="utf-8")
    with pytest.raises(ValueError, match="the store has gone"):
        tabular.write_text(breaking_off(), str(tmp_path / "x"))
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text(encoding="utf-8") == "older"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["asof", "yesterday"], "malformed instant 'yesterday': give 2025-12-30"),
        (["asof", "frist"], "did you mean first?"),
        (["asof", "release:0"], "the first release is 1"),
        (["asof", "latest", "--source-time"], "--source-time goes by days"),
        (["asof", "latest", "--rows", "--analytics"], "--rows and --analytics contradict each other"),
        (["asof", "2025-12-30", "--source-time", "--analytics"], "--source-time has no analytics"),
        (["asof", "latest", "--week", "2025-11-14", "--weeks", "2025-11-14"], "--week and --weeks contradict"),
        (["asof", "latest", "--format", "parquet"], "--format parquet needs --out"),
        (["asof", "latest", "--format", "csv", "--json"], "--json and --format csv contradict"),
        (["diff", "2025-11-14", "OCT"], "unknown tier 'OCT': did you mean OTC?"),
        (["diff", "2025-11-14", "OTCE"], "did you mean OTC?"),
        (["diff", "2025-11-14", "NMS_TIER_2"], "2025-11-14 / NMS_TIER_2 has one capture with records"),
        (["diff", "2020-11-13", "OTC", "first"], "2020-11-13 / OTC has no capture with records"),
        (["diff", "2025-11-14", "OTC", "release:9"], "has 3 captures with records, and so no release:9"),
        (["diff", "2025-11-14", "OTC", "2020-01-01"], "nothing of 2025-11-14 / OTC was known at 2020-01-01"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_asked_is_told_in_one_line(finra: Command, arguments: list[str], message: str) -> None:
    ended = finra(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1


# Diff ------------------------------------------------------------------------------------------------


def test_diff_says_what_the_library_says(finra: Command, view: ReadView) -> None:
    for pair in (["first", "latest"], ["release:2"], ["latest", "first"], ["2025-12-16", "2025-12-18"]):
        printed = asked(finra, "diff", str(WEEK), "OTC", *pair, "--impact")
        one, other = choose(view, OTC, pair[0]), choose(view, OTC, (*pair, "latest")[1])
        found = diff(view, one, other)
        effect = impact(view, found)
        assert names([printed["before"], printed["after"]]) == [(c.capture_id, c.revision) for c in (one, other)]
        assert [
            (row["kind"], row["symbol"], micros(row["shares_before"]), micros(row["shares_after"]), row["trades_after"])
            for row in printed["rows"]
        ] == [
            (
                row.kind,
                row.newest.security.symbol,
                row.before and row.before.shares_micros,
                row.after and row.after.shares_micros,
                row.after and row.after.trades,
            )
            for row in found.rows
        ]
        assert (printed["impact"]["hhi_before"], printed["impact"]["hhi_after"]) == (
            effect.hhi_before,
            effect.hhi_after,
        )
        assert len(printed["impact"]["causes"]) == len(effect.causes)
        assert sum(micros(row["shares_delta"]) or 0 for row in printed["rows"]) == (
            (micros(printed["summary"]["shares_after"]) or 0) - (micros(printed["summary"]["shares_before"]) or 0)
        )


def test_the_last_two_captures_are_compared_by_default(finra: Command, view: ReadView) -> None:
    printed = asked(finra, "diff", str(WEEK), "OTC")
    assert names([printed["before"], printed["after"]]) == [(c.capture_id, 1) for c in releases(view, OTC)[-2:]]
    assert printed["summary"]["withdrawn"] == 2
    assert printed["impact"] is None


def test_a_capture_is_named_by_its_id(finra: Command, view: ReadView) -> None:
    first, second, _third = releases(view, OTC)
    printed = asked(finra, "diff", str(WEEK), "OTC", first.capture_id, f"{second.capture_id} r1")
    assert (printed["summary"]["changed"], printed["summary"]["added"]) == (2, 1)


def test_the_page_shows_the_largest_rows_in_80_columns_and_says_what_it_left_out(finra: Command) -> None:
    page = finra.ok("diff", str(WEEK), "NMS_TIER_1", "--impact")
    assert "30 rows: 30 changed" in page
    assert "10 more rows: --all shows them" in page
    assert max(map(len, page.splitlines())) <= 80
    whole = finra.ok("diff", str(WEEK), "NMS_TIER_1", "--impact", "--all")
    assert "more rows" not in whole
    assert whole.count("changed  ") == 30


@pytest.mark.parametrize(
    "arguments",
    [
        ["asof", "2025-12-18"],
        ["asof", "latest", "--rows"],
        ["asof", "first", "--analytics", "--all"],
        ["asof", "2025-12-16", "--source-time"],
        ["restatements"],
        ["diff", str(WEEK), "OTC"],
    ],
    ids=" ".join,
)
def test_pages_fit_80_columns(finra: Command, arguments: list[str]) -> None:
    assert max(map(len, finra.ok(*arguments).splitlines())) <= 80


def test_equal_captures_do_not_differ(finra: Command) -> None:
    assert "No row differs." in finra.ok("diff", str(WEEK), "OTC", "latest", "latest")
    assert asked(finra, "diff", str(WEEK), "OTC", "first", "first")["rows"] == []


# Restatements ----------------------------------------------------------------------------------------


def test_the_ledger_is_the_librarys(finra: Command, view: ReadView) -> None:
    printed = asked(finra, "restatements")
    found = ledger(view)
    assert names(printed["restatements"]) == [(r.after.capture_id, r.after.revision) for r in found.restatements]
    assert [(r["changed"], r["added"], r["withdrawn"], r["days_late"]) for r in printed["restatements"]] == [
        (0, 0, 2, 4),  # rows withdrawn on Friday, of a week published on Monday 2025-12-15
        (2, 1, 0, 2),
        (30, 0, 0, 16),  # tier 1 was published two weeks before, on 2025-12-01
    ]
    assert all(r["rows"] is None for r in printed["restatements"])
    figures = printed["figures"]
    assert (figures["partitions"], figures["restated"], figures["restatements"]) == (3, 2, 3)
    assert (figures["changed"], figures["added"], figures["withdrawn"]) == (32, 1, 2)
    assert (figures["median_days_late"], figures["max_days_late"]) == (4.0, 16)
    last = START + timedelta(days=DAYS)
    grew = sum(
        sum(row[3] for row in truth(partition, last)) - sum(row[3] for row in truth(partition, START))
        for partition in (OTC, T1)
    )
    assert micros(figures["shares_delta"]) == grew


def test_the_ledger_is_narrowed(finra: Command) -> None:
    assert len(asked(finra, "restatements", "--since", "2025-12-18")["restatements"]) == 1
    assert len(asked(finra, "restatements", "--tiers", "NMS_TIER_1")["restatements"]) == 1
    assert asked(finra, "restatements", "--weeks", "2020-01-01")["figures"]["partitions"] == 0
    assert "0 restatements" in finra.ok("restatements", "--weeks", "2020-01-01")


def test_a_symbol_has_its_rows(finra: Command, view: ReadView) -> None:
    symbol = releases(view, T1) and diff(view, *releases(view, T1)).rows[0].newest.security.symbol
    printed = asked(finra, "restatements", "--symbol", str(symbol))
    rows = [row for each in printed["restatements"] for row in each["rows"]]
    assert {row["symbol"] for row in rows} == {symbol}
    assert len(rows) == sum(r["changed"] + r["added"] + r["withdrawn"] for r in printed["restatements"])
    assert finra.ok("restatements", "--symbol", str(symbol)).count(f"  {symbol}  ") == len(rows)
    assert asked(finra, "restatements", "--symbol", str(symbol).lower())["restatements"] == []


def test_the_installed_command_says_the_same(finra: Command) -> None:
    installed = Command(finra.folder)
    for arguments in (
        ["asof", "2025-12-17", "--rows", "--json"],
        ["diff", str(WEEK), "OTC", "--impact", "--json"],
        ["restatements", "--json"],
    ):
        assert installed.ok(*arguments) == finra.ok(*arguments)
