"""What a run did to each partition and why, what it found, and its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING

from attrs import frozen

from finra_core.domain.anomalies import Severity
from finra_core.domain.failures import ExitCode
from finra_core.domain.readiness import Readiness
from finra_core.domain.tiers import Tier
from finra_core.domain.timestamps import parse_utc_text, utc_text
from finra_core.ports import Usage

if TYPE_CHECKING:
    from cattrs.preconf.json import JsonConverter

SCHEMA_VERSION = 1


class Outcome(str, Enum):
    """What became of a partition. The would_ forms are a dry run's."""

    INGESTED = "ingested"
    SKIPPED = "skipped"
    FAILED = "failed"
    NOT_DUE = "not_due"
    LATE = "late"
    WOULD_INGEST = "would_ingest"
    WOULD_SKIP = "would_skip"


@frozen(kw_only=True)
class PartitionReport:
    """One partition's outcome. rows: of the capture that this run ingested, else None.

    capture_id and revision: of that capture, or of the newest one when nothing was ingested, None where
    there is none. stages: those that this run completed, in order.
    """

    week_ending: date
    tier: Tier
    outcome: Outcome
    reason: str
    capture_id: str | None = None
    revision: int | None = None
    rows: int | None = None
    stages: tuple[str, ...] = ()


@frozen(kw_only=True)
class RunReport:
    """A run's report. partitions: newest week first, then in tier order; readiness: newest week first.

    anomalies: how many findings of each severity this run made. problems: what the source holds but could
    not offer as any partition. usage: what the source cost, or in a dry run, what it would cost besides.
    """

    schema_version: int
    run_id: str
    mode: str
    run_date: date
    started_at: datetime
    finished_at: datetime
    partitions: tuple[PartitionReport, ...]
    readiness: tuple[Readiness, ...]
    anomalies: Mapping[str, int]
    problems: tuple[str, ...]
    usage: Usage
    expected_usage: Usage
    exit_code: int

    def count(self, outcome: Outcome) -> int:
        """How many partitions ended so."""
        return sum(partition.outcome is outcome for partition in self.partitions)

    def to_json(self, indent: int | None = None) -> str:
        """The report as JSON, by the field names above; dates and times in ISO 8601, times UTC with Z."""
        return str(_converter().dumps(self, indent=indent))

    @classmethod
    def from_json(cls, text: str) -> RunReport:
        """The inverse of `to_json`."""
        return _converter().loads(text, cls)


def _converter() -> JsonConverter:
    from cattrs.preconf.json import make_converter  # noqa: PLC0415  a run that prints no JSON need not import it

    converter = make_converter()
    converter.register_unstructure_hook(datetime, utc_text)
    converter.register_structure_hook(datetime, lambda text, _type: parse_utc_text(text))
    return converter


def exit_code(anomalies: Mapping[str, int]) -> ExitCode:
    """What these findings make of the run. CRITICAL failures of the run itself end it by an exception instead."""
    return ExitCode.PARTIAL if anomalies[Severity.ERROR.value] else ExitCode.SUCCESS
