"""What it means when a source does not offer a partition: not due yet, late, or not to be had."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from finra_core.domain.captures import Capture
from finra_core.domain.partitions import Partition
from finra_core.domain.publication import late_after, publication_date
from finra_core.domain.revision import Action, CaptureRef, Decision, Evidence, Rule
from finra_core.domain.tiers import Tier


def first_offered(partitions: Collection[Partition]) -> dict[Tier, date]:
    """By tier, the first week ending that a source offers. A tier of which it offers nothing is not in the result."""
    first: dict[Tier, date] = {}
    for partition in partitions:
        first[partition.tier] = min(partition.week_ending, first.get(partition.tier, partition.week_ending))
    return first


def decide_absent(
    partition: Partition,
    latest: Capture | None,
    on: date,
    *,
    offered_from: date | None,
    offered_in: str,
    by_name: bool,
    grace_days: Mapping[Tier, int],
) -> Decision:
    """The decision on a partition that the source does not list.

    offered_from: the first week ending of the tier that the source lists, None where it lists none. offered_in: what
    that list is called. by_name: whether somebody asked for this very week; then it is a failure if it is not to be
    had. grace_days: by tier, how many days after its publication day a partition is not late; 3 where a tier is not
    in it.
    """
    due = publication_date(partition)
    ref = None if latest is None else CaptureRef.of(latest)
    evidence = Evidence(latest=ref, due=due, offered_from=offered_from, offered_in=offered_in)
    failing = Action.FAIL if by_name else Action.WAIT
    if latest is not None:
        return Decision(Action.SKIP, Rule.NO_LONGER_OFFERED, evidence)
    if on < due:
        return Decision(Action.WAIT, Rule.NOT_DUE, evidence)
    if offered_from is not None and partition.week_ending < offered_from:
        return Decision(failing, Rule.NOT_OFFERED, evidence)
    if on <= late_after(partition, grace_days.get(partition.tier)):
        return Decision(Action.WAIT, Rule.NOT_THERE_YET, evidence)
    return Decision(failing, Rule.LATE, evidence)
