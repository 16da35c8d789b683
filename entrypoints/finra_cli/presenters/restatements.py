"""What `finra restatements` shows."""

from __future__ import annotations

from datetime import date, datetime

from attrs import frozen

from finra_cli.output import Cell, Page, Tone, count
from finra_cli.presenters.diff import DiffRow, diff_row
from finra_cli.presenters.rows import SHOWN, delta_text, shares_text, symbol_label, venue_label
from finra_core.domain.changes import ChangeKind
from finra_core.domain.records import format_shares
from finra_core.domain.tiers import Tier
from finra_core.history.diff import RowDiff, row_diffs
from finra_core.history.restatements import Figures, Ledger, Restatement


@frozen(kw_only=True)
class RestatementRow:
    """A capture that changed rows of the one before it. Shares are exact decimal texts.

    known_from: when its rows became visible. days_late: days from FINRA's publication day to the newest date of the
    changed rows. shares_delta: by how many shares the volume grew. shares_moved: the sum of all rows' changes,
    whichever way they went. rows: with --symbol those of the symbol, else null.
    """

    week_ending: date
    tier: Tier
    capture_id: str
    revision: int
    before_capture_id: str
    before_revision: int
    known_from: datetime
    days_late: int
    changed: int
    added: int
    withdrawn: int
    shares_delta: str
    shares_moved: str
    rows: tuple[DiffRow, ...] | None


@frozen(kw_only=True)
class RestatementFigures:
    """Over all restatements listed. partitions: those looked at; restated: those restated at least once.

    changed, added, withdrawn: rows. Shares are exact decimal texts; largest_shares_moved is of one restatement.
    """

    partitions: int
    restated: int
    restatements: int
    changed: int
    added: int
    withdrawn: int
    median_days_late: float | None
    max_days_late: int | None
    shares_delta: str
    shares_moved: str
    largest_shares_moved: str


@frozen(kw_only=True)
class Restatements:
    """The ledger, latest known first. since, symbol: what was asked for, else null.

    history_begins: where weeks were pruned, the first day of which all is known, else null.
    """

    since: date | None
    symbol: str | None
    history_begins: date | None
    restatements: tuple[RestatementRow, ...]
    figures: RestatementFigures


def restatements_of(found: Ledger, since: date | None, symbol: str | None) -> Restatements:
    """The document."""
    return Restatements(
        since=since,
        symbol=symbol,
        history_begins=found.begins,
        restatements=tuple(_row(each, with_rows=symbol is not None) for each in found.restatements),
        figures=_figures(found.figures),
    )


def _row(each: Restatement, *, with_rows: bool) -> RestatementRow:
    return RestatementRow(
        week_ending=each.partition.week_ending,
        tier=each.partition.tier,
        capture_id=each.after.capture_id,
        revision=each.after.revision,
        before_capture_id=each.before.capture_id,
        before_revision=each.before.revision,
        known_from=each.known_from,
        days_late=each.days_late,
        changed=each.count(ChangeKind.CHANGED),
        added=each.count(ChangeKind.ADDED),
        withdrawn=each.count(ChangeKind.WITHDRAWN),
        shares_delta=format_shares(each.shares_delta),
        shares_moved=format_shares(each.shares_moved),
        rows=tuple(map(diff_row, row_diffs(each.changes))) if with_rows else None,
    )


def _figures(figures: Figures) -> RestatementFigures:
    return RestatementFigures(
        partitions=figures.partitions,
        restated=figures.restated,
        restatements=figures.restatements,
        changed=figures.changed,
        added=figures.added,
        withdrawn=figures.withdrawn,
        median_days_late=figures.median_days_late,
        max_days_late=figures.max_days_late,
        shares_delta=format_shares(figures.shares_delta),
        shares_moved=format_shares(figures.shares_moved),
        largest_shares_moved=format_shares(figures.largest_shares_moved),
    )


# The page --------------------------------------------------------------------------------------------


def restatements_page(found: Ledger, *, symbol: str | None, every_one: bool) -> Page:
    """The figures, then a row for each restatement, or with a symbol for each of its rows."""
    page = Page()
    figures = found.figures
    page.line(
        f"{count(figures.restatements, 'restatement')}, in {figures.restated:,} of "
        f"{count(figures.partitions, 'week', 'weeks')} and tiers"
        + (f"; rows of {symbol!r} alone" if symbol is not None else "")
    )
    if found.begins is not None:
        page.line(f"history before {found.begins} was pruned: not all of it is known")
    if not found.restatements:
        return page
    page.line(f"rows: {figures.changed:,} changed, {figures.added:,} added, {figures.withdrawn:,} withdrawn")
    page.line(f"days after publication: median {figures.median_days_late:g}, at most {figures.max_days_late}")
    page.line(
        f"shares: {delta_text(figures.shares_delta)} in all; moved {shares_text(figures.shares_moved)}, "
        f"at most {shares_text(figures.largest_shares_moved)} at once"
    )
    shown = found.restatements if every_one else found.restatements[:SHOWN]
    if symbol is None:
        columns: tuple[str, ...] = ("known_from", "week_ending", "tier", "late", "shares_delta", "rows")
        page.table(columns, [_cells(each) for each in shown])
    else:
        columns = ("known_from", "week_ending", "tier", "kind", "symbol", "venue", "before", "after")
        page.table(columns, [_row_cells(each, row) for each in shown for row in row_diffs(each.changes)])
    hidden = len(found.restatements) - len(shown)
    if hidden:
        page.line(f"{count(hidden, 'earlier restatement')}: --all shows them", Tone.ASIDE)
    return page


def _cells(each: Restatement) -> list[Cell]:
    kinds = [f"{each.count(kind):,} {kind}" for kind in ChangeKind if each.count(kind)]
    return [
        f"{each.known_from:%Y-%m-%d}",
        str(each.partition.week_ending),
        each.partition.tier,
        f"{each.days_late}d",
        delta_text(each.shares_delta),
        ", ".join(kinds),
    ]


def _row_cells(each: Restatement, row: RowDiff) -> list[Cell]:
    return [
        f"{each.known_from:%Y-%m-%d}",
        str(each.partition.week_ending),
        each.partition.tier,
        row.kind.value,
        symbol_label(row.newest.security),
        venue_label(row.newest.venue),
        shares_text(row.before.shares_micros) if row.before else None,
        shares_text(row.after.shares_micros) if row.after else None,
    ]
