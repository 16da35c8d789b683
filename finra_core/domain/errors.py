"""The tree of errors. The type says what to do; the attributes say where it happened.

Whether trying again may help is a type, `Retryable`, never a guess from a message.
Every message is one line: what happened, to which week and tier, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol


class WeekAndTier(Protocol):
    """Anything that names a partition: errors stand below the domain's values and cannot know `Partition`."""

    @property
    def week_ending(self) -> date:
        """A Friday."""

    @property
    def tier(self) -> str:
        """A tier's name."""


class FinraError(Exception):
    """The root of all errors that this library raises on purpose.

    `partition` is the week and tier that it concerns, None where it concerns all of them.
    """

    def __init__(self, message: str, *, partition: WeekAndTier | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.partition = partition

    def __reduce__(self) -> tuple[object, ...]:
        # The default calls __init__ with args alone, which a subclass whose __init__ takes other
        # parameters would not survive on the way back from a worker process.
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(cls: type[FinraError], state: dict[str, object]) -> FinraError:
    error = cls.__new__(cls)
    Exception.__init__(error, state["message"])
    error.__dict__.update(state)
    return error


class Retryable(FinraError):  # noqa: N818  an adjective: it is mixed in
    """A mark on errors after which the same call may succeed later, unchanged."""


class ConfigurationError(FinraError):
    """The request itself is wrong: a malformed week, an unknown tier, a URL that no adapter serves. Exit code 2."""


class PlanDriftError(ConfigurationError):
    """The source or the store is no longer as a plan saw it. Nothing was written. Exit code 2.

    `differences` has one line for each, with both sides.
    """

    def __init__(self, message: str, *, differences: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.differences = tuple(differences)


class WorkersLostError(Retryable):
    """The processes that did a run's steps are gone. What they committed stays. Exit code 2."""


class SourceError(FinraError):
    """A source did not give what was asked. Fails its partition alone.

    `place` is where in the source it happened, such as a file's path, for what names no partition; else None.
    """

    def __init__(self, message: str, *, partition: WeekAndTier | None = None, place: str | None = None) -> None:
        super().__init__(message, partition=partition)
        self.place = place


class SourceBudgetError(SourceError):
    """The source was not asked, because its answer could have passed the budget in bytes that it was given."""


class _AnsweredError(SourceError):
    """What a server said, or that it said nothing."""

    def __init__(
        self,
        message: str,
        *,
        partition: WeekAndTier | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, partition=partition)
        self.status_code = status_code
        self.request_id = request_id


class SourceUnavailableError(_AnsweredError, Retryable):
    """The source could not be reached or refused for now (HTTP 429, 5xx, time-out, reset).

    `status_code` is the HTTP status, None where no answer came; `request_id` is FINRA's
    `FINRA-api-request-id`, None where there was none.
    """


class SourceRejectedError(_AnsweredError):
    """The source will not serve this request (HTTP 4xx other than 429), so asking again is no use.

    Attributes as in `SourceUnavailableError`.
    """


class SourceDataError(SourceError):
    """What the source gave is not FINRA's weekly data, or not the partition that was asked for."""


class ControlTotalError(SourceDataError):
    """The sum over venues differs from FINRA's own *_SMBL total, so the partition is not whole."""


class StoreError(FinraError):
    """The store failed. Nothing of the transaction was written. Exit code 2."""


class StoreUnavailableError(StoreError, Retryable):
    """The store cannot be reached, opened or written: connection, permission, full disk."""


class StoreInterruptedError(StoreUnavailableError):
    """The transaction was broken off: connection lost, deadlock, serialization failure.

    Whether it committed is not known. It may be done again at once, if it begins by reading what is done.
    """


class StoreLockedError(StoreError, Retryable):
    """Another process holds the store's single write lock and did not let go in time."""


class PartitionLockedError(StoreError, Retryable):
    """Another run is writing this partition and will finish it. That is no failure of this run."""


class StoreSchemaError(StoreError):
    """The store's schema is newer or older than the one that this release of the library works with."""
