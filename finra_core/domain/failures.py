"""Which failure is whose: what an exception means for the run, the anomaly it becomes, and the exit codes."""

from __future__ import annotations

from enum import IntEnum

from finra_core.domain.anomalies import Anomaly, Category, Severity, Stage
from finra_core.domain.errors import (
    ControlTotalError,
    FinraError,
    SourceDataError,
    SourceError,
    SourceRejectedError,
    SourceUnavailableError,
)


class ExitCode(IntEnum):
    """What a process that made a run exits with."""

    SUCCESS = 0
    PARTIAL = 1
    CRITICAL = 2


# Most specific first.
_CATEGORIES: tuple[tuple[type[Exception], Category], ...] = (
    (SourceUnavailableError, Category.SOURCE_UNAVAILABLE),
    (SourceRejectedError, Category.SOURCE_REJECTED),
    (ControlTotalError, Category.CONTROL_TOTAL_MISMATCH),
    (SourceDataError, Category.BAD_DATA),
    (SourceError, Category.SOURCE_UNAVAILABLE),
)


def failure(error: Exception, partition_key: str, stage: Stage) -> Anomaly:
    """The ERROR that this exception is for a partition. Not for store and configuration errors: those end the run."""
    category = next((c for kind, c in _CATEGORIES if isinstance(error, kind)), Category.PIPELINE_ERROR)
    details: dict[str, object] = {"error": type(error).__name__}
    for name in ("status_code", "request_id"):
        value = getattr(error, name, None)
        if value is not None:
            details[name] = value
    return Anomaly(Severity.ERROR, category, partition_key, stage, describe(error), details)


def describe(error: BaseException) -> str:
    """One line for any exception: our own messages as they are, others with their type."""
    if isinstance(error, FinraError):
        return error.message
    return " ".join(f"{type(error).__name__}: {error}".split())
