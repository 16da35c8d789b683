"""What a bundle of captures says of its contents, so that another store can check it and replay it.

A bundle has captures with their payloads, and what tells whether a replay gave the same: hashes of the records and of
the analytics. Judgments and anomalies follow from these and are made again. Decisions and the ledger of runs are about
the store that they were made in, and stay there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise

from attrs import evolve, frozen

from finra_core.domain.analytics import CALC_VERSION, Analysis
from finra_core.domain.captures import Capture, by_partition, parse_capture_id
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.records import Records
from finra_core.domain.tiers import ALL_TIERS, TIERS, Tier
from finra_core.ports.store import CaptureQuery, ReadView

BUNDLE_VERSION = 1
"""Grows when a field changes its meaning. A newer bundle is refused."""


@frozen(kw_only=True)
class Document:
    """One document of a payload. sha256, size_bytes: of its bytes as the source gave them."""

    sha256: str
    size_bytes: int


@frozen(kw_only=True)
class CaptureName:
    """What tells a capture from all others, whatever store it is in."""

    capture_id: str
    revision: int
    captured_at: datetime
    content_hash: str

    @classmethod
    def of(cls, capture: Capture) -> CaptureName:
        """A capture's name."""
        return cls(
            capture_id=capture.capture_id,
            revision=capture.revision,
            captured_at=capture.captured_at,
            content_hash=capture.content_hash,
        )


@frozen(kw_only=True)
class BundledCapture:
    """One capture. capture: its number is its place in the bundle, from 1, and its coverage is left out.

    follows: the capture before it in the store that the bundle comes from, None for a partition's first. documents: of
    its payload, in order. records_hash: `hash_records` of its records, None where it has none.
    """

    capture: Capture
    follows: CaptureName | None
    documents: tuple[Document, ...]
    records_hash: str | None


@frozen(kw_only=True)
class BundledAnalysis:
    """The analytics of one or more captures. inputs: their places. figures_hash: `hash_figures`."""

    capture_id: str
    revision: int
    week_ending: date
    tier: str
    inputs: tuple[int, ...]
    computed_at: datetime
    figures_hash: str


@frozen(kw_only=True)
class Manifest:
    """A bundle's contents. captures, analyses: in the order in which they were stored.

    calc_version: of the analytics. Those of older versions are not in a bundle.
    """

    version: int
    calc_version: int
    captures: tuple[BundledCapture, ...]
    analyses: tuple[BundledAnalysis, ...]

    @property
    def weeks(self) -> frozenset[date]:
        """The weeks that it has captures of."""
        return frozenset(each.capture.partition.week_ending for each in self.captures)


def hash_records(records: Records) -> str:
    """SHA-256 in hex of records, whatever their order: of their lines in alphabetical order.

    A line has the JSON of security and venue, then shares in millionths, trades and date, separated by blanks.
    """
    securities = [json.dumps(list(security)) for security in records.securities.values]
    venues = [json.dumps(list(venue)) for venue in records.venues.values]
    lines = map(
        "{} {} {} {} {}\n".format,
        map(securities.__getitem__, records.securities.codes),
        map(venues.__getitem__, records.venues.codes),
        records.shares_micros,
        records.trades,
        records.last_update_dates,
    )
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def hash_figures(analysis: Analysis) -> str:
    """SHA-256 in hex of the JSON of all that an analysis calculated."""
    venues = [
        [v.venue_type, v.mpid, v.crd, v.venue_name, v.shares_micros, v.trades, v.symbols, share]
        for v, share in zip(analysis.volumes.venues, analysis.venue_shares, strict=True)
    ]
    totals = [analysis.shares_micros, analysis.trades, analysis.volumes.symbols, analysis.hhi, analysis.hhi_upper]
    return hashlib.sha256(json.dumps([totals, venues]).encode()).hexdigest()


# What to take ----------------------------------------------------------------------------------------


@frozen
class Selected:
    """A capture to take, and the one before it in its partition, None for the first."""

    capture: Capture
    before: Capture | None


