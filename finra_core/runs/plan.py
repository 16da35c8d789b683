"""A plan as a value: what a run will do with each partition, and why. It can be kept, read by people, and applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum

from attrs import field, frozen

from finra_core.domain.failures import Failure
from finra_core.domain.partitions import Partition
from finra_core.domain.revision import Action, CaptureRef, Decision
from finra_core.domain.tiers import Tier
from finra_core.ports.source import Usage
from finra_core.runs.request import RunRequest

PLAN_VERSION = 1
NO_USAGE = Usage()


class Origin(str, Enum):
    """Why a run looks at a partition.

    ASKED: it is in the window, or was asked for by name. RESTATED: the source says that it was restated. ROTATION:
    its turn to be looked at has come.
    """

    ASKED = "asked"
    RESTATED = "restated"
    ROTATION = "rotation"

    def __str__(self) -> str:
        return self.value


@frozen(kw_only=True)
class PlannedPartition:
    """A partition and what to do with it. failure: why it cannot be looked at, None unless the action is FAIL."""

    partition: Partition
    origin: Origin
    decision: Decision
    failure: Failure | None = None
    estimate: Usage = NO_USAGE

    @property
    def latest(self) -> CaptureRef | None:
        """The store's newest capture when the plan was made."""
        return self.decision.evidence.latest

    @property
    def is_optional(self) -> bool:
        """Whether the content is compared only because its turn has come: that can wait, and stays due."""
        return self.origin is Origin.ROTATION and self.decision.action is Action.COMPARE


@frozen(kw_only=True)
class Problem:
    """What the source holds and cannot offer as a partition, or offers although it contradicts itself.

    place: where in the source, None where it is the source as a whole.
    """

    message: str
    place: str | None
    is_doubt: bool = False


@frozen(kw_only=True)
class SweepPlan:
    """How a run looks for restatements of older weeks.

    since: the source was asked for rows dated from this day on; None where it was not asked. told: whether it could
    tell. older: how many older partitions the source offers and the store has. next_from: the day with which the next
    sweep begins, None where this one did not cover everything. failure: why the source did not answer, None where it
    did. offered_from: by tier, the first week ending that the source offers.
    """

    since: date | None
    told: bool
    older: int
    next_from: date | None
    failure: str | None = None
    offered_from: Mapping[Tier, date] = field(factory=dict)


@frozen(kw_only=True)
class Plan:
    """What a run will do. partitions: newest week first, then in tier order.

    resolved: whether contents that only a comparison can decide were fetched and compared. problems: of the source.
    source: its label. store: its URL, without secrets.
    """

    schema_version: int
    request: RunRequest
    run_date: date
    planned_at: datetime
    source: str
    store: str
    partitions: tuple[PlannedPartition, ...]
    problems: tuple[Problem, ...]
    sweep: SweepPlan | None
    resolved: bool

    @property
    def expected_usage(self) -> Usage:
        """What fetching is expected to cost."""
        return sum((planned.estimate for planned in self.partitions), start=NO_USAGE)


def drift(plan: Plan, now: Plan) -> list[str]:
    """What is no longer as the plan saw it: a line for each partition that differs, with both sides. Else nothing."""
    lines = []
    if plan.store != now.store:
        lines.append(f"the plan is for the store {plan.store}, this is {now.store}")
    if plan.source != now.source:
        lines.append(f"the plan is for the source {plan.source}, this is {now.source}")
    before, after = _by_partition(plan.partitions), _by_partition(now.partitions)
    for partition in [*before, *(p for p in after if p not in before)]:
        lines.extend(_differences(partition, before.get(partition), after.get(partition)))
    return lines


def _by_partition(partitions: Iterable[PlannedPartition]) -> dict[Partition, PlannedPartition]:
    return {planned.partition: planned for planned in partitions}


def _differences(partition: Partition, was: PlannedPartition | None, now: PlannedPartition | None) -> Iterator[str]:
    if was is None or now is None:
        sides = "not in the plan, but would be now" if was is None else "in the plan, but would not be now"
        yield f"{partition}: {sides}"
        return
    old, new = was.decision.evidence, now.decision.evidence
    if old.latest != new.latest:
        yield f"{partition}: the plan saw {_capture(old.latest)}, the store now has {_capture(new.latest)}"
    elif old.version != new.version:
        yield f"{partition}: the plan saw version {old.version or 'none'}, the source now has {new.version or 'none'}"
    elif old.content_hash != new.content_hash:
        sides = f"the plan saw content {_short(old.content_hash)}, the source now has {_short(new.content_hash)}"
        yield f"{partition}: {sides}"
    elif was.decision.action != now.decision.action:
        yield f"{partition}: the plan was to {was.decision.action} it, now it is to {now.decision.action} it"


def _capture(ref: CaptureRef | None) -> str:
    """With the number and the content, by which captures of two stores differ that bear one name."""
    return f"{ref} (capture {ref.number}, content {_short(ref.content_hash)})" if ref else "no capture"


def _short(content_hash: str | None) -> str:
    return content_hash[:8] if content_hash else "not compared"
