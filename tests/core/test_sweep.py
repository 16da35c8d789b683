"""Looking over older weeks: whose turn it is, and from which day on rows are asked for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta, timezone

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.runs.sweep import (
    ROTATION_DAYS,
    Turn,
    is_out_of_reach,
    next_sweep_from,
    older_captures,
    rotation,
    sweep_since,
)
from finra_simulator.eastern import eastern_day

FIRST = date(2021, 1, 1)
START = datetime(2026, 1, 5, 15, 30, tzinfo=timezone.utc)


def capture(number: int, checked_at: datetime = START, verified_at: datetime = START) -> Capture:
    """The newest capture of the partition number so much."""
    week = FIRST + timedelta(weeks=number // len(TIERS))
    return Capture(
        number=number,
        capture_id=f"c{number}",
        revision=1,
        partition=Partition(week, TIERS[number % len(TIERS)]),
        captured_at=START,
        content_hash="0" * 64,
        version=SourceVersion(week, 9),
        row_count=9,
        size_bytes=99,
        source_url="",
        run_id="",
        reason="",
        verified_at=verified_at,
        checked_at=checked_at,
    )


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def partitions(turns: Collection[Turn]) -> list[Partition]:
    return [turn.capture.partition for turn in turns]


# Whose turn -------------------------------------------------------------------------------------------


class Rotating:
    """Older partitions over daily runs. broken: those that the source never gives."""

    def __init__(self, numbers: Collection[int], hours: Collection[int], broken: Collection[int] = ()) -> None:
        self.captures = {n: capture(n, at(-h), at(-h)) for n, h in zip(numbers, hours, strict=True)}
        self.broken = set(broken)
        self.failed: dict[Partition, datetime] = {}
        self.day = 0

    def run(self) -> list[int]:
        self.day += 1
        now = at(24 * self.day)
        turns = rotation(list(self.captures.values()), self.failed)
        for turn in turns:
            number = turn.capture.number
            if number in self.broken:
                self.failed[turn.capture.partition] = now
            else:
                verified_at = now if turn.verify else turn.capture.verified_at
                self.captures[number] = evolve(turn.capture, checked_at=now, verified_at=verified_at)
        return [turn.capture.number for turn in turns]


histories = st.lists(st.integers(0, 2_000), min_size=1, max_size=200)


@given(histories)
def test_every_partition_has_its_turn_within_28_runs_whatever_happened_before(hours: list[int]) -> None:
    rotating = Rotating(range(len(hours)), hours)
    seen = [rotating.run() for _ in range(3 * ROTATION_DAYS)]

    for first in range(2 * ROTATION_DAYS):
        window = seen[first : first + ROTATION_DAYS]
        assert {number for numbers in window for number in numbers} == set(range(len(hours)))


@given(histories)
def test_a_run_takes_one_in_28_and_one_more_for_its_content(hours: list[int]) -> None:
    rotating = Rotating(range(len(hours)), hours)
    for _ in range(ROTATION_DAYS):
        numbers = rotating.run()
        a_run = -(-len(hours) // 28)
        assert len(numbers) in (a_run, a_run + 1)
        assert len(set(numbers)) == len(numbers)


@given(histories)
def test_every_content_is_compared_within_as_many_runs_as_there_are_partitions(hours: list[int]) -> None:
    rotating = Rotating(range(len(hours)), hours)
    for _ in hours:
        turns = rotation(list(rotating.captures.values()))
        assert sum(turn.verify for turn in turns) == 1
        rotating.run()
    assert min(c.verified_at for c in rotating.captures.values()) >= at(24)


@given(histories, st.data())
def test_partitions_that_join_wait_no_longer_than_those_that_were_there(hours: list[int], data: st.DataObject) -> None:
    """Each week three partitions leave the window, where they were looked at in the run before."""
    rotating = Rotating(range(len(hours)), hours)
    seen_on = dict.fromkeys(rotating.captures, 0)
    for day in range(1, 3 * ROTATION_DAYS):
        if day % 7 == 0:
            for number in range(len(rotating.captures), len(rotating.captures) + 3):
                rotating.captures[number] = capture(number, at(24 * (day - 1)), at(24 * (day - 1)))
                seen_on[number] = day - 1
        for number in rotating.run():
            seen_on[number] = day
        assert day - min(seen_on.values()) <= ROTATION_DAYS


@given(histories, st.data())
def test_partitions_that_the_source_never_gives_hold_up_no_other(hours: list[int], data: st.DataObject) -> None:
    numbers = range(len(hours))
    broken = data.draw(st.sets(st.sampled_from(numbers)))
    rotating = Rotating(numbers, hours, broken)
    seen = [rotating.run() for _ in range(3 * ROTATION_DAYS)]

    for first in range(2 * ROTATION_DAYS):
        window = {number for numbers_ in seen[first : first + ROTATION_DAYS] for number in numbers_}
        assert window == set(numbers)


def test_of_one_instant_the_oldest_weeks_come_first_whoever_stored_them() -> None:
    found = rotation([capture(number) for number in (5, 3, 9, 4)])
    assert found == [Turn(capture(3), verify=True)]


def test_a_partition_whose_turn_it_is_anyway_is_not_taken_twice_for_its_content() -> None:
    long_ago, recent = at(-500), at(-1)
    one, other = capture(1, recent, long_ago), capture(2, long_ago, recent)
    assert rotation([one, other]) == [Turn(other), Turn(one, verify=True)]
    assert rotation([one]) == [Turn(one, verify=True)]


def test_without_older_partitions_it_is_nobodys_turn() -> None:
    assert rotation([]) == []


def test_what_failed_is_tried_again_beside_the_others_and_for_its_version_alone() -> None:
    older = [capture(number, at(-number), at(-number)) for number in range(1, 4)]
    broken = older[2].partition
    assert rotation(older, {broken: at(-1)}) == [Turn(older[1], verify=True), Turn(older[2])]


def test_of_many_that_failed_those_come_first_that_were_tried_the_longest_ago() -> None:
    older = [capture(number) for number in range(56)]
    failed = {each.partition: at(-number) for number, each in enumerate(older)}
    assert partitions(rotation(older, failed)) == [older[55].partition, older[54].partition]


# Which partitions -------------------------------------------------------------------------------------


def test_older_are_those_that_are_stored_and_offered_and_before_the_window() -> None:
    stored = [capture(number) for number in range(12)]
    offered = {each.partition for each in stored if each.number != 1}
    window = {Partition(FIRST + timedelta(weeks=2), tier) for tier in Tier} | {stored[9].partition}

    found = older_captures(stored, offered, window)

    assert [each.number for each in found] == [0, 2, 3, 4, 5]


def test_of_a_window_without_partitions_nothing_is_older() -> None:
    stored = [capture(0)]
    assert older_captures(stored, {stored[0].partition}, set()) == []


# From which day ---------------------------------------------------------------------------------------


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        # In winter New York is five hours behind.
        ("2026-01-06T00:00:00", "2026-01-05"),
        ("2026-01-06T04:59:59.999999", "2026-01-05"),
        ("2026-01-06T05:00:00", "2026-01-06"),
        ("2026-01-06T23:59:59", "2026-01-06"),
        # In summer it is four hours behind; an hour more is asked for than is needed.
        ("2026-07-07T03:59:59", "2026-07-06"),
        ("2026-07-07T04:30:00", "2026-07-06"),
        ("2026-07-07T05:00:00", "2026-07-07"),
        # The nights in which clocks are set.
        ("2026-03-08T06:59:59", "2026-03-08"),
        ("2026-03-09T04:30:00", "2026-03-08"),
        ("2026-11-01T05:30:00", "2026-11-01"),
        ("2026-11-02T04:59:59", "2026-11-01"),
    ],
)
def test_the_next_sweep_begins_with_the_day_that_is_not_over_in_new_york(instant: str, day: str) -> None:
    assert next_sweep_from(utc(instant)) == date.fromisoformat(day)


INSTANTS = st.integers(0, 15 * 366 * 24 * 60).map(lambda minutes: utc("2020-01-01") + timedelta(minutes=minutes))


@given(INSTANTS)
def test_no_day_is_lost_between_two_sweeps(instant: datetime) -> None:
    """A row that FINRA dates after a sweep bears that sweep's day in New York, or a later one."""
    assert eastern_day(instant) - timedelta(days=1) <= next_sweep_from(instant) <= eastern_day(instant)


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_a_sweep_asks_for_all_that_came_after_the_one_before(instant: datetime, pause: timedelta) -> None:
    since = sweep_since(next_sweep_from(instant), [capture(1)], instant + pause)
    assert since is not None
    assert since <= eastern_day(instant)


def test_the_first_sweep_looks_back_to_the_oldest_reading() -> None:
    older = [capture(1, verified_at=utc("2025-11-03T02:00:00")), capture(2, verified_at=utc("2025-12-01T12:00:00"))]
    assert sweep_since(None, older, START) == date(2025, 11, 2)  # in New York it was still the day before


def test_a_clock_that_was_ahead_makes_no_sweep_begin_in_the_future() -> None:
    assert sweep_since(date(2026, 1, 9), [capture(1)], utc("2026-01-06T12:00:00")) == date(2026, 1, 6)


def test_without_older_partitions_nothing_is_asked_for() -> None:
    assert sweep_since(None, [], START) is None
    assert sweep_since(date(2026, 1, 1), [], START) is None


@pytest.mark.parametrize(("days", "gives_up"), [(0, False), (28, False), (29, True)])
def test_after_28_days_the_rotation_has_seen_all_and_the_sweep_begins_anew(days: int, gives_up: bool) -> None:
    assert is_out_of_reach(START.date() - timedelta(days=days), START) is gives_up