def select(
    view: ReadView,
    *,
    weeks: Collection[date] | None = None,
    tiers: Collection[Tier] = TIERS,
    since: date | None = None,
    named: Collection[str] | None = None,
) -> list[Selected]:
    """The captures to take, in the order in which they were stored.

    since: only those captured on this UTC day or later. named: only those with one of these capture_ids, with or
    without ` rN`.

    Raises:
        ConfigurationError: there is none of a name.
    """
    captures = by_partition(view.captures(CaptureQuery(weeks=None if weeks is None else frozenset(weeks))))
    found = [
        Selected(capture, before)
        for partition, own in captures.items()
        if partition.tier in tiers
        for before, capture in zip([None, *own], own, strict=False)
        if since is None or capture.captured_at.date() >= since
    ]
    if named is not None:
        found = _named(found, named)
    return sorted(found, key=lambda each: each.capture.number)


def _named(found: Iterable[Selected], named: Collection[str]) -> list[Selected]:
    own = [(each, {each.capture.capture_id, f"{each.capture.capture_id} r{each.capture.revision}"}) for each in found]
    known = set[str]().union(*(names for _each, names in own))
    for name in named:
        if name not in known:
            raise ConfigurationError(f"no capture {name!r} among those asked for: finra captures --json lists them")
    return [each for each, names in own if not names.isdisjoint(named)]


def bundled(selected: Selected, place: int, documents: Sequence[Document], records: Records | None) -> BundledCapture:
    """What a manifest says of a capture."""
    return BundledCapture(
        capture=evolve(selected.capture, number=place, coverage=()),
        follows=None if selected.before is None else CaptureName.of(selected.before),
        documents=tuple(documents),
        records_hash=None if records is None else hash_records(records),
    )


def bundled_analyses(view: ReadView, places: Mapping[int, int], weeks: Collection[date]) -> list[BundledAnalysis]:
    """The analytics of these weeks that rest on captures of the bundle alone. places: by the store's numbers."""
    return [
        _bundled_analysis(analysis, places)
        for week in sorted(weeks)
        for analysis in view.analyses([week])
        if analysis.calc_version == CALC_VERSION and all(number in places for number in analysis.inputs)
    ]


def _bundled_analysis(analysis: Analysis, places: Mapping[int, int]) -> BundledAnalysis:
    return BundledAnalysis(
        capture_id=analysis.capture_id,
        revision=analysis.revision,
        week_ending=analysis.week_ending,
        tier=analysis.tier,
        inputs=tuple(places[number] for number in analysis.inputs),
        computed_at=analysis.computed_at,
        figures_hash=hash_figures(analysis),
    )


# Whether it makes sense ------------------------------------------------------------------------------


def check_manifest(manifest: Manifest) -> None:
    """Check that a manifest does not contradict itself.

    Raises:
        ConfigurationError: it does; the message says where.
    """
    if manifest.version != BUNDLE_VERSION:
        raise ConfigurationError(f"it has version {manifest.version}, this release reads {BUNDLE_VERSION}")
    if manifest.calc_version != CALC_VERSION and manifest.analyses:
        raise ConfigurationError(
            f"its analytics have version {manifest.calc_version}, this release calculates {CALC_VERSION}: make the "
            "bundle with this release"
        )
    for place, each in enumerate(manifest.captures, 1):
        _check_capture(each, place)
    for partition, captures in by_partition(each.capture for each in manifest.captures).items():
        _check_order(partition, captures)
    for analysis in manifest.analyses:
        _check_analysis(analysis, manifest.captures)


