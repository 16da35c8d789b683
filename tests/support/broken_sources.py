"""Sources with one fault each, to prove that the suite of sources catches it. They are the simulator, but for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from functools import partial
from itertools import count
from types import TracebackType

from attrs import evolve

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import SourceError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports.source import Listing, SourceInfo, SourceKind, Usage
from finra_core.weekly_summary.payload import Payload
from finra_core.weekly_summary.profile import profile
from finra_simulator import SimulatorSource, World

NOW = datetime(2026, 4, 20, 12, tzinfo=timezone.utc)
WORLD = World(seed=3, symbols=6, first_week=date(2026, 2, 27), restatement_rate=1.0)
KNOWN = {
    partition: len(WORLD.rows(partition, NOW)) for partition in (Partition(date(2026, 3, 6), tier) for tier in TIERS)
}
ABSENT = Partition(date(2026, 4, 17), Tier.OTC)

_calls = count()
_asked: list[Partition] = []


class Sound(SimulatorSource):
    """No fault. Its kind is what another process opens, too."""

    def __init__(self) -> None:
        super().__init__(WORLD, lambda: NOW)

    def reopener(self, *, same_machine: bool, processes: int) -> Callable[[], SimulatorSource]:
        return partial(type(self))


def _cut(payload: Payload) -> bytes:
    lines = payload.documents[0].splitlines(keepends=True)
    return b"".join(lines[:-1])


# What it is -------------------------------------------------------------------------------------------


class HasNoName(Sound):
    def __init__(self) -> None:
        SimulatorSource.__init__(self, WORLD, lambda: NOW, info=SourceInfo(label="", kind=SourceKind.FEED))


class IsOneInstanceAlways(Sound):
    def __init__(self) -> None:
        info = SourceInfo(label="simulator", kind=SourceKind.FEED, instance="the one")
        SimulatorSource.__init__(self, WORLD, lambda: NOW, info=info)


class SwallowsErrors(Sound):
    def __exit__(  # type: ignore[override]
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> bool:
        return True


class TakesItsThreadsAlong(Sound):
    """Its reopener does not pickle."""

    def reopener(self, *, same_machine: bool, processes: int) -> Callable[[], SimulatorSource]:
        return lambda: self


class OpensAnotherWorld(Sound):
    def reopener(self, *, same_machine: bool, processes: int) -> Callable[[], SimulatorSource]:
        return _another_world


def _another_world() -> SimulatorSource:
    return SimulatorSource(evolve(WORLD, seed=4), lambda: NOW)


# What it gives ----------------------------------------------------------------------------------------


class ListsWhatItHasNot(Sound):
    def list_partitions(self) -> Listing:
        return Listing(super().list_partitions().partitions | {ABSENT})


class HasProblemsNowhere(Sound):
    def list_partitions(self) -> Listing:
        return Listing(super().list_partitions().partitions, problems=(SourceError("a file names no week"),))


class ListsLess(Sound):
    def list_partitions(self) -> Listing:
        return Listing(frozenset(sorted(super().list_partitions().partitions, key=str)[1:2]))


class CutsOffTheEnd(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = super().fetch(partition, expected)
        return evolve(payload, documents=(_cut(payload),))


class GivesAnotherTier(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        return super().fetch(evolve(partition, tier=Tier.OTC), expected)


class IsNeverTheSame(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = super().fetch(partition, expected)
        header, _, rows = payload.documents[0].partition(b"\n")
        return evolve(payload, documents=(header + b"|read" + rows.replace(b"\n", b"|%d\n" % next(_calls)),))


class ProfilesAnotherDocument(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = super().fetch(partition, expected)
        return evolve(payload, profiles=(profile(_cut(payload)),))


class IsEmptyWhereAbsent(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        return Payload((b"",), "nowhere") if partition == ABSENT else super().fetch(partition, expected)


class NamesNoPartition(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        try:
            return super().fetch(partition, expected)
        except SourceError as error:
            raise SourceError(error.message) from error


class MixesUpItsThreads(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        _asked[:] = [partition]
        time.sleep(0.01)  # another thread asks, meanwhile
        return super().fetch(_asked[0], expected)


# Versions ---------------------------------------------------------------------------------------------


class MiscountsItsVersions(Sound):
    def probe(self, partition: Partition) -> SourceVersion | None:
        version = super().probe(partition)
        return version and evolve(version, row_count=(version.row_count or 0) + 1)


class DatesItsVersionsByTheFirstRow(Sound):
    """As a probe does that sorts the wrong way round."""

    def probe(self, partition: Partition) -> SourceVersion | None:
        version = super().probe(partition)
        if version is None:
            return None
        return evolve(version, last_update_date=min(row.last_update_date for row in WORLD.rows(partition, NOW)))

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        return evolve(super().fetch(partition, expected), version=self.probe(partition))


class SaysNoVersions(Sound):
    def probe(self, partition: Partition) -> SourceVersion | None:
        return None


class FetchesAnotherVersionThanItProbes(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = super().fetch(partition, expected)
        version = payload.version and evolve(payload.version, last_update_date=date(2026, 1, 1))
        return evolve(payload, version=version)


class FailsToProbeTheAbsent(Sound):
    def probe(self, partition: Partition) -> SourceVersion | None:
        if partition == ABSENT:
            raise SourceError("not there", partition=partition)
        return super().probe(partition)


class NeedsAProbeFirst(Sound):
    """It says the version that the probe saw, and none without a probe."""

    def __init__(self) -> None:
        super().__init__()
        _probed.clear()

    def probe(self, partition: Partition) -> SourceVersion | None:
        version = super().probe(partition)
        if version is not None:
            _probed[partition] = version
        return version

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        return evolve(super().fetch(partition, expected), version=_probed.get(partition))


_probed: dict[Partition, SourceVersion] = {}


class GivesWhatWasProbedLast(Sound):
    """One place for the partition asked for, whoever asks for what."""

    def probe(self, partition: Partition) -> SourceVersion | None:
        _asked[:] = [partition]
        return super().probe(partition)

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        return super().fetch(_asked.pop() if _asked else partition, expected)


class BelievesWhatIsExpected(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = super().fetch(partition, expected)
        return evolve(payload, version=expected or payload.version)


class GivesAsManyRowsAsExpected(Sound):
    """It knows from there how far to read."""

    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        payload = super().fetch(partition, expected)
        rows = 1 + (expected.row_count if expected and expected.row_count else len(payload.documents[0].splitlines()))
        return evolve(payload, documents=(b"".join(payload.documents[0].splitlines(keepends=True)[:rows]),))


class FailsWhereItExpectedAnother(Sound):
    def fetch(self, partition: Partition, expected: SourceVersion | None = None) -> Payload:
        if expected not in (None, self.probe(partition)):
            raise SourceError("republished meanwhile", partition=partition)
        return super().fetch(partition, expected)


# Restatements -----------------------------------------------------------------------------------------


class CannotTellWhatWasRestated(Sound):
    def restated_since(self, day: date, before: date) -> frozenset[Partition] | None:  # type: ignore[override]
        return None


class TellsOfNoRestatement(Sound):
    """As a server does that ignores the filter's name, and a source that drops what does not fit it."""

    def restated_since(self, day: date, before: date) -> frozenset[Partition]:
        return frozenset()


class LeavesOutTheDayItself(Sound):
    def restated_since(self, day: date, before: date) -> frozenset[Partition]:
        return super().restated_since(day + timedelta(days=1), before)


class TellsOfAllWeeks(Sound):
    def restated_since(self, day: date, before: date) -> frozenset[Partition]:
        return super().restated_since(day, date(2100, 1, 1))


class TellsOfAllPartitions(Sound):
    def restated_since(self, day: date, before: date) -> frozenset[Partition]:
        return super().restated_since(date(2000, 1, 1), before)


# What it costs ----------------------------------------------------------------------------------------


class AsksAsSoonAsItIsOpened(Sound):
    def usage(self) -> Usage:
        return Usage(requests=1)


class ForgetsWhatItCost(Sound):
    def usage(self) -> Usage:
        return Usage(requests=-next(_calls))


class HidesItsPrice(Sound):
    def usage(self) -> Usage:
        return Usage(requests=next(_calls))
