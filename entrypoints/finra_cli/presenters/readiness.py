"""What `finra readiness` shows."""

from __future__ import annotations

from datetime import date

from attrs import frozen

from finra_cli.output import Cell, Page, Tone, Toned
from finra_core.domain.readiness import Readiness
from finra_core.history.status import Known, Verdict, WeekStatus, status


@frozen(kw_only=True)
class Judgment:
    """A judgment on a week. ready_on: the day on which a week that only waits for FINRA can be ready, else null."""

    week_ending: date
    ready_for: str
    is_ready: bool
    ready_on: date | None
    all_partitions_present: bool
    all_stages_complete: bool
    no_critical_anomalies: bool
    no_rejected_rows: bool
    blocking_issues: tuple[str, ...]


@frozen(kw_only=True)
class Judgments:
    """The judgments, newest week first."""

    weeks: tuple[Judgment, ...]


def judgments_of(known: Known, ready_for: str, week: date | None, on: date) -> Judgments:
    """The stored judgments for this use (on this week), and what the day `on` makes of those that wait."""
    now = {found.week_ending: found for found in status(known, on).weeks}
    return Judgments(
        weeks=tuple(
            _judgment(judgment, now.get(judgment.week_ending))
            for judgment in known.judgments
            if judgment.ready_for == ready_for and week in (None, judgment.week_ending)
        )
    )


def _judgment(judgment: Readiness, now: WeekStatus | None) -> Judgment:
    waiting = now is not None and now.verdict is Verdict.WAITING
    return Judgment(
        week_ending=judgment.week_ending,
        ready_for=judgment.ready_for,
        is_ready=judgment.is_ready,
        ready_on=now.ready_on if now is not None and waiting else None,
        all_partitions_present=judgment.all_partitions_present,
        all_stages_complete=judgment.all_stages_complete,
        no_critical_anomalies=judgment.no_critical_anomalies,
        no_rejected_rows=judgment.no_rejected_rows,
        blocking_issues=judgment.blocking_issues,
    )


def readiness_page(found: Judgments, url: str, week: date | None) -> Page:
    """A row for each judgment."""
    page = Page()
    if not found.weeks:
        which = f"the week ending {week} has" if week is not None else "no week has"
        negated = "not been judged" if week is not None else "been judged"
        page.line(f"{url}: {which} {negated} yet: `finra run` does it.")
        return page
    page.table(
        ("week_ending", "ready_for", "ready", "ready_on", "why_not"), [_row(judgment) for judgment in found.weeks]
    )
    return page


def _row(judgment: Judgment) -> list[Cell]:
    ready = (
        Toned("yes", Tone.GOOD) if judgment.is_ready else Toned("no", Tone.WAITING if judgment.ready_on else Tone.BAD)
    )
    ready_on = str(judgment.ready_on) if judgment.ready_on else None
    return [str(judgment.week_ending), judgment.ready_for, ready, ready_on, "; ".join(judgment.blocking_issues) or None]
