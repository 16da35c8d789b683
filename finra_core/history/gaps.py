"""Gaps of a stored history as values, and the commands that mend them: one for all of neighboring weeks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from enum import Enum

from attrs import frozen

from finra_core.domain.tiers import TIERS

_WEEK = timedelta(weeks=1)


class GapKind(str, Enum):
    """What a partition lacks, in the order in which it is mended: what may be lost first, what costs most last.

    SOON_NOT_OFFERED: never captured, and at the beginning of FINRA's list. FAILED: an ERROR is open that nobody
    acknowledged. NOT_NORMALIZED, NOT_ANALYZED, NOT_JUDGED: a run ended between the stages. LATE: asked for, not there,
    and past the days of grace. NEVER_ASKED: no run has asked for it. NEVER_VERIFIED: its content has not been compared
    with FINRA's for longer than the rotation takes.
    """

    SOON_NOT_OFFERED = "soon_not_offered"
    FAILED = "failed"
    NOT_NORMALIZED = "not_normalized"
    NOT_ANALYZED = "not_analyzed"
    NOT_JUDGED = "not_judged"
    LATE = "late"
    NEVER_ASKED = "never_asked"
    NEVER_VERIFIED = "never_verified"

    def __str__(self) -> str:
        return self.value


class Remedy(str, Enum):
    """How a gap is mended.

    RUN: by a run over its weeks. VERIFY: by one that compares contents. WINDOW: by a run over the window, in which an
    absent week is no failure. ACKNOWLEDGE: not by a run, but by a person.
    """

    RUN = "run"
    VERIFY = "verify"
    WINDOW = "window"
    ACKNOWLEDGE = "acknowledge"


@frozen(kw_only=True)
class HistoryGap:
    """One thing that a week of a tier lacks. tier: a tier's name, or ALL for what rests on all three.

    fingerprint: of the anomaly, where the gap is a failure; else None.
    """

    week_ending: date
    tier: str
    kind: GapKind
    message: str
    remedy: Remedy = Remedy.RUN
    fingerprint: str | None = None

    @property
    def command(self) -> str:
        """What mends this gap alone."""
        return command(self.remedy, [self.week_ending], [self.tier], self.fingerprint)


@frozen(kw_only=True)
class GapGroup:
    """Gaps of one kind in neighboring weeks and in the same tiers, which one command mends. weeks: newest first."""

    kind: GapKind
    remedy: Remedy
    weeks: tuple[date, ...]
    tiers: tuple[str, ...]
    gaps: tuple[HistoryGap, ...]

    @property
    def command(self) -> str:
        """What mends all of them."""
        return command(self.remedy, self.weeks, self.tiers, self.gaps[0].fingerprint)


def command(remedy: Remedy, weeks: Collection[date], tiers: Collection[str], fingerprint: str | None = None) -> str:
    """The command line that mends gaps of these weeks and tiers."""
    if remedy is Remedy.ACKNOWLEDGE:
        return f"finra anomalies ack {fingerprint} --reason TEXT"
    if remedy is Remedy.WINDOW:
        return "finra run"
    named = [tier for tier in TIERS if tier.value in tiers]
    only = "" if len(named) in (0, len(TIERS)) else f" --tiers {','.join(named)}"
    return f"finra run --weeks {ranges(weeks)}{only}{' --verify' if remedy is Remedy.VERIFY else ''}"


def ranges(weeks: Collection[date]) -> str:
    """Weeks as `finra run --weeks` takes them: successive ones as a range, ranges separated by commas."""
    found: list[list[date]] = []
    for week in sorted(weeks):
        if found and week - found[-1][-1] == _WEEK:
            found[-1].append(week)
        else:
            found.append([week])
    return ",".join(str(own[0]) if len(own) == 1 else f"{own[0]}..{own[-1]}" for own in found)


def group(gaps: Collection[HistoryGap]) -> list[GapGroup]:
    """Gaps of neighboring weeks together, in the order in which they are mended, then newest week first."""
    by_week: dict[tuple[GapKind, Remedy, date, str | None], list[HistoryGap]] = {}
    for gap in gaps:
        # What a person has to acknowledge is acknowledged one by one.
        own = gap.tier if gap.remedy is Remedy.ACKNOWLEDGE else None
        by_week.setdefault((gap.kind, gap.remedy, gap.week_ending, own), []).append(gap)
    kinds = list(GapKind)
    in_order = sorted(by_week, key=lambda key: (kinds.index(key[0]), key[1].value, -key[2].toordinal(), key[3] or ""))
    found: list[list[list[HistoryGap]]] = []
    for key in in_order:
        if found and _goes_on(found[-1][-1], by_week[key]):
            found[-1].append(by_week[key])
        else:
            found.append([by_week[key]])
    return [_grouped(own) for own in found]


def _goes_on(newer: Sequence[HistoryGap], older: Sequence[HistoryGap]) -> bool:
    first, next_ = newer[0], older[0]
    return (
        (first.kind, first.remedy) == (next_.kind, next_.remedy)
        and first.remedy is not Remedy.ACKNOWLEDGE
        and first.week_ending - next_.week_ending == _WEEK
        and [gap.tier for gap in newer] == [gap.tier for gap in older]
    )


def _grouped(weeks: Sequence[Sequence[HistoryGap]]) -> GapGroup:
    first = weeks[0][0]
    return GapGroup(
        kind=first.kind,
        remedy=first.remedy,
        weeks=tuple(own[0].week_ending for own in weeks),
        tiers=tuple(gap.tier for gap in weeks[0]),
        gaps=tuple(gap for own in weeks for gap in own),
    )
