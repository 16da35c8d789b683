"""The simulator as a source."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timezone

import pytest
from attrs import evolve

from finra_core.domain.errors import ConfigurationError, SourceError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.ports.source import Source, SourceKind
from finra_core.weekly_summary.parsing import parse_content
from finra_simulator import Outage, Restatement, SimulatorSource, World, open_source
from support.harness import as_record

NOW = datetime(2026, 1, 5, 15, tzinfo=timezone.utc)
OTC = Partition(date(2025, 11, 14), Tier.OTC)
T1 = Partition(date(2025, 11, 14), Tier.NMS_TIER_1)
WORLD = World(seed=7, symbols=10, restatement_rate=0)


def at(now: datetime, *outages: Outage, world: World = WORLD) -> SimulatorSource:
    return SimulatorSource(world, lambda: now, outages)


def test_it_is_a_source() -> None:
    source: Source = at(NOW)
    assert (source.info.label, source.info.kind) == ("simulator", SourceKind.FEED)


def test_it_lists_what_is_published_by_now_and_nothing_more() -> None:
    listed = at(NOW).list_partitions().partitions
    # Monday 2026-01-05 publishes the T1 week of 12-15 and the T2 week of 12-01.
    assert OTC in listed
    assert Partition(date(2025, 12, 19), Tier.NMS_TIER_1) in listed
    assert Partition(date(2025, 12, 26), Tier.NMS_TIER_1) not in listed
    assert Partition(date(2025, 12, 5), Tier.NMS_TIER_2) in listed
    assert Partition(date(2025, 12, 12), Tier.NMS_TIER_2) not in listed


def test_it_gives_a_partition_as_one_document_with_a_line_for_each_row() -> None:
    source = at(NOW)
    payload = source.fetch(OTC)
    header, *lines = payload.documents[0].decode().splitlines()
    assert header == (
        "weekStartDate|tierIdentifier|summaryTypeCode|issueSymbolIdentifier|issueName|marketParticipantName|MPID"
        "|firmCRDNumber|productTypeCode|totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate"
    )
    rows = WORLD.rows(OTC, NOW)
    assert len(payload.documents) == 1
    assert [line.split("|")[10] for line in lines] == [str(row.trades) for row in rows]
    assert {line.split("|")[0] for line in lines} == {"2025-11-10"}
    assert payload.version == source.probe(OTC)
    assert payload.version is not None
    assert payload.version.row_count == len(rows)


def test_it_follows_its_clock_over_a_restatement() -> None:
    when = datetime(2025, 12, 30, 16, tzinfo=timezone.utc)
    world = World(seed=7, symbols=10, restatement_rate=0, events=[Restatement(OTC, when)])
    before, after = at(datetime(2025, 12, 29, tzinfo=timezone.utc), world=world), at(NOW, world=world)
    assert before.fetch(OTC).documents != after.fetch(OTC).documents
    version = after.probe(OTC)
    assert version is not None
    assert version.last_update_date == date(2025, 12, 30)


def test_a_partition_that_is_not_published_has_no_version_and_cannot_be_fetched() -> None:
    source = at(datetime(2025, 12, 8, tzinfo=timezone.utc))
    assert source.probe(OTC) is None
    with pytest.raises(SourceError, match=r"^2025-11-14 / OTC: not published on 2025-12-08$") as raised:
        source.fetch(OTC)
    assert raised.value.partition == OTC


def test_an_outage_of_one_partition_leaves_the_others() -> None:
    source = at(NOW, Outage(OTC, NOW, NOW.replace(hour=16)))
    assert OTC in source.list_partitions().partitions
    assert source.fetch(T1).documents
    for ask in (source.probe, source.fetch):
        with pytest.raises(SourceUnavailableError, match=r"^API fetch failed \(HTTP 503\)$") as raised:
            ask(OTC)
        assert raised.value.partition == OTC
        assert raised.value.status_code == 503


def test_an_outage_of_the_whole_source_fails_the_listing_too() -> None:
    source = at(NOW, Outage(None, NOW, NOW.replace(hour=16), 504))
    with pytest.raises(SourceUnavailableError, match="HTTP 504"):
        source.list_partitions()
    with pytest.raises(SourceUnavailableError, match="HTTP 504"):
        source.fetch(T1)


@pytest.mark.parametrize("hour", [14, 16])
def test_an_outage_begins_and_ends(hour: int) -> None:
    outage = Outage(None, NOW, NOW.replace(hour=16))
    assert at(NOW.replace(hour=hour), outage).list_partitions().partitions


def test_a_url_sets_the_world_and_stops_the_clock() -> None:
    source = open_source("simulator:?seed=7&symbols=10&rate=0&now=2026-01-05T15:00:00Z", {})
    assert source.world == WORLD
    assert source.clock() == NOW


def test_a_url_may_give_each_tier_its_symbols_and_the_first_week() -> None:
    world = open_source("simulator:?symbols=10,20,30&first_week=2025-06-02", {}).world
    assert (world.symbols, world.first_week) == ((10, 20, 30), date(2025, 6, 6))


def test_a_url_may_ask_for_names_that_hold_delimiters_and_quotes() -> None:
    source = open_source("simulator:?seed=7&symbols=10&rate=0&names=delimiters&now=2026-01-05T15:00:00Z", {})
    parsed = parse_content(source.fetch(OTC).documents, OTC)
    assert sorted(parsed.records.rows()) == sorted(map(as_record, source.world.rows(OTC, NOW)))
    names = {name for _symbol, name, _product in parsed.records.securities.values}
    assert all(any(mark in name for name in names) for mark in ("|", '"'))
    assert open_source("simulator:?seed=7&symbols=10&rate=0&names=plain", {}).world == WORLD


def test_a_url_may_ask_for_all_that_is_odd_about_finra() -> None:
    world = open_source(
        "simulator:?late_rate=0.1&late_halves=0.2&de_minimis=0&names=delimiters&numbers=doubles", {}
    ).world
    assert (world.late_restatement_rate, world.late_half_rate, world.de_minimis) == (0.1, 0.2, "0")
    assert (world.delimiters_in_names, world.noise_in_numbers) == (True, True)


def test_by_default_there_is_the_aggregate_of_small_firms_and_nothing_else_is_odd() -> None:
    assert open_source("simulator:", {}).world == World() == World(de_minimis="null", noise_in_numbers=False)


def test_numbers_with_noise_are_read_as_what_they_stand_for() -> None:
    march = Partition(date(2026, 3, 6), Tier.NMS_TIER_1)
    now = datetime(2026, 4, 20, 12, tzinfo=timezone.utc)
    world = evolve(WORLD, noise_in_numbers=True)
    exact, noisy = (at(now, world=w).fetch(march).documents for w in (WORLD, world))
    assert exact != noisy
    assert list(parse_content(noisy, march).records.rows()) == list(parse_content(exact, march).records.rows())


def test_without_now_the_clock_is_the_machines() -> None:
    before = datetime.now(timezone.utc)
    assert before <= open_source("simulator:", {}).clock() <= datetime.now(timezone.utc)


@pytest.mark.parametrize(
    "url",
    [
        "simulator:?sede=7",
        "simulator:?seed=seven",
        "simulator:?seed=",
        "simulator:?seed=1&seed=2",
        "simulator:?symbols=1,2",
        "simulator:?symbols=0",
        "simulator:?rate=1.5",
        "simulator:?rate=nan",
        "simulator:?now=2026-01-05T15:00:00",
        "simulator:?now=yesterday",
        "simulator:?first_week=2025",
        "simulator:?names=odd",
        "simulator:?numbers=odd",
        "simulator:?de_minimis=some",
        "simulator:?late_rate=2",
        "simulator:?late_halves=half",
        "simulator:?seed",
        "simulator://host?seed=1",
    ],
)
def test_a_url_with_an_unknown_or_malformed_parameter_names_the_known_ones(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"seed=NUMBER, symbols=NUMBER or T1,T2,OTC, rate=0\.\.1") as raised:
        open_source(url, {})
    assert "\n" not in raised.value.message


RESTATED = datetime(2025, 12, 30, 16, tzinfo=timezone.utc)
OCTOBER = Partition(date(2025, 10, 17), Tier.NMS_TIER_2)


def after_restatements(*restatements: Restatement) -> SimulatorSource:
    world = World(seed=7, symbols=10, first_week=date(2025, 10, 3), restatement_rate=0, events=restatements)
    return at(NOW, world=world)


def test_it_tells_which_older_partitions_have_a_row_dated_since_a_day() -> None:
    source = after_restatements(Restatement(OCTOBER, RESTATED), Restatement(T1, RESTATED))
    since = date(2025, 12, 30)
    assert source.restated_since(since, date(2025, 11, 14)) == {OCTOBER}
    assert source.restated_since(since, date(2025, 11, 21)) == {OCTOBER, T1}
    assert source.restated_since(date(2025, 12, 31), date(2025, 11, 21)) == frozenset()


def test_a_first_publication_is_dated_too() -> None:
    source = after_restatements()
    assert source.restated_since(date(2025, 12, 15), date(2025, 11, 21)) == {
        OTC,
        Partition(OTC.week_ending, Tier.NMS_TIER_2),
    }


def test_a_restatement_of_the_future_is_not_told() -> None:
    source = after_restatements(Restatement(OCTOBER, NOW.replace(hour=16)))
    assert source.restated_since(date(2025, 12, 30), date(2025, 11, 14)) == frozenset()


def test_neither_a_withdrawn_row_nor_a_silent_change_leaves_a_date() -> None:
    source = after_restatements(
        Restatement(OCTOBER, RESTATED, changed=0, withdrawn=1), Restatement(T1, RESTATED, silent=True)
    )
    assert source.restated_since(date(2025, 12, 30), date(2025, 11, 21)) == frozenset()


def test_a_source_by_url_can_be_opened_in_another_process() -> None:
    source = open_source("simulator:?seed=7&symbols=10&now=2026-01-05T15:00:00Z", {})
    other = pickle.loads(pickle.dumps(source.reopener(same_machine=False, processes=2)))()
    assert other.fetch(OTC) == source.fetch(OTC)
    assert other.info.instance != source.info.instance


def test_a_world_made_by_hand_cannot() -> None:
    with pytest.raises(ConfigurationError, match="simulated world made by hand"):
        at(NOW).reopener(same_machine=True, processes=1)
