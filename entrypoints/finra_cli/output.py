"""What the commands print on standard output: text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from finra_core.domain.anomalies import Severity
from finra_core.domain.clock import utc_now
from finra_core.domain.failures import ExitCode
from finra_core.ports import Usage
from finra_core.runs.report import SCHEMA_VERSION, Outcome, PartitionReport, RunReport
from finra_core.runs.request import Mode

MONTHLY_ALLOWANCE = 10_000_000_000
"""Bytes of API data a month with FINRA's public credentials (developer.finra.org, fees)."""

_MEANINGS = {ExitCode.SUCCESS: "", ExitCode.PARTIAL: " (partial failure)", ExitCode.CRITICAL: " (critical)"}


def report_text(report: RunReport) -> str:
    """A run's summary, or a dry run's plan, in the document's form."""
    lines = _plan(report) if report.mode == Mode.DRY_RUN.value else _summary(report)
    return "\n".join(lines) + "\n"


def table_text(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> str:
    """Aligned columns under their names; numbers to the right."""
    cells = [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    right = [bool(rows) and all(_is_number(row[name]) for row in rows) for name in columns]
    lines = []
    for row in [list(columns), *cells]:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        lines.append("  ".join(padded).rstrip() + "\n")
    return "".join(lines)


def json_text(value: object) -> str:
    """One JSON document and a line end, in ASCII: no encoding of standard output can break it."""
    return json.dumps(value, indent=2) + "\n"


def failure_text(arguments: Sequence[str], message: str) -> str:
    """What --json prints when the command could not be carried out: of a run, a report like any other."""
    if arguments[:1] != ["run"]:
        return json_text({"schema_version": SCHEMA_VERSION, "error": message, "exit_code": ExitCode.CRITICAL.value})
    return _failed_run(arguments, message).to_json(indent=2) + "\n"


def _failed_run(arguments: Sequence[str], message: str) -> RunReport:
    """The report of a run that ended as a whole. Its run_id is empty: what it got done is the ledger's to say."""
    now = utc_now()
    dry = "dry-run" in arguments or "--mode=dry-run" in arguments
    return RunReport(
        schema_version=SCHEMA_VERSION,
        run_id="",
        mode=(Mode.DRY_RUN if dry else Mode.RUN).value,
        run_date=now.date(),
        started_at=now,
        finished_at=now,
        partitions=(),
        readiness=(),
        anomalies={severity.value: int(severity is Severity.CRITICAL) for severity in Severity},
        problems=(message,),
        usage=Usage(),
        expected_usage=Usage(),
        exit_code=ExitCode.CRITICAL.value,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def _plan(report: RunReport) -> list[str]:
    lines = [f"[DRY-RUN] Would process weeks: {', '.join(_weeks(report)) or 'none'}"]
    lines += [f"[DRY-RUN] {_intention(partition)} ({partition.reason})" for partition in report.partitions]
    ingests, skips = report.count(Outcome.WOULD_INGEST), report.count(Outcome.WOULD_SKIP)
    lines.append(f"[DRY-RUN] Summary: {ingests} ingests, {skips} skips{_rest(report)}")
    if report.expected_usage.requests:
        lines.append(f"[DRY-RUN] Expected cost: {_cost(report.expected_usage)}")
    return [*lines, *_problems(report), "No database writes performed.", _exit_line(report)]


def _intention(partition: PartitionReport) -> str:
    name = f"{partition.week_ending} / {partition.tier}"
    verbs = {Outcome.WOULD_INGEST: "Would ingest", Outcome.WOULD_SKIP: "Would skip"}
    if partition.outcome in verbs:
        return f"{verbs[partition.outcome]} {name}"
    return f"{name}: {partition.outcome.value.replace('_', ' ')}"


def _summary(report: RunReport) -> list[str]:
    total = len(report.partitions)
    failed = report.count(Outcome.FAILED)
    counts = [
        f"Weeks processed: {len(_weeks(report))}",
        f"Partitions ingested: {report.count(Outcome.INGESTED)} / {total} (revision detected)",
        f"Partitions skipped: {report.count(Outcome.SKIPPED)} / {total} (unchanged)",
        f"Partitions failed: {failed} / {total}" if failed else f"Failures: {len(report.problems)}",
    ]
    for outcome, name in ((Outcome.NOT_DUE, "not due"), (Outcome.LATE, "late")):
        if report.count(outcome):
            counts.append(f"Partitions {name}: {report.count(outcome)} / {total}")
    ready = sum(readiness.is_ready for readiness in report.readiness)
    counts.append(f"Weeks ready: {ready} / {len(report.readiness)}")
    found = ", ".join(f"{report.anomalies[severity.value]} {severity}" for severity in Severity)
    counts.append(f"Anomalies: {found}")
    if report.usage.requests:
        counts.append(f"Cost: {_cost(report.usage)}")
    return ["[SUMMARY]", *counts, *_problems(report), _exit_line(report)]


def _weeks(report: RunReport) -> list[str]:
    return [str(week) for week in dict.fromkeys(partition.week_ending for partition in report.partitions)]


def _rest(report: RunReport) -> str:
    names = {Outcome.FAILED: "failed", Outcome.NOT_DUE: "not due", Outcome.LATE: "late"}
    return "".join(f", {report.count(o)} {name}" for o, name in names.items() if report.count(o))


def _problems(report: RunReport) -> list[str]:
    return [f"Problem: {problem}" for problem in report.problems]


def _cost(usage: Usage) -> str:
    """Requests, bytes, and their part of the 10 GB a month that FINRA's public credentials include."""
    share = usage.bytes_received / MONTHLY_ALLOWANCE
    return f"{usage.requests:,} requests, {usage.bytes_received / 1e6:,.1f} MB ({share:.2%} of a 10 GB month)"


def _exit_line(report: RunReport) -> str:
    return f"Exit code: {report.exit_code}{_MEANINGS[ExitCode(report.exit_code)]}"
