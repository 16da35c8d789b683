"""What a run noticed: severities, categories, and the fingerprint by which a recurrence is recognized."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import Enum

from attrs import Factory, frozen

from finra_core.domain.partitions import DOMAIN


class Severity(str, Enum):
    """How much a finding matters, worst first: abort the run, fail the partition, note, audit."""

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
    LATE = "LATE"
    INCOMPLETE_INPUT = "INCOMPLETE_INPUT"
    SILENT_REVISION = "SILENT_REVISION"
    REVISION_SKIPPED = "REVISION_SKIPPED"

    def __str__(self) -> str:
        return self.value


@frozen
class Anomaly:
    """One finding about one partition (or week, or source file) at one stage.

    partition_key: the JSON text of `finra_core.domain.partitions`, or another JSON object naming what it concerns.
    """

    severity: Severity
    category: Category
    partition_key: str
    stage: Stage
    message: str
    details: Mapping[str, object] = Factory(dict)

    @property
    def fingerprint(self) -> str:
        """16 hex digits, equal for the same finding of any run: its message and details may differ."""
        text = "\n".join((DOMAIN, self.category.value, self.partition_key, self.stage.value))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@frozen
class Check:
    """What one check of one thing at one stage found. What it found before and does not find now is resolved."""

    partition_key: str
    stage: Stage
    found: tuple[Anomaly, ...] = ()


@frozen(kw_only=True)
class AnomalyRecord:
    """An anomaly as stored: `occurrences` counts the runs that found it; `resolved_at` is None while it is open."""

    fingerprint: str
    anomaly: Anomaly
    first_seen: datetime
    last_seen: datetime
    occurrences: int
    resolved_at: datetime | None
