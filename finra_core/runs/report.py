"""What a run did to each partition and why, what it found, and its exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum

from attrs import define, evolve, field, frozen

from finra_core.domain.anomalies import Anomaly, Severity, Stage
from finra_core.domain.captures import Capture
from finra_core.domain.failures import ExitCode
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness
from finra_core.domain.revision import Action, CaptureRef, Decision, Rule
from finra_core.domain.tiers import Tier
from finra_core.ports.source import Usage
from finra_core.runs.plan import Origin, Plan, PlannedPartition, SweepPlan
from finra_core.runs.request import Mode
from finra_core.runs.targets import newest_week_first
from finra_core.runs.wording import reason

SCHEMA_VERSION = 2


class Outcome(str, Enum):
    """What became of a partition. WOULD_INGEST and WOULD_SKIP are for dry runs."""

    INGESTED = "ingested"
    SKIPPED = "skipped"
    FAILED = "failed"
    NOT_DUE = "not_due"
    LATE = "late"
    NOT_OFFERED = "not_offered"
    WOULD_INGEST = "would_ingest"
    WOULD_SKIP = "would_skip"

    def __str__(self) -> str:
        return self.value


@frozen(kw_only=True)
class PartitionReport:
    """One partition's outcome. rule: what decided it. rows: of the capture that this run ingested, else None.

    capture_id and revision: of that capture, or of the newest one if nothing was ingested; None where there is none.
    stages: those that this run completed, in order.
    """

    week_ending: date
    tier: Tier
    outcome: Outcome
    reason: str
    rule: Rule | None = None
    origin: Origin = Origin.ASKED
    capture_id: str | None = None
    revision: int | None = None
    rows: int | None = None
    stages: tuple[Stage, ...] = ()

    @property
    def partition(self) -> Partition:
        """What it is about."""
        return Partition(self.week_ending, self.tier)


@frozen(kw_only=True)
class Finding:
    """An anomaly that the run found, as the report shows it; INFO is counted and not listed."""

    severity: Severity
    category: str
    stage: Stage
    week_ending: date | None
    tier: str | None
    message: str
    fingerprint: str

    @classmethod
    def of(cls, anomaly: Anomaly) -> Finding:
        """What the report shows of this anomaly."""
        return cls(
            severity=anomaly.severity,
            category=anomaly.category.value,
            stage=anomaly.stage,
            week_ending=anomaly.scope.week_ending,
            tier=anomaly.scope.tier,
            message=anomaly.message,
            fingerprint=anomaly.fingerprint,
        )


@frozen(kw_only=True)
class RunReport:
    """A run's report. partitions: newest week first, then in tier order; readiness: newest week first.

    anomalies: how many findings of each severity this run had. findings: those above INFO. problems: what the source
    holds and could not offer as a partition. usage: what the source has cost so far. expected_usage: what the plan
    expected the fetches to cost.
    """

    schema_version: int
    run_id: str
    mode: Mode
    run_date: date
    started_at: datetime
    finished_at: datetime
    partitions: tuple[PartitionReport, ...]
    readiness: tuple[Readiness, ...]
    anomalies: Mapping[str, int]
    findings: tuple[Finding, ...]
    problems: tuple[str, ...]
    sweep: SweepPlan | None
    usage: Usage
    expected_usage: Usage
    exit_code: int

    def count(self, outcome: Outcome) -> int:
        """How many partitions had this outcome."""
        return sum(partition.outcome is outcome for partition in self.partitions)

    def to_json(self, indent: int | None = None) -> str:
        """The report as JSON, by the field names above; dates and times in ISO 8601, times UTC with Z."""
        from finra_core.runs.serialization import to_json  # noqa: PLC0415  a run that prints no JSON need not import it

        return to_json(self, indent=indent)

    @classmethod
    def from_json(cls, text: str) -> RunReport:
        """The inverse of `to_json`.

        Raises:
            ConfigurationError: the text is no report.
        """
        from finra_core.runs.serialization import from_json  # noqa: PLC0415  as above

        return from_json(text, cls)


@define
class Tally:
    """What became of each partition so far, and what was found. Both may be entered more than once."""

    _reports: dict[Partition, PartitionReport] = field(factory=dict)
    _found: dict[str, Anomaly] = field(factory=dict)

    def enter(self, report: PartitionReport, found: Iterable[Anomaly] = ()) -> None:
        """Add to a partition's report. What failed stays failed, and what was ingested stays ingested."""
        before = self._reports.get(report.partition)
        if before is not None:
            if report.outcome is Outcome.FAILED:
                before = evolve(before, outcome=report.outcome, reason=report.reason)
            report = evolve(before, stages=before.stages + report.stages)
        self._reports[report.partition] = report
        self.note(found)

    def complete(self, partition: Partition, stage: Stage) -> None:
        """Add a stage to a partition's report, if the run has one of it."""
        before = self._reports.get(partition)
        if before is not None:
            self._reports[partition] = evolve(before, stages=(*before.stages, stage))

    def note(self, found: Iterable[Anomaly]) -> list[Anomaly]:
        """Count findings, each once, however often a week-by-week run comes past it. Returns those that are new."""
        new = [anomaly for anomaly in found if anomaly.fingerprint not in self._found]
        self._found.update((anomaly.fingerprint, anomaly) for anomaly in new)
        return new

    def close(
        self,
        plan: Plan,
        *,
        run_id: str,
        mode: Mode,
        started_at: datetime,
        finished_at: datetime,
        readiness: tuple[Readiness, ...],
        usage: Usage,
    ) -> RunReport:
        """The report. A problem of the source that no partition's report has is an ERROR of its own."""
        told = {report.reason for report in self._reports.values()}
        untold = [problem for problem in plan.problems if problem.message not in told]
        found = Counter(anomaly.severity for anomaly in self._found.values())
        # A problem with a place is a finding like any other. One without is counted here alone.
        found[Severity.ERROR] += sum(problem.place is None for problem in untold)
        return RunReport(
            schema_version=SCHEMA_VERSION,
            run_id=run_id,
            mode=mode,
            run_date=plan.run_date,
            started_at=started_at,
            finished_at=finished_at,
            partitions=tuple(self._reports[p] for p in sorted(self._reports, key=newest_week_first)),
            readiness=readiness,
            anomalies={severity.value: found[severity] for severity in Severity},
            findings=tuple(Finding.of(a) for a in self._found.values() if a.severity is not Severity.INFO),
            problems=tuple(problem.message for problem in untold),
            sweep=plan.sweep,
            usage=usage,
            expected_usage=plan.expected_usage,
            exit_code=exit_code(found).value,
        )


