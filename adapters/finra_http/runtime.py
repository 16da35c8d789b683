"""The clock, the sleep and the chance that waiting needs, as values that a test can replace."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime

from attrs import define, frozen

from finra_core.domain.clock import utc_now


@frozen
class Runtime:
    """clock: monotonic seconds. sleep: takes seconds. jitter: uniform in [0, 1). now: aware UTC."""

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
        """The same instant for a part of the work that can be cancelled by itself."""
        return Deadline(self._clock, self._end)

    def cancel(self) -> None:
        """Let it have passed, so that whoever works under it stops at the next look."""
        self._end = self._clock()
