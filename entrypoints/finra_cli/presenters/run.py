"""What `finra run` shows: a run's summary or a dry run's plan, in the document's form."""

from __future__ import annotations

from collections import Counter

from finra_cli.output import Page, Tone, count
from finra_core.domain.anomalies import Severity
from finra_core.domain.failures import ExitCode
from finra_core.domain.revision import Rule
from finra_core.ports.source import Usage
from finra_core.runs.report import Outcome, PartitionReport, RunReport
from finra_core.runs.request import Mode

MONTHLY_ALLOWANCE = 10_000_000_000
"""Bytes of API data a month with FINRA's public credentials (developer.finra.org, fees)."""

_ABSENT = {Outcome.NOT_DUE: "not due", Outcome.LATE: "late", Outcome.NOT_OFFERED: "not offered"}
_MEANINGS = {ExitCode.SUCCESS: "", ExitCode.PARTIAL: " (partial failure)", ExitCode.CRITICAL: " (critical)"}
_TONES = {ExitCode.SUCCESS: Tone.GOOD, ExitCode.PARTIAL: Tone.WAITING, ExitCode.CRITICAL: Tone.BAD}


def report_page(report: RunReport, plan_file: str | None = None) -> Page:
    """The page. What failed, and why, comes last, above the exit code. plan_file: where a dry run's plan was kept."""
    page = Page()
    for line in _plan(report) if report.mode is Mode.DRY_RUN else _summary(report):
        page.line(line)
    if plan_file is not None:
        page.line(
            f"Plan: {plan_file}. With --plan {plan_file} and the same source and store, `finra run` carries it out."
        )
    for line in _failures(report):
        page.line(line, Tone.BAD)
    if report.mode is Mode.DRY_RUN:
        page.line("No database writes performed.")
    code = ExitCode(report.exit_code)
    page.line(f"Exit code: {report.exit_code}{_MEANINGS[code]}", _TONES[code])
    return page


def _plan(report: RunReport) -> list[str]:
    lines = [f"[DRY-RUN] Would process weeks: {', '.join(_weeks(report)) or 'none'}"]
    lines += [f"[DRY-RUN] {_intention(partition)}" for partition in report.partitions]
    ingests, skips = report.count(Outcome.WOULD_INGEST), report.count(Outcome.WOULD_SKIP)
    lines.append(f"[DRY-RUN] Summary: {ingests} ingests, {skips} skips{_rest(report)}")
    if report.expected_usage.requests:
        lines.append(f"[DRY-RUN] Expected cost: {_cost(report.expected_usage)}")
    return lines


def _intention(partition: PartitionReport) -> str:
    name = f"{partition.week_ending} / {partition.tier}"
    verbs = {Outcome.WOULD_INGEST: "Would ingest", Outcome.WOULD_SKIP: "Would skip"}
    if partition.outcome in verbs:
        return f"{verbs[partition.outcome]} {name} ({partition.reason})"
    outcome = partition.outcome.value.replace("_", " ")
    return f"{name}: {outcome} ({partition.reason.removeprefix(f'{outcome}: ')})"


def _summary(report: RunReport) -> list[str]:
    total, first = len(report.partitions), _first_captures(report)
    failed = report.count(Outcome.FAILED)
    how = "first capture" if first == total > 0 else "revision detected"
    counts = [
        f"Weeks processed: {len(_weeks(report))}",
        f"Partitions ingested: {report.count(Outcome.INGESTED)} / {total} ({how})",
        *([f"First captures among them: {first}"] if 0 < first < total else []),
        f"Partitions skipped: {report.count(Outcome.SKIPPED)} / {total} (unchanged)",
        *_left_out(report),
        f"Partitions failed: {failed} / {total}" if failed else f"Failures: {len(report.problems)}",
    ]
    counts += [f"Partitions {name}: {report.count(o)} / {total}" for o, name in _ABSENT.items() if report.count(o)]
    ready = sum(readiness.is_ready for readiness in report.readiness)
    counts.append(f"Weeks ready: {ready} / {len(report.readiness)}")
    found = ", ".join(f"{report.anomalies[severity.value]} {severity}" for severity in Severity)
    counts.append(f"Anomalies: {found}")
    if report.usage.requests:
        counts.append(f"Cost: {_cost(report.usage)}")
    return ["[SUMMARY]", *counts]


def _left_out(report: RunReport) -> list[str]:
    """How many of the skipped partitions were not looked at."""
    number = sum(partition.rule is Rule.OVER_BUDGET for partition in report.partitions)
    return [f"Checks left to a later run among them: {number} (no bytes left in the budget)"] if number else []


def _first_captures(report: RunReport) -> int:
    """How many of the ingested partitions had no capture before."""
    return sum(
        partition.outcome is Outcome.INGESTED and partition.rule is Rule.FIRST_CAPTURE
        for partition in report.partitions
    )


def _weeks(report: RunReport) -> list[str]:
    return [str(week) for week in dict.fromkeys(partition.week_ending for partition in report.partitions)]


def _rest(report: RunReport) -> str:
    names = {Outcome.FAILED: "failed", **_ABSENT}
    return "".join(f", {report.count(o)} {name}" for o, name in names.items() if report.count(o))


def _failures(report: RunReport) -> list[str]:
    """What the source could not offer, and each cause of failed partitions once, with how many it failed."""
    failed = [partition for partition in report.partitions if partition.outcome is Outcome.FAILED]
    causes = Counter(_cause(partition) for partition in failed)
    return [
        *(f"Problem: {problem}" for problem in report.problems),
        *(f"Failed: {count(number, 'partition')}: {cause}" for cause, number in causes.most_common()),
    ]


def _cause(partition: PartitionReport) -> str:
    """The reason without the partition's name, so that those of one cause are alike."""
    return partition.reason.removeprefix(f"{partition.week_ending} / {partition.tier}: ")


def _cost(usage: Usage) -> str:
    """Requests, bytes, and their part of the 10 GB a month that FINRA's public credentials include."""
    share = usage.bytes_received / MONTHLY_ALLOWANCE
    return f"{count(usage.requests, 'request')}, {usage.bytes_received / 1e6:,.1f} MB ({share:.2%} of a 10 GB month)"
