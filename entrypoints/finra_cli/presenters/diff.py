"""What `finra diff` shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from attrs import frozen

from finra_cli.output import Cell, Page, Tone, count, minute
from finra_cli.presenters.rows import SHOWN, delta_text, not_shown, shares_text, symbol_label, venue_label
from finra_core.domain.captures import Capture
from finra_core.domain.records import Record, format_shares
from finra_core.domain.tiers import Tier
from finra_core.history.diff import Diff, DiffKind, RowDiff
from finra_core.history.impact import Impact, VenueImpact


@frozen(kw_only=True)
class Side:
    """One of the two captures. known_from: when its rows became visible."""

    capture_id: str
    revision: int
    captured_at: datetime
    known_from: datetime | None


@frozen(kw_only=True)
class DiffSummary:
    """How many rows differ, by kind; the partition's shares are exact decimal texts."""

    added: int
    withdrawn: int
    changed: int
    renamed: int
    redated: int
    shares_before: str
    shares_after: str


@frozen(kw_only=True)
class DiffRow:
    """A row that differs. Shares are exact decimal texts.

    issue_name, venue_name: the newer ones. renamed_from: the older names of issue and venue, where they differ, else
    null. What ends in _before is null for an added row, what ends in _after for a withdrawn one. percent: null for an
    added row.
    """

    kind: DiffKind
    symbol: str
    issue_name: str
    product_type: str | None
    venue_type: str
    mpid: str | None
    crd: str | None
    venue_name: str
    renamed_from: tuple[str, ...] | None
    shares_before: str | None
    shares_after: str | None
    shares_delta: str
    percent: float | None
    trades_before: int | None
    trades_after: int | None
    last_update_date_before: str | None
    last_update_date_after: str | None


@frozen(kw_only=True)
class MovedRow:
    """A symbol that left one tier and came to another."""

    symbol: str
    from_: Tier
    to: Tier


@frozen(kw_only=True)
class VenueImpactRow:
    """A venue whose volume or share of the tier differs. share: a fraction of the tier's volume."""

    venue_type: str
    mpid: str | None
    crd: str | None
    venue_name: str
    shares_before: str
    shares_after: str
    shares_delta: str
    share_before: float | None
    share_after: float | None


@frozen(kw_only=True)
class ImpactRow:
    """What the change did to the tier. venues, causes: those that moved most shares first."""

    hhi_before: float | None
    hhi_after: float | None
    hhi_upper_before: float | None
    hhi_upper_after: float | None
    shares_before: str
    shares_after: str
    trades_before: int
    trades_after: int
    venues: tuple[VenueImpactRow, ...]
    causes: tuple[DiffRow, ...]


@frozen(kw_only=True)
class DiffDocument:
    """Two captures of a week and tier. rows: by security and venue. impact: null where it was not asked for."""

    week_ending: date
    tier: Tier
    before: Side
    after: Side
    summary: DiffSummary
    rows: tuple[DiffRow, ...]
    moved: tuple[MovedRow, ...]
    impact: ImpactRow | None


def diff_document(found: Diff, effect: Impact | None) -> DiffDocument:
    """The document."""
    summary = found.summary
    return DiffDocument(
        week_ending=found.before.partition.week_ending,
        tier=found.before.partition.tier,
        before=_side(found.before),
        after=_side(found.after),
        summary=DiffSummary(
            added=summary.added,
            withdrawn=summary.withdrawn,
            changed=summary.changed,
            renamed=summary.renamed,
            redated=summary.redated,
            shares_before=format_shares(summary.shares_before),
            shares_after=format_shares(summary.shares_after),
        ),
        rows=tuple(map(diff_row, found.rows)),
        moved=tuple(MovedRow(symbol=each.symbol, from_=each.before, to=each.after) for each in found.moved),
        impact=None if effect is None else _impact(effect),
    )


def diff_row(row: RowDiff) -> DiffRow:
    """A row that differs, as it is printed."""
    newest, before, after = row.newest, row.before, row.after
    return DiffRow(
        kind=row.kind,
        symbol=newest.security.symbol,
        issue_name=newest.security.issue_name,
        product_type=newest.security.product_type or None,
        venue_type=newest.venue.venue_type,
        mpid=newest.venue.mpid or None,
        crd=newest.venue.crd or None,
        venue_name=newest.venue.name,
        renamed_from=_names(before) if before and after and _names(before) != _names(after) else None,
        shares_before=format_shares(before.shares_micros) if before else None,
        shares_after=format_shares(after.shares_micros) if after else None,
        shares_delta=format_shares(row.shares_delta),
        percent=row.percent,
        trades_before=before.trades if before else None,
        trades_after=after.trades if after else None,
        last_update_date_before=before.last_update_date if before else None,
        last_update_date_after=after.last_update_date if after else None,
    )


def _side(capture: Capture) -> Side:
    return Side(
        capture_id=capture.capture_id,
        revision=capture.revision,
        captured_at=capture.captured_at,
        known_from=capture.normalized_at,
    )


