"""What the simulated FINRA publishes, when, and how it restates."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta, timezone

import pytest
from attrs import evolve

from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_simulator import Delay, LateHalf, Restatement, World
from finra_simulator.rows import MICROS, Row, row_key

WEEK = date(2025, 11, 14)
T1, T2, OTC = (Partition(WEEK, tier) for tier in TIERS)
LATER = datetime(2026, 2, 1, 12, tzinfo=timezone.utc)
QUIET = World(seed=3, symbols=(12, 15, 20), restatement_rate=0)

RECORDED = "9f67315d90c3"
RECORDED_WITHOUT_AGGREGATE = "17bdb9600171"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]


def digest(world: World, at: datetime) -> str:
    """Of the repr of every row of every partition: no part of the simulator's own rendering."""
    total = hashlib.sha256()
    for partition in sorted(world.published(at), key=lambda p: (p.week_ending, p.tier)):
        total.update(repr([tuple(row) for row in world.rows(partition, at)]).encode())
    return total.hexdigest()[:12]


SMALL = World(seed=5, symbols=8, ats=6, firms=5, first_week=date(2026, 1, 2), restatement_rate=0.5)
SMALL_AT = utc(2026, 4, 1)


def test_a_world_is_the_same_as_when_this_test_was_written() -> None:
    assert digest(SMALL, SMALL_AT) == RECORDED


def test_all_else_is_the_same_without_the_aggregate_of_small_firms() -> None:
    assert digest(evolve(SMALL, de_minimis="none"), SMALL_AT) == RECORDED_WITHOUT_AGGREGATE


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_a_world_is_the_same_in_other_processes_whatever_their_hash_seed(hash_seed: str) -> None:
    program = "from tests.simulator.test_world import *; print(digest(SMALL, SMALL_AT))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == RECORDED


def test_a_week_is_the_same_whatever_was_asked_before() -> None:
    world = World(seed=9, symbols=10)
    alone = world.rows(T2, LATER)
    for week in range(20):
        world.rows(Partition(WEEK - timedelta(weeks=week), Tier.OTC), LATER)
    assert World(seed=9, symbols=10).rows(T2, LATER) == alone


def test_worlds_of_different_seeds_differ() -> None:
    assert {r.symbol for r in QUIET.rows(T2, LATER)} != {r.symbol for r in evolve(QUIET, seed=4).rows(T2, LATER)}


def test_consecutive_weeks_trade_the_same_securities_in_other_quantities() -> None:
    before = QUIET.rows(Partition(WEEK - timedelta(weeks=1), Tier.NMS_TIER_1), LATER)
    after = QUIET.rows(T1, LATER)
    assert {r.symbol for r in before} == {r.symbol for r in after}
    last_week = {row_key(row): row.shares_micros for row in before}
    both = [row for row in after if row_key(row) in last_week]
    assert len(both) > 20
    assert sum(last_week[row_key(row)] == row.shares_micros for row in both) < len(both) / 5


# The dates are FINRA's own initialPublishedDate of real weeks.
@pytest.mark.parametrize(
    ("monday", "tier", "published"),
    [
        (date(2025, 5, 5), Tier.NMS_TIER_1, date(2025, 5, 27)),  # Memorial Day
        (date(2025, 5, 12), Tier.NMS_TIER_1, date(2025, 6, 2)),
        (date(2023, 11, 6), Tier.NMS_TIER_1, date(2023, 11, 27)),
        (date(2025, 11, 10), Tier.OTC, date(2025, 12, 15)),
        (date(2025, 12, 29), Tier.NMS_TIER_1, date(2026, 1, 20)),  # Martin Luther King Day
    ],
)
def test_a_partition_appears_on_the_day_on_which_finra_published_it(monday: date, tier: Tier, published: date) -> None:
    world = evolve(QUIET, first_week=date(2023, 1, 6))
    partition = Partition(monday + timedelta(days=4), tier)
    six_eastern = datetime(published.year, published.month, published.day, 11, tzinfo=timezone.utc)
    assert partition not in world.published(six_eastern - timedelta(minutes=1))
    assert partition in world.published(six_eastern)
    assert {row.initial_published_date for row in world.rows(partition, six_eastern)} == {published}
    assert {row.last_update_date for row in world.rows(partition, six_eastern)} == {published}


def test_before_its_publication_a_partition_has_no_rows_and_no_version() -> None:
    before = utc(2025, 12, 15, 10, 59)
    assert QUIET.rows(OTC, before) == []
    assert QUIET.version(OTC, before) is None


