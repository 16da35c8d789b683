"""What can go wrong with one request, and what follows: another try, or one error in the words of the core.

No ProblemError leaves this package, and no secret does, also where the other side repeats one to us.
"""

from __future__ import annotations

import threading

from finra_core.domain.errors import SourceDataError, SourceError, SourceRejectedError, SourceUnavailableError
from finra_http.query import Request

MAX_TRIES = 6
FIRST_PAUSE = 0.5
"""Seconds. With full jitter the pauses are at most 0.5, 1, 2, 4 and 8 s: 15.5 s in all, half of it on average."""

MAX_RETRY_AFTER = 60.0
"""Seconds. Asked for a longer pause we leave at once, rather than come back too early or keep others waiting."""

_SHOWN, _SHOWN_ID = 300, 100
_CREDENTIALS_MAY_HELP = (401, 403)


class Secrets:
    """The texts that no message may hold."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: frozenset[str] = frozenset()

    def add(self, *texts: str) -> None:
        """Keep these out from now on."""
        with self._lock:
            self._texts |= frozenset(texts)

    def redact(self, text: str) -> str:
        """The text without any secret."""
        for secret in sorted(self._texts, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


class ProblemError(Exception):
    """A request did not bring what was asked for.

    status_code: as the answer's status or body says, None where no whole answer came; `outcome` then says why.
    request_id: FINRA's name for the request, None where it gave none. retry_after: seconds, None when not told.
    """

    def __init__(
        self,
        detail: str,
        *,
        status_code: int | None = None,
        outcome: str = "no answer",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status_code = status_code
        self.outcome = outcome if status_code is None else f"HTTP {status_code}"
        self.retry_after = retry_after
        self.request_id: str | None = None

    def answered(self, status_code: int, request_id: str | None) -> None:
        """Add what the answer's head said, where the problem is not more precise."""
        self.request_id = request_id
        if self.status_code is None:
            self.status_code, self.outcome = status_code, f"HTTP {status_code}"

    def pause(self, tries: int, jitter: float) -> float | None:
        """Seconds to wait before another try after so many; None where it is not to be tried again."""
        return None

    def to_error(self, request: Request, tries: int, advice: str, secrets: Secrets) -> SourceError:
        """The error that ends the request. `advice` is for a refusal that credentials may mend."""
        return SourceDataError(self.explain(request, secrets), partition=request.partition)

    def explain(self, request: Request, secrets: Secrets) -> str:
        """What happened to which request, on one line."""
        request_id = self.shown_id(secrets)
        named = f", request id {request_id}" if request_id else ""
        detail = secrets.redact(self.detail)[:_SHOWN]  # redacted before it is cut: half a token is still a secret
        return f"API fetch failed ({self.outcome}) for {request.subject}{named}: {detail}"

    def shown_id(self, secrets: Secrets) -> str | None:
        """FINRA's name for the request, fit for a message."""
        return secrets.redact(self.request_id or "")[:_SHOWN_ID] or None


class BadDataError(ProblemError):
    """The answer is not what was asked for, and would not be the next time."""


class FaultError(ProblemError):
    """Trying again may help."""

    def pause(self, tries: int, jitter: float) -> float | None:
        """As FINRA asks, or longer with each try."""
        asked = self.retry_after or 0.0
        if tries >= MAX_TRIES or asked > MAX_RETRY_AFTER:
            return None
        return max(asked, jitter * FIRST_PAUSE * 2.0 ** (tries - 1))

    def to_error(self, request: Request, tries: int, advice: str, secrets: Secrets) -> SourceError:
        """It lasted too long."""
        if self.retry_after is not None and self.retry_after > MAX_RETRY_AFTER:
            end = f"it asks to wait {self.retry_after:,.0f} s; run again after that"
        else:
            end = f"gave up after {tries} {'try' if tries == 1 else 'tries'}; run again later"
        return SourceUnavailableError(
            f"{self.explain(request, secrets)}; {end}",
            partition=request.partition,
            status_code=self.status_code,
            request_id=self.shown_id(secrets),
        )


class RejectedError(ProblemError):
    """The answer says no."""

    def to_error(self, request: Request, tries: int, advice: str, secrets: Secrets) -> SourceError:
        """It would say no again."""
        advised = request.about_credentials or self.status_code in _CREDENTIALS_MAY_HELP
        return SourceRejectedError(
            self.explain(request, secrets) + (f"; {advice}" if advised else ""),
            partition=request.partition,
            status_code=self.status_code,
            request_id=self.shown_id(secrets),
        )


class RepublishedError(Exception):
    """The pages of a partition do not belong to one version of it."""


def one_line(text: str) -> str:
    """Foreign text fit for a message: printable, on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
