"""One committed state of a memory store, and what can be read from it.

Naive on purpose: every capture has its complete records, and every answer is looked up by going through
all there is, so that reading the code is enough to believe it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date

from attrs import Factory, define

from finra_core.domain.analytics import Analysis
from finra_core.domain.anomalies import AnomalyRecord, Severity
from finra_core.domain.captures import Capture
from finra_core.domain.errors import StoreError
from finra_core.domain.partitions import Partition
from finra_core.domain.readiness import Readiness, TierState, WeekState
from finra_core.domain.records import Records
from finra_core.domain.tiers import ALL_TIERS, TIERS
from finra_core.ports import RunRecord
from finra_core.weekly_summary.delimited import Reject


@define
class State:
    """Captures, payloads, records and rejects are by capture number; a capture with records is normalized."""

    captures: dict[int, Capture] = Factory(dict)
    documents: dict[int, tuple[bytes, ...]] = Factory(dict)
    records: dict[int, Records] = Factory(dict)
    rejects: dict[int, list[Reject]] = Factory(dict)
    analyses: list[Analysis] = Factory(list)
    readiness: dict[tuple[date, str], Readiness] = Factory(dict)
    anomalies: dict[str, AnomalyRecord] = Factory(dict)
    runs: dict[str, RunRecord] = Factory(dict)

    def copy(self) -> State:
        """A state that can be changed without changing this one: what the containers hold is never changed."""
        return State(
            captures=dict(self.captures),
            documents=dict(self.documents),
            records=dict(self.records),
            rejects=dict(self.rejects),
            analyses=list(self.analyses),
            readiness=dict(self.readiness),
            anomalies=dict(self.anomalies),
            runs=dict(self.runs),
        )

    def newest(self, partition: Partition) -> Capture | None:
        """The partition's newest capture."""
        return _last(c for c in self.captures.values() if c.partition == partition)

    def newest_normalized(self, partition: Partition) -> Capture | None:
        """The partition's newest capture that has records."""
        return _last(c for c in self.captures.values() if c.partition == partition and c.number in self.records)

    def list_captures(self, partitions: Collection[Partition] | None) -> list[Capture]:
        """See `Store.captures`."""
        return _in_order(c for c in self.captures.values() if partitions is None or c.partition in partitions)

    def unnormalized(self) -> list[Capture]:
        """See `Store.unnormalized`."""
        return _in_order(c for c in self.captures.values() if c.number > self._normalized_up_to(c.partition))

    def unanalyzed(self, calc_version: int) -> list[Capture]:
        """See `Store.unanalyzed`."""
        return _in_order(
            c for c in self.captures.values() if c.number in self.records and not self._is_analyzed(c, calc_version)
        )

    def week_state(self, week: date, calc_version: int) -> WeekState:
        """See `Store.week_states`."""
        partitions = {tier: Partition(week, tier) for tier in TIERS}
        tiers = {
            tier: self._tier_state(newest, calc_version)
            for tier, partition in partitions.items()
            if (newest := self.newest(partition))
        }
        normalized = [self.newest_normalized(partition) for partition in partitions.values()]
        inputs = tuple(capture.number for capture in normalized if capture)
        return WeekState(
            week_ending=week,
            tiers=tiers,
            cross_tier_analyzed=len(inputs) == len(TIERS) and self.has_analysis(week, ALL_TIERS, inputs, calc_version),
            open_criticals=sum(_is_open_critical(record, week) for record in self.anomalies.values()),
        )

    def has_analysis(self, week: date, tier: str, inputs: tuple[int, ...], calc_version: int) -> bool:
        """Whether analytics of exactly these inputs are stored."""
        wanted = (week, tier, inputs, calc_version)
        return any((a.week_ending, a.tier, a.inputs, a.calc_version) == wanted for a in self.analyses)

    def records_of(self, capture: Capture) -> Records:
        """The capture's records.

        Raises:
            StoreError: it is not normalized, or no capture of this store.
        """
        if capture.number not in self.records:
            raise StoreError(f"{capture} has no records: it is not normalized", partition=capture.partition)
        return self.records[capture.number]

    def documents_of(self, capture: Capture) -> tuple[bytes, ...]:
        """The capture's documents.

        Raises:
            StoreError: it is no capture of this store.
        """
        if capture.number not in self.documents:
            raise StoreError(f"{capture} is not in this store", partition=capture.partition)
        return self.documents[capture.number]

    def shared_symbols(self, captures: Sequence[Capture]) -> frozenset[str]:
        """See `Store.shared_symbols`."""
        had = Counter(
            symbol
            for capture in captures
            for symbol in {security[0] for security in self.records_of(capture).securities}
        )
        return frozenset(symbol for symbol, captures_with_it in had.items() if captures_with_it > 1)

    def _normalized_up_to(self, partition: Partition) -> int:
        newest = self.newest_normalized(partition)
        return newest.number if newest else 0

    def _is_analyzed(self, capture: Capture, calc_version: int) -> bool:
        partition = capture.partition
        return self.has_analysis(partition.week_ending, partition.tier.value, (capture.number,), calc_version)

    def _tier_state(self, newest: Capture, calc_version: int) -> TierState:
        normalized = self.newest_normalized(newest.partition)
        return TierState(
            newest=newest,
            normalized=normalized,
            rejected_rows=len(self.rejects[normalized.number]) if normalized else 0,
            analyzed=normalized is not None and self._is_analyzed(normalized, calc_version),
        )


def _last(captures: Iterable[Capture]) -> Capture | None:
    return max(captures, key=lambda capture: capture.number, default=None)


def _in_order(captures: Iterable[Capture]) -> list[Capture]:
    return sorted(captures, key=lambda c: (c.partition.week_ending, TIERS.index(c.partition.tier), c.number))


def _is_open_critical(record: AnomalyRecord, week: date) -> bool:
    anomaly = record.anomaly
    return (
        record.resolved_at is None
        and anomaly.severity is Severity.CRITICAL
        and json.loads(anomaly.partition_key).get("week_ending") == week.isoformat()
    )