def test_nothing_lies_before_the_first_week() -> None:
    world = evolve(QUIET, first_week=WEEK)
    assert min(p.week_ending for p in world.published(LATER)) == WEEK
    assert world.version(Partition(WEEK - timedelta(weeks=1), Tier.OTC), LATER) is None


def test_a_delayed_partition_appears_when_its_delay_ends() -> None:
    until = utc(2025, 12, 18, 15)
    world = evolve(QUIET, events=(Delay(OTC, until),))
    assert OTC not in world.published(until - timedelta(seconds=1))
    assert OTC in world.published(until)
    assert T2 in world.published(until - timedelta(seconds=1))
    assert world.rows(OTC, until)[0].initial_published_date == date(2025, 12, 18)


@pytest.mark.parametrize("partition", [T1, T2, OTC], ids=str)
def test_no_two_rows_share_the_full_key_and_rows_come_in_its_order(partition: Partition) -> None:
    keys = [row_key(row) for row in QUIET.rows(partition, LATER)]
    assert len(set(keys)) == len(keys)
    assert keys == sorted(keys)


@pytest.mark.parametrize("partition", [T1, T2, OTC], ids=str)
def test_control_totals_are_the_sums_over_the_venues(partition: Partition) -> None:
    sums: Counter[tuple[str, str | None]] = Counter()
    for row in QUIET.rows(partition, LATER):
        sums[row.summary_type.removesuffix("_FIRM"), row.symbol] += row.shares_micros
    totals: Counter[tuple[str, str | None]] = Counter()
    for row in QUIET.control_rows(partition, LATER):
        totals[row.summary_type, row.symbol] += row.shares_micros
        assert (row.mpid, row.crd, row.venue_name) == (None, None, None)
    assert totals == sums


def test_venue_totals_are_the_sums_over_the_symbols_and_have_no_line_for_small_firms() -> None:
    trades: Counter[tuple[str | None, int | None]] = Counter()
    for row in QUIET.rows(T2, LATER):
        if row.venue_name != "De Minimis Firms":
            trades[row.mpid, row.crd] += row.trades
    assert {(r.mpid, r.crd): r.trades for r in QUIET.venue_rows(T2, LATER)} == trades


def test_an_ats_has_an_mpid_that_begins_its_name_and_a_firm_a_crd_number() -> None:
    for row in QUIET.rows(T1, LATER):
        if row.summary_type == "ATS_W_SMBL_FIRM":
            assert row.crd is None
            assert row.mpid is not None
            assert len(row.mpid) == 4
            assert row.venue_name is not None
            assert row.venue_name.startswith(f"{row.mpid} ")
            assert row.product_type is None
        else:
            assert row.summary_type == "OTC_W_SMBL_FIRM"
            assert row.mpid is None
            assert (row.crd is None) == (row.venue_name == "De Minimis Firms")
            assert row.product_type in {"UTP", "CTS"}


@pytest.mark.parametrize("partition", [T1, T2, OTC], ids=str)
def test_de_minimis_firms_are_one_row_a_security_and_a_quarter_of_the_non_ats_volume(partition: Partition) -> None:
    """Seen in the week of 2026-08-31: 25.6 %."""
    non_ats = [row for row in World(restatement_rate=0).rows(partition, LATER) if not row.mpid]
    small = [row for row in non_ats if not row.crd]
    assert 0.2 < sum(r.shares_micros for r in small) / sum(r.shares_micros for r in non_ats) < 0.3
    assert {(r.venue_name, r.crd, r.summary_type) for r in small} == {("De Minimis Firms", None, "OTC_W_SMBL_FIRM")}
    assert len({(r.symbol, r.issue_name, r.product_type) for r in small}) == len(small) > len(non_ats) / 20


def test_the_aggregate_s_crd_number_is_null_or_zero_or_it_is_not_there() -> None:
    crds = {
        how: {r.crd for r in evolve(QUIET, de_minimis=how).rows(T1, LATER) if not r.mpid and not r.crd}
        for how in ("null", "0", "none")
    }
    assert crds == {"null": {None}, "0": {0}, "none": set()}
    with pytest.raises(ValueError, match="de_minimis"):
        evolve(QUIET, de_minimis="some")  # type: ignore[arg-type]


def test_finra_writes_the_third_tier_otce_in_one_field_and_otc_in_the_other() -> None:
    assert {(r.tier_identifier, r.tier_description) for r in QUIET.rows(OTC, LATER)} == {("OTCE", "OTC")}


