"""The account of one run: what became of each partition, what was found, and the report on it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, datetime

from attrs import evolve

from finra_core.domain.anomalies import Anomaly, Severity, Stage
from finra_core.domain.errors import SourceError
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness
from finra_core.ports import Usage
from finra_core.runs.planning import newest_week_first
from finra_core.runs.report import SCHEMA_VERSION, Outcome, PartitionReport, RunReport, exit_code

log = logging.getLogger("finra_core.run")


class Account:
    """Kept while a run is made; each entry may come more than once."""

    def __init__(self) -> None:
        self._reports: dict[Partition, PartitionReport] = {}
        self._found: dict[str, Anomaly] = {}
        self._expected_usage = Usage()

    def enter(self, report: PartitionReport, found: Iterable[Anomaly] = ()) -> None:
        """Add to a partition's report: what failed stays failed, what was ingested stays so."""
        partition = Partition(report.week_ending, report.tier)
        before = self._reports.get(partition)
        if before is not None:
            kept = report if report.outcome is Outcome.FAILED else before
            report = evolve(kept, stages=before.stages + report.stages, rows=before.rows)
        self._reports[partition] = report
        self.note(found)

    def complete(self, partition: Partition, stage: Stage) -> None:
        """Add a stage to a partition's report, if the run has one of it."""
        before = self._reports.get(partition)
        if before is not None:
            self._reports[partition] = evolve(before, stages=(*before.stages, stage.value))

    def note(self, found: Iterable[Anomaly]) -> None:
        """Count a finding once a run, however often a week-by-week run comes past it."""
        for anomaly in found:
            self._found.setdefault(anomaly.fingerprint, anomaly)

    def expect(self, price: Usage) -> None:
        """Add to what the run that is rehearsed would cost."""
        self._expected_usage += price

    def close(
        self,
        *,
        run_id: str,
        mode: str,
        run_date: date,
        started_at: datetime,
        finished_at: datetime,
        problems: Collection[SourceError],
        readiness: tuple[Readiness, ...],
        usage: Usage,
    ) -> RunReport:
        """The report. A problem of the source that is no partition's, and that none tells, is an ERROR of its own.

        One of a partition that was not asked for is none of this run's.
        """
        told = {report.reason for report in self._reports.values()}
        nobodys = [problem.message for problem in problems if problem.partition is None]
        untold = tuple(message for message in nobodys if message not in told)
        for problem in untold:
            log.error("%s", problem)
        found = Counter(anomaly.severity.value for anomaly in self._found.values())
        found[Severity.ERROR.value] += len(untold)
        counts = {severity.value: found[severity.value] for severity in Severity}
        return RunReport(
            schema_version=SCHEMA_VERSION,
            run_id=run_id,
            mode=mode,
            run_date=run_date,
            started_at=started_at,
            finished_at=finished_at,
            partitions=tuple(self._reports[p] for p in sorted(self._reports, key=newest_week_first)),
            readiness=readiness,
            anomalies=counts,
            problems=untold,
            usage=usage,
            expected_usage=self._expected_usage,
            exit_code=exit_code(counts).value,
        )
