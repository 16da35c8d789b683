"""The views as tables, one for each week and tier: the latest, as known at an instant, or with their history."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, datetime
from enum import Enum

from attrs import field, frozen

from finra_core.domain.analytics import Analysis
from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.readiness import Judgment
from finra_core.domain.tiers import ALL_TIERS, TIERS, Tier
from finra_core.history import export_columns as columns
from finra_core.history.intervals import Interval, V, analyses_in_force, judgments_in_force
from finra_core.history.pruned import check_not_pruned
from finra_core.history.tables import Table
from finra_core.ports.store import CaptureQuery, JudgmentQuery, ReadView

EXPORT_VERSION = 1
"""Grows when a table changes its columns: what was written with an older one is written again."""


class ViewName(str, Enum):
    """What is exported. Each but READINESS has a table for each week and tier; READINESS has one for each week."""

    NORMALIZED = "normalized"
    VENUE_VOLUME = "venue_volume"
    VENUE_SHARE = "venue_share"
    HHI = "hhi"
    WEEKLY_TOTALS = "weekly_totals"
    RESTATEMENTS = "restatements"
    READINESS = "readiness"

    def __str__(self) -> str:
        return self.value


class Versions(str, Enum):
    """Which versions of a view: those that hold now, those that held at an instant, or all with their intervals."""

    LATEST = "latest"
    AS_OF = "as_of"
    HISTORY = "history"

    def __str__(self) -> str:
        return self.value


@frozen(kw_only=True)
class ExportRequest:
    """What to export. at: the instant of AS_OF. weeks: None means all. Analytics across tiers go with all tiers.

    Raises:
        ConfigurationError: AS_OF without an instant, or an instant without AS_OF; restatements with their history.
    """

    view: ViewName = ViewName.NORMALIZED
    versions: Versions = Versions.LATEST
    at: datetime | None = None
    weeks: frozenset[date] | None = field(default=None)
    tiers: Collection[Tier] = TIERS

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if (self.at is not None) is not (self.versions is Versions.AS_OF):
            raise ConfigurationError("an export as of an instant needs the instant, and no other export takes one")
        if self.view is ViewName.RESTATEMENTS and self.versions is Versions.HISTORY:
            raise ConfigurationError("restatements are a history themselves: leave out --history")

    @property
    def tier_names(self) -> frozenset[str]:
        """The tiers as analytics name them."""
        own = {tier.value for tier in self.tiers}
        return frozenset(own | {ALL_TIERS} if set(self.tiers) == set(TIERS) else own)


@frozen
class Part:
    """The table of one week and tier. tier: None for what has none.

    name: tells its content from others of this week and tier; it has only letters, digits and hyphens. table: reads it.
    """

    week_ending: date
    tier: str | None
    name: str
    table: Callable[[], Table] = field(repr=False)


def parts(view: ReadView, request: ExportRequest) -> Iterator[Part]:
    """The parts of an export, by week and tier. No more than one week is read at a time.

    Raises:
        ConfigurationError: what was known at the instant was pruned.
    """
    if request.at is not None and request.view is not ViewName.READINESS:
        check_not_pruned(view, request.at, weeks=request.weeks, tiers=request.tiers)
    if request.view is ViewName.READINESS:
        yield from _readiness(view, request)
    elif request.view in (ViewName.NORMALIZED, ViewName.RESTATEMENTS):
        yield from _of_captures(view, request)
    else:
        yield from _analytics(view, request)


# Rows of captures ------------------------------------------------------------------------------------


def _of_captures(view: ReadView, request: ExportRequest) -> Iterator[Part]:
    query = CaptureQuery(weeks=request.weeks, known_at=request.at, normalized=True)
    for partition, captures in by_partition(view.captures(query)).items():
        if partition.tier not in request.tiers:
            continue
        if request.view is ViewName.RESTATEMENTS:
            if len(captures) > 1:
                yield _part_of(request, captures, _Restatements(view, captures))
        elif request.versions is Versions.HISTORY:
            yield _part_of(request, captures, _RowHistory(view, captures))
        else:
            yield _part_of(request, captures[-1:], _Rows(view, captures[-1]))


def _part_of(request: ExportRequest, captures: Sequence[Capture], table: Callable[[], Table]) -> Part:
    newest = captures[-1]
    content = [[c.capture_id, c.revision, c.content_hash, str(c.normalized_at)] for c in captures]
    name = _name(request, _label(newest.capture_id, newest.revision), content)
    return Part(newest.partition.week_ending, newest.partition.tier.value, name, table)


@frozen
class _Rows:
    view: ReadView
    capture: Capture

    def __call__(self) -> Table:
        return columns.rows(self.capture, self.view.records(self.capture))


@frozen
class _RowHistory:
    view: ReadView
    captures: Sequence[Capture]

    def __call__(self) -> Table:
        return columns.row_history(self.view, self.captures)


@frozen
class _Restatements:
    view: ReadView
    captures: Sequence[Capture]

    def __call__(self) -> Table:
        return columns.restated_rows(self.view, self.captures)


# Analytics and readiness -----------------------------------------------------------------------------


def _analytics(view: ReadView, request: ExportRequest) -> Iterator[Part]:
    weeks = {key.week_ending for key in view.analysis_keys(request.weeks)}
    for week in sorted(weeks):
        found = analyses_in_force(view.analyses([week]))
        for tier in (*TIERS, ALL_TIERS):
            own = _wanted([each for each in found if each.value.tier == tier], request)
            if own and str(tier) in request.tier_names:
                yield _analytics_part(request, own)


def _analytics_part(request: ExportRequest, own: Sequence[Interval[Analysis]]) -> Part:
    newest = own[-1].value
    content = [[a.capture_id, a.revision, a.calc_version, str(a.computed_at)] for a in (each.value for each in own)]
    name = _name(request, _label(newest.capture_id, newest.revision), content)
    with_history = request.versions is Versions.HISTORY
    view = request.view

    def table() -> Table:
        if view in (ViewName.VENUE_VOLUME, ViewName.VENUE_SHARE):
            return columns.by_venue(own, shares_only=view is ViewName.VENUE_SHARE, with_history=with_history)
        return columns.by_week(own, totals=view is ViewName.WEEKLY_TOTALS, with_history=with_history)

    return Part(newest.week_ending, newest.tier, name, table)


def _readiness(view: ReadView, request: ExportRequest) -> Iterator[Part]:
    by_week: dict[date, list[Judgment]] = {}
    for judgment in view.judgments(JudgmentQuery(weeks=request.weeks, history=True)):
        by_week.setdefault(judgment.readiness.week_ending, []).append(judgment)
    for week in sorted(by_week):
        own = _wanted(judgments_in_force(by_week[week]), request)
        if own:
            content = [[each.value.readiness.ready_for, str(each.value.judged_at)] for each in own]
            with_history = request.versions is Versions.HISTORY
            yield Part(week, None, _name(request, "", content), _Judged(own, with_history))


@frozen
class _Judged:
    own: Sequence[Interval[Judgment]]
    with_history: bool

    def __call__(self) -> Table:
        return columns.judged(self.own, with_history=self.with_history)


def _wanted(found: Sequence[Interval[V]], request: ExportRequest) -> list[Interval[V]]:
    if request.versions is Versions.HISTORY:
        return list(found)
    return [each for each in found if each.holds(request.at)]


def _label(capture_id: str, revision: int) -> str:
    """The day and the revision of a capture: its week and tier are in the folders' names, and `:` is no file name's."""
    return f"{capture_id.rpartition(':')[2]}-r{revision}-"


def _name(request: ExportRequest, label: str, content: object) -> str:
    text = json.dumps([EXPORT_VERSION, request.view.value, request.versions is Versions.HISTORY, content])
    return f"part-{label}{hashlib.sha256(text.encode()).hexdigest()[:12]}"