@pytest.mark.parametrize("seed", range(4))
def test_every_week_has_the_oddities_of_the_real_feed(seed: int) -> None:
    world = World(seed=seed, symbols=40, restatement_rate=0)
    t1, otc = world.rows(T1, LATER), world.rows(OTC, LATER)
    symbols = {r.symbol or "" for r in t1}
    assert {"TPC", "TpC"} <= symbols
    assert any(s.endswith(".B") for s in symbols)
    assert any(s.endswith("$K") for s in symbols)
    assert len([r for r in otc if r.symbol is None and r.shares_micros == MICROS]) == 1
    assert _most(t1, lambda r: r.product_type) == 2
    assert _most(t1, lambda r: r.issue_name) == 2
    text = "\n".join(f"{r.issue_name}\n{r.venue_name}" for r in [*t1, *otc])
    assert all(oddity in text for oddity in (",", "&", "  ", "'"))
    assert text.isascii()
    assert "|" not in text
    assert '"' not in text


def _most(rows: list[Row], value: object) -> int:
    """The most distinct values that one symbol has at one firm."""
    found: dict[tuple[str | None, int | None], set[object]] = {}
    for row in rows:
        if row.crd:
            found.setdefault((row.symbol, row.crd), set()).add(value(row))  # type: ignore[operator]
    return max(map(len, found.values()))


def test_a_venue_changes_its_name_between_weeks() -> None:
    names: dict[str, set[str | None]] = {}
    for week in range(10):
        for row in QUIET.rows(Partition(WEEK - timedelta(weeks=week), Tier.NMS_TIER_1), LATER):
            names.setdefault(row.mpid or "", set()).add(row.venue_name)
    assert any(len(found) == 2 for mpid, found in names.items() if mpid)


def test_shares_are_whole_until_fractional_reporting_began_and_in_otc_after_it() -> None:
    at = utc(2026, 6, 1)
    before, after = date(2026, 2, 20), date(2026, 2, 27)
    fractional = {
        (week, tier): sum(bool(r.shares_micros % MICROS) for r in QUIET.rows(Partition(week, tier), at))
        for week in (before, after)
        for tier in TIERS
    }
    assert [fractional[before, tier] for tier in TIERS] == [0, 0, 0]
    assert fractional[after, Tier.NMS_TIER_1] > 0
    assert fractional[after, Tier.NMS_TIER_2] > 0
    assert fractional[after, Tier.OTC] == 0


def test_reports_that_were_late_but_before_publication_move_only_the_date_of_the_report() -> None:
    rows = World(symbols=100, restatement_rate=0).rows(T2, LATER)
    late = [row for row in rows if row.last_reported_date > WEEK]
    assert 0 < len(late) < len(rows) / 10
    assert all(row.last_reported_date < row.initial_published_date == row.last_update_date for row in late)


def test_a_partition_grows_to_fifty_thousand_rows() -> None:
    world = World(symbols=(2_400, 10, 10), restatement_rate=0)
    assert len(world.rows(T1, LATER)) > 50_000


# Restatements. T2 of this week is published on 2025-12-15.
FIRST, SECOND = utc(2025, 12, 22, 18), utc(2025, 12, 22, 20)


