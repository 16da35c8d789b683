"""Phase 3: analytics of every capture with records, and across the tiers of every week that has all three."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from attrs import evolve, frozen

from finra_core.domain.analytics import (
    Analysis,
    Volumes,
    analyze,
    analyze_across_tiers,
    rests_on_newest,
)
from finra_core.domain.anomalies import Anomaly, Category, Severity, Stage
from finra_core.domain.captures import Capture
from finra_core.domain.errors import PartitionLockedError
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import publication_date
from finra_core.domain.readiness import WeekState
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import ALL_TIERS, TIERS
from finra_core.history.sealing import writing
from finra_core.history.volumes import SymbolsOf, volumes_across_tiers, volumes_of_captures
from finra_core.ports.observer import AnalysisStored, Skipped
from finra_core.ports.store import CaptureQuery, ReadView, UnitOfWork
from finra_core.runs.context import Run
from finra_core.runs.reading import Measured
from finra_core.runs.transactions import again

InHand = Mapping[int, Measured]
"""What this run has just measured, by capture number. What is not in it is read from the store."""


def analyze_capture(run: Run, capture: Capture, in_hand: InHand) -> Analysis | None:
    """Store the analytics of one capture; None if another run has done so, or is doing it."""
    began = run.clock()
    measured = in_hand.get(capture.number)
    volumes = _read_volumes(run, [capture]) if measured is None else measured.volumes
    analysis = analyze(capture, volumes, run.clock())
    scope = Scope.partition(capture.partition)
    return _store(run, analysis, scope, began, _visible(capture))


def analyze_week(run: Run, state: WeekState, in_hand: InHand) -> Analysis | None:
    """Store the analytics across tiers of a week that has all three; None if that is not needed or not possible."""
    inputs = state.inputs_across_tiers()
    if inputs is None or state.across_tiers_analyzed:
        return None
    began = run.clock()
    week = state.week_ending
    with run.store.read() as view:
        known = view.analyses([week])
        volumes = volumes_across_tiers(view, inputs, known, _symbols_of(view, in_hand))
    across = [analysis for analysis in known if analysis.tier == ALL_TIERS]
    analysis = analyze_across_tiers(inputs, volumes, across, run.run_date, run.clock())
    earlier = [*_visible(*inputs), *(each.computed_at for each in across)]
    return _store(run, analysis, Scope.across_tiers(week), began, earlier)


def missing_tiers(state: WeekState, expected: frozenset[Partition], on: date) -> tuple[Anomaly, ...]:
    """The finding that a week cannot be analyzed across tiers, if a tier that is missing is due and was looked for.

    expected: the partitions that this run looked for. That others are missing is not for this run to report.
    """
    if state.inputs_across_tiers() is not None:
        return ()
    absent = [tier for tier in TIERS if tier not in state.tiers or state.tiers[tier].normalized is None]
    partitions = [Partition(state.week_ending, tier) for tier in absent]
    missing = [p.tier.value for p in partitions if p in expected and publication_date(p) <= on]
    if not missing:
        return ()
    message = f"Missing tier {', '.join(missing)}, skipping cross-tier analytics"
    details = {"expected": ", ".join(tier.value for tier in TIERS), "missing": ", ".join(missing)}
    scope = Scope.week(state.week_ending)
    return (Anomaly(Severity.WARN, Category.INCOMPLETE_INPUT, scope, Stage.CALC, message, details),)


@frozen
class _Again:
    """A transaction that begins by reading whether its analysis is still wanted.

    earlier: instants before which the analysis cannot have become visible, even if the clock went back.
    """

    run: Run
    analysis: Analysis
    scope: Scope
    earlier: Sequence[datetime]

    def __call__(self) -> Analysis | None:
        with writing(self.run.store, self.scope, self.run.clock) as unit:
            if not _is_wanted(unit, self.analysis):
                return None
            analysis = evolve(self.analysis, computed_at=max([self.run.clock(), *self.earlier]))
            unit.put_analysis(analysis)
        return analysis


def _visible(*captures: Capture) -> list[datetime]:
    """When their records became visible."""
    return [capture.normalized_at for capture in captures if capture.normalized_at]


def _store(run: Run, analysis: Analysis, scope: Scope, began: datetime, earlier: Sequence[datetime]) -> Analysis | None:
    """Store an analysis. The time that it gets is its transaction's: others may have waited for the lock meanwhile."""
    try:
        stored = again(run, _Again(run, analysis, scope, earlier))
    except PartitionLockedError as error:
        run.tell(Skipped, message=error.message)
        return None
    if stored is not None:
        run.tell(AnalysisStored, analysis=stored, seconds=(run.clock() - began).total_seconds())
    return stored


def _is_wanted(unit: UnitOfWork, analysis: Analysis) -> bool:
    """Whether it is not stored yet, and, across tiers, whether it still rests on the newest captures."""
    weeks = frozenset({analysis.week_ending})
    if analysis.key in unit.analysis_keys(weeks):
        return False
    return analysis.tier != ALL_TIERS or rests_on_newest(analysis.inputs, unit.captures(CaptureQuery(weeks=weeks)))


def _read_volumes(run: Run, captures: Sequence[Capture]) -> Volumes:
    with run.store.read() as view:
        return volumes_of_captures(view, captures)


def _symbols_of(view: ReadView, in_hand: InHand) -> SymbolsOf:
    def symbols(capture: Capture) -> Collection[str]:
        measured = in_hand.get(capture.number)
        return view.symbols(capture) if measured is None else measured.symbols

    return symbols
