"""What can go wrong with one request.

None of these exceptions leaves this package: `client` and `source` turn them into SourceErrors.
"""

from __future__ import annotations


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


class FaultError(ProblemError):
    """Trying again may help."""


class RejectedError(ProblemError):
    """The answer says no."""


class BadDataError(ProblemError):
    """The answer is not what was asked for, and would not be the next time."""


class RepublishedError(Exception):
    """The pages of a partition do not belong to one version of it."""


def one_line(text: str) -> str:
    """Foreign text fit for a message: printable, on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
