"""What `finra asof` shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum

from attrs import frozen

from finra_cli.output import Cell, Page, Tone, count, minute
from finra_cli.presenters.readiness import JudgmentRow, judgments_of
from finra_cli.presenters.rows import SHOWN, not_shown, shares_text, venue_label
from finra_core.domain.analytics import Analysis
from finra_core.domain.captures import Capture
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Record, Records, Security, Venue, format_shares
from finra_core.domain.tiers import Half, Tier
from finra_core.history.source_time import Basis, Published, PublishedState, UnknownRow
from finra_core.history.vintages import When


class Clock(str, Enum):
    """Whose clock an answer goes by: what this STORE had captured, or what FINRA had published by its own dates."""

    STORE = "store"
    FINRA = "finra"


@frozen(kw_only=True)
class KnownCapture:
    """A capture. known_from: when its rows became visible. rows: of its payload, whatever their kind.

    records: its *_SMBL_FIRM rows. shares: their sum, an exact decimal text.
    """

    week_ending: date
    tier: Tier
    capture_id: str
    revision: int
    captured_at: datetime
    known_from: datetime | None
    rows: int
    records: int
    shares: str
    content_hash: str


@frozen(kw_only=True)
class KnownRow:
    """A row as it was. shares: an exact decimal text.

    is_known: false for a row whose values then are not known, because FINRA changed, added or withdrew it since. Its
    shares, trades and last_update_date are null. restated_on: FINRA's date of that change; null where the row is known,
    and where a later capture no longer has it.
    """

    week_ending: date
    tier: Tier
    capture_id: str
    revision: int
    known_from: datetime | None
    symbol: str
    issue_name: str
    product_type: str | None
    venue_type: str
    mpid: str | None
    crd: str | None
    venue_name: str
    shares: str | None
    trades: int | None
    last_update_date: str | None
    is_known: bool
    restated_on: date | None


@frozen(kw_only=True)
class KnownVenue:
    """A venue's volume; share: its fraction of the tier's, null where nothing was traded."""

    venue_type: str
    mpid: str | None
    crd: str | None
    venue_name: str
    shares: str
    share: float | None
    trades: int
    symbols: int


@frozen(kw_only=True)
class KnownAnalytics:
    """The analytics of a week and tier, or of ALL tiers. capture_id, revision: what they rest on.

    hhi, hhi_upper: the least and the greatest that the index can be, null where nothing was traded.
    """

    week_ending: date
    tier: str
    capture_id: str
    revision: int
    computed_at: datetime
    shares: str
    trades: int
    symbols: int
    hhi: float | None
    hhi_upper: float | None
    venues: tuple[KnownVenue, ...]


@frozen(kw_only=True)
class PublishedRow:
    """What FINRA had published of a partition by the end of a day, US Eastern.

    capture_id, revision: where the rows are from. known_from: since when this store has them. known, unknown: how many
    rows are known, and how many FINRA changed, added or withdrew since. unknown_halves: the halves of which no row is
    known.
    """

    week_ending: date
    tier: Tier
    state: PublishedState
    basis: Basis
    capture_id: str
    revision: int
    known_from: datetime | None
    known: int
    unknown: int
    unknown_halves: tuple[Half, ...]


@frozen(kw_only=True)
class AsOfDocument:
    """What was known. as_of: the instant; null for a release. release: its number; null for an instant.

    finra_day: by FINRA's clock, the US Eastern day by whose end it was published; else null. begins: when this store's
    knowledge begins; null where it has none. is_before_begin: whether the instant lies before that. captures: one for
    each week and tier. readiness: the judgments that held. rows, analytics, published: null where not asked for.
    """

    clock: Clock
    as_of: datetime | None
    release: int | None
    finra_day: date | None
    begins: datetime | None
    is_before_begin: bool
    captures: tuple[KnownCapture, ...]
    readiness: tuple[JudgmentRow, ...]
    analytics: tuple[KnownAnalytics, ...] | None
    rows: tuple[KnownRow, ...] | None
    published: tuple[PublishedRow, ...] | None


# Values ----------------------------------------------------------------------------------------------


def known_capture(capture: Capture) -> KnownCapture:
    """A capture as it is printed."""
    return KnownCapture(
        week_ending=capture.partition.week_ending,
        tier=capture.partition.tier,
        capture_id=capture.capture_id,
        revision=capture.revision,
        captured_at=capture.captured_at,
        known_from=capture.normalized_at,
        rows=capture.row_count,
        records=sum(half.rows for half in capture.coverage),
        shares=format_shares(_shares(capture)),
        content_hash=capture.content_hash,
    )


def known_rows(capture: Capture, records: Records, unknown: Sequence[UnknownRow] = ()) -> Iterable[KnownRow]:
    """A capture's rows as they are printed, the unknown ones last."""
    for row in records.rows():
        yield _known_row(capture, row.security, row.venue, row, None)
    for lost in unknown:
        yield _known_row(capture, lost.security, lost.venue, None, lost.restated_on)


