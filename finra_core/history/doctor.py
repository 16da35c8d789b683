"""What the stored history lacks, and the command that mends each gap.

A store holds from its first captured week on. What is missing after that week is a gap; older weeks are none. A week
that FINRA's list has lost cannot be fetched any more, and is told apart from the gaps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from attrs import field, frozen

from finra_core.domain.analytics import CALC_VERSION, AnalysisKey
from finra_core.domain.anomalies import AnomalyRecord, Severity
from finra_core.domain.captures import Capture, by_partition, unnormalized
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import BUILT_IN, Policy
from finra_core.domain.publication import due_weeks, late_after, publication_date
from finra_core.domain.readiness import Judgment, WeekState, evaluate, week_states
from finra_core.domain.revision import Rule
from finra_core.domain.tiers import ALL_TIERS, TIERS, Tier
from finra_core.domain.weeks import DEFAULT_LOOKBACK
from finra_core.history.gaps import GapKind, HistoryGap, Remedy
from finra_core.ports.store import (
    AnomalyQuery,
    CaptureQuery,
    DecisionQuery,
    DecisionRecord,
    JudgmentQuery,
    ReadView,
)

_WEEK = timedelta(weeks=1)
SOON = 4
"""So many weeks at the beginning of FINRA's list may soon be gone from it. FINRA does not say when it moves."""
UNVERIFIED = timedelta(days=400)
"""For how long a content need not be compared with FINRA's, where the store is small enough for the rotation."""
ROTATION_SLACK = 1.5
"""Each run compares one older content. So a content waits as many runs as there are others: with runs on weekdays
1.4 days for each."""


@frozen(kw_only=True)
class LostWeeks:
    """Successive weeks of some tiers that the store does not have and that FINRA's list no longer has."""

    first: date
    last: date
    tiers: tuple[str, ...]


@frozen(kw_only=True)
class Examination:
    """What a store lacks. begins: its first captured week, None where it has no capture.

    gaps: newest week first, then in tier order. lost: newest first.
    """

    begins: date | None
    gaps: tuple[HistoryGap, ...]
    lost: tuple[LostWeeks, ...]


def examine(
    view: ReadView,
    at: datetime,
    *,
    offered_from: Mapping[Tier, date] | None = None,
    policies: Sequence[Policy] = BUILT_IN,
    grace_days: Mapping[Tier, int] | None = None,
) -> Examination:
    """What is missing from the first week stored to the newest one that FINRA is due to have published by `at`.

    offered_from: by tier, the first week ending that FINRA's list has; a tier that is not in it is not known.

    Raises:
        StoreError: the store failed.
    """
    captures = by_partition(view.captures(CaptureQuery()))
    begins = min((partition.week_ending for partition in captures), default=None)
    due = list(_due(begins, at.date())) if begins else []
    found = view.anomalies(AnomalyQuery(severities=frozenset(Severity) - {Severity.INFO}, open_only=True))
    failures = _failures(found)
    absent = frozenset(partition.week_ending for partition in (*due, *failures) if partition not in captures)
    decisions = view.decisions(DecisionQuery(weeks=absent, newest=True)) if absent else []
    facts = _Facts(
        at=at,
        offered_from=offered_from or {},
        grace_days=grace_days or {},
        captures=captures,
        failures=failures,
        decisions={record.partition: record for record in decisions},
        keys=frozenset(view.analysis_keys()),
        judgments=view.judgments(JudgmentQuery()),
        policies=policies,
        anomalies=found,
    )
    gaps = [gap for partition in dict.fromkeys([*due, *failures, *captures]) for gap in facts.lacks(partition)]
    gaps += facts.lacking_weeks()
    order = [*TIERS, ALL_TIERS]
    gaps.sort(key=lambda gap: (-gap.week_ending.toordinal(), order.index(gap.tier)))
    lost = [partition for partition in due if facts.is_lost(partition)]
    return Examination(begins=begins, gaps=tuple(gaps), lost=tuple(_lost(lost)))