def changes(before: list[Row], after: list[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows that changed (as they are after), were added and were withdrawn."""
    old, new = ({row_key(row): row for row in rows} for rows in (before, after))
    changed = [new[key] for key in old.keys() & new.keys() if old[key] != new[key]]
    return changed, [new[k] for k in new.keys() - old.keys()], [old[k] for k in old.keys() - new.keys()]


def across(world: World, at: datetime) -> tuple[list[Row], list[Row], list[Row]]:
    return changes(world.rows(T2, at - timedelta(microseconds=1)), world.rows(T2, at))


@pytest.mark.parametrize(("changed", "added", "withdrawn"), [(3, 0, 0), (0, 4, 0), (0, 0, 2), (5, 2, 3)])
def test_a_restatement_changes_adds_and_withdraws_as_many_rows_as_it_says(
    changed: int, added: int, withdrawn: int
) -> None:
    world = evolve(QUIET, events=(Restatement(T2, FIRST, changed, added, withdrawn),))
    assert tuple(map(len, across(world, FIRST))) == (changed, added, withdrawn)


def test_changed_and_added_rows_bear_the_day_and_all_others_keep_theirs() -> None:
    world = evolve(QUIET, events=(Restatement(T2, FIRST, 3, 2, 1),))
    changed, added, _withdrawn = across(world, FIRST)
    today = {row_key(row) for row in world.rows(T2, FIRST) if row.last_update_date == date(2025, 12, 22)}
    assert today == {row_key(row) for row in changed + added}
    assert all(row.last_reported_date == date(2025, 12, 22) for row in changed + added)
    assert all(row.initial_published_date == date(2025, 12, 15) for row in changed + added)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (utc(2026, 1, 6, 4, 59), date(2026, 1, 5)),  # 23:59 in New York
        (utc(2026, 1, 6, 5, 0), date(2026, 1, 6)),
        (utc(2026, 3, 8, 6, 59), date(2026, 3, 8)),
        (utc(2026, 3, 9, 3, 59), date(2026, 3, 8)),  # the clocks went forward on the 8th
        (utc(2026, 3, 9, 4, 0), date(2026, 3, 9)),
        (utc(2026, 11, 1, 3, 59), date(2026, 10, 31)),
        (utc(2026, 11, 2, 4, 59), date(2026, 11, 1)),  # and back on the 1st
    ],
)
def test_the_day_of_a_restatement_is_new_yorks(at: datetime, day: date) -> None:
    world = evolve(QUIET, events=(Restatement(T2, at, 1),))
    assert max(row.last_update_date for row in world.rows(T2, at)) == day


def test_two_restatements_on_one_day_move_the_version_once_and_the_content_twice() -> None:
    world = evolve(QUIET, events=(Restatement(T2, FIRST), Restatement(T2, SECOND)))
    assert world.version(T2, FIRST) == world.version(T2, SECOND)
    assert world.rows(T2, FIRST) != world.rows(T2, SECOND)


def test_a_silent_restatement_changes_content_and_leaves_the_version() -> None:
    world = evolve(QUIET, events=(Restatement(T2, FIRST, 4, silent=True),))
    before = FIRST - timedelta(seconds=1)
    assert world.version(T2, before) == world.version(T2, FIRST)
    changed, added, withdrawn = across(world, FIRST)
    assert (len(changed), added, withdrawn) == (4, [], [])


def test_a_silent_restatement_cannot_add_rows() -> None:
    with pytest.raises(ValueError, match="silent"):
        Restatement(T2, FIRST, 1, added=1, silent=True)


def test_a_restoring_restatement_brings_back_the_content_before_the_last_one() -> None:
    world = evolve(QUIET, events=(Restatement(T2, FIRST, 3, 1, 1), Restatement(T2, SECOND, restores=True)))
    published = world.rows(T2, FIRST - timedelta(seconds=1))
    assert world.rows(T2, FIRST) != published
    assert world.rows(T2, SECOND) == published
    assert world.version(T2, SECOND) == world.version(T2, FIRST - timedelta(seconds=1))


def test_withdrawn_rows_do_not_come_back() -> None:
    events = (Restatement(T2, FIRST, 0, 0, 5), Restatement(T2, SECOND, 2, 0, 0))
    world = evolve(QUIET, events=events)
    gone = {row_key(row) for row in across(world, FIRST)[2]}
    assert gone.isdisjoint(row_key(row) for row in world.rows(T2, SECOND))


def test_control_totals_follow_a_restatement() -> None:
    world = evolve(QUIET, events=(Restatement(T2, FIRST, 3, 2, 1),))
    for at in (FIRST - timedelta(seconds=1), FIRST):
        assert sum(r.trades for r in world.control_rows(T2, at)) == sum(r.trades for r in world.rows(T2, at))


def test_a_restatement_concerns_its_own_partition_alone() -> None:
    restated = evolve(QUIET, events=(Restatement(T2, FIRST),))
    assert restated.rows(OTC, LATER) == QUIET.rows(OTC, LATER)
    assert restated.change_instants(OTC) == (utc(2025, 12, 15, 11),)
    assert restated.change_instants(T2) == (utc(2025, 12, 15, 11), FIRST)


def test_a_restatement_before_the_publication_is_refused() -> None:
    world = evolve(QUIET, events=(Restatement(T2, utc(2025, 12, 1)),))
    with pytest.raises(ValueError, match=r"restated at .* but published at"):
        world.rows(T2, LATER)


def test_about_a_fifth_of_the_partitions_is_restated_once_or_twice_within_a_month() -> None:
    world = World(symbols=5)
    partitions = world.published(utc(2028, 1, 1))
    counts = Counter(len(world.restatements(partition)) for partition in partitions)
    assert set(counts) == {0, 1, 2}
    assert 0.15 < 1 - counts[0] / len(partitions) < 0.25
    for partition in partitions:
        published, *restated = world.change_instants(partition)
        assert all(timedelta(days=1) <= at - published <= timedelta(days=31) for at in restated)


def test_every_drawn_restatement_moves_content_and_version() -> None:
    world = World(seed=11, symbols=6, restatement_rate=1, first_week=date(2025, 10, 3))
    for partition in world.published(utc(2026, 1, 15)):
        for at in world.change_instants(partition)[1:]:
            before = at - timedelta(microseconds=1)
            assert world.rows(partition, before) != world.rows(partition, at)
            assert world.version(partition, at) is not None


def test_no_partition_is_restated_at_rate_zero() -> None:
    assert all(len(QUIET.change_instants(partition)) == 1 for partition in QUIET.published(LATER))


def test_a_world_needs_symbols_in_every_tier() -> None:
    with pytest.raises(ValueError, match="one positive number for each of the 3 tiers"):
        World(symbols=(10, 0, 10))


# Halves. OTC of this week is published on 2025-12-15.
HALF = utc(2025, 12, 18, 16)
IN_HALVES = evolve(QUIET, events=(LateHalf(OTC, HALF),))


def kinds(rows: list[Row]) -> set[str]:
    return {row.summary_type for row in rows}


def test_the_non_ats_half_may_be_published_days_after_the_other() -> None:
    before = IN_HALVES.rows(OTC, HALF - timedelta(seconds=1))
    assert OTC in IN_HALVES.published(HALF - timedelta(days=2))
    assert kinds(before) == {"ATS_W_SMBL_FIRM"}
    assert kinds(IN_HALVES.control_rows(OTC, HALF - timedelta(seconds=1))) == {"ATS_W_SMBL"}
    whole = IN_HALVES.rows(OTC, HALF)
    assert before == [row for row in whole if row.summary_type == "ATS_W_SMBL_FIRM"]
    new = [row for row in whole if row.summary_type != "ATS_W_SMBL_FIRM"]
    assert {(row.last_update_date, row.initial_published_date) for row in new} == {(date(2025, 12, 18),) * 2}
    assert {row[:3] for row in whole} == {row[:3] for row in QUIET.rows(OTC, LATER)}
    assert IN_HALVES.change_instants(OTC) == (utc(2025, 12, 15, 11), HALF)


def test_a_half_cannot_be_late_before_the_publication() -> None:
    with pytest.raises(ValueError, match="published at"):
        evolve(QUIET, events=(LateHalf(OTC, utc(2025, 12, 1)),)).rows(OTC, LATER)


def test_a_restatement_between_the_halves_touches_the_half_that_is_there() -> None:
    between = Restatement(OTC, HALF - timedelta(hours=3), changed=2, added=2, withdrawn=1)
    world = evolve(QUIET, events=(LateHalf(OTC, HALF), between))
    changed, _added, withdrawn = changes(
        world.rows(OTC, between.at - timedelta(seconds=1)), world.rows(OTC, between.at)
    )
    assert kinds(changed + withdrawn) == {"ATS_W_SMBL_FIRM"}
    keys = [row_key(row) for row in world.rows(OTC, HALF)]
    assert len(keys) == len(set(keys))
    gone = {row_key(row) for row in withdrawn}
    assert {row_key(row) for row in QUIET.rows(OTC, LATER)} - gone <= set(keys)


def test_halves_are_late_at_random_and_restated_once_they_are_whole() -> None:
    world = World(symbols=4, late_half_rate=0.5, restatement_rate=1, first_week=date(2025, 1, 3))
    partitions = world.published(utc(2026, 1, 1))
    late = {p: c for p in partitions for c in world.changes(p) if isinstance(c, LateHalf)}
    assert 0.35 < len(late) / len(partitions) < 0.65
    for partition, change in late.items():
        published, *_ = world.change_instants(partition)
        assert timedelta(days=1) <= change.until - published <= timedelta(days=10)
        assert all(restatement.at > change.until for restatement in world.restatements(partition))
        assert world.rows(partition, utc(2026, 6, 1))


def test_late_restatements_come_up_to_a_year_after_the_publication() -> None:
    """A real row was restated 51 days after its publication; no bound is known."""
    world = World(symbols=4, restatement_rate=0, late_restatement_rate=0.5)
    partitions = world.published(utc(2027, 1, 1))
    ages = [at - published for published, *restated in map(world.change_instants, partitions) for at in restated]
    assert 0.4 < len(ages) / len(partitions) < 0.6
    assert timedelta(days=31) < min(ages) < timedelta(days=60)
    assert timedelta(days=300) < max(ages) <= timedelta(days=367)
    assert evolve(world, late_restatement_rate=0).rows(OTC, utc(2025, 12, 16)) == world.rows(OTC, utc(2025, 12, 16))
