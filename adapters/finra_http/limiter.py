"""FINRA's throttle, kept on our side: 20 synchronous requests a second per IP address."""

from __future__ import annotations

import threading

from finra_http.runtime import Runtime


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
