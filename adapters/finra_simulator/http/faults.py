"""What can go wrong between FINRA and a client, on demand or by chance."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Literal

from attrs import field, frozen
from attrs.validators import and_, ge, in_, le

from finra_core.domain.partitions import Partition
from finra_simulator.chance import below, stream
from finra_simulator.http.api import Kind

STATUSES = ("400", "401", "403", "404", "429", "500", "502", "503", "504")
FaultKind = Literal[
    "400", "401", "403", "404", "429", "500", "502", "503", "504",
    "reset", "truncate", "truncate-silently", "html", "stall", "huge", "republish", "expired-token", "wrong-rows",
]  # fmt: skip
_KINDS = (
    *STATUSES, "reset", "truncate", "truncate-silently", "html", "stall", "huge",
    "republish", "expired-token", "wrong-rows",
)  # fmt: skip
TRANSIENT: tuple[FaultKind, ...] = ("429", "500", "502", "503", "504", "reset", "truncate")
"""Those that a client is to overcome by asking again."""


@frozen
class Fault:
    """Something that goes wrong with the next requests of a kind.

    kind: a status, or
        reset: the connection is reset in place of an answer.
        truncate: the connection ends before as many bytes as Content-Length says.
        truncate-silently: the body ends in mid-row and Content-Length agrees.
        html: a 200 with an HTML page.
        stall: no answer, until the server stops.
        huge: a body without end.
        republish: the world's clock moves to the partition's next restatement, then the answer follows.
        expired-token: 401, and all tokens are stale from now on.
        wrong-rows: the page's first row is one of the week before.
    on, partition: which requests; None is any partition.
    times: how many such requests; `after`: how many of them pass before the first.
    retry_after: the Retry-After header of a status, in seconds.
    """

    kind: FaultKind = field(validator=in_(_KINDS))
    on: Kind | Literal["any"] = "any"
    partition: Partition | None = None
    times: int = 1
    after: int = 0
    retry_after: int | None = None

    def concerns(self, kind: Kind, partition: Partition | None) -> bool:
        """Whether such a request is one of those that it can hit."""
        return self.on in ("any", kind) and self.partition in (None, partition)


@frozen
class RandomFaults:
    """Each request fails with the chance `rate`, with one of `kinds`; the same sequence for the same seed."""

    rate: float = field(validator=and_(ge(0.0), le(1.0)))
    seed: int = 1
    kinds: Sequence[FaultKind] = TRANSIENT


class FaultPlan:
    """Which fault hits which request. Safe to use from several threads."""

    def __init__(self, faults: Sequence[Fault] = (), chance: RandomFaults | None = None) -> None:
        self._lock = Lock()
        self._chance = chance
        self._stream = stream("faults", chance.seed if chance else 0)
        self._faults: list[Fault] = []
        self._seen: list[int] = []
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Plan more of them, from the next request on."""
        with self._lock:
            self._faults += faults
            self._seen += [0] * len(faults)

    def strike(self, kind: Kind, partition: Partition | None) -> Fault | None:
        """The fault of this request, the first of those planned; None for an undisturbed answer."""
        with self._lock:
            hit = [fault for i, fault in enumerate(self._faults) if self._hits(i, fault, kind, partition)]
            return hit[0] if hit else self._by_chance()

    def _hits(self, i: int, fault: Fault, kind: Kind, partition: Partition | None) -> bool:
        if not fault.concerns(kind, partition):
            return False
        self._seen[i] += 1
        return fault.after < self._seen[i] <= fault.after + fault.times

    def _by_chance(self) -> Fault | None:
        chance = self._chance
        if chance is None or self._stream.random() >= chance.rate:
            return None
        return Fault(chance.kinds[below(self._stream, len(chance.kinds))])
