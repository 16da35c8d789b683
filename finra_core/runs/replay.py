"""Put a bundle's captures into a store, by the same rules as a run, so that it has the same history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from attrs import evolve, frozen

from finra_core.domain.analytics import CALC_VERSION, Analysis, analyze, analyze_across_tiers, volumes_of
from finra_core.domain.anomalies import OF_NORMALIZATION, Check, Stage
from finra_core.domain.captures import Capture, NewCapture, by_partition
from finra_core.domain.completeness import DEFAULT_BOUNDS, CoverageBounds
from finra_core.domain.coverage import coverage_by
from finra_core.domain.errors import ConfigurationError, SourceDataError
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import BUILT_IN, Policy
from finra_core.domain.records import Records
from finra_core.domain.scopes import Scope
from finra_core.domain.sums import sums_of
from finra_core.domain.tiers import ALL_TIERS
from finra_core.history.bundle import (
    BundledAnalysis,
    BundledCapture,
    CaptureName,
    Manifest,
    check_manifest,
    hash_figures,
    hash_records,
    missing,
)
from finra_core.history.sealing import writing
from finra_core.ports.store import CaptureQuery, Lock, ReadView, Store, UnitOfWork
from finra_core.runs.coverage import coverage_checks
from finra_core.runs.judge import put_changed, read_states
from finra_core.runs.normalize import rejected_rows
from finra_core.runs.transactions import record_checks
from finra_core.weekly_summary.parsing import ParsedContent, parse_content
from finra_core.weekly_summary.payload import Payload, canonical_hash, count_rows

PayloadOf = Callable[[BundledCapture], tuple[bytes, ...]]
"""The documents of a bundle's capture. Their hashes and sizes are what the manifest says."""


@frozen(kw_only=True)
class Replayed:
    """What an import did. captures: added, or given the records that they lacked. known: were there already."""

    captures: int
    known: int
    analyses: int
    weeks: tuple[date, ...]


def check_contents(manifest: Manifest, payload_of: PayloadOf) -> None:
    """Check that the payloads are what the manifest says, and give the records that it says, with this release.

    Raises:
        ConfigurationError: they are not; the message says which week and tier.
    """
    check_manifest(manifest)
    for bundled in manifest.captures:
        capture, documents = bundled.capture, payload_of(bundled)
        if canonical_hash(documents) != capture.content_hash or count_rows(documents) != capture.row_count:
            raise ConfigurationError(f"{capture}: its payload is not what its content hash says")
        if bundled.records_hash is not None:
            _parse(bundled, documents)


def replay(  # noqa: PLR0917  what an import rests on
    store: Store,
    manifest: Manifest,
    payload_of: PayloadOf,
    at: datetime,
    policies: Sequence[Policy] = BUILT_IN,
    bounds: CoverageBounds = DEFAULT_BOUNDS,
) -> Replayed:
    """Add what a store lacks of a bundle. The weeks that gained something are judged, as of the day of `at`.

    Each capture is one transaction, with its records. If the import is broken off, doing it again goes on from there.
    The manifest and the payloads have been checked.

    Raises:
        ConfigurationError: the store has another history of one of the partitions; nothing was written.
        PartitionLockedError, StoreError: as for any unit of work.
    """
    with store.read() as view:
        wanted = _wanted(view, manifest)
    earlier: dict[Partition, list[BundledCapture]] = {}
    for bundled in manifest.captures:
        own = earlier.setdefault(bundled.capture.partition, [])
        own.append(bundled)
        if bundled.capture.number in wanted:
            _put(store, bundled, own, payload_of(bundled), at)
    analyses = _put_analyses(store, manifest, at)
    gained = {b.capture.partition.week_ending for b in manifest.captures if b.capture.number in wanted}
    gained |= {analysis.week_ending for analysis in analyses}
    if gained:
        _judge(store, frozenset(gained), at, policies, bounds)
    return Replayed(
        captures=len(wanted),
        known=len(manifest.captures) - len(wanted),
        analyses=len(analyses),
        weeks=tuple(sorted(gained)),
    )


def _of_partitions(view: ReadView, manifest: Manifest) -> dict[Partition, list[Capture]]:
    return by_partition(view.captures(CaptureQuery(weeks=manifest.weeks)))


def _wanted(view: ReadView, manifest: Manifest) -> frozenset[int]:
    """The places of the captures that the store lacks, or that have no records there."""
    theirs = _of_partitions(view, manifest)
    by_name = {CaptureName.of(capture): capture for own in theirs.values() for capture in own}
    wanted: set[int] = set()
    for partition, own in _by_partition(manifest).items():
        wanted |= {each.capture.number for each in missing(partition, theirs.get(partition, []), own)}
        wanted |= {each.capture.number for each in own if _lacks_records(each, theirs.get(partition, []), by_name)}
    return frozenset(wanted)


def _by_partition(manifest: Manifest) -> dict[Partition, list[BundledCapture]]:
    found: dict[Partition, list[BundledCapture]] = {}
    for bundled in manifest.captures:
        found.setdefault(bundled.capture.partition, []).append(bundled)
    return found


