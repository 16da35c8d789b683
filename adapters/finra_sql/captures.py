"""Captures: adding them, verifying them, and reading them in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, update

from finra_core.domain.anomalies import Stage
from finra_core.domain.captures import Capture, SourceVersion
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier
from finra_core.ports import NewCapture
from finra_core.weekly_summary.payload import Payload
from finra_sql import manifest, payloads
from finra_sql.schema import analyses, captures, partitions
from finra_sql.upsert import insert_missing

_ORDER = (captures.c.week_ending, captures.c.tier, captures.c.capture_no)
"""By week, tier and number: the tiers' names sort as the tiers do."""


def newest(connection: Connection, partition: Partition) -> Capture | None:
    """The partition's newest capture."""
    query = select(captures).where(_of(partition)).order_by(captures.c.capture_no.desc()).limit(1)
    return _first(connection, query)


def newest_normalized(connection: Connection, partition: Partition) -> int | None:
    """The number of the partition's newest capture with records."""
    of_partition = _of(partition) & captures.c.normalized_at.is_not(None)
    number: int | None = connection.execute(select(func.max(captures.c.capture_no)).where(of_partition)).scalar()
    return number


def add(connection: Connection, new: NewCapture, payload: Payload) -> Capture:
    """See `Transaction.add_capture`."""
    payload_hash = payloads.put(connection, payload.documents)
    revision = _newest_revision(connection, new.capture_id) + 1
    connection.execute(insert(captures).values(_columns(connection, new, payload, payload_hash, revision)))
    stored = newest(connection, new.partition)
    if stored is None:
        raise StoreError(f"{new.capture_id} was stored and cannot be read back", partition=new.partition)
    manifest.add(
        connection,
        partition_key=new.partition.key,
        stage=Stage.RAW,
        capture_id=new.capture_id,
        revision=revision,
        row_count=new.row_count,
        at=new.captured_at,
        metadata=_raw_metadata(stored),
    )
    return stored


def mark_verified(connection: Connection, capture: Capture, at: datetime) -> None:
    """See `Transaction.mark_verified`. Of two verifications the later one stays, whichever is noted last."""
    older = (captures.c.capture_no == capture.number) & (captures.c.verified_at < at)
    connection.execute(update(captures).where(older).values(verified_at=at))


def mark_normalized(connection: Connection, capture: Capture, rejected_rows: int, at: datetime) -> None:
    """Note that the capture has records now."""
    own = captures.c.capture_no == capture.number
    connection.execute(update(captures).where(own).values(normalized_at=at, rejected_rows=rejected_rows))


def partition_number(connection: Connection, partition: Partition) -> int:
    """The number under which the rows of a partition that has captures are stored."""
    query = select(partitions.c.partition_no).where(
        partitions.c.week_ending == partition.week_ending, partitions.c.tier == partition.tier.value
    )
    number: int | None = connection.execute(query).scalar()
    if number is None:
        raise StoreError(f"{partition} has no capture in this store", partition=partition)
    return number


def latest(connection: Connection, wanted: Collection[Partition]) -> dict[Partition, Capture]:
    """See `Store.latest_captures`."""
    newest_numbers = (
        select(func.max(captures.c.capture_no)).where(_in_weeks_of(wanted)).group_by(captures.c.partition_no)
    )
    query = select(captures).where(captures.c.capture_no.in_(newest_numbers))
    return {capture.partition: capture for capture in _all(connection, query) if capture.partition in wanted}


def listed(connection: Connection, wanted: Collection[Partition] | None) -> list[Capture]:
    """See `Store.captures`."""
    query = select(captures).order_by(*_ORDER)
    if wanted is None:
        return _all(connection, query)
    return [c for c in _all(connection, query.where(_in_weeks_of(wanted))) if c.partition in wanted]


def unnormalized(connection: Connection) -> list[Capture]:
    """See `Store.unnormalized`."""
    other = captures.alias()
    normalized_up_to = (
        select(func.coalesce(func.max(other.c.capture_no), 0))
        .where(other.c.partition_no == captures.c.partition_no, other.c.normalized_at.is_not(None))
        .scalar_subquery()
    )
    waiting = captures.c.normalized_at.is_(None) & (captures.c.capture_no > normalized_up_to)
    return _all(connection, select(captures).where(waiting).order_by(*_ORDER))


def unanalyzed(connection: Connection, calc_version: int) -> list[Capture]:
    """See `Store.unanalyzed`. Analytics of one tier rest on one capture, its newest input."""
    analyzed = select(analyses.c.analysis_no).where(
        analyses.c.week_ending == captures.c.week_ending,
        analyses.c.tier == captures.c.tier,
        analyses.c.newest_input == captures.c.capture_no,
        analyses.c.calc_version == calc_version,
    )
    query = select(captures).where(captures.c.normalized_at.is_not(None), ~analyzed.exists())
    return _all(connection, query.order_by(*_ORDER))


def weeks(connection: Connection) -> list[date]:
    """See `Store.weeks`."""
    query = select(captures.c.week_ending).distinct().order_by(captures.c.week_ending.desc())
    return list(connection.execute(query).scalars())


def from_row(row: Row[tuple[object, ...]]) -> Capture:
    """The capture that a row of core_captures is."""
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
    )


def _columns(
    connection: Connection, new: NewCapture, payload: Payload, payload_hash: str, revision: int
) -> dict[str, object]:
    return {
        "capture_id": new.capture_id,
        "revision": revision,
        "partition_no": _put_partition(connection, new.partition),
        "week_ending": new.partition.week_ending,
        "tier": new.partition.tier.value,
        "captured_at": new.captured_at,
        "verified_at": new.verified_at,
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


def _raw_metadata(stored: Capture) -> dict[str, object]:
    return {
        "source_last_updated": stored.version.last_update_date.isoformat() if stored.version else None,
        "source_row_count": stored.version.row_count if stored.version else None,
        "source_url": stored.source_url,
        "content_hash": stored.content_hash,
        "file_size_bytes": stored.size_bytes,
        "revision": stored.revision,
        "reason": stored.reason,
        "run_id": stored.run_id,
    }


def _put_partition(connection: Connection, partition: Partition) -> int:
    insert_missing(connection, partitions, [{"week_ending": partition.week_ending, "tier": partition.tier.value}])
    return partition_number(connection, partition)


def _newest_revision(connection: Connection, capture_id: str) -> int:
    query = select(func.coalesce(func.max(captures.c.revision), 0)).where(captures.c.capture_id == capture_id)
    return int(connection.execute(query).scalar_one())


def _of(partition: Partition) -> ColumnElement[bool]:
    return (captures.c.week_ending == partition.week_ending) & (captures.c.tier == partition.tier.value)


def _in_weeks_of(wanted: Iterable[Partition]) -> ColumnElement[bool]:
    return captures.c.week_ending.in_({partition.week_ending for partition in wanted})


def _first(connection: Connection, query: Select[tuple[object, ...]]) -> Capture | None:
    row = connection.execute(query).first()
    return None if row is None else from_row(row)


def _all(connection: Connection, query: Select[tuple[object, ...]]) -> list[Capture]:
    return [from_row(row) for row in connection.execute(query)]