def exit_code(found: Mapping[Severity, int]) -> ExitCode:
    """The exit code of a run with these findings. A CRITICAL failure of the run itself ends it with an exception."""
    return ExitCode.PARTIAL if found[Severity.ERROR] else ExitCode.SUCCESS


def outcome_of(decision: Decision, *, rehearsed: bool = False) -> Outcome:
    """The outcome of a partition with this decision. rehearsed: in a dry run."""
    if decision.action is Action.FAIL:
        return Outcome.FAILED
    if decision.action is Action.WAIT:
        return {Rule.LATE: Outcome.LATE, Rule.NOT_OFFERED: Outcome.NOT_OFFERED}.get(decision.rule, Outcome.NOT_DUE)
    if decision.action is Action.SKIP:
        would_skip = rehearsed and decision.rule is not Rule.NO_LONGER_OFFERED
        return Outcome.WOULD_SKIP if would_skip else Outcome.SKIPPED
    return Outcome.WOULD_INGEST if rehearsed else Outcome.INGESTED


def planned_report(planned: PlannedPartition, *, rehearsed: bool = False) -> PartitionReport:
    """The report of a partition by its plan alone."""
    return _report(planned.partition, planned.decision, planned.latest, planned.origin, rehearsed=rehearsed)


def ingested_report(planned: PlannedPartition, decision: Decision, capture: Capture | None) -> PartitionReport:
    """The report of a partition that was fetched. capture: what was stored of it, None where nothing was."""
    if capture is None:
        return _report(planned.partition, decision, decision.evidence.latest or planned.latest, planned.origin)
    report = _report(planned.partition, decision, CaptureRef.of(capture), planned.origin)
    return evolve(report, rows=capture.row_count, stages=(Stage.RAW,))


def finished_report(capture: Capture, *, failure: str | None = None) -> PartitionReport:
    """The report of a capture that an earlier run left without records. failure: why it still has none."""
    return PartitionReport(
        week_ending=capture.partition.week_ending,
        tier=capture.partition.tier,
        outcome=Outcome.SKIPPED if failure is None else Outcome.FAILED,
        reason="finished what an earlier run left" if failure is None else failure,
        capture_id=capture.capture_id,
        revision=capture.revision,
    )


def _report(
    partition: Partition, decision: Decision, latest: CaptureRef | None, origin: Origin, *, rehearsed: bool = False
) -> PartitionReport:
    return PartitionReport(
        week_ending=partition.week_ending,
        tier=partition.tier,
        outcome=outcome_of(decision, rehearsed=rehearsed),
        reason=reason(decision),
        rule=decision.rule,
        origin=origin,
        capture_id=latest.capture_id if latest else None,
        revision=latest.revision if latest else None,
    )
