"""How rows are kept: what no view shows, and what only damage or a foreign hand brings about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from attrs import frozen
from sqlalchemy import Boolean, Column, Select, and_, false, func, literal, or_, select, table, true

from finra_core.domain.analytics import VenueVolume, Volumes
from finra_core.domain.partitions import DOMAIN
from finra_core.domain.revision import Evidence
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Half
from finra_core.ports.audit import Fault, StageRow
from finra_core.ports.store import RowCounts
from finra_sql import analytics as stored_analytics
from finra_sql.json_values import from_plain, to_plain
from finra_sql.migrate import VERSION_TABLE
from finra_sql.payloads import DELTA, WHOLE, size_of
from finra_sql.schema import (
    analyses,
    analysis_inputs,
    analysis_venues,
    anomalies,
    capture_coverage,
    captures,
    data_readiness,
    decisions,
    manifest,
    partitions,
    raw_payloads,
    readiness_history,
    rejected_rows,
    row_versions,
    securities,
    venues,
)
from finra_sql.session import Session

_HEADER_BYTES = 18
"""The most that a compressed document says of itself before its content begins."""


def faults(session: Session) -> Iterator[Fault]:
    """All that is wrong."""
    for check in _CHECKS:
        yield from check(session)


def stage_rows(session: Session) -> Iterator[StageRow]:
    """The manifest."""
    for row in session.execute(select(manifest)):
        yield StageRow(
            domain=row.domain,
            subject=row.partition_key,
            stage=row.stage,
            capture_id=row.capture_id,
            revision=row.revision,
            row_count=row.row_count,
            captured_at=row.captured_at,
            metadata=row.metadata_json,
        )


def row_counts(session: Session) -> Mapping[int, RowCounts]:
    """By capture, in one pass over the row versions."""
    begun, ended = _counted(session, row_versions.c.from_capture), _counted(session, row_versions.c.to_capture)
    rows: dict[int, int] = {}
    found: dict[int, RowCounts] = {}
    query = select(captures.c.capture_no, captures.c.partition_no).where(captures.c.normalized_at.is_not(None))
    for row in session.execute(query.order_by(captures.c.capture_no)):
        before = rows.get(row.partition_no, 0)
        added, withdrawn = begun.get(row.capture_no, 0), ended.get(row.capture_no, 0)
        rows[row.partition_no] = before + added - withdrawn
        found[row.capture_no] = RowCounts(added=added, withdrawn=withdrawn, unchanged=before - withdrawn)
    return found


def _counted(session: Session, column: Column[Any]) -> dict[int, int]:
    query = select(column, func.count()).where(column.is_not(None)).group_by(column)
    return dict(session.fetch_tuples(query))


# Rows that refer to others -----------------------------------------------------------------------


@frozen
class _Reference:
    """A column whose values have to stand in another one. optional: NULL refers to nothing."""

    column: Column[Any]
    to: Column[Any]
    optional: bool = False


_REFERENCES = (
    _Reference(captures.c.partition_no, partitions.c.partition_no),
    _Reference(captures.c.payload_hash, raw_payloads.c.payload_hash),
    _Reference(raw_payloads.c.base_hash, raw_payloads.c.payload_hash, optional=True),
    _Reference(capture_coverage.c.capture_no, captures.c.capture_no),
    _Reference(rejected_rows.c.capture_no, captures.c.capture_no),
    _Reference(row_versions.c.partition_no, partitions.c.partition_no),
    _Reference(row_versions.c.security_no, securities.c.security_no),
    _Reference(row_versions.c.venue_no, venues.c.venue_no),
    _Reference(row_versions.c.from_capture, captures.c.capture_no),
    _Reference(row_versions.c.to_capture, captures.c.capture_no, optional=True),
    _Reference(analysis_inputs.c.analysis_no, analyses.c.analysis_no),
    _Reference(analysis_inputs.c.capture_no, captures.c.capture_no),
    _Reference(analysis_venues.c.analysis_no, analyses.c.analysis_no),
    # The other way round: what nothing refers to was left behind.
    _Reference(partitions.c.partition_no, captures.c.partition_no),
    _Reference(raw_payloads.c.payload_hash, captures.c.payload_hash),
    _Reference(securities.c.security_no, row_versions.c.security_no),
    _Reference(venues.c.venue_no, row_versions.c.venue_no),
    _Reference(analyses.c.analysis_no, analysis_inputs.c.analysis_no),
)


def _orphans(session: Session) -> Iterator[Fault]:
    for each in _REFERENCES:
        # Distinct first: of millions of rows there are few different values, and each is looked up once.
        values = select(each.column.label("value")).distinct().subquery()
        wanted = [values.c.value.not_in(select(each.to))]
        if each.optional:
            wanted.append(values.c.value.is_not(None))
        query = select(values.c.value).where(*wanted).order_by(values.c.value).limit(_SHOWN)
        for value in session.execute(query).scalars():
            here = f"{each.column.table.name}.{each.column.name}"
            there = f"{each.to.table.name}.{each.to.name}"
            yield Fault(kind="orphan", message=f"{here} has {value}, and {there} has not")


_SHOWN = 20
"""So many rows of one kind are named: a reference that fails for all of them says no more."""


# Row versions ------------------------------------------------------------------------------------


def _misplaced_versions(session: Session) -> Iterator[Fault]:
    """Versions that begin or end with a capture of another partition, or with one without records."""
    ends = select(row_versions.c.partition_no, row_versions.c.from_capture, row_versions.c.to_capture).distinct()
    places = {row.capture_no: row for row in session.execute(_places())}
    for partition, begun, ended in session.fetch_tuples(ends):
        first, last = places.get(begun), places.get(ended)
        for number, capture in ((begun, first), (ended, last)):
            if capture is not None and (capture.partition_no != partition or capture.normalized_at is None):
                message = "row versions of another partition or without records begin or end with it"
                yield _of_capture("row_versions", capture, message)
            if capture is None and number is not None and number is ended:
                yield Fault(kind="row_versions", message=f"row versions of partition {partition} end with no capture")
        if ended is not None and ended <= begun:
            message = f"row versions begin with it and end with capture {ended}, which is no later one"
            yield _of_capture("row_versions", first, message)


def _places() -> Select[Any]:
    c = captures.c
    return select(
        c.capture_no, c.capture_id, c.revision, c.partition_no, c.week_ending, c.tier, c.normalized_at, c.payload_hash
    )


def _overlapping_versions(session: Session) -> Iterator[Fault]:
    r = row_versions.c
    following = func.lead(r.from_capture).over(
        partition_by=(r.partition_no, r.security_no, r.venue_no), order_by=r.from_capture
    )
    versions = select(r.partition_no, r.from_capture, r.to_capture, following.label("following")).subquery()
    v = versions.c
    overlapping = and_(v.following.is_not(None), or_(v.to_capture.is_(None), v.to_capture > v.following))
    counted = (
        select(partitions.c.week_ending, partitions.c.tier, func.count().label("rows"))
        .join_from(versions, partitions, partitions.c.partition_no == v.partition_no)
        .where(overlapping)
        .group_by(partitions.c.week_ending, partitions.c.tier)
    )
    for row in session.execute(counted):
        message = f"{row.week_ending} / {row.tier}: {row.rows:,} rows have versions that overlap"
        yield Fault(kind="row_versions", message=message, week_ending=row.week_ending, tier=row.tier)


def _of_capture(kind: str, capture: Any, how: str) -> Fault:
    if capture is None:
        return Fault(kind=kind, message=f"a capture that is not there: {how}")
    named = capture.capture_id if capture.revision == 1 else f"{capture.capture_id} r{capture.revision}"
    return Fault(
        kind=kind,
        message=f"{named}: {how}",
        week_ending=capture.week_ending,
        tier=capture.tier,
        capture_id=capture.capture_id,
    )


# Values kept twice -------------------------------------------------------------------------------


def _captures_elsewhere(session: Session) -> Iterator[Fault]:
    """Captures whose week and tier are not those of their partition."""
    same = and_(partitions.c.week_ending == captures.c.week_ending, partitions.c.tier == captures.c.tier)
    query = _places().join_from(captures, partitions, partitions.c.partition_no == captures.c.partition_no)
    for row in session.execute(query.where(~same)):
        yield _of_capture("copy", row, "its week and tier are not those of its partition")


def _coverage(session: Session) -> Iterator[Fault]:
    halves = [half.value for half in Half]
    query = _places().join_from(captures, capture_coverage, capture_coverage.c.capture_no == captures.c.capture_no)
    odd = or_(capture_coverage.c.half.not_in(halves), captures.c.normalized_at.is_(None))
    for row in session.execute(query.where(odd)):
        yield _of_capture("coverage", row, "its coverage is of no half, or is there before its records")


def _rejects(session: Session) -> Iterator[Fault]:
    query = _places().join_from(captures, rejected_rows, rejected_rows.c.capture_no == captures.c.capture_no)
    for row in session.execute(query.where(captures.c.normalized_at.is_(None)).distinct()):
        yield _of_capture("rejects", row, "it has rejected rows and no records")


def _payloads(session: Session) -> Iterator[Fault]:
    p = raw_payloads.c
    header = func.substr(p.body, 1, _HEADER_BYTES).label("header")
    documents: dict[str, list[Any]] = {}
    query = select(p.payload_hash, p.ordinal, p.codec, p.size_bytes, header).order_by(p.payload_hash, p.ordinal)
    for row in session.execute(query):
        documents.setdefault(row.payload_hash, []).append(row)
    for capture in session.execute(_places()):
        own = documents.get(capture.payload_hash, [])
        if [row.ordinal for row in own] != list(range(len(own))):
            yield _of_capture("payload", capture, "a document of its payload is missing, or is there twice")
        if any(row.codec not in {WHOLE, DELTA} or row.size_bytes != size_of(row.header) for row in own):
            yield _of_capture("payload", capture, "a document of its payload has another size or form than it says")


def _analyses(session: Session) -> Iterator[Fault]:
    keys = dict(stored_analytics.read_numbered_keys(session))
    firms: Counter[int] = Counter()
    v = analysis_venues.c
    counted = select(v.analysis_no, v.venue_type, func.count()).group_by(v.analysis_no, v.venue_type)
    for number, venue_type, count in session.fetch_tuples(counted):
        one = VenueVolume(venue_type, "", "", "", 0, 0, 0)
        firms[number] += Volumes((one,), 0).venue_count * count
    for row in session.execute(select(analyses)):
        key = keys.get(row.analysis_no)
        if key is None:
            continue  # it has no inputs, which is an orphan
        copies = (row.fingerprint, row.newest_input, row.venues)
        if copies != (stored_analytics.fingerprint(key), max(key.inputs), firms[row.analysis_no]):
            message = (
                f"{row.week_ending} / {row.tier}: its analytics have another key or number of venues than they say"
            )
            yield Fault(
                kind="copy", message=message, week_ending=row.week_ending, tier=row.tier, capture_id=row.capture_id
            )


def _anomalies(session: Session) -> Iterator[Fault]:
    a = anomalies.c
    query = select(a.fingerprint, a.domain, a.partition_key, a.week_ending, a.tier, a.place)
    for row in session.execute(query):
        subject = json.loads(Scope(row.week_ending, row.tier, row.place).key)
        if row.domain != DOMAIN or row.partition_key != subject:
            message = f"the anomaly {row.fingerprint} says twice what it is about, and not the same"
            yield Fault(kind="copy", message=message, week_ending=row.week_ending, tier=row.tier)


def _judgments(session: Session) -> Iterator[Fault]:
    """Each judgment is superseded at the instant of the next one of its week and use."""
    h = readiness_history.c
    last: dict[tuple[date, str], Any] = {}
    query = select(h.week_ending, h.ready_for, h.judged_at, h.superseded_at).order_by(h.judgment_no)
    for row in session.execute(query):
        before = last.get((row.week_ending, row.ready_for))
        if before is not None and before.superseded_at != row.judged_at:
            yield _unfollowed(row)
        last[row.week_ending, row.ready_for] = row
    yield from (_unfollowed(row) for row in last.values() if row.superseded_at is not None)
    odd = select(data_readiness.c.partition_key).where(data_readiness.c.domain == literal(DOMAIN))
    for subject in session.execute(odd).scalars():
        if set(subject) != {"week_ending"}:
            yield Fault(kind="copy", message=f"core_data_readiness has a judgment on {subject}, which is no week")


def _booleans(session: Session) -> Iterator[Fault]:
    """Where a database keeps them as numbers, others than 0 and 1 are read as true."""
    for column in (*data_readiness.c, *readiness_history.c):
        if isinstance(column.type, Boolean):
            odd = ~or_(column == true(), column == false())
            count = session.execute(select(func.count()).select_from(column.table).where(odd)).scalar()
            if count:
                message = f"{column.table.name}.{column.name}: {count:,} values are neither true nor false"
                yield Fault(kind="unreadable", message=message)


def _ordinals(session: Session) -> Iterator[Fault]:
    """The inputs of each analysis are numbered from 0."""
    i = analysis_inputs.c
    odd = or_(func.min(i.ordinal) != 0, func.max(i.ordinal) != func.count() - 1)
    counted = select(i.analysis_no).group_by(i.analysis_no).having(odd).subquery()
    query = select(analyses).join(counted, counted.c.analysis_no == analyses.c.analysis_no)
    for row in session.execute(query):
        message = f"{row.week_ending} / {row.tier}: the inputs of its analytics are not numbered from 0"
        yield Fault(kind="copy", message=message, week_ending=row.week_ending, tier=row.tier, capture_id=row.capture_id)


def _version(session: Session) -> Iterator[Fault]:
    count = session.execute(select(func.count()).select_from(table(VERSION_TABLE))).scalar()
    if count != 1:
        yield Fault(kind="copy", message=f"{VERSION_TABLE} has {count} rows: a schema has one version")


def _evidence(session: Session) -> Iterator[Fault]:
    """Readers pass over a name that they do not know, and so would not see a changed one whose value is null."""
    d = decisions.c
    for row in session.execute(select(d.week_ending, d.tier, d.run_id, d.evidence)):
        if to_plain(from_plain(row.evidence, Evidence)) != row.evidence:
            message = f"{row.week_ending} / {row.tier}: the evidence of run {row.run_id} has an unknown name"
            yield Fault(kind="unreadable", message=message, week_ending=row.week_ending, tier=row.tier)


def _unfollowed(row: Any) -> Fault:
    message = f"{row.week_ending}: a judgment for {row.ready_for} is not superseded when the next one was made"
    return Fault(kind="copy", message=message, week_ending=row.week_ending)


_CHECKS: tuple[Callable[[Session], Iterator[Fault]], ...] = (
    _orphans,
    _misplaced_versions,
    _overlapping_versions,
    _captures_elsewhere,
    _coverage,
    _rejects,
    _payloads,
    _analyses,
    _anomalies,
    _judgments,
    _booleans,
    _ordinals,
    _version,
    _evidence,
)
