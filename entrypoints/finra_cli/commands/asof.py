"""`finra asof`: what was known then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain, islice

import click
from attrs import frozen

from finra_cli.command import Command
from finra_cli.options import argument, option, switch
from finra_cli.output import json_text
from finra_cli.presenters import asof as present
from finra_cli.presenters import asof_tables as tables
from finra_cli.presenters.rows import SHOWN
from finra_cli.settings import StoreSettings
from finra_cli.tabular import Batch, Column, csv_batches, write_parquet, write_text
from finra_cli.values import Tiers, Vintage, Week, Weeks
from finra_cli.wiring import reading
from finra_core.domain.analytics import Analysis
from finra_core.domain.captures import Capture
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.readiness import Judgment
from finra_core.domain.records import Records
from finra_core.domain.tiers import ALL_TIERS, TIERS, Tier
from finra_core.history.asof import AsOf, analyses_as_of, as_of, judgments_as_of
from finra_core.history.source_time import Published, UnknownRow, published_by
from finra_core.history.vintages import Instant, When
from finra_core.ports.store import JudgmentQuery, ReadView

_Part = tuple[Capture, Records, Sequence[UnknownRow]]

FORMATS = ("text", "csv", "json", "parquet")


@frozen(kw_only=True)
class AsOfSettings(StoreSettings):
    """What `finra asof` takes.

    Raises:
        ConfigurationError: two options contradict each other.
    """

    when: When = argument("WHEN", type=Vintage())
    week: date | None = option(None, "this week alone, named by any of its dates", type=Week(), metavar="D")
    weeks: tuple[date, ...] | None = option(
        None, "only these weeks, each named by any of its dates", type=Weeks(), metavar="D,D..D"
    )
    only_tiers: tuple[Tier, ...] = option(
        TIERS, "only these tiers", type=Tiers(), metavar="T,T", names=["--tiers"], shown_default="all"
    )
    rows: bool = switch("the rows instead of the captures")
    analytics: bool = switch("the analytics instead: HHI, totals, and each venue's volume and share")
    source_time: bool = switch("what FINRA had published by its own dates, whenever it was captured")
    all: bool = switch("in text, every row", short="-a")
    format: str = option("text", "the form of the answer", type=click.Choice(FORMATS), section="Output")
    out: str | None = option(None, "write to this file", type=click.Path(), metavar="FILE", section="Output")

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        super().__attrs_post_init__()
        if self.rows and self.analytics:
            raise ConfigurationError("--rows and --analytics contradict each other: give one")
        if self.week is not None and self.weeks is not None:
            raise ConfigurationError("--week and --weeks contradict each other: give one")
        if self.source_time and self.analytics:
            raise ConfigurationError("--source-time has no analytics: they would lack the rows that are not known")
        if self.source_time and not isinstance(self.when, Instant):
            raise ConfigurationError(f"--source-time goes by days: give a date in place of {self.when}")
        if self.json and self.format not in ("text", "json"):
            raise ConfigurationError(f"--json and --format {self.format} contradict each other: give one")
        if self.format == "parquet" and self.out is None:
            raise ConfigurationError("--format parquet needs --out: the file to write")

    @property
    def form(self) -> str:
        """The form that --json and --format ask for together."""
        return "json" if self.json else self.format

    @property
    def only_weeks(self) -> tuple[date, ...] | None:
        """The weeks that --week or --weeks names; None for all."""
        return self.weeks if self.week is None else (self.week,)


@frozen(kw_only=True)
class _Found:
    """The answer from one view. captures: what rows are from. published: None by the store's own clock."""

    known: AsOf
    captures: Sequence[Capture]
    judgments: Sequence[Judgment]
    analytics: Sequence[Analysis] | None
    published: Sequence[present.PublishedRow] | None

    @property
    def is_early(self) -> bool:
        """Whether this store's clock is asked for a time before its knowledge begins."""
        at = _instant(self.known.when)
        return self.published is None and at is not None and self.known.begins is not None and at < self.known.begins


def _asof(settings: AsOfSettings) -> int:
    with reading(settings) as (view, url):
        found = _find(view, settings)
        if settings.form in ("csv", "parquet"):
            _write_table(view, settings, found)
        elif settings.form == "json":
            write_text([json_text(_document(view, settings, found))], settings.out)
        else:
            write_text([_text(view, settings, found, url)], settings.out)
    return 0


def _find(view: ReadView, settings: AsOfSettings) -> _Found:
    weeks, tiers = settings.only_weeks, settings.only_tiers
    known = as_of(view, settings.when, weeks=weeks, tiers=tiers)
    if settings.source_time:
        pairs = [(each.capture, present.published_row(each)) for each in _published(view, settings)]
        return _Found(
            known=known,
            captures=[capture for capture, _row in pairs],
            judgments=(),
            analytics=None,
            published=[row for _capture, row in pairs],
        )
    across = (ALL_TIERS,) if tiers == TIERS else ()
    return _Found(
        known=known,
        captures=known.captures,
        judgments=_judgments(view, settings),
        analytics=analyses_as_of(view, known, tiers=(*tiers, *across)) if settings.analytics else None,
        published=None,
    )


