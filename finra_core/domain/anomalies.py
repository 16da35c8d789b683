"""What a run found: severities, categories, and the fingerprint by which the same finding is known again.

An anomaly is opened when a check first finds it, renewed when the check finds it again, resolved when the check
passes, and reopened when it is found after that. `settle` is these four rules as one function of values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum

from attrs import evolve, field, frozen

from finra_core.domain.partitions import DOMAIN
from finra_core.domain.scopes import Scope


class Severity(str, Enum):
    """What a finding means, worst first.

    CRITICAL: the run broke off, or what is stored is damaged. ERROR: the partition failed. WARN: somebody should look.
    INFO: for the audit.
    """

    CRITICAL = "CRITICAL"
    ERROR = "ERROR"
    WARN = "WARN"
    INFO = "INFO"

    def __str__(self) -> str:
        return self.value


class Stage(str, Enum):
    """A stage of a partition as the manifest records it; analytics are CALC."""

    RAW = "RAW"
    NORMALIZED = "NORMALIZED"
    CALC = "CALC"

    def __str__(self) -> str:
        return self.value


class Category(str, Enum):
    """What kind of finding it is."""

    SOURCE_UNAVAILABLE = "SOURCE_UNAVAILABLE"
    SOURCE_REJECTED = "SOURCE_REJECTED"
    BAD_DATA = "BAD_DATA"
    CONTROL_TOTAL_MISMATCH = "CONTROL_TOTAL_MISMATCH"
    PIPELINE_ERROR = "PIPELINE_ERROR"
    REJECTED_ROWS = "REJECTED_ROWS"
    PARTIAL_COVERAGE = "PARTIAL_COVERAGE"
    LATE = "LATE"
    INCOMPLETE_INPUT = "INCOMPLETE_INPUT"
    SILENT_REVISION = "SILENT_REVISION"
    REVISION_SKIPPED = "REVISION_SKIPPED"
    RUN_FAILED = "RUN_FAILED"
    DAMAGED = "DAMAGED"

    def __str__(self) -> str:
        return self.value


OF_FAILURES = frozenset(
    {
        Category.SOURCE_UNAVAILABLE,
        Category.SOURCE_REJECTED,
        Category.BAD_DATA,
        Category.CONTROL_TOTAL_MISMATCH,
        Category.PIPELINE_ERROR,
    }
)
OF_INGESTION = OF_FAILURES | {
    Category.INCOMPLETE_INPUT,
    Category.LATE,
    Category.SILENT_REVISION,
    Category.REVISION_SKIPPED,
}
OF_NORMALIZATION = OF_FAILURES | {Category.REJECTED_ROWS}
OF_COVERAGE = frozenset({Category.PARTIAL_COVERAGE})
OF_WEEKS = frozenset({Category.INCOMPLETE_INPUT})
"""What the checks of a run look for. What others found stays until their own check passes."""

Detail = str | int | float | bool | None
Details = Mapping[str, Detail]
"""Facts behind a finding, for machines: names and scalar values."""


def _plain(details: Details) -> dict[str, Detail]:
    return dict(details)


@frozen
class Anomaly:
    """One finding about one subject at one stage."""

    severity: Severity
    category: Category
    scope: Scope
    stage: Stage
    message: str
    details: Mapping[str, str | int | float | bool | None] = field(factory=dict, converter=_plain, hash=False)

    @property
    def fingerprint(self) -> str:
        """16 hex digits, the same for the same finding in every run. Message, details and severity do not count."""
        text = "\n".join((DOMAIN, self.category.value, self.scope.key, self.stage.value))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@frozen
class Check:
    """What one check of one subject at one stage found.

    looks_for: the categories that it looks for; None means all. What was found before in one of these, and is not found
    now, is resolved.
    """

    scope: Scope
    stage: Stage
    found: tuple[Anomaly, ...] = ()
    looks_for: frozenset[Category] | None = None


@frozen
class Acknowledgment:
    """A person's word that an anomaly is known. It holds through the day `until`; None means for ever."""

    reason: str
    at: datetime
    until: date | None = None


@frozen(kw_only=True)
class AnomalyRecord:
    """An anomaly as stored.

    occurrences: how many checks found it. resolved_at: None while it is open. acknowledged: None where nobody did.
    """

    fingerprint: str
    anomaly: Anomaly
    first_seen: datetime
    last_seen: datetime
    occurrences: int
    resolved_at: datetime | None = None
    acknowledged: Acknowledgment | None = None

    @property
    def is_open(self) -> bool:
        """Whether the last check found it."""
        return self.resolved_at is None

    def is_acknowledged(self, on: date) -> bool:
        """Whether a person's acknowledgment holds on this day."""
        given = self.acknowledged
        return given is not None and (given.until is None or on <= given.until)


def settle(checks: Sequence[Check], known: Iterable[AnomalyRecord], at: datetime) -> list[AnomalyRecord]:
    """The anomalies as they are after these checks: the records that changed, and no others.

    known: at least the open anomalies of the checks' scopes, and all anomalies, open or resolved, that have the
    fingerprint of a finding. A finding is opened, renewed if it is open, or reopened if it was resolved. An open
    anomaly of a check's scope and stage is resolved if the check looks for it and did not find it. Of several findings
    with one fingerprint the most severe is kept.
    """
    records = {record.fingerprint: record for record in known}
    opened: dict[tuple[Scope, Stage], set[str]] = {}
    for record in records.values():
        if record.is_open:
            opened.setdefault((record.anomaly.scope, record.anomaly.stage), set()).add(record.fingerprint)
    changed: dict[str, AnomalyRecord] = {}
    for check in checks:
        found = {a.fingerprint: a for a in sorted(check.found, key=_mildest_first)}
        for fingerprint, anomaly in found.items():
            records[fingerprint] = changed[fingerprint] = _seen(records.get(fingerprint), fingerprint, anomaly, at)
            opened.setdefault((anomaly.scope, anomaly.stage), set()).add(fingerprint)
        own = opened.get((check.scope, check.stage), set())
        for fingerprint in own - found.keys():
            if check.looks_for is not None and records[fingerprint].anomaly.category not in check.looks_for:
                continue
            records[fingerprint] = changed[fingerprint] = evolve(records[fingerprint], resolved_at=at)
            own.discard(fingerprint)
    return list(changed.values())


def _seen(known: AnomalyRecord | None, fingerprint: str, anomaly: Anomaly, at: datetime) -> AnomalyRecord:
    if known is None:
        return AnomalyRecord(fingerprint=fingerprint, anomaly=anomaly, first_seen=at, last_seen=at, occurrences=1)
    # An acknowledgment is about what was found then. What comes back after it was resolved, or with other facts, is
    # news.
    acknowledged = known.acknowledged if known.is_open and known.anomaly.details == anomaly.details else None
    return evolve(
        known,
        anomaly=anomaly,
        last_seen=at,
        occurrences=known.occurrences + 1,
        resolved_at=None,
        acknowledged=acknowledged,
    )


_WORST_FIRST = tuple(Severity)


def _mildest_first(anomaly: Anomaly) -> int:
    """The sort key that puts the worst last: of equal keys a dictionary keeps the last."""
    return -_WORST_FIRST.index(anomaly.severity)
