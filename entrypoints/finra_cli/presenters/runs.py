"""What `finra runs` shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from attrs import frozen

from finra_cli.output import Cell, Page, Tone, Toned, minute
from finra_cli.paragraphs import paragraph
from finra_cli.presenters.decisions import evidence_text
from finra_cli.presenters.run import report_page
from finra_cli.suggestions import did_you_mean
from finra_core.domain.anomalies import Severity
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.revision import Action, Evidence, Rule
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier
from finra_core.ports.store import DecisionRecord, RunRecord
from finra_core.runs.report import Outcome, RunReport
from finra_core.runs.targets import newest_week_first

_SHOWN = 8
"""Characters of a run's id in a list."""
_TONES = {0: Tone.GOOD, 1: Tone.WAITING, 2: Tone.BAD}


@frozen(kw_only=True)
class DecidedRow:
    """A decision on a partition, and what it rests on."""

    week_ending: date
    tier: Tier
    action: Action
    rule: Rule
    reason: str
    evidence: Evidence
    decided_at: datetime


@frozen(kw_only=True)
class RunRow:
    """A run. finished_at, seconds, exit_code and report: null while it runs, and if it was killed.

    outcomes: how many partitions ended so. decisions: those that it recorded, newest week first, then in tier order;
    null where several runs are listed. The report has findings and judgments.
    """

    run_id: str
    mode: str
    run_date: date
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None
    exit_code: int | None
    outcomes: Mapping[Outcome, int]
    report: RunReport | None
    decisions: tuple[DecidedRow, ...] | None


@frozen(kw_only=True)
class Runs:
    """The runs, latest first."""

    runs: tuple[RunRow, ...]


def one_run(records: Sequence[RunRecord], run_id: str, url: str) -> RunRecord:
    """The run whose id begins so.

    Raises:
        ConfigurationError: none does, or several do.
    """
    found = [record for record in records if record.run_id.startswith(run_id)]
    if not found:
        # Of a beginning with a slip, the beginning that was meant.
        length = max(len(run_id), _SHOWN)
        hint = did_you_mean(run_id, [record.run_id[:length] for record in records]) or ": `finra runs` lists them"
        raise ConfigurationError(f"{url} has no run {run_id!r}{hint}")
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} runs begin with {run_id!r}: give more of the one that you mean")
    return found[0]


def runs_of(records: Iterable[RunRecord]) -> Runs:
    """The document for a list of runs."""
    return Runs(runs=tuple(_row(record, None) for record in records))


def run_of(record: RunRecord, decisions: Iterable[DecisionRecord]) -> Runs:
    """The document for one run."""
    in_order = sorted(decisions, key=lambda each: newest_week_first(each.partition))
    return Runs(runs=(_row(record, tuple(map(_decided, in_order))),))


def _row(record: RunRecord, decisions: tuple[DecidedRow, ...] | None) -> RunRow:
    report = RunReport.from_json(record.report_json) if record.report_json is not None else None
    took = None if record.finished_at is None else record.finished_at - record.started_at
    return RunRow(
        run_id=record.run_id,
        mode=record.mode,
        run_date=record.run_date,
        started_at=record.started_at,
        finished_at=record.finished_at,
        seconds=None if took is None else took.total_seconds(),
        exit_code=record.exit_code,
        outcomes=Counter(partition.outcome for partition in report.partitions) if report else {},
        report=report,
        decisions=decisions,
    )


def _decided(record: DecisionRecord) -> DecidedRow:
    return DecidedRow(
        week_ending=record.partition.week_ending,
        tier=record.partition.tier,
        action=record.decision.action,
        rule=record.decision.rule,
        reason=record.reason,
        evidence=record.decision.evidence,
        decided_at=record.decided_at,
    )


# The pages --------------------------------------------------------------------------------------------


def runs_page(found: Runs, url: str) -> Page:
    """A row for each run."""
    page = Page()
    if found.runs:
        columns = ("started_at", "run", "mode", "took", "exit", "ingested", "skipped", "failed", "other")
        page.table(columns, [_cells(row) for row in found.runs])
    else:
        page.line(f"{url} has no runs yet: `finra run` makes one.")
    return page


def _cells(row: RunRow) -> list[Cell]:
    exit_code = Toned("-", Tone.BAD) if row.exit_code is None else Toned(str(row.exit_code), _TONES[row.exit_code])
    shown = (Outcome.INGESTED, Outcome.SKIPPED, Outcome.FAILED)
    others = sum(number for outcome, number in row.outcomes.items() if outcome not in shown)
    counts: list[Cell] = [row.outcomes.get(outcome, 0) for outcome in shown]
    known = [*counts, others] if row.report is not None else [None] * 4
    return [minute(row.started_at), row.run_id[:_SHOWN], row.mode, _duration(row), exit_code, *known]


def _duration(row: RunRow) -> str | None:
    if row.seconds is None:
        return None
    seconds = round(row.seconds)
    return f"{seconds // 60}m{seconds % 60:02}s" if seconds >= 60 else f"{seconds}s"  # noqa: PLR2004  a minute


def run_page(row: RunRow) -> Page:
    """Everything about one run, for 80 columns. What became of it comes last, as it does when a run ends."""
    page = Page()
    took = "not finished" if row.finished_at is None else f"took {_duration(row)}"
    page.line(f"Run {row.run_id}", Tone.HEADING)
    page.line(f"{row.mode}, began {minute(row.started_at)}, run date {row.run_date}, {took}")
    page.line("")
    page.line(f"Decisions: {len(row.decisions or ()) or 'none'}", Tone.HEADING)
    for decided in row.decisions or ():
        page.line(f"  {decided.week_ending} / {decided.tier}: {decided.action} by {decided.rule}")
        paragraph(page, decided.reason, indent=4)
        if evidence := evidence_text(decided.evidence):
            paragraph(page, evidence, indent=4, tone=Tone.ASIDE)
    page.line("")
    if row.report is None:
        page.line(f"{row.run_id} has not finished: it is at work or was killed;")
        page.line("the next run does what it left.")
        return page
    _show_findings(page, row.report)
    _show_judgments(page, row.report)
    for part in report_page(row.report).parts:
        if isinstance(part, Toned):
            paragraph(page, part.text, tone=part.tone)
    return page


def _show_findings(page: Page, report: RunReport) -> None:
    page.line(f"Findings: {len(report.findings) or 'none'}", Tone.HEADING)
    for finding in report.findings:
        about = str(Scope(finding.week_ending, finding.tier))
        tone = Tone.BAD if finding.severity in (Severity.CRITICAL, Severity.ERROR) else Tone.WAITING
        page.line(f"  {finding.severity} {finding.category}, {about}, {finding.fingerprint[:8]}", tone)
        paragraph(page, finding.message, indent=4)
    page.line("")


def _show_judgments(page: Page, report: RunReport) -> None:
    page.line(f"Judgments: {len(report.readiness) or 'none'}", Tone.HEADING)
    for readiness in report.readiness:
        waits = f"not before {readiness.ready_on}" if readiness.ready_on else "not ready"
        verdict = "ready" if readiness.is_ready else waits
        why = "".join(f"; {issue.message}" for issue in readiness.blocking_issues)
        text = f"{readiness.week_ending}: {verdict} for {readiness.ready_for}{why}"
        paragraph(page, text, indent=2, tone=Tone.GOOD if readiness.is_ready else Tone.PLAIN)
    page.line("")