def _check_capture(bundled: BundledCapture, place: int) -> None:
    capture = bundled.capture
    named = parse_capture_id(capture.capture_id)
    sizes = [document.size_bytes for document in bundled.documents]
    texts = (capture.capture_id, capture.source_url, capture.run_id, capture.reason)
    if not (
        capture.number == place
        and capture.revision >= 1
        and (named.week_ending, named.tier) == (capture.partition.week_ending, capture.partition.tier.value)
        and sizes
        and min(sizes) >= 0
        and sum(sizes) == capture.size_bytes
        and capture.is_normalized is (bundled.records_hash is not None) is (capture.rejected_rows is not None)
        and not capture.coverage
        and all(text.isprintable() for text in texts)
    ):
        raise ConfigurationError(f"what it says of {capture.partition}, capture {place}, contradicts itself")


def _check_order(partition: Partition, captures: Sequence[Capture]) -> None:
    names = {(capture.capture_id, capture.revision) for capture in captures}
    made = [capture.captured_at for capture in captures]
    visible = [capture.normalized_at for capture in captures if capture.normalized_at is not None]
    if len(names) < len(captures) or _descends(made) or _descends(visible):
        raise ConfigurationError(f"its captures of {partition} are not in the order of time")


def _descends(instants: Sequence[datetime]) -> bool:
    return any(later <= earlier for earlier, later in pairwise(instants))


def _check_analysis(analysis: BundledAnalysis, captures: Sequence[BundledCapture]) -> None:
    places = analysis.inputs
    inputs = [captures[place - 1].capture for place in places if 1 <= place <= len(captures)]
    tiers = [capture.partition.tier.value for capture in inputs]
    expected = [tier.value for tier in TIERS] if analysis.tier == ALL_TIERS else [analysis.tier]
    of_week = {capture.partition.week_ending for capture in inputs} == {analysis.week_ending}
    if len(inputs) != len(places) or tiers != expected or not of_week or not all(c.is_normalized for c in inputs):
        raise ConfigurationError(f"the inputs of its analytics of {analysis.week_ending} / {analysis.tier} do not fit")


# Whether it fits into a store ------------------------------------------------------------------------


def missing(partition: Partition, theirs: Sequence[Capture], bundled: Sequence[BundledCapture]) -> list[BundledCapture]:
    """The captures of one partition that a store lacks, in order.

    theirs: the store's captures of the partition, oldest first; bundled: the bundle's. The two histories have to be
    one: what both have is equal, and what the store lacks follows its newest capture.

    Raises:
        ConfigurationError: the store has another history of this partition.
    """
    known = {CaptureName.of(capture): capture for capture in theirs}
    common = [each for each in bundled if CaptureName.of(each.capture) in known]
    for each in common:
        _check_same(each.capture, known[CaptureName.of(each.capture)])
    lacking = bundled[len(common) :]
    if not lacking:
        return []
    newest = CaptureName.of(theirs[-1]) if theirs else None
    if theirs and (list(bundled[: len(common)]) != common or not _follows(newest, common, lacking[0])):
        raise ConfigurationError(
            f"{partition}: the store has a history of its own, and {lacking[0].capture} of the bundle does not follow "
            f"{theirs[-1]}: import it into another store"
        )
    return list(lacking)


def _follows(newest: CaptureName | None, common: Sequence[BundledCapture], first: BundledCapture) -> bool:
    """Whether the first capture that is lacking comes after the store's newest one, without a gap that is not ours."""
    return newest in (first.follows, CaptureName.of(common[-1].capture) if common else None)


def _check_same(ours: Capture, theirs: Capture) -> None:
    """Check that a capture in both says the same.

    The store may have given it records since, or seen it confirmed by its source.
    """
    both_have_records = ours.is_normalized and theirs.is_normalized
    if _lasting(ours, both_have_records) != _lasting(theirs, both_have_records):
        raise ConfigurationError(
            f"{ours.partition}: the store has {theirs} with other particulars than the bundle: import it into another "
            "store"
        )


def _lasting(capture: Capture, has_records: bool) -> Capture:
    """A capture without what changes, or differs from store to store."""
    same = evolve(capture, number=0, coverage=(), verified_at=capture.captured_at, checked_at=capture.captured_at)
    return same if has_records else evolve(same, normalized_at=None, rejected_rows=None)
