"""How much may be asked for: FINRA's throttle, the user's budget in bytes, and the time for one piece of work.

FINRA allows 20 synchronous requests a second per IP address. Its public credentials hold 10 GB a month and are inactive
until the 1st once it is used up (developer.finra.org, fees).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from attrs import define, frozen

from finra_core.domain.clock import utc_now
from finra_core.domain.errors import SourceBudgetError
from finra_core.domain.partitions import Partition
from finra_core.ports.source import Usage


@frozen
class Runtime:
    """The clock, the sleep and the chance that waiting needs, as values that a test can replace.

    clock: monotonic seconds. sleep: takes seconds. jitter: uniform in [0, 1). now: aware UTC.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    now: Callable[[], datetime] = utc_now


@define
class Deadline:
    """The instant by which a piece of work must be done, however many requests and waits it takes."""

    _clock: Callable[[], float]
    _end: float

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float]) -> Deadline:
        """The instant `seconds` from now."""
        return cls(clock, clock() + seconds)

    def remaining(self) -> float:
        """Seconds left, 0 when it has passed."""
        return max(0.0, self._end - self._clock())

    def fork(self) -> Deadline:
        """The same instant for a part of the work that can be canceled by itself."""
        return Deadline(self._clock, self._end)

    def cancel(self) -> None:
        """Let it have passed, so that whoever works under it stops at the next look."""
        self._end = self._clock()


class ByteBudgetError(SourceBudgetError):
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


class Limits:
    """The throttle and the budget of all requests of a source, over all threads, and what was used."""

    def __init__(self, per_second: float, max_bytes: int | None, runtime: Runtime) -> None:
        self._rate = RateLimiter(per_second, runtime)
        self._meter = Meter(max_bytes)

    def usage(self) -> Usage:
        """Requests started, and bytes of all answers that have ended."""
        return self._meter.usage()

    @contextmanager
    def admit(self, max_bytes: int, subject: str, partition: Partition | None) -> Iterator[Tally]:
        """One request at its turn, whose answer is cut off before it takes more than `max_bytes`.

        `subject` and `partition` say for an error what it was about.

        Raises:
            ByteBudgetError: those bytes might pass the budget.
        """
        self._rate.wait()
        with self._meter.account(max_bytes, subject, partition) as tally:
            yield tally


class RateLimiter:
    """Spaces the starts of requests evenly over all threads, so that no second ever holds more than `per_second`."""

    def __init__(self, per_second: float, runtime: Runtime) -> None:
        self._interval = 1.0 / per_second
        self._runtime = runtime
        self._lock = threading.Lock()
        self._next_start = float("-inf")

    def wait(self) -> None:
        """Return when the calling thread may start its request."""
        with self._lock:
            now = self._runtime.clock()
            start = max(now, self._next_start)
            self._next_start = start + self._interval
        # Outside the lock: the slot is taken, and the others need not queue behind our sleep.
        if start > now:
            self._runtime.sleep(start - now)


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
    def account(self, bound: int, subject: str, partition: Partition | None = None) -> Iterator[Tally]:
        """Account for one request, whose answer is cut off before it takes more than `bound` bytes.

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
