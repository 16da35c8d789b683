"""Which captures may go, so that every question about a day and all later ones keeps its answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from attrs import frozen

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import AnomalyRecord, Category, Severity
from finra_core.domain.captures import Capture, by_partition
from finra_core.domain.partitions import Partition
from finra_core.domain.retention import beginning_of
from finra_core.history.intervals import analyses_in_force
from finra_core.ports.store import AnomalyQuery, CaptureQuery, ReadView


@frozen(kw_only=True)
class PartitionPrune:
    """What would become of one partition. remove: oldest first. kept: how many captures stay.

    pinned: how many stay for their pins alone. is_short: nothing goes, because a finding on coverage is open, and may
    rest on an earlier capture.
    """

    partition: Partition
    remove: tuple[Capture, ...]
    kept: int
    pinned: int
    is_short: bool


def superseded(
    captures: Sequence[Capture],
    before: date,
    *,
    needed: Collection[int] = (),
    pinned: Collection[int] = (),
) -> list[Capture]:
    """Those of one partition's captures that may go, oldest first.

    Only what was captured before that UTC day goes. What stays: the newest capture and the newest with records; the
    capture that was known when the day began, and each that became known later; captures that wait for records; what
    is needed or pinned (by number). So what is known at any instant from the day's beginning on stays the same.
    """
    start = beginning_of(before)
    ordered = sorted(captures, key=lambda capture: capture.number)
    normalized = [capture for capture in ordered if capture.is_normalized]
    known = [capture.number for capture in normalized if capture.is_known(start)]
    stay = {*needed, *pinned, *known[-1:]}
    stay |= {capture.number for capture in normalized if not capture.is_known(start)}
    stay |= {own[-1].number for own in (ordered, normalized) if own}
    newest = normalized[-1].number if normalized else 0
    stay |= {capture.number for capture in ordered if capture.number > newest}
    return [capture for capture in ordered if capture.captured_at < start and capture.number not in stay]


def inputs_in_force(analyses: Sequence[Analysis], since: datetime) -> frozenset[int]:
    """The numbers of the captures on which rest the analytics that held at this instant or later.

    analyses: all of one week's.
    """
    held = (each.value for each in analyses_in_force(analyses) if each.known_to is None or each.known_to > since)
    return frozenset(number for analysis in held for number in analysis.inputs)


def plan_prune(
    view: ReadView, before: date, *, partitions: Collection[Partition] | None = None
) -> list[PartitionPrune]:
    """What may go of each partition that has something captured before the day, by week and tier."""
    wanted = None if partitions is None else frozenset(partitions)
    captures = by_partition(view.captures(CaptureQuery(partitions=wanted)))
    pins = {pin.name for pin in view.pins()}
    old = {partition: own for partition, own in captures.items() if own[0].captured_at < beginning_of(before)}
    findings = _findings(view, {partition.week_ending for partition in old})
    return [_plan(view, before, partition, own, pins, findings) for partition, own in old.items()]


def _plan(  # noqa: PLR0917  the facts about one partition
    view: ReadView,
    before: date,
    partition: Partition,
    captures: Sequence[Capture],
    pins: Collection[tuple[str, int]],
    findings: Sequence[AnomalyRecord],
) -> PartitionPrune:
    own = [r for r in findings if (r.anomaly.scope.week_ending, r.anomaly.scope.tier) == _scope(partition)]
    needed = {number for record in own if record.acknowledged for number in _numbers(record)}
    pinned = {capture.number for capture in captures if (capture.capture_id, capture.revision) in pins}
    is_short = any(record.is_open for record in own)
    may_go = [] if is_short else superseded(captures, before, needed=needed)
    if may_go:  # analytics of a week are read only where that can make a difference
        analyses = view.analyses([partition.week_ending])
        needed |= inputs_in_force(analyses, beginning_of(before))
        may_go = superseded(captures, before, needed=needed)
    remove = [capture for capture in may_go if capture.number not in pinned]
    return PartitionPrune(
        partition=partition,
        remove=tuple(remove),
        kept=len(captures) - len(remove),
        pinned=len(may_go) - len(remove),
        is_short=is_short,
    )


def _scope(partition: Partition) -> tuple[date, str]:
    return partition.week_ending, partition.tier.value


def _findings(view: ReadView, weeks: Collection[date]) -> list[AnomalyRecord]:
    query = AnomalyQuery(weeks=frozenset(weeks), severities=frozenset({Severity.WARN}))
    return [record for record in view.anomalies(query) if record.anomaly.category is Category.PARTIAL_COVERAGE]


def _numbers(record: AnomalyRecord) -> list[int]:
    number = record.anomaly.details.get("capture_no")
    return [number] if isinstance(number, int) else []
