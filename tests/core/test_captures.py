"""Captures: their ids are the document's, their times never run backwards."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from random import Random

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.captures import (
    CaptureId,
    SourceVersion,
    by_partition,
    capture_order,
    generate_capture_id,
    newest,
    next_captured_at,
    next_revision,
    parse_capture_id,
    unnormalized,
)
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Half, Tier
from support.captures import OTC, a_capture

DOMAIN = "finra.otc_transparency"
AN_ID = "finra.otc_transparency:NMS_TIER_1:2025-12-26:20251230"
NOON = datetime(2025, 12, 30, 12, tzinfo=timezone.utc)
A_CAPTURE = a_capture(partition=Partition(date(2025, 12, 26), Tier.NMS_TIER_1), captured_at=NOON, capture_id=AN_ID)

domains = st.from_regex(r"[a-z]+([.:][a-z_]+){0,3}", fullmatch=True)
fridays = st.integers(0, 2500).map(lambda i: date(2000, 1, 7) + timedelta(weeks=i))
tier_names = st.sampled_from([*(tier.value for tier in Tier), "ALL"])
parts = st.tuples(fridays, tier_names, st.dates())
instants = st.datetimes(timezones=st.just(timezone.utc))


@pytest.mark.parametrize(
    ("week_ending", "tier", "run_date", "expected"),
    [
        (date(2025, 12, 26), "NMS_TIER_1", date(2025, 12, 30), AN_ID),
        (date(2025, 12, 19), "OTC", date(2025, 12, 30), "finra.otc_transparency:OTC:2025-12-19:20251230"),
        (
            date(2025, 12, 26),
            "NMS_TIER_1",
            date(2025, 12, 31),
            "finra.otc_transparency:NMS_TIER_1:2025-12-26:20251231",
        ),
    ],
)
def test_capture_ids_are_those_printed_in_the_document(
    week_ending: date, tier: str, run_date: date, expected: str
) -> None:
    assert generate_capture_id(DOMAIN, week_ending, tier, run_date) == expected
    assert generate_capture_id(DOMAIN, week_ending, Tier(tier), run_date) == expected


@pytest.mark.parametrize("tier", ["", "OTCE", "T1", "otc", "NMS Tier 1", "Tier.OTC"])
def test_no_capture_id_is_made_for_an_unknown_tier(tier: str) -> None:
    with pytest.raises(ConfigurationError, match="NMS_TIER_1, NMS_TIER_2, OTC"):
        generate_capture_id(DOMAIN, date(2025, 12, 26), tier, date(2025, 12, 30))


def test_the_default_run_date_is_today_in_utc() -> None:
    before = datetime.now(timezone.utc).date()
    run_date = parse_capture_id(generate_capture_id(DOMAIN, date(2025, 12, 26), Tier.OTC)).run_date
    assert before <= run_date <= datetime.now(timezone.utc).date()


@given(domains, fridays, tier_names, st.dates())
def test_a_capture_id_gives_back_its_parts(domain: str, week_ending: date, tier: str, run_date: date) -> None:
    capture_id = generate_capture_id(domain, week_ending, tier, run_date)
    assert parse_capture_id(capture_id) == CaptureId(domain, week_ending, tier, run_date)


@given(parts, parts)
def test_different_parts_make_different_ids(one: tuple[date, str, date], other: tuple[date, str, date]) -> None:
    same_id = generate_capture_id(DOMAIN, *one) == generate_capture_id(DOMAIN, *other)
    assert same_id == (one == other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":::",
        "finra.otc_transparency",
        "OTC:2025-12-26:20251230",
        f"{AN_ID} ",
        f"{AN_ID}\n",
        f"{AN_ID}:",
        f"{AN_ID}1",
        AN_ID[:-1],
        AN_ID.replace(":", "/"),
        AN_ID.lower(),
        AN_ID.replace("NMS_TIER_1", "OTCE"),
        AN_ID.replace("NMS_TIER_1", "NMS_TIER_1 "),
        AN_ID.replace("2025-12-26", "20251226"),
        AN_ID.replace("2025-12-26", "2025-12-32"),
        AN_ID.replace("2025-12-26", "2025-12-26T00"),
        AN_ID.replace("2025-12-26", "2025-W52-5"),
        AN_ID.replace("20251230", "2025-12-30"),
        AN_ID.replace("20251230", "20251330"),
        AN_ID.replace("20251230", "20250230"),
        AN_ID.replace("20251230", "2025 130"),
        AN_ID.replace("20251230", "2025+130"),
        AN_ID.replace("20251230", "20251_2"),
        AN_ID.replace("20251230", "2025123０"),
        AN_ID.replace("20251230", "latest"),
        "finra.otc_transparency:2025-12-26:NMS_TIER_1:20251230",
    ],
)
def test_a_near_miss_is_no_capture_id(text: str) -> None:
    with pytest.raises(ConfigurationError, match="malformed capture_id"):
        parse_capture_id(text)


def test_a_run_date_of_many_digits_is_no_capture_id() -> None:
    with pytest.raises(ConfigurationError):
        parse_capture_id(AN_ID + "9" * 20)


@given(st.integers(0, len(AN_ID)), st.integers(0, 3), st.text("0123456789-:_ +N０", max_size=3))
def test_only_what_would_be_generated_is_parsed(place: int, cut: int, put: str) -> None:
    text = AN_ID[:place] + put + AN_ID[place + cut :]
    try:
        parsed = parse_capture_id(text)
    except ConfigurationError:
        return
    assert generate_capture_id(parsed.domain, parsed.week_ending, parsed.tier, parsed.run_date) == text


@given(instants)
def test_the_first_capture_is_recorded_at_its_own_time(now: datetime) -> None:
    assert next_captured_at(now, None) == now


@given(instants, instants)
def test_a_later_capture_has_a_later_time_even_if_the_clock_went_back(now: datetime, before: datetime) -> None:
    recorded = next_captured_at(now, evolve(A_CAPTURE, captured_at=before))
    assert recorded == (now if now > before else before + timedelta(microseconds=1))
    assert recorded.utcoffset() == timedelta()


def test_times_are_recorded_in_utc_whatever_zone_the_clock_shows() -> None:
    in_new_york = datetime(2025, 12, 30, 8, tzinfo=timezone(timedelta(hours=-5)))
    for previous in (None, A_CAPTURE):
        recorded = next_captured_at(in_new_york, previous)
        assert recorded.isoformat() == "2025-12-30T13:00:00+00:00"


def test_a_capture_is_named_by_its_id_and_from_the_second_revision_on_by_that_too() -> None:
    assert str(A_CAPTURE) == AN_ID
    assert str(evolve(A_CAPTURE, revision=2)) == f"{AN_ID} r2"


def test_a_withdrawn_row_makes_another_version_of_the_same_day() -> None:
    assert SourceVersion(date(2026, 1, 4), 48_765) != SourceVersion(date(2026, 1, 4), 48_764)
    assert str(SourceVersion(date(2026, 1, 4), 48_765)) == "2026-01-04, 48,765 rows"


def test_a_version_that_counts_no_rows_is_a_date_and_speaks_for_no_content() -> None:
    dated = SourceVersion(date(2026, 1, 4), None)
    assert str(dated) == "2026-01-04"
    assert not dated.is_comparable
    assert SourceVersion(date(2026, 1, 4), 48_765).is_comparable


numbers = st.lists(st.integers(1, 30), unique=True, max_size=8)


@given(numbers, st.randoms())
def test_the_newest_capture_is_that_of_the_highest_number_whatever_their_order(
    found: list[int], chance: Random
) -> None:
    captures = [a_capture(number, captured_at=NOON - timedelta(days=number)) for number in found]
    chance.shuffle(captures)
    latest = newest(captures)
    assert (latest.number if latest else None) == max(found, default=None)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=8), st.sampled_from("abcd"))
def test_the_next_revision_is_one_over_those_that_share_the_capture_id(taken: list[tuple[str, int]], name: str) -> None:
    captures = [a_capture(i, capture_id=own, revision=revision) for i, (own, revision) in enumerate(taken)]
    revision = next_revision(captures, name)
    assert revision >= 1
    assert (name, revision) not in taken
    assert revision == 1 or (name, revision - 1) in taken


def test_a_capture_id_counts_its_own_revisions() -> None:
    captures = [a_capture(1, capture_id="monday"), a_capture(2, capture_id="monday", revision=2), a_capture(3)]
    assert [next_revision(captures, name) for name in ("monday", "tuesday")] == [3, 1]


@given(st.lists(st.booleans(), max_size=8), st.randoms())
def test_captures_wait_for_records_that_are_newer_than_all_that_have_them(done: list[bool], chance: Random) -> None:
    captures = [a_capture(number, normalized=own) for number, own in enumerate(done, start=1)]
    last = max((number for number, own in enumerate(done, start=1) if own), default=0)
    chance.shuffle(captures)
    assert [capture.number for capture in unnormalized(captures)] == list(range(last + 1, len(done) + 1))


def test_captures_are_grouped_by_week_and_tier_each_partitions_oldest_first() -> None:
    next_week = Partition(date(2026, 1, 2), Tier.NMS_TIER_1)
    captures = [a_capture(4, next_week), a_capture(3, OTC), a_capture(1, OTC), a_capture(2, A_CAPTURE.partition)]
    found = by_partition(captures)
    assert list(found) == [A_CAPTURE.partition, OTC, next_week]
    assert [capture.number for capture in found[OTC]] == [1, 3]
    assert [capture.number for capture in sorted(captures, key=capture_order)] == [2, 1, 3, 4]


def test_a_capture_has_the_halves_that_it_has_rows_of() -> None:
    assert a_capture(normalized=True, halves=[Half.ATS]).halves == (Half.ATS,)
    assert a_capture(normalized=True).halves == (Half.ATS, Half.NON_ATS)
    assert a_capture().halves == ()
