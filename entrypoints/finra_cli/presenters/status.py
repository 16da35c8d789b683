"""What `finra status` shows."""

from __future__ import annotations

from finra_cli.output import Cell, Page, Tone, Toned, count, minute
from finra_core.domain.readiness import IssueKind
from finra_core.domain.tiers import TIERS
from finra_core.history.status import Gap, LastRun, NextDue, Progress, Status, TierStatus, Totals, Verdict, WeekStatus

SHOWN = 12
"""Weeks that are shown unless all are asked for."""

_ABSENT = (IssueKind.WAITING_FOR_TIER, IssueKind.MISSING_TIER)
_TONES = {Verdict.READY: Tone.GOOD, Verdict.WAITING: Tone.WAITING, Verdict.BLOCKED: Tone.BAD}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def status_page(status: Status, url: str, *, every_week: bool) -> Page:
    """The page. every_week: whether old weeks are shown too."""
    page = Page()
    page.line(f"Last run: {_last_run(status.last_run)}")
    page.line(f"Next due: {_next_due(status.next_due)}")
    if not status.weeks:
        page.line(f"{url} holds no captures yet: `finra run` brings them.")
        return page
    shown = status.weeks if every_week else status.weeks[:SHOWN]
    page.line("")
    page.table(("week_ending", *TIERS, "verdict"), [_week(week) for week in shown])
    page.line("")
    _older(page, status.weeks[len(shown) :])
    for gap in status.gaps:
        page.line(_gap(gap), Tone.WAITING)
    page.line(_totals(status.totals))
    return page


def _last_run(run: LastRun | None) -> str:
    if run is None:
        return "none yet"
    if run.exit_code is None:
        return f"{minute(run.started_at)}, not finished: it is at work or was killed ({run.run_id[:8]})"
    return f"{minute(run.started_at)}, exit code {run.exit_code} ({run.run_id[:8]})"


def _next_due(due: NextDue) -> str:
    tiers: dict[str, list[str]] = {}
    for partition in due.partitions:
        tiers.setdefault(str(partition.week_ending), []).append(partition.tier)
    what = ", ".join(f"{week} {' and '.join(names)}" for week, names in tiers.items())
    return f"{_DAYS[due.due_on.weekday()]} {due.due_on}: {what}"


def _week(week: WeekStatus) -> list[Cell]:
    return [str(week.week_ending), *(_tier(week.tiers[tier]) for tier in TIERS), _verdict(week)]


def _tier(tier: TierStatus) -> Cell:
    if tier.progress is Progress.NOT_DUE:
        return Toned(str(tier.due_on), Tone.ASIDE)
    return Toned(tier.progress.value, Tone.BAD if tier.progress is Progress.LATE else Tone.PLAIN)


def _verdict(week: WeekStatus) -> Cell:
    # Of absent tiers their columns tell.
    others = [issue.message for issue in week.blocking_issues if issue.kind not in _ABSENT]
    why = f" until {week.ready_on}" if week.ready_on else f": {'; '.join(others)}" if others else ""
    return Toned(week.verdict.value + why, _TONES[week.verdict])


def _older(page: Page, weeks: tuple[WeekStatus, ...]) -> None:
    if weeks:
        page.line(f"{count(len(weeks), 'older week')} not shown: --all shows all", Tone.ASIDE)


def _gap(gap: Gap) -> str:
    return f"{count(gap.weeks, 'week')} missing, {gap.from_} to {gap.to}: `{gap.command}`"


def _totals(totals: Totals) -> str:
    found = ", ".join(f"{number:,} {severity}" for severity, number in totals.open_anomalies.items() if number)
    verdicts = f"{totals.ready:,} ready, {totals.waiting:,} waiting, {totals.blocked:,} blocked"
    weeks, captures = count(totals.weeks, "week"), count(totals.captures, "capture")
    return f"{weeks}: {verdicts}; {captures}; open anomalies: {found or 'none'}"