def _due(first: date, on: date) -> Iterator[Partition]:
    """The partitions from the week `first` on that FINRA was due to publish, newest week first."""
    newest = {tier: due_weeks(tier, 1, on)[0] for tier in TIERS}
    week = max(newest.values())
    while week >= first:
        yield from (Partition(week, tier) for tier in TIERS if week <= newest[tier])
        week -= _WEEK


def _failures(found: Collection[AnomalyRecord]) -> dict[Partition, AnomalyRecord]:
    """By partition, the open ERROR that was seen last. found: latest seen first."""
    failures: dict[Partition, AnomalyRecord] = {}
    for record in found:
        scope = record.anomaly.scope
        is_error = record.anomaly.severity is Severity.ERROR
        if is_error and scope.week_ending is not None and scope.tier in Tier.__members__:
            failures.setdefault(Partition(scope.week_ending, Tier(scope.tier)), record)
    return failures


def _lost(partitions: Collection[Partition]) -> list[LostWeeks]:
    """partitions: newest week first, then in tier order."""
    tiers_of: dict[date, list[str]] = {}
    for partition in partitions:
        tiers_of.setdefault(partition.week_ending, []).append(partition.tier.value)
    spans: list[list[date]] = []
    for week, tiers in tiers_of.items():
        if spans and spans[-1][-1] - week == _WEEK and tiers_of[spans[-1][-1]] == tiers:
            spans[-1].append(week)
        else:
            spans.append([week])
    return [LostWeeks(first=own[-1], last=own[0], tiers=tuple(tiers_of[own[0]])) for own in spans]


