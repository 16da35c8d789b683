"""What an exception means: the anomaly that it becomes for a partition, and the exit codes of a run."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from attrs import field, frozen

from finra_core.domain.anomalies import Anomaly, Category, Severity, Stage
from finra_core.domain.errors import (
    ControlTotalError,
    FinraError,
    SourceDataError,
    SourceError,
    SourceRejectedError,
    SourceUnavailableError,
)
from finra_core.domain.scopes import Scope


class ExitCode(IntEnum):
    """What a process that made a run exits with."""

    SUCCESS = 0
    PARTIAL = 1
    CRITICAL = 2


@frozen
class Failure:
    """Why one partition failed, as a value: its category, one line for people, and facts for machines."""

    category: Category
    message: str
    details: Mapping[str, str | int | float | bool | None] = field(factory=dict)

    def as_anomaly(self, scope: Scope, stage: Stage) -> Anomaly:
        """This failure as the ERROR of a subject."""
        return Anomaly(Severity.ERROR, self.category, scope, stage, self.message, self.details)


# Most specific first.
_CATEGORIES: tuple[tuple[type[Exception], Category], ...] = (
    (SourceUnavailableError, Category.SOURCE_UNAVAILABLE),
    (SourceRejectedError, Category.SOURCE_REJECTED),
    (ControlTotalError, Category.CONTROL_TOTAL_MISMATCH),
    (SourceDataError, Category.BAD_DATA),
    (SourceError, Category.SOURCE_UNAVAILABLE),
)


def failure_of(error: Exception) -> Failure:
    """What this exception means for a partition. Store and configuration errors end the run and do not come here."""
    category = next((c for kind, c in _CATEGORIES if isinstance(error, kind)), Category.PIPELINE_ERROR)
    details: dict[str, str | int | float | bool | None] = {"error": type(error).__name__}
    for name in ("status_code", "request_id"):
        value = getattr(error, name, None)
        if value is not None:
            details[name] = value
    return Failure(category, describe(error), details)


def describe(error: BaseException) -> str:
    """One line for any exception: the message of ours, the type and the message of any other."""
    if isinstance(error, FinraError):
        return error.message
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  a foreign exception may fail even at this
        text = "it cannot say what happened"
    line = " ".join(f"{type(error).__name__}: {text}".split())
    return line.encode("utf-8", "backslashreplace").decode()
