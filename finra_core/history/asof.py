"""What was known at an instant: for each partition, the newest capture whose records were visible then.

There are two clocks. `as_of` says what this store knew. `published_by` says what FINRA had published, by its own dates,
for weeks that were captured later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta, timezone

from attrs import frozen

from finra_core.domain.captures import RESOLUTION, Capture, by_partition
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Record, Records
from finra_core.domain.tiers import TIERS, Tier
from finra_core.domain.timestamps import parse_utc_text
from finra_core.history.pruned import check_has_first, check_not_pruned
from finra_core.ports.store import CaptureQuery, JudgmentQuery, ReadView


def parse_when(text: str) -> datetime:
    """Read an instant: `2025-12-30` is the end of that UTC day, `2025-12-30T10:30:00Z` that very instant.

    Raises:
        ConfigurationError: the text is neither.
    """
    try:
        return end_of_day(date.fromisoformat(text))
    except ValueError:
        pass
    try:
        if text.endswith("Z"):
            return parse_utc_text(text)
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ConfigurationError(f"malformed instant {text!r}: give 2025-12-30 or 2025-12-30T10:30:00Z")
    return at.astimezone(timezone.utc)


def end_of_day(day: date) -> datetime:
    """The last instant of this UTC day: as of a day means as of its end."""
    return datetime.combine(day + timedelta(days=1), time(), timezone.utc) - RESOLUTION


@frozen(kw_only=True)
class AsOf:
    """What was known at an instant. captures: one for each partition, by week and tier.

    begins: when the store's knowledge begins, None where it has none. Before that instant nothing was known.
    """

    at: datetime
    captures: tuple[Capture, ...]
    begins: datetime | None


def as_of(
    view: ReadView,
    at: datetime,
    *,
    weeks: Collection[date] | None = None,
    tiers: Collection[Tier] = TIERS,
) -> AsOf:
    """What was known at this instant of these weeks and tiers; of all, where none are given.

    No later capture changes the answer for a past instant.

    Raises:
        ConfigurationError: what was known then was pruned.
    """
    check_not_pruned(view, at, weeks=weeks, tiers=tiers)
    wanted = None if weeks is None else frozenset(weeks)
    captures = view.captures(CaptureQuery(weeks=wanted, known_at=at, newest=True))
    own = tuple(capture for capture in captures if capture.partition.tier in tiers)
    return AsOf(at=at, captures=own, begins=begins(view))


def begins(view: ReadView) -> datetime | None:
    """When the first records of this store became visible; None where there are none."""
    return min((c.normalized_at for c in view.captures(CaptureQuery(normalized=True)) if c.normalized_at), default=None)


def releases(view: ReadView, partition: Partition) -> list[Capture]:
    """A partition's captures with records, the first release first."""
    return view.captures(CaptureQuery(partitions=frozenset({partition}), normalized=True))


def nth_release(view: ReadView, number: int, *, weeks: Collection[date] | None = None) -> list[Capture]:
    """The n-th release of every partition that has that many, by week and tier. 1 is the first, -1 the latest.

    Raises:
        ConfigurationError: the number is 0; or it counts from the first release, and releases were pruned.
    """
    if not number:
        raise ConfigurationError("release 0: the first release is 1, the latest -1")
    wanted = None if weeks is None else frozenset(weeks)
    if number > 0:
        check_has_first(view, weeks=weeks)
    own = by_partition(view.captures(CaptureQuery(weeks=wanted, normalized=True)))
    place = number - 1 if number > 0 else number
    return [found[place] for found in own.values() if -len(found) <= place < len(found)]


def judgments_as_of(view: ReadView, at: datetime, *, weeks: Collection[date] | None = None) -> list[Judgment]:
    """The judgments that held at this instant, newest week first, then by use."""
    wanted = None if weeks is None else frozenset(weeks)
    held: dict[tuple[date, str], Judgment] = {}
    for judgment in view.judgments(JudgmentQuery(weeks=wanted, history=True)):
        key = judgment.readiness.week_ending, judgment.readiness.ready_for
        if judgment.judged_at <= at and (key not in held or judgment.judged_at > held[key].judged_at):
            held[key] = judgment
    return [held[key] for key in sorted(held, key=lambda key: (-key[0].toordinal(), key[1]))]


@frozen
class Published:
    """What FINRA had published of a partition by a day, by its own dates.

    records: the rows whose lastUpdateDate is not after the day. restated: rows that FINRA dated later. What they said
    on the day is not known, unless an earlier capture has it.
    """

    capture: Capture
    records: tuple[Record, ...]
    restated: tuple[Record, ...]


def published_by(view: ReadView, capture: Capture, day: date) -> Published:
    """Split a capture's rows by FINRA's own dates."""
    known, later = _split(view.records(capture), day.isoformat())
    return Published(capture, tuple(known), tuple(later))


def _split(records: Records, day: str) -> tuple[list[Record], list[Record]]:
    rows: Iterable[Record] = records.rows()
    known: list[Record] = []
    later: list[Record] = []
    for row in rows:
        (known if row.last_update_date <= day else later).append(row)
    return known, later
