"""What FINRA had published by the end of a day, by FINRA's own dates: for weeks that were captured later.

FINRA dates each row by the US Eastern day of its last change (lastUpdateDate). A row of a later capture whose date is
not after the day had the same values then. A row whose date is after it was changed, or first published, since: its
values on the day are in no later capture. It is told apart, and its values are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum

from attrs import frozen

from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.changes import ChangeKind
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import day_has_ended, publication_date
from finra_core.domain.records import Records, Security, Venue, half_of
from finra_core.domain.tiers import TIERS, Half, Tier
from finra_core.ports.store import CaptureQuery, ReadView

_EARLIEST_END = time(4, tzinfo=timezone.utc)
"""Midnight US Eastern in summer; in winter it is an hour later."""


class Basis(str, Enum):
    """How the rows are known.

    CAPTURE: a capture was made before the day had ended, and FINRA still had that content after. All rows are known.
    DATES: by each row's own date, in the first capture that FINRA's content was seen to equal after the day.
    UNSETTLED: no capture was seen to equal FINRA's content after the day had ended, so a run may change the answer.
    """

    CAPTURE = "capture"
    DATES = "dates"
    UNSETTLED = "unsettled"

    def __str__(self) -> str:
        return self.value


class PublishedState(str, Enum):
    """PUBLISHED: rows are known. NOT_PUBLISHED: the day lies before the publication day, and no row is dated so early.

    UNKNOWN: the partition was due, and every row is dated later: FINRA published it late, or changed every row since.
    """

    PUBLISHED = "published"
    NOT_PUBLISHED = "not_published"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


@frozen
class UnknownRow:
    """A row whose values on the day are not known, nor whether it was there.

    restated_on: FINRA's date of its last change; None where a later capture no longer has the row.
    """

    security: Security
    venue: Venue
    restated_on: date | None


@frozen(kw_only=True)
class Published:
    """What FINRA had published of a partition by the end of a day (US Eastern).

    capture: the one that the rows are from. records: the rows as they were on the day. unknown: rows that FINRA
    changed, added or withdrew since, by security and venue. unknown_halves: the halves that have unknown rows and no
    other. A row that FINRA withdrew before the first capture after the day is in neither: nobody can tell.
    """

    partition: Partition
    day: date
    state: PublishedState
    basis: Basis
    capture: Capture
    records: Records
    unknown: tuple[UnknownRow, ...]
    unknown_halves: tuple[Half, ...]


def published_by(
    view: ReadView, day: date, *, weeks: Collection[date] | None = None, tiers: Collection[Tier] = TIERS
) -> Iterator[Published]:
    """What FINRA had published by the end of this day, US Eastern; by week and tier, of all partitions with records.

    Each partition's rows are read when it is its turn. Where the basis is not UNSETTLED, no later capture changes the
    answer.
    """
    query = CaptureQuery(weeks=None if weeks is None else frozenset(weeks), normalized=True)
    for partition, captures in by_partition(view.captures(query)).items():
        if partition.tier in tiers:
            yield of_partition(view, captures, day)


def of_partition(view: ReadView, captures: Sequence[Capture], day: date) -> Published:
    """The same of one partition. captures: all of its captures with records, oldest first; at least one."""
    capture, basis = _base(captures, day)
    records, unknown = _split(view.records(capture), day)
    if len(records) or day >= publication_date(capture.partition):
        state = PublishedState.PUBLISHED if len(records) else PublishedState.UNKNOWN
        if basis is Basis.DATES:
            unknown = sorted([*unknown, *_withdrawn_since(view, captures, capture)], key=_key)
    else:
        state, unknown = PublishedState.NOT_PUBLISHED, []
    return Published(
        partition=capture.partition,
        day=day,
        state=state,
        basis=basis,
        capture=capture,
        records=records,
        unknown=tuple(unknown),
        unknown_halves=_unknown_halves(records, unknown),
    )


def _base(captures: Sequence[Capture], day: date) -> tuple[Capture, Basis]:
    """The first capture that FINRA's content was seen to equal once the day had ended; else the newest."""
    for capture in captures:
        if _is_dated_by_its_fetch(capture) and day_has_ended(day, capture.checked_at):
            was_there = capture.captured_at <= datetime.combine(day + timedelta(days=1), _EARLIEST_END)
            return capture, Basis.CAPTURE if was_there else Basis.DATES
    return captures[-1], Basis.UNSETTLED


def _is_dated_by_its_fetch(capture: Capture) -> bool:
    """Whether FINRA had its content when it was fetched. A downloaded file may be older than its capture."""
    return capture.version is not None and capture.version.is_comparable


def _split(records: Records, day: date) -> tuple[Records, list[UnknownRow]]:
    """The rows that FINRA dated not after the day, and what the others are about."""
    dates = records.last_update_dates
    late = {code for code, text in enumerate(dates.values) if text > day.isoformat()}
    if not late:
        return records, []
    places = [i for i, code in enumerate(dates.codes) if code in late]
    unknown = [
        UnknownRow(
            records.securities.values[records.securities.codes[i]],
            records.venues.values[records.venues.codes[i]],
            date.fromisoformat(dates.values[dates.codes[i]]),
        )
        for i in places
    ]
    return records.without(places), unknown


def _withdrawn_since(view: ReadView, captures: Sequence[Capture], capture: Capture) -> list[UnknownRow]:
    """The rows that the capture before this one had and this one has not."""
    place = captures.index(capture)
    if not place:
        return []
    changes = view.changes(captures[place - 1], capture)
    return [UnknownRow(*change.key, None) for change in changes if change.kind is ChangeKind.WITHDRAWN]


def _key(row: UnknownRow) -> tuple[Security, Venue]:
    return row.security, row.venue


def _unknown_halves(records: Records, unknown: Sequence[UnknownRow]) -> tuple[Half, ...]:
    known = {half_of(venue.venue_type) for venue in records.venues.values}
    lost = {half_of(row.venue.venue_type) for row in unknown}
    return tuple(half for half in Half if half in lost - known)
