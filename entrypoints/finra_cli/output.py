"""What the commands print on standard output: text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TextIO

from finra_core.anomalies import Severity
from finra_core.failures import ExitCode
from finra_core.ports import Usage
from finra_core.report import Outcome, PartitionReport, RunReport
from finra_core.request import Mode

MONTHLY_ALLOWANCE = 10_000_000_000
"""Bytes of API data a month with FINRA's public credentials (developer.finra.org, fees)."""

_MEANINGS = {ExitCode.SUCCESS: "", ExitCode.PARTIAL: " (partial failure)", ExitCode.CRITICAL: " (critical)"}


def print_report(report: RunReport, out: TextIO) -> None:
    """A run's summary, or a dry run's plan, in the document's form."""
    lines = _plan(report) if report.mode == Mode.DRY_RUN.value else _summary(report)
    out.write("\n".join(lines) + "\n")


def print_table(rows: Sequence[Mapping[str, object]], columns: Sequence[str], out: TextIO) -> None:
    """Aligned columns under their names; numbers to the right."""
    cells = [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    right = [bool(rows) and all(isinstance(row[name], int) for row in rows) for name in columns]
    for row in [list(columns), *cells]:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        out.write("  ".join(padded).rstrip() + "\n")


def print_json(value: object, out: TextIO) -> None:
    """One JSON document and a line end."""
    json.dump(value, out, ensure_ascii=False, indent=2, default=str)
    out.write("\n")


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
        f"Partitions failed: {failed} / {total}" if failed else "Failures: 0",
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
