"""What `finra export` shows."""

from __future__ import annotations

from datetime import date, datetime

from attrs import frozen

from finra_cli.output import Page, count
from finra_core.history.export import ExportRequest, Versions, ViewName
from finra_export import Exported, Outcome


@frozen(kw_only=True)
class ExportedFile:
    """One week and tier. tier: null where the view has none. file: its path from the directory.

    rows: null where nothing was written.
    """

    week_ending: date
    tier: str | None
    file: str
    outcome: Outcome
    rows: int | None


@frozen(kw_only=True)
class Export:
    """What an export wrote and removed. as_of: null unless it is as of an instant."""

    directory: str
    format: str
    view: ViewName
    versions: Versions
    as_of: datetime | None
    written: int
    unchanged: int
    removed: int
    files: tuple[ExportedFile, ...]


def export_of(done: Exported, request: ExportRequest, directory: str, form: str) -> Export:
    """The document."""
    return Export(
        directory=directory,
        format=form,
        view=request.view,
        versions=request.versions,
        as_of=request.at,
        written=done.count(Outcome.WRITTEN),
        unchanged=done.count(Outcome.UNCHANGED),
        removed=done.count(Outcome.REMOVED),
        files=tuple(
            ExportedFile(week_ending=p.week_ending, tier=p.tier, file=p.file, outcome=p.outcome, rows=p.rows)
            for p in done.parts
        ),
    )


def export_page(found: Export, url: str) -> Page:
    """How much was done."""
    page = Page()
    if not found.files:
        page.line(f"{url} has nothing of this to export: `finra status` shows what it holds.")
        return page
    rows = sum(file.rows or 0 for file in found.files)
    page.line(f"{count(found.written, 'file')} written ({count(rows, 'row')}) to {found.directory}")
    page.line(f"{count(found.unchanged, 'file')} unchanged, {found.removed:,} removed")
    return page