def known_analytics(analysis: Analysis) -> KnownAnalytics:
    """Analytics as they are printed."""
    return KnownAnalytics(
        week_ending=analysis.week_ending,
        tier=analysis.tier,
        capture_id=analysis.capture_id,
        revision=analysis.revision,
        computed_at=analysis.computed_at,
        shares=format_shares(analysis.shares_micros),
        trades=analysis.trades,
        symbols=analysis.volumes.symbols,
        hhi=analysis.hhi,
        hhi_upper=analysis.hhi_upper,
        venues=tuple(
            KnownVenue(
                venue_type=venue.venue_type,
                mpid=venue.mpid or None,
                crd=venue.crd or None,
                venue_name=venue.venue_name,
                shares=format_shares(venue.shares_micros),
                share=share,
                trades=venue.trades,
                symbols=venue.symbols,
            )
            for venue, share in zip(analysis.volumes.venues, analysis.venue_shares, strict=True)
        ),
    )


def published_row(found: Published) -> PublishedRow:
    """A partition as it is printed."""
    return PublishedRow(
        week_ending=found.partition.week_ending,
        tier=found.partition.tier,
        state=found.state,
        basis=found.basis,
        capture_id=found.capture.capture_id,
        revision=found.capture.revision,
        known_from=found.capture.normalized_at,
        known=len(found.records),
        unknown=len(found.unknown),
        unknown_halves=found.unknown_halves,
    )


def judgment_rows(judgments: Iterable[Judgment]) -> tuple[JudgmentRow, ...]:
    """Judgments as they are printed."""
    return judgments_of(judgments).weeks


def _known_row(
    capture: Capture, security: Security, venue: Venue, row: Record | None, restated_on: date | None
) -> KnownRow:
    return KnownRow(
        week_ending=capture.partition.week_ending,
        tier=capture.partition.tier,
        capture_id=capture.capture_id,
        revision=capture.revision,
        known_from=capture.normalized_at,
        symbol=security.symbol,
        issue_name=security.issue_name,
        product_type=security.product_type or None,
        venue_type=venue.venue_type,
        mpid=venue.mpid or None,
        crd=venue.crd or None,
        venue_name=venue.name,
        shares=format_shares(row.shares_micros) if row else None,
        trades=row.trades if row else None,
        last_update_date=row.last_update_date if row else None,
        is_known=row is not None,
        restated_on=restated_on,
    )


def _shares(capture: Capture) -> int:
    return sum(half.shares_micros for half in capture.coverage)


# The page --------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Answer:
    """What the command found, before it is printed. url: the store's. uses: by week, what it was ready for."""

    when: When
    begins: datetime | None
    url: str
    captures: Sequence[Capture]
    uses: Mapping[date, Sequence[str]]
    analytics: Sequence[Analysis] | None
    rows: Sequence[KnownRow] | None
    rows_in_all: int
    published: Sequence[PublishedRow] | None


def asof_page(found: Answer, *, is_early: bool, every_one: bool) -> Page:
    """What was known, and since when anything is. every_one: all of the rows."""
    page = Page()
    page.line(f"As of {found.when}" if found.published is None else _finra_words(found), Tone.HEADING)
    _add_begin(page, found, is_early=is_early)
    if found.published is not None:
        _add_published(page, found.published)
    elif found.rows is None and found.analytics is None:
        _add_captures(page, found)
    if found.analytics is not None:
        _add_analytics(page, found.analytics, every_one=every_one)
    if found.rows is not None:
        _add_rows(page, found.rows, found.rows_in_all)
    return page