def _published(view: ReadView, settings: AsOfSettings) -> Iterator[Published]:
    """By FINRA's clock; a partition at a time, because all rows of some years are more than memory holds."""
    if isinstance(settings.when, Instant):
        yield from published_by(view, settings.when.finra_day, weeks=settings.only_weeks, tiers=settings.only_tiers)


def _judgments(view: ReadView, settings: AsOfSettings) -> list[Judgment]:
    """Those that held; of a release only of the latest, because a judgment is about a moment."""
    weeks = settings.only_weeks
    if isinstance(settings.when, Instant):
        return judgments_as_of(view, settings.when.at, weeks=weeks)
    if settings.when.number != -1:
        return []
    return view.judgments(JudgmentQuery(weeks=None if weeks is None else frozenset(weeks)))


def _parts(view: ReadView, settings: AsOfSettings, found: _Found) -> Iterator[_Part]:
    """The rows, a partition at a time."""
    if settings.source_time:
        for each in _published(view, settings):
            yield each.capture, each.records, each.unknown
    else:
        for capture in found.captures:
            yield capture, view.records(capture), ()


def _write_table(view: ReadView, settings: AsOfSettings, found: _Found) -> None:
    columns, batches = _table(view, settings, found)
    if settings.form == "csv":
        write_text(csv_batches(columns, batches), settings.out)
    elif settings.out is not None:
        write_parquet(columns, batches, settings.out)


def _table(view: ReadView, settings: AsOfSettings, found: _Found) -> tuple[Sequence[Column], Iterable[Batch]]:
    if settings.rows:
        return tables.ROWS, (tables.rows_batch(*part) for part in _parts(view, settings, found))
    if found.analytics is not None:
        return tables.ANALYTICS, tables.analytics_batch(found.analytics)
    if found.published is not None:
        return tables.PUBLISHED, tables.published_batch(found.published)
    return tables.CAPTURES, tables.captures_batch(found.known.captures)


def _document(view: ReadView, settings: AsOfSettings, found: _Found) -> present.AsOfDocument:
    known, published = found.known, found.published
    return present.AsOfDocument(
        clock=present.Clock.STORE if published is None else present.Clock.FINRA,
        as_of=_instant(known.when),
        release=None if isinstance(known.when, Instant) else known.when.number,
        finra_day=known.when.finra_day if published is not None and isinstance(known.when, Instant) else None,
        begins=known.begins,
        is_before_begin=found.is_early,
        captures=tuple(map(present.known_capture, found.captures)),
        readiness=present.judgment_rows(found.judgments),
        analytics=None if found.analytics is None else tuple(map(present.known_analytics, found.analytics)),
        rows=tuple(_rows(view, settings, found)) if settings.rows else None,
        published=None if published is None else tuple(published),
    )


def _text(view: ReadView, settings: AsOfSettings, found: _Found, url: str) -> str:
    uses: dict[date, list[str]] = {}
    for judgment in found.judgments:
        if judgment.readiness.is_ready:
            uses.setdefault(judgment.readiness.week_ending, []).append(judgment.readiness.ready_for)
    rows = in_all = None
    if settings.rows:
        rows = list(islice(_rows(view, settings, found), None if settings.all else SHOWN))
        in_all = _row_count(found)
    answer = present.Answer(
        when=found.known.when,
        begins=found.known.begins,
        url=url,
        captures=found.known.captures,
        uses=uses,
        analytics=found.analytics,
        rows=rows,
        rows_in_all=in_all or 0,
        published=found.published,
    )
    page = present.asof_page(answer, is_early=found.is_early, every_one=settings.all)
    return page.text() if settings.out is None else page.plain()


def _rows(view: ReadView, settings: AsOfSettings, found: _Found) -> Iterable[present.KnownRow]:
    return chain.from_iterable(present.known_rows(*part) for part in _parts(view, settings, found))


def _row_count(found: _Found) -> int:
    if found.published is not None:
        return sum(each.known + each.unknown for each in found.published)
    return sum(half.rows for capture in found.known.captures for half in capture.coverage)


def _instant(when: When) -> datetime | None:
    return when.at if isinstance(when, Instant) else None


command = Command(
    "asof",
    AsOfSettings,
    _asof,
    help="What was known then of each week and tier: captures and readiness, or rows, or analytics.",
    notes=[
        (
            "WHEN",
            (
                ("2025-12-30", "the end of this UTC day"),
                ("2025-12-30T10:30:00Z", "this instant, with Z or an offset from UTC"),
                ("first, latest", "each week and tier's first release, or its newest"),
                ("release:2", "its second; release:-2 is the one before the newest"),
            ),
        ),
        (
            "With --source-time",
            (
                ("2025-12-30", "the end of this day in New York, as FINRA dates its rows"),
                ("an instant", "the last such day that was over then"),
            ),
        ),
    ],
)
