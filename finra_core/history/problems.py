"""What a verification finds wrong, as values."""

from __future__ import annotations

from datetime import date
from enum import Enum

from attrs import frozen

from finra_core.domain.captures import Capture
from finra_core.domain.errors import StoreError

RESTORE = "restore a backup, or fetch it again: finra run --force --reason TEXT keeps what is there and adds a capture"
RESTORE_ALL = "restore a backup"
DERIVED = "restore a backup: the payload is sound, so what FINRA published is not lost"
LOOK = "find out who changed the store; restore a backup"


class ProblemKind(str, Enum):
    """What is wrong.

    DATABASE: the database's own check failed. UNREADABLE: a stored value is none that this library writes. PAYLOAD to
    READINESS: it is not what it was derived from. MANIFEST, ROW_VERSIONS, ORPHAN, COPY: how it is kept contradicts
    itself. CHAIN: the chain is broken. CHANGED, DROPPED, ADDED: the chain vouches for something else. CHECKPOINT: the
    chain is not the one whose head was kept elsewhere.
    """

    DATABASE = "database"
    UNREADABLE = "unreadable"
    PAYLOAD = "payload"
    CONTENT_HASH = "content_hash"
    COUNTS = "counts"
    RECORDS = "records"
    REJECTS = "rejects"
    COVERAGE = "coverage"
    ANALYTICS = "analytics"
    READINESS = "readiness"
    MANIFEST = "manifest"
    ROW_VERSIONS = "row_versions"
    ORPHAN = "orphan"
    COPY = "copy"
    CHAIN = "chain"
    CHANGED = "changed"
    DROPPED = "dropped"
    ADDED = "added"
    CHECKPOINT = "checkpoint"

    def __str__(self) -> str:
        return self.value


@frozen(kw_only=True)
class Problem:
    """One thing that is wrong. week_ending, tier, capture_id: where it is about them. action: what to do about it."""

    kind: ProblemKind
    week_ending: date | None
    tier: str | None
    capture_id: str | None
    message: str
    action: str


def problem(
    kind: ProblemKind,
    message: str,
    action: str,
    *,
    week_ending: date | None = None,
    tier: str | None = None,
    capture_id: str | None = None,
) -> Problem:
    """A problem of a week, of a tier, or of neither."""
    return Problem(kind=kind, week_ending=week_ending, tier=tier, capture_id=capture_id, message=message, action=action)


def of_capture(capture: Capture, kind: ProblemKind, message: str, action: str) -> Problem:
    """A problem of one capture."""
    partition = capture.partition
    return problem(
        kind,
        f"{capture}: {message}",
        action,
        week_ending=partition.week_ending,
        tier=partition.tier.value,
        capture_id=capture.capture_id,
    )


def unreadable(what: str, error: StoreError) -> Problem:
    """What could not be read, and why."""
    return problem(ProblemKind.UNREADABLE, f"{what}: {error.message}", RESTORE_ALL)
