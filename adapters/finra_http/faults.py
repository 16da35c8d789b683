"""What can go wrong with one request.

None of these exceptions leaves this package: `client` and `source` turn them into SourceErrors.
"""

from __future__ import annotations


class FaultError(Exception):
    """A request failed in a way that trying again may mend.

    `outcome` stands for the status where no whole answer came. `retry_after` is in seconds, None when not told.
    """

    def __init__(
        self,
        detail: str,
        *,
        outcome: str = "no answer",
        status_code: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.outcome = outcome
        self.status_code = status_code
        self.retry_after = retry_after
        self.request_id: str | None = None


class RejectedError(Exception):
    """An answer that says no, in its status or in its body."""

    def __init__(self, status_code: int, detail: str) -> None:
        super().__init__(detail)
        self.status_code = status_code
        self.detail = detail


class TooLargeError(Exception):
    """An answer passed its bound and was not read on."""


class RepublishedError(Exception):
    """The pages of a partition do not belong to one version of it."""


def one_line(text: str) -> str:
    """Foreign text fit for a message: printable, on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