def _lacks_records(bundled: BundledCapture, theirs: Sequence[Capture], by_name: dict[CaptureName, Capture]) -> bool:
    stored = by_name.get(CaptureName.of(bundled.capture))
    if stored is None or stored.is_normalized or not bundled.capture.is_normalized:
        return False
    return not any(other.is_normalized and other.number > stored.number for other in theirs)


def _parse(bundled: BundledCapture, documents: Sequence[bytes]) -> ParsedContent:
    capture = bundled.capture
    try:
        parsed = parse_content(documents, capture.partition)
    except SourceDataError as error:
        raise ConfigurationError(f"{capture}: its payload cannot be read: {error.message}") from error
    if hash_records(parsed.records) != bundled.records_hash or len(parsed.rejects) != capture.rejected_rows:
        raise ConfigurationError(
            f"{capture}: this release reads other records from its payload than the one that made the bundle: "
            "import it with that release"
        )
    return parsed


def _put(
    store: Store, bundled: BundledCapture, history: Sequence[BundledCapture], documents: tuple[bytes, ...], at: datetime
) -> None:
    """Store a capture with its records. history: the bundle's captures of the partition, up to this one."""
    capture = bundled.capture
    parsed = _parse(bundled, documents) if bundled.records_hash is not None else None
    scope = Scope.partition(capture.partition)
    with writing(store, scope, lambda: at) as unit:
        own = unit.captures(CaptureQuery(partitions=frozenset({capture.partition})))
        stored = next((each for each in own if CaptureName.of(each) == CaptureName.of(capture)), None)
        if stored is None:
            missing(capture.partition, own, history)  # another process may have added one meanwhile
            stored = _put_capture(unit, bundled, documents)
        if parsed is not None and capture.normalized_at is not None and not stored.is_normalized:
            coverage = coverage_by(sums_of(parsed.records))
            unit.put_records(stored, parsed.records, parsed.rejects, coverage, capture.normalized_at)
            found = rejected_rows(stored, parsed.rejects)
            record_checks(unit, [Check(scope, Stage.NORMALIZED, found, OF_NORMALIZATION)], capture.normalized_at)


def _put_capture(unit: UnitOfWork, bundled: BundledCapture, documents: tuple[bytes, ...]) -> Capture:
    capture = bundled.capture
    new = NewCapture(
        capture_id=capture.capture_id,
        revision=capture.revision,
        partition=capture.partition,
        captured_at=capture.captured_at,
        verified_at=capture.verified_at,
        content_hash=capture.content_hash,
        version=capture.version,
        row_count=capture.row_count,
        run_id=capture.run_id,
        reason=capture.reason,
    )
    stored = unit.put_capture(new, Payload(documents, capture.source_url, capture.version))
    if stored.checked_at != capture.checked_at:
        stored = evolve(stored, checked_at=capture.checked_at)
        unit.put_checked([stored])
    return stored


# What follows from them ------------------------------------------------------------------------------


def _put_analyses(store: Store, manifest: Manifest, at: datetime) -> list[BundledAnalysis]:
    """Add the analytics that the store lacks, in their order."""
    with store.read() as view:
        theirs = [capture for own in _of_partitions(view, manifest).values() for capture in own]
        known = set(view.analysis_keys(manifest.weeks))
    by_name = {CaptureName.of(capture): capture for capture in theirs}
    added = []
    for bundled in manifest.analyses:
        inputs = [by_name[CaptureName.of(manifest.captures[place - 1].capture)] for place in bundled.inputs]
        key = (bundled.week_ending, bundled.tier, tuple(capture.number for capture in inputs), CALC_VERSION)
        if key not in known and all(capture.is_normalized for capture in inputs):
            _put_analysis(store, bundled, inputs, at)
            added.append(bundled)
    return added


def _put_analysis(store: Store, bundled: BundledAnalysis, inputs: Sequence[Capture], at: datetime) -> None:
    with store.read() as view:
        volumes = volumes_of(Records.joined([view.records(capture) for capture in inputs]))
    computed = bundled.computed_at
    if bundled.tier == ALL_TIERS:
        made = analyze_across_tiers(inputs, volumes, (), computed.date(), computed)
    else:
        made = analyze(inputs[0], volumes, computed)
    analysis = evolve(made, capture_id=bundled.capture_id, revision=bundled.revision)
    _check_figures(analysis, bundled)
    with writing(store, Scope(bundled.week_ending, bundled.tier), lambda: at) as unit:
        if analysis.key not in unit.analysis_keys([bundled.week_ending]):
            unit.put_analysis(analysis)


def _check_figures(analysis: Analysis, bundled: BundledAnalysis) -> None:
    if hash_figures(analysis) != bundled.figures_hash:
        raise ConfigurationError(
            f"{bundled.week_ending} / {bundled.tier}: this release calculates other analytics than the one that made "
            "the bundle: the captures are imported, and the next run analyzes them anew"
        )


def _judge(
    store: Store, weeks: frozenset[date], at: datetime, policies: Sequence[Policy], bounds: CoverageBounds
) -> None:
    with store.read() as view:
        checks = coverage_checks(view, weeks, bounds, at.date())
    with writing(store, Scope(), lambda: at) as unit:
        record_checks(unit, checks, at)
        unit.hold(Lock.JUDGMENTS)
        put_changed(unit, read_states(unit, weeks), policies, at.date(), at)
