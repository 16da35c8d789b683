"""What `finra readiness` shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from attrs import frozen

from finra_cli.output import Cell, Page, Tone, Toned
from finra_core.domain.readiness import BlockingIssue, Judgment


@frozen(kw_only=True)
class JudgmentRow:
    """A judgment on a week. ready_on: the day on which a week that only waits for FINRA can be ready, else null.

    judged_at: since when it holds.
    """

    week_ending: date
    ready_for: str
    is_ready: bool
    ready_on: date | None
    all_partitions_present: bool
    all_stages_complete: bool
    no_critical_anomalies: bool
    no_rejected_rows: bool
    no_partial_coverage: bool
    blocking_issues: tuple[BlockingIssue, ...]
    judged_at: datetime


@frozen(kw_only=True)
class Judgments:
    """The judgments, newest week first."""

    weeks: tuple[JudgmentRow, ...]


def judgments_of(judgments: Iterable[Judgment]) -> Judgments:
    """The document."""
    return Judgments(weeks=tuple(map(_row, judgments)))


def _row(judgment: Judgment) -> JudgmentRow:
    readiness = judgment.readiness
    return JudgmentRow(
        week_ending=readiness.week_ending,
        ready_for=readiness.ready_for,
        is_ready=readiness.is_ready,
        ready_on=readiness.ready_on,
        all_partitions_present=readiness.all_partitions_present,
        all_stages_complete=readiness.all_stages_complete,
        no_critical_anomalies=readiness.no_critical_anomalies,
        no_rejected_rows=readiness.no_rejected_rows,
        no_partial_coverage=readiness.no_partial_coverage,
        blocking_issues=readiness.blocking_issues,
        judged_at=judgment.judged_at,
    )


def readiness_page(found: Judgments, url: str, ready_for: str, week: date | None) -> Page:
    """A row for each judgment."""
    page = Page()
    if found.weeks:
        page.table(("week_ending", "ready_for", "ready", "ready_on", "why_not"), [_cells(row) for row in found.weeks])
    elif week is None:
        page.line(f"{url}: no week has been judged for {ready_for} yet: `finra run` does it.")
    else:
        page.line(f"{url}: the week ending {week} has not been judged for {ready_for} yet: `finra run` does it.")
    return page


def _cells(row: JudgmentRow) -> list[Cell]:
    ready = Toned("yes", Tone.GOOD) if row.is_ready else Toned("no", Tone.WAITING if row.ready_on else Tone.BAD)
    why_not = "; ".join(issue.message for issue in row.blocking_issues)
    return [str(row.week_ending), row.ready_for, ready, str(row.ready_on) if row.ready_on else None, why_not or None]
