"""Remove superseded captures, protect some, and keep a record of it."""

from __future__ import annotations

from datetime import date, datetime

from finra_core.domain.captures import Capture
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.retention import Pin, PruneRecord, RemovedCapture
from finra_core.domain.scopes import Scope
from finra_core.history.prune import PartitionPrune, plan_prune
from finra_core.history.sealing import writing
from finra_core.ports.store import CaptureQuery, ReadView, Store, UnitOfWork


def check_day(before: date, today: date) -> None:
    """Check that what is known now stays known.

    Raises:
        ConfigurationError: the day is to come.
    """
    if before > today:
        raise ConfigurationError(f"--before {before} is to come: give {today} or an earlier day")


def prune(store: Store, before: date, at: datetime) -> list[PruneRecord]:
    """Remove what `plan_prune` says may go. Each partition is one transaction, which asks again what may go.

    Raises:
        ConfigurationError: the day is to come.
        PartitionLockedError, StoreError: as for any unit of work; the partitions before are done.
    """
    check_day(before, at.date())
    with store.read() as view:
        planned = [each.partition for each in plan_prune(view, before) if each.remove]
    done = []
    for partition in planned:
        with writing(store, Scope.partition(partition), lambda: at) as unit:
            again = plan_prune(unit, before, partitions=[partition])
            done += [_remove(unit, each, before, at) for each in again if each.remove]
    return done


def _remove(unit: UnitOfWork, planned: PartitionPrune, before: date, at: datetime) -> PruneRecord:
    """Remove captures, and record it. The chain vouches for both."""
    record = PruneRecord(
        partition=planned.partition,
        before=before,
        pruned_at=at,
        removed=tuple(map(RemovedCapture.of, planned.remove)),
    )
    unit.remove_captures(planned.remove)
    unit.put_prune(record)
    return record


def pin(store: Store, capture_id: str, revision: int | None, reason: str, at: datetime) -> Pin:
    """Protect a capture. A second pin takes the place of the first. revision: None where there is only one.

    Raises:
        ConfigurationError: there is no such capture, or more than one; or the reason is empty.
    """
    if not reason.strip():
        raise ConfigurationError("a pin needs a reason: say why this capture is to be kept")
    with store.read() as view:
        scope = Scope.partition(_find(view, capture_id, revision).partition)
    with writing(store, scope, lambda: at) as unit:
        capture = _find(unit, capture_id, revision)  # it may have been pruned meanwhile
        made = Pin(
            capture_id=capture.capture_id,
            revision=capture.revision,
            partition=capture.partition,
            reason=reason.strip(),
            pinned_at=at,
        )
        unit.put_pin(made)
    return made


def remove_pin(store: Store, capture_id: str, revision: int | None, at: datetime) -> Pin:
    """Take a pin away, and return it.

    Raises:
        ConfigurationError: no capture of this name is pinned, or more than one is.
    """
    with store.read() as view:
        found = [p for p in view.pins() if p.capture_id == capture_id and revision in (None, p.revision)]
    if len(found) != 1:
        raise ConfigurationError(_which(capture_id, [f"r{each.revision}" for each in found], "pinned capture"))
    with writing(store, Scope.partition(found[0].partition), lambda: at) as unit:
        unit.remove_pin(found[0])
    return found[0]


def _find(view: ReadView, capture_id: str, revision: int | None) -> Capture:
    captures = view.captures(CaptureQuery())
    found = [c for c in captures if c.capture_id == capture_id and revision in (None, c.revision)]
    if len(found) != 1:
        raise ConfigurationError(_which(capture_id, [f"r{each.revision}" for each in found], "capture"))
    return found[0]


def _which(capture_id: str, revisions: list[str], what: str) -> str:
    if not revisions:
        return (
            f"no {what} {capture_id!r} of this revision: finra captures --json and finra pin --list show what there is"
        )
    return f"{capture_id} has {len(revisions)} revisions: say which, {' or '.join(revisions)}"