def _finra_words(found: Answer) -> str:
    day = getattr(found.when, "finra_day", None)
    return f"Published by the end of {day} (US Eastern), by FINRA's own dates"


def _add_begin(page: Page, found: Answer, *, is_early: bool) -> None:
    if found.begins is None:
        page.line(f"{found.url} holds no records yet: `finra run` brings them.")
    elif is_early:
        page.line(
            f"Nothing was known: the knowledge of {found.url} begins at {minute(found.begins)}. "
            "--source-time goes by FINRA's dates instead.",
            Tone.WAITING,
        )
    elif not found.captures and found.published is None:
        page.line("No week and tier that is asked for has such a capture.")


def _add_captures(page: Page, found: Answer) -> None:
    if found.captures:
        page.table(
            ("week_ending", "tier", "known_from", "rev", "records", "ready_for"),
            [
                (
                    str(capture.partition.week_ending),
                    capture.partition.tier,
                    minute(capture.normalized_at) if capture.normalized_at else None,
                    capture.revision,
                    sum(half.rows for half in capture.coverage),
                    ",".join(found.uses.get(capture.partition.week_ending, ())) or None,
                )
                for capture in found.captures
            ],
        )


def _add_published(page: Page, published: Sequence[PublishedRow]) -> None:
    if published:
        page.table(
            ("week_ending", "tier", "state", "known", "unknown", "basis"),
            [
                (
                    str(each.week_ending),
                    each.tier,
                    each.state.value,
                    each.known,
                    each.unknown,
                    each.basis.value,
                )
                for each in published
            ],
        )
    unknown = sum(each.unknown for each in published)
    if unknown:
        page.line(
            f"{count(unknown, 'row')} changed or came since; what they said then is unknown: see --rows.",
            Tone.WAITING,
        )
    for each in published:
        if each.unknown_halves:
            page.line(
                f"{each.week_ending} / {each.tier}: no row of {', '.join(each.unknown_halves)} is dated so early.",
                Tone.WAITING,
            )
    if any(each.basis is Basis.UNSETTLED for each in published):
        page.line("unsettled: no run has seen FINRA's data since that day ended, so a run may change it.", Tone.ASIDE)


def _add_analytics(page: Page, analytics: Sequence[Analysis], *, every_one: bool) -> None:
    if analytics:
        page.table(
            ("week_ending", "tier", "hhi", "hhi_upper", "shares", "trades", "venues"),
            [
                (
                    str(each.week_ending),
                    each.tier,
                    _index(each.hhi),
                    _index(each.hhi_upper),
                    shares_text(each.shares_micros),
                    each.trades,
                    each.volumes.venue_count,
                )
                for each in analytics
            ],
        )
    lines: list[Sequence[Cell]] = [
        (
            str(each.week_ending),
            each.tier,
            venue_label(Venue(venue.venue_type, venue.mpid, venue.crd, venue.venue_name)),
            shares_text(venue.shares_micros),
            None if share is None else f"{100 * share:.4f}%",
        )
        for each in analytics
        for venue, share in zip(each.volumes.venues, each.venue_shares, strict=True)
    ]
    shown = lines if every_one else lines[:SHOWN]
    if shown:
        page.table(("week_ending", "tier", "venue", "shares", "share"), shown)
    if len(lines) > len(shown):
        page.line(not_shown(len(lines) - len(shown)), Tone.ASIDE)


def _index(hhi: float | None) -> str | None:
    return None if hhi is None else f"{hhi:.6f}"


def _add_rows(page: Page, rows: Sequence[KnownRow], in_all: int) -> None:
    if rows:
        page.table(
            ("week_ending", "tier", "symbol", "venue", "shares", "trades", "restated_on"),
            [
                (
                    str(row.week_ending),
                    row.tier,
                    row.symbol or "(no symbol)",
                    row.mpid or (f"CRD {row.crd}" if row.crd else row.venue_name or "-"),
                    row.shares if row.is_known else "unknown",
                    row.trades,
                    str(row.restated_on) if row.restated_on else None,
                )
                for row in rows
            ],
        )
    if in_all > len(rows):
        page.line(not_shown(in_all - len(rows), "--all shows them, --format csv writes them"), Tone.ASIDE)