def _names(record: Record) -> tuple[str, ...]:
    return record.security.issue_name, record.venue.name


def _impact(effect: Impact) -> ImpactRow:
    return ImpactRow(
        hhi_before=effect.hhi_before,
        hhi_after=effect.hhi_after,
        hhi_upper_before=effect.hhi_upper_before,
        hhi_upper_after=effect.hhi_upper_after,
        shares_before=format_shares(effect.shares_before),
        shares_after=format_shares(effect.shares_after),
        trades_before=effect.trades_before,
        trades_after=effect.trades_after,
        venues=tuple(map(_venue, effect.venues)),
        causes=tuple(map(diff_row, effect.causes)),
    )


def _venue(each: VenueImpact) -> VenueImpactRow:
    return VenueImpactRow(
        venue_type=each.venue.venue_type,
        mpid=each.venue.mpid or None,
        crd=each.venue.crd or None,
        venue_name=each.venue.name,
        shares_before=format_shares(each.shares_before),
        shares_after=format_shares(each.shares_after),
        shares_delta=format_shares(each.shares_after - each.shares_before),
        share_before=each.share_before,
        share_after=each.share_after,
    )


# The page --------------------------------------------------------------------------------------------


def diff_page(found: Diff, effect: Impact | None, *, every_row: bool) -> Page:
    """A summary, then the rows that moved most shares. every_row: all of them, not only the first few."""
    page = Page()
    page.line(f"{found.before.partition}", Tone.HEADING)
    page.table(
        ("", "captured_at", "rev", "rows"), [_side_cells("before", found.before), _side_cells("after", found.after)]
    )
    summary = found.summary
    if not found.rows:
        page.line("No row differs.", Tone.GOOD)
        return page
    kinds = [(getattr(summary, kind.value), kind.value) for kind in DiffKind]
    page.line(
        f"{count(len(found.rows), 'row')}: " + ", ".join(f"{number:,} {kind}" for number, kind in kinds if number)
    )
    delta = summary.shares_after - summary.shares_before
    page.line(
        f"shares {shares_text(summary.shares_before)} -> {shares_text(summary.shares_after)} ({delta_text(delta)})"
    )
    for moved in found.moved:
        page.line(f"{moved.symbol} moved from {moved.before} to {moved.after}")
    if effect is not None:
        _add_impact(page, effect, every_row=every_row)
    largest_first = sorted(found.rows, key=lambda row: (-abs(row.shares_delta), -abs(row.trades_delta)))
    _add_rows(page, largest_first, every_row=every_row)
    return page


def _side_cells(name: str, capture: Capture) -> list[Cell]:
    return [name, minute(capture.captured_at), capture.revision, sum(half.rows for half in capture.coverage)]


def _add_impact(page: Page, effect: Impact, *, every_row: bool) -> None:
    page.line(
        f"hhi {_interval(effect.hhi_before, effect.hhi_upper_before)}"
        f" -> {_interval(effect.hhi_after, effect.hhi_upper_after)}"
    )
    page.line(f"trades {effect.trades_before:,} -> {effect.trades_after:,}")
    shown = effect.venues if every_row else effect.venues[:SHOWN]
    if shown:
        page.line("Venues, those that moved most shares first", Tone.HEADING)
        page.table(
            ("venue", "shares_before", "delta", "share_before", "share_after"),
            [
                (
                    venue_label(each.venue),
                    shares_text(each.shares_before),
                    delta_text(each.shares_after - each.shares_before),
                    _percent(each.share_before),
                    _percent(each.share_after),
                )
                for each in shown
            ],
        )
    if len(effect.venues) > len(shown):
        page.line(f"{count(len(effect.venues) - len(shown), 'more venue')}: --all shows them", Tone.ASIDE)


def _add_rows(page: Page, rows: Sequence[RowDiff], *, every_row: bool) -> None:
    shown = rows if every_row else rows[:SHOWN]
    page.line("Rows, those that moved most shares first", Tone.HEADING)
    page.table(("kind", "symbol", "venue", "before", "after", "delta", "percent"), [_cells(row) for row in shown])
    if len(rows) > len(shown):
        page.line(not_shown(len(rows) - len(shown)), Tone.ASIDE)


def _cells(row: RowDiff) -> list[Cell]:
    return [
        row.kind.value,
        symbol_label(row.newest.security),
        venue_label(row.newest.venue),
        shares_text(row.before.shares_micros) if row.before else None,
        shares_text(row.after.shares_micros) if row.after else None,
        delta_text(row.shares_delta),
        None if row.percent is None else f"{row.percent:+.2f}%",
    ]


def _interval(lower: float | None, upper: float | None) -> str:
    if lower is None or upper is None:
        return "none"
    return f"{lower:.6f}" if lower == upper else f"{lower:.6f}..{upper:.6f}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.4f}%"
