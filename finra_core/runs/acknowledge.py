"""A person's word that an anomaly is known, and for how long it does not block anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from attrs import evolve

from finra_core.domain.anomalies import Acknowledgment, AnomalyRecord
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.policies import BUILT_IN, Policy
from finra_core.domain.scopes import Scope
from finra_core.history.sealing import writing
from finra_core.ports.store import AnomalyQuery, Lock, Store, UnitOfWork
from finra_core.runs.judge import put_changed, read_states

_SHORTEST = 4
"""Hex digits. With fewer, a slip of the finger could name another anomaly."""


def acknowledge(
    store: Store,
    fingerprint: str,
    reason: str,
    at: datetime,
    *,
    until: date | None = None,
    policies: Sequence[Policy] = BUILT_IN,
) -> AnomalyRecord:
    """Acknowledge an open anomaly, and judge its week again, in one transaction.

    fingerprint: its 16 hex digits, or the first few if only one open anomaly begins with them. until: the last day on
    which the acknowledgment holds; None means for as long as the finding stays as it is.

    Raises:
        ConfigurationError: no open anomaly or several have this fingerprint, or the reason is empty.
        StoreError: the store failed.
    """
    if not reason.strip():
        raise ConfigurationError("an acknowledgment needs a reason: say why this is known")
    if until is not None and until < at.date():
        raise ConfigurationError(f"until {until} is over already: give today or a later day")
    with writing(store, Scope(), lambda: at) as unit:
        unit.hold(Lock.ANOMALIES)
        known = _find(unit, fingerprint)
        record = evolve(known, acknowledged=Acknowledgment(reason=reason.strip(), at=at, until=until))
        unit.put_anomalies([record])
        week = record.anomaly.scope.week_ending
        if week is not None:
            unit.hold(Lock.JUDGMENTS)
            put_changed(unit, read_states(unit, [week]), policies, at.date(), at)
    return record


def _find(unit: UnitOfWork, fingerprint: str) -> AnomalyRecord:
    if len(fingerprint) < _SHORTEST:
        raise ConfigurationError(f"fingerprint {fingerprint!r} is too short: give at least {_SHORTEST} of its digits")
    found = [r for r in unit.anomalies(AnomalyQuery(open_only=True)) if r.fingerprint.startswith(fingerprint.lower())]
    if not found:
        raise ConfigurationError(f"no open anomaly has the fingerprint {fingerprint!r}: finra anomalies lists them")
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} open anomalies begin with {fingerprint!r}: give more of its digits")
    return found[0]
