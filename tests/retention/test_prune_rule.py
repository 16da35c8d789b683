"""Which captures may go: held against every instant at which somebody could ask."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from finra_core import Capture, Partition, Tier
from finra_core.history.prune import superseded

OTC = Partition(date(2025, 11, 14), Tier.OTC)
DAY = date(2026, 1, 10)
START = datetime(2026, 1, 10, tzinfo=timezone.utc)
TICK = timedelta(microseconds=1)


def capture(number: int, captured: timedelta, normalized: timedelta | None) -> Capture:
    """Times are from the beginning of the day before which is pruned."""
    at = START + captured
    return Capture(
        number=number,
        capture_id=f"id-{number}",
        revision=1,
        partition=OTC,
        captured_at=at,
        content_hash="",
        version=None,
        row_count=1,
        size_bytes=1,
        source_url="",
        run_id="",
        reason="",
        verified_at=at,
        checked_at=at,
        normalized_at=None if normalized is None else START + normalized,
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Capture]:
    """Captures in the order of time; records become visible in that order too, and some captures have none."""
    steps = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=7))
    now, visible, found = draw(st.integers(-12, 4)), -(10**3), []
    for number, (gap, delay, has_records) in enumerate(steps, 1):
        now += gap + 1
        if has_records:
            visible = max(visible + 1, now + delay)
        found.append(capture(number, timedelta(hours=now), timedelta(hours=visible) if has_records else None))
    return found


def known(captures: list[Capture], at: datetime) -> int | None:
    visible = [c.number for c in captures if c.normalized_at is not None and c.normalized_at <= at]
    return max(visible, default=None)


def instants(captures: list[Capture]) -> list[datetime]:
    """Each at which an answer may change, and the ones beside it, from the day's beginning on."""
    events = [START, *(c.normalized_at for c in captures if c.normalized_at is not None)]
    return [at for event in events for at in (event - TICK, event, event + TICK) if at >= START]


@given(histories())
def test_what_goes_is_what_nobody_can_see_from_that_day_on(captures: list[Capture]) -> None:
    gone = {c.number for c in superseded(captures, DAY)}

    answers = {known(captures, at) for at in instants(captures)}
    newest = max(c.number for c in captures)
    newest_normalized = max((c.number for c in captures if c.is_normalized), default=0)
    for each in captures:
        is_old = each.captured_at < START
        waits = each.number > newest_normalized
        assert (each.number in gone) == (
            is_old and not waits and each.number not in {*answers, newest, newest_normalized}
        )
    left = [c for c in captures if c.number not in gone]
    assert [known(left, at) for at in instants(captures)] == [known(captures, at) for at in instants(captures)]


@given(histories(), st.sets(st.integers(1, 7)), st.sets(st.integers(1, 7)))
def test_pins_and_needs_protect_themselves_and_nothing_else(
    captures: list[Capture], pinned: set[int], needed: set[int]
) -> None:
    gone = {c.number for c in superseded(captures, DAY)}
    assert {c.number for c in superseded(captures, DAY, needed=needed, pinned=pinned)} == gone - pinned - needed


@given(histories())
def test_a_second_time_nothing_goes(captures: list[Capture]) -> None:
    gone = superseded(captures, DAY)
    left = [c for c in captures if c not in gone]
    assert superseded(left, DAY) == []


def test_the_first_capture_goes_too_once_another_was_known_that_day() -> None:
    first = capture(1, timedelta(days=-9), timedelta(days=-9))
    second = capture(2, timedelta(days=-2), timedelta(hours=-1))
    third = capture(3, timedelta(days=1), timedelta(days=1))
    assert superseded([first, second, third], DAY) == [first]
    assert superseded([first], DAY) == []
