"""Captures: adding them, noting when they were checked, and reading them in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, insert, or_, select, update

from finra_core.domain.anomalies import Stage
from finra_core.domain.captures import Capture, NewCapture, SourceVersion
from finra_core.domain.coverage import HalfCoverage
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import TIERS, Half, Tier
from finra_core.history.manifest import raw_facts
from finra_core.ports.store import CaptureQuery
from finra_core.weekly_summary.payload import Payload
from finra_sql import manifest, payloads
from finra_sql.dialect import SqlDialect
from finra_sql.schema import capture_coverage, captures, partitions
from finra_sql.session import Session
from finra_sql.surrogate_keys import KeysInTransaction

_ORDER = (captures.c.week_ending, captures.c.tier, captures.c.capture_no)
"""By week, tier and number: the tiers' names sort as the tiers do."""

_HALVES = {half: capture_coverage.alias(f"{half.value.lower()}_half") for half in Half}


def _all() -> Any:
    """Each capture in one row, its halves side by side."""
    columns: list[Any] = list(captures.c)
    joined: Any = captures
    for half, own in _HALVES.items():
        joined = joined.outerjoin(own, (own.c.capture_no == captures.c.capture_no) & (own.c.half == half.value))
        counts = (own.c.rows, own.c.venues, own.c.symbols, own.c.shares_micros)
        columns += [count.label(f"{half.value}_{count.name}") for count in counts]
    return select(*columns).select_from(joined)


_ALL = _all()


def read(session: Session, query: CaptureQuery) -> list[Capture]:
    """The captures that a query asks for."""
    wanted = _conditions(session.dialect, query)
    if query.newest:
        newest = select(func.max(captures.c.capture_no)).where(*wanted).group_by(captures.c.partition_no)
        wanted = [captures.c.capture_no.in_(newest)]
    return [_from_row(row) for row in session.execute(_ALL.where(*wanted).order_by(*_ORDER))]


def add(session: Session, keys: KeysInTransaction, new: NewCapture, payload: Payload) -> Capture:
    """Store a capture with its payload and its manifest row."""
    natural = (new.partition.week_ending, new.partition.tier.value)
    (partition_no,) = keys.of(session, partitions, [natural])
    is_first = keys.has_entered(partitions, natural)
    payload_hash = payloads.put(session, payload, None if is_first else partition_no)
    values = _columns(new, payload, partition_no, payload_hash)
    added = session.execute(insert(captures).values(values)).inserted_primary_key
    if added is None:
        raise StoreError(f"{new.capture_id} was stored and has no number", partition=new.partition)
    capture = Capture(
        number=added[0],
        capture_id=new.capture_id,
        revision=new.revision,
        partition=new.partition,
        captured_at=new.captured_at,
        content_hash=new.content_hash,
        version=new.version,
        row_count=new.row_count,
        size_bytes=payload.size_bytes,
        source_url=payload.source_url,
        run_id=new.run_id,
        reason=new.reason,
        verified_at=new.verified_at,
        checked_at=new.verified_at,
    )
    manifest.add(
        session,
        scope=Scope.partition(new.partition),
        stage=Stage.RAW,
        capture_id=new.capture_id,
        revision=new.revision,
        row_count=new.row_count,
        at=new.captured_at,
        metadata=raw_facts(capture),
    )
    return capture


def put_checked(session: Session, checked: Sequence[Capture]) -> None:
    """Set when these captures were verified and checked."""
    if not checked:
        return
    own = update(captures).where(captures.c.capture_no == bindparam("number"))
    # Writers that take rows in one order cannot wait for each other in a circle.
    updated = session.execute(
        own.values(verified_at=bindparam("verified"), checked_at=bindparam("checked")),
        [
            {"number": capture.number, "verified": capture.verified_at, "checked": capture.checked_at}
            for capture in sorted(checked, key=lambda capture: capture.number)
        ],
    )
    if updated.rowcount != len(checked):
        missing = " or ".join(map(str, checked)) if len(checked) < 4 else f"one of {len(checked)} captures"  # noqa: PLR2004
        raise StoreError(f"{missing} is not in this store", partition=checked[0].partition)


def _conditions(dialect: SqlDialect, query: CaptureQuery) -> list[ColumnElement[bool]]:
    found = []
    if query.partitions is not None:
        found.append(_of_partitions(dialect, query.partitions))
    if query.weeks is not None:
        found.append(dialect.among(captures.c.week_ending, query.weeks))
    if query.captured_by is not None:
        found.append(captures.c.captured_at <= query.captured_by)
    if query.known_at is not None:
        found.append(captures.c.normalized_at <= query.known_at)
    if query.normalized is not None:
        raw = captures.c.normalized_at.is_(None)
        found.append(~raw if query.normalized else raw)
    return found


def _of_partitions(dialect: SqlDialect, wanted: Collection[Partition]) -> ColumnElement[bool]:
    by_tier = {tier: {p.week_ending for p in wanted if p.tier is tier} for tier in TIERS}
    first = by_tier[TIERS[0]]
    if all(weeks == first for weeks in by_tier.values()):
        return dialect.among(captures.c.week_ending, first)
    return or_(*(_of_tier(dialect, tier, weeks) for tier, weeks in by_tier.items() if weeks))


def _of_tier(dialect: SqlDialect, tier: Tier, weeks: Collection[date]) -> ColumnElement[bool]:
    return (captures.c.tier == tier.value) & dialect.among(captures.c.week_ending, weeks)


def _from_row(row: Row[Any]) -> Capture:
    version = None if row.source_last_updated is None else SourceVersion(row.source_last_updated, row.source_row_count)
    return Capture(
        number=row.capture_no,
        capture_id=row.capture_id,
        revision=row.revision,
        partition=Partition(row.week_ending, Tier(row.tier)),
        captured_at=row.captured_at,
        content_hash=row.content_hash,
        version=version,
        row_count=row.row_count,
        size_bytes=row.size_bytes,
        source_url=row.source_url,
        run_id=row.run_id,
        reason=row.reason,
        verified_at=row.verified_at,
        checked_at=row.checked_at,
        normalized_at=row.normalized_at,
        rejected_rows=row.rejected_rows,
        coverage=_coverage(row._mapping),
    )


def _coverage(row: Mapping[Any, Any]) -> tuple[HalfCoverage, ...]:
    return tuple(
        HalfCoverage(
            half=half,
            rows=row[f"{half.value}_rows"],
            venues=row[f"{half.value}_venues"],
            symbols=row[f"{half.value}_symbols"],
            shares_micros=row[f"{half.value}_shares_micros"],
        )
        for half in Half
        if row[f"{half.value}_rows"] is not None
    )


def _columns(new: NewCapture, payload: Payload, partition_no: int, payload_hash: str) -> dict[str, object]:
    return {
        "capture_id": new.capture_id,
        "revision": new.revision,
        "partition_no": partition_no,
        "week_ending": new.partition.week_ending,
        "tier": new.partition.tier.value,
        "captured_at": new.captured_at,
        "verified_at": new.verified_at,
        "checked_at": new.verified_at,
        "content_hash": new.content_hash,
        "payload_hash": payload_hash,
        "source_last_updated": new.version.last_update_date if new.version else None,
        "source_row_count": new.version.row_count if new.version else None,
        "row_count": new.row_count,
        "size_bytes": payload.size_bytes,
        "source_url": payload.source_url,
        "run_id": new.run_id,
        "reason": new.reason,
    }
