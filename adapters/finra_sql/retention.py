"""Pins, and the records of what was removed."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from finra_core.domain.partitions import Partition
from finra_core.domain.retention import Pin, PruneRecord, RemovedCapture
from finra_core.domain.tiers import Tier
from finra_sql.json_values import from_plain, to_plain
from finra_sql.schema import pins, prunes
from finra_sql.session import Session


def put_pin(session: Session, pin: Pin) -> None:
    """Store a pin, in place of the one of its capture."""
    row = {
        "capture_id": pin.capture_id,
        "revision": pin.revision,
        "week_ending": pin.partition.week_ending,
        "tier": pin.partition.tier.value,
        "reason": pin.reason,
        "pinned_at": pin.pinned_at,
    }
    session.dialect.upsert(session.connection, pins, ("capture_id", "revision"), [row])


def remove_pin(session: Session, pin: Pin) -> None:
    """Remove the pin of this capture."""
    session.execute(delete(pins).where(pins.c.capture_id == pin.capture_id, pins.c.revision == pin.revision))


def pins_in(session: Session) -> list[Pin]:
    """All pins, by capture_id and revision."""
    return [
        Pin(
            capture_id=row.capture_id,
            revision=row.revision,
            partition=Partition(row.week_ending, Tier(row.tier)),
            reason=row.reason,
            pinned_at=row.pinned_at,
        )
        for row in session.execute(select(pins).order_by(pins.c.capture_id, pins.c.revision))
    ]


def put_prune(session: Session, record: PruneRecord) -> None:
    """Add a record."""
    row = {
        "week_ending": record.partition.week_ending,
        "tier": record.partition.tier.value,
        "known_since": record.before,
        "pruned_at": record.pruned_at,
        "removed": [to_plain(each) for each in record.removed],
    }
    session.execute(insert(prunes).values(row))


def prunes_in(session: Session) -> list[PruneRecord]:
    """All records, in the order of the puts."""
    return [
        PruneRecord(
            partition=Partition(row.week_ending, Tier(row.tier)),
            before=row.known_since,
            pruned_at=row.pruned_at,
            removed=tuple(from_plain(each, RemovedCapture) for each in row.removed),
        )
        for row in session.execute(select(prunes).order_by(prunes.c.prune_no))
    ]