@frozen(kw_only=True)
class _Facts:
    """What is known of a store, from one view."""

    at: datetime
    offered_from: Mapping[Tier, date]
    grace_days: Mapping[Tier, int]
    captures: Mapping[Partition, Sequence[Capture]]
    failures: Mapping[Partition, AnomalyRecord]
    decisions: Mapping[Partition, DecisionRecord]
    keys: frozenset[AnalysisKey]
    judgments: Sequence[Judgment]
    policies: Sequence[Policy]
    anomalies: Sequence[AnomalyRecord]
    _analyzed: frozenset[tuple[int, ...]] = field(init=False)

    @_analyzed.default
    def _numbers(self) -> frozenset[tuple[int, ...]]:
        return frozenset(key.inputs for key in self.keys if key.calc_version == CALC_VERSION)

    @property
    def on(self) -> date:
        return self.at.date()

    def lacks(self, partition: Partition) -> Iterator[HistoryGap]:
        """The gaps of one partition."""
        own = self.captures.get(partition, ())
        failure = self.failures.get(partition)
        if failure is not None:
            if not failure.is_acknowledged(self.on):
                yield self._failed(partition, failure)
        elif not own:
            yield from self._absent(partition)
        elif waiting := unnormalized(own):
            yield _gap(partition, GapKind.NOT_NORMALIZED, f"{waiting[-1]} has no records")
        elif bare := [c for c in own if c.is_normalized and (c.number,) not in self._analyzed]:
            yield _gap(partition, GapKind.NOT_ANALYZED, f"{bare[-1]} has no analytics")
        if own and self._is_unverified(partition, own[-1]):
            message = f"its content was last compared on {own[-1].verified_at.date()}"
            yield _gap(partition, GapKind.NEVER_VERIFIED, message, Remedy.VERIFY)

    def lacking_weeks(self) -> Iterator[HistoryGap]:
        """What weeks lack that lack nothing in any of their tiers: analytics across tiers, and judgments."""
        weeks = {partition.week_ending for partition in self.captures}
        captures = [capture for own in self.captures.values() for capture in own]
        states = week_states(weeks, captures, self.keys, self.anomalies, CALC_VERSION)
        judged = {(each.readiness.week_ending, each.readiness.ready_for) for each in self.judgments}
        ready = {(j.readiness.week_ending, j.readiness.ready_for) for j in self.judgments if j.readiness.is_ready}
        for week, state in states.items():
            if not all(each.analyzed and each.normalized == each.newest for each in state.tiers.values()):
                continue
            if state.inputs_across_tiers() is not None and not state.across_tiers_analyzed:
                yield _week_gap(week, GapKind.NOT_ANALYZED, "it has no analytics across tiers over its newest captures")
                continue
            unjudged = [p.name for p in self.policies if self._is_unjudged(state, p, judged, ready)]
            if unjudged:
                yield _week_gap(week, GapKind.NOT_JUDGED, f"no run has judged it as it is now: {', '.join(unjudged)}")

    def _is_unjudged(
        self,
        state: WeekState,
        policy: Policy,
        judged: Collection[tuple[date, str]],
        ready: Collection[tuple[date, str]],
    ) -> bool:
        key = state.week_ending, policy.name
        return key not in judged or (key not in ready and evaluate(state, self.on, policy).is_ready)

    def is_lost(self, partition: Partition) -> bool:
        """Whether it is missing, and no longer in FINRA's list."""
        first = self._offered_from(partition)
        is_before = first is not None and partition.week_ending < first
        return partition not in self.captures and partition not in self.failures and is_before

    def _offered_from(self, partition: Partition) -> date | None:
        """The first week of FINRA's list, as far as it is known; what was not offered once is not offered again."""
        known = self.offered_from.get(partition.tier)
        last = self.decisions.get(partition)
        if known is None and last is not None and last.decision.rule is Rule.NOT_OFFERED:
            return last.decision.evidence.offered_from
        return known

    def _failed(self, partition: Partition, failure: AnomalyRecord) -> HistoryGap:
        first = self._offered_from(partition)
        is_before = first is not None and partition.week_ending < first
        remedy = Remedy.ACKNOWLEDGE if is_before and partition not in self.captures else Remedy.RUN
        message = failure.anomaly.message.removeprefix(f"{partition}: ")
        return _gap(partition, GapKind.FAILED, message, remedy, failure.fingerprint)

    def _absent(self, partition: Partition) -> Iterator[HistoryGap]:
        if self.on <= late_after(partition, self.grace_days.get(partition.tier)) or self.is_lost(partition):
            return
        last, due = self.decisions.get(partition), publication_date(partition)
        first = self.offered_from.get(partition.tier)
        if first is not None and partition.week_ending < first + SOON * _WEEK:
            message = f"never captured, and FINRA's list begins with {first}: it may be gone soon"
            yield _gap(partition, GapKind.SOON_NOT_OFFERED, message)
        elif last is None:
            yield _gap(partition, GapKind.NEVER_ASKED, f"due on {due}, and no run has asked for it")
        else:
            message = f"due on {due}, not there on {last.decided_at.date()}, when a run last asked"
            in_window = partition.week_ending >= self._window_begins
            yield _gap(partition, GapKind.LATE, message, Remedy.WINDOW if in_window else Remedy.RUN)

    @property
    def _window_begins(self) -> date:
        """The oldest week that a default run looks at."""
        return min(due_weeks(tier, DEFAULT_LOOKBACK, self.on)[-1] for tier in TIERS)

    def _is_unverified(self, partition: Partition, newest: Capture) -> bool:
        first = self.offered_from.get(partition.tier)
        if first is not None and partition.week_ending < first:
            return False  # FINRA has nothing to compare it with
        patience = max(UNVERIFIED, timedelta(days=ROTATION_SLACK * len(self.captures)))
        return self.at - newest.verified_at > patience


def _gap(
    partition: Partition,
    kind: GapKind,
    message: str,
    remedy: Remedy = Remedy.RUN,
    fingerprint: str | None = None,
) -> HistoryGap:
    return HistoryGap(
        week_ending=partition.week_ending,
        tier=partition.tier.value,
        kind=kind,
        message=message,
        remedy=remedy,
        fingerprint=fingerprint,
    )


def _week_gap(week: date, kind: GapKind, message: str) -> HistoryGap:
    return HistoryGap(week_ending=week, tier=ALL_TIERS, kind=kind, message=message)
