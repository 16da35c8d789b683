"""What `finra runs` shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from attrs import frozen

from finra_cli.output import Cell, Page, Tone, Toned, minute
from finra_cli.presenters.run import report_page
from finra_cli.suggestions import did_you_mean
from finra_core.domain.errors import ConfigurationError
from finra_core.ports.store import RunRecord
from finra_core.runs.report import Outcome, RunReport

_TONES = {0: Tone.GOOD, 1: Tone.WAITING, 2: Tone.BAD}


@frozen(kw_only=True)
class RunRow:
    """A run. finished_at, exit_code and report: null while it runs, and if it was killed.

    outcomes: how many partitions ended so.
    """

    run_id: str
    mode: str
    run_date: date
    started_at: datetime
    finished_at: datetime | None
    exit_code: int | None
    outcomes: Mapping[Outcome, int]
    report: RunReport | None


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
        hint = did_you_mean(run_id, [record.run_id for record in records]) or ": `finra runs` lists them"
        raise ConfigurationError(f"{url} has no run {run_id!r}{hint}")
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} runs begin with {run_id!r}: give more of the one that you mean")
    return found[0]


def runs_of(records: Iterable[RunRecord]) -> Runs:
    """The document."""
    return Runs(runs=tuple(map(_row, records)))


def _row(record: RunRecord) -> RunRow:
    report = RunReport.from_json(record.report_json) if record.report_json is not None else None
    return RunRow(
        run_id=record.run_id,
        mode=record.mode,
        run_date=record.run_date,
        started_at=record.started_at,
        finished_at=record.finished_at,
        exit_code=record.exit_code,
        outcomes=Counter(partition.outcome for partition in report.partitions) if report else {},
        report=report,
    )


def runs_page(found: Runs, url: str, *, detailed: bool) -> Page:
    """A row for each run, or one run's report."""
    page = Page()
    if not found.runs:
        page.line(f"{url} has no runs yet: `finra run` makes one.")
    elif not detailed:
        page.table(("started_at", "run", "run_date", "took", "exit", "partitions"), [_cells(row) for row in found.runs])
    elif (report := found.runs[0].report) is not None:
        return report_page(report)
    else:
        page.line(f"{found.runs[0].run_id} began {minute(found.runs[0].started_at)} and has not finished:")
        page.line("it is at work or was killed; the next run does what it left.")
    return page


def _cells(row: RunRow) -> list[Cell]:
    exit_code = Toned("-", Tone.BAD) if row.exit_code is None else Toned(str(row.exit_code), _TONES[row.exit_code])
    return [minute(row.started_at), row.run_id[:8], str(row.run_date), _duration(row), exit_code, _outcomes(row)]


def _duration(row: RunRow) -> str | None:
    if row.finished_at is None:
        return None
    seconds = round((row.finished_at - row.started_at).total_seconds())
    return f"{seconds // 60}m{seconds % 60:02}s" if seconds >= 60 else f"{seconds}s"  # noqa: PLR2004  a minute


def _outcomes(row: RunRow) -> str:
    if row.report is None:
        return "not finished"
    return (
        ", ".join(f"{number} {outcome.value.replace('_', ' ')}" for outcome, number in row.outcomes.items()) or "none"
    )
