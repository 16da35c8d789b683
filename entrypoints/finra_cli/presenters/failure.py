"""What --json prints when a command could not be carried out: of a run, a report like any other."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from finra_cli.output import json_text
from finra_core.domain.anomalies import Severity
from finra_core.domain.clock import utc_now
from finra_core.domain.failures import ExitCode
from finra_core.ports.source import Usage
from finra_core.runs.report import SCHEMA_VERSION, RunReport
from finra_core.runs.request import Mode


@frozen(kw_only=True)
class Failure:
    """Why the command ended as critical."""

    error: str
    exit_code: int


def failure_text(arguments: Sequence[str], message: str) -> str:
    """The document for the command line that failed so."""
    if arguments[:1] == ["run"]:
        return json_text(_failed_run(arguments, message))
    return json_text(Failure(error=message, exit_code=ExitCode.CRITICAL.value))


def _failed_run(arguments: Sequence[str], message: str) -> RunReport:
    """The report of a run that ended as a whole. Its run_id is empty: what it got done is the ledger's to say."""
    now = utc_now()
    dry = "dry-run" in arguments or "--mode=dry-run" in arguments
    return RunReport(
        schema_version=SCHEMA_VERSION,
        run_id="",
        mode=Mode.DRY_RUN if dry else Mode.RUN,
        run_date=now.date(),
        started_at=now,
        finished_at=now,
        partitions=(),
        readiness=(),
        anomalies={severity.value: int(severity is Severity.CRITICAL) for severity in Severity},
        findings=(),
        problems=(message,),
        sweep=None,
        usage=Usage(),
        expected_usage=Usage(),
        exit_code=ExitCode.CRITICAL.value,
    )
