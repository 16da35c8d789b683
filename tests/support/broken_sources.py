"""Sources with one fault each, to prove that the suite of sources catches it. They are the simulator, but for it."""

from __future__ import annotations

import time
from datetime import date, datetime, timezone
from itertools import count

from attrs import evolve

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import SourceError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_core.ports import Listing, Usage
from finra_core.weekly_summary.payload import Payload
from finra_core.weekly_summary.profile import profile
from finra_simulator import SimulatorSource, World

NOW = datetime(2026, 4, 20, 12, tzinfo=timezone.utc)
WORLD = World(seed=3, symbols=6, first_week=date(2026, 2, 27))
KNOWN = {
    partition: len(WORLD.rows(partition, NOW)) for partition in (Partition(date(2026, 3, 6), tier) for tier in TIERS)
}
ABSENT = Partition(date(2026, 4, 17), Tier.OTC)

_calls = count()
_asked: list[Partition] = []


class Sound(SimulatorSource):
    """No fault."""

    def __init__(self) -> None:
        super().__init__(WORLD, lambda: NOW)


class HasNoName(Sound):
    @property
    def label(self) -> str:
        return ""


class ListsWhatItHasNot(Sound):
    def listing(self) -> Listing:
        return Listing(super().listing().partitions | {ABSENT})


class ListsLess(Sound):
    def listing(self) -> Listing:
        return Listing(frozenset(sorted(super().listing().partitions, key=str)[1:2]))


class CutsOffTheEnd(Sound):
    def fetch(self, partition: Partition) -> Payload:
        payload = super().fetch(partition)
        lines = payload.documents[0].splitlines(keepends=True)
        return evolve(payload, documents=(b"".join(lines[:-1]),))


class GivesAnotherTier(Sound):
    def fetch(self, partition: Partition) -> Payload:
        return super().fetch(evolve(partition, tier=Tier.OTC))


class IsNeverTheSame(Sound):
    def fetch(self, partition: Partition) -> Payload:
        payload = super().fetch(partition)
        header, _, rows = payload.documents[0].partition(b"\n")
        return evolve(payload, documents=(header + b"|read" + rows.replace(b"\n", b"|%d\n" % next(_calls)),))


class MiscountsItsVersions(Sound):
    def probe(self, partition: Partition) -> SourceVersion | None:
        version = super().probe(partition)
        return version and evolve(version, row_count=version.row_count + 1)


class SurveysAnotherDocument(Sound):
    def fetch(self, partition: Partition) -> Payload:
        payload = super().fetch(partition)
        lines = payload.documents[0].splitlines(keepends=True)
        return evolve(payload, profiles=(profile(b"".join(lines[:-1])),))


class IsEmptyWhereAbsent(Sound):
    def fetch(self, partition: Partition) -> Payload:
        return Payload((b"",), "nowhere") if partition == ABSENT else super().fetch(partition)


class NamesNoPartition(Sound):
    def fetch(self, partition: Partition) -> Payload:
        try:
            return super().fetch(partition)
        except SourceError as error:
            raise SourceError(error.message) from error


class FailsToProbeTheAbsent(Sound):
    def probe(self, partition: Partition) -> SourceVersion | None:
        if partition == ABSENT:
            raise SourceError("not there", partition=partition)
        return super().probe(partition)


class MixesUpItsThreads(Sound):
    def fetch(self, partition: Partition) -> Payload:
        _asked[:] = [partition]
        time.sleep(0.01)  # another thread asks, meanwhile
        return super().fetch(_asked[0])


class ForgetsWhatItCost(Sound):
    def usage(self) -> Usage:
        return Usage(requests=-next(_calls))


class HidesItsPrice(Sound):
    def usage(self) -> Usage:
        return Usage(requests=next(_calls))
