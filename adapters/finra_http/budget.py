"""What requests have cost, and the budget that no request may pass.

FINRA's public credentials hold 10 GB a month and are inactive until the 1st once it is used up
(developer.finra.org, fees).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define

from finra_core.domain.errors import SourceError
from finra_core.domain.partitions import Partition
from finra_core.ports import Usage


class ByteBudgetError(SourceError):
    """The request was not made, because its answer could have passed FINRA_MAX_BYTES.

    `max_bytes` is the budget, `used_bytes` what had been received, `needed_bytes` the most that the answer could take.
    """

    def __init__(
        self, subject: str, partition: Partition | None, *, max_bytes: int, used_bytes: int, needed_bytes: int
    ) -> None:
        super().__init__(
            f"API budget reached, not asked for {subject}: {used_bytes:,} of {max_bytes:,} bytes are used and the "
            f"answer may take {needed_bytes:,}; raise FINRA_MAX_BYTES or run again later",
            partition=partition,
        )
        self.max_bytes = max_bytes
        self.used_bytes = used_bytes
        self.needed_bytes = needed_bytes


@define
class Tally:
    """Bytes of one answer as they come over the network: never more than `bound`."""

    bound: int
    received: int = 0

    @property
    def left(self) -> int:
        """How many more bytes may be received."""
        return self.bound - self.received


class Meter:
    """Counts requests and bytes over all threads, under a budget in bytes or none."""

    def __init__(self, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._settled = threading.Condition()
        self._reserved = 0
        self._usage = Usage()

    def usage(self) -> Usage:
        """Requests started, and bytes of all answers that have ended."""
        with self._settled:
            return self._usage

    @contextmanager
    def request(self, bound: int, subject: str, partition: Partition | None = None) -> Iterator[Tally]:
        """Account for one request, whose answer is cut off before it takes more than `bound` bytes.

        `subject` and `partition` say for an error what it was about.

        Raises:
            ByteBudgetError: those bytes might pass the budget.
        """
        self._reserve(bound, subject, partition)
        tally = Tally(bound)
        try:
            yield tally
        finally:
            self._settle(tally)

    def _reserve(self, bound: int, subject: str, partition: Partition | None) -> None:
        with self._settled:
            if self._max_bytes is not None:
                self._await_room(bound, self._max_bytes)
                used = self._usage.bytes_received
                if used + bound > self._max_bytes:
                    raise ByteBudgetError(
                        subject, partition, max_bytes=self._max_bytes, used_bytes=used, needed_bytes=bound
                    )
            self._reserved += bound
            self._usage = Usage(self._usage.requests + 1, self._usage.bytes_received)

    def _await_room(self, bound: int, max_bytes: int) -> None:
        """Answers under way mostly end far below their bound: wait for them where they leave no room."""
        while self._reserved and self._usage.bytes_received + self._reserved + bound > max_bytes:
            self._settled.wait()

    def _settle(self, tally: Tally) -> None:
        with self._settled:
            self._reserved -= tally.bound
            self._usage = Usage(self._usage.requests, self._usage.bytes_received + tally.received)
            self._settled.notify_all()
