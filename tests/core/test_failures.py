"""Which failure is whose, and the exit codes, as the document has them."""

from __future__ import annotations

from datetime import date

import pytest

from finra_core.domain.anomalies import Category, Severity, Stage
from finra_core.domain.errors import (
    ControlTotalError,
    FinraError,
    SourceDataError,
    SourceError,
    SourceRejectedError,
    SourceUnavailableError,
)
from finra_core.domain.failures import ExitCode, describe, failure_of
from finra_core.domain.partitions import Partition
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import Tier

SCOPE = Scope.partition(Partition(date(2026, 1, 2), Tier.OTC))


def test_exit_codes_are_the_documents() -> None:
    assert (ExitCode.SUCCESS, ExitCode.PARTIAL, ExitCode.CRITICAL) == (0, 1, 2)


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (SourceUnavailableError("503"), "SOURCE_UNAVAILABLE"),
        (SourceRejectedError("400"), "SOURCE_REJECTED"),
        (SourceDataError("no header"), "BAD_DATA"),
        (ControlTotalError("sums differ"), "CONTROL_TOTAL_MISMATCH"),
        (SourceError("other"), "SOURCE_UNAVAILABLE"),
        (FinraError("other"), "PIPELINE_ERROR"),
        (ZeroDivisionError("other"), "PIPELINE_ERROR"),
    ],
)
def test_a_partitions_failure_is_an_error_of_the_kind_that_its_exception_says(error: Exception, category: str) -> None:
    anomaly = failure_of(error).as_anomaly(SCOPE, Stage.RAW)
    assert (anomaly.severity, anomaly.category) == (Severity.ERROR, Category(category))
    assert (anomaly.scope, anomaly.stage) == (SCOPE, Stage.RAW)
    assert anomaly.message == describe(error)
    assert anomaly.details["error"] == type(error).__name__


def test_an_http_failure_keeps_its_status_and_finras_request_id() -> None:
    failure = failure_of(SourceUnavailableError("down", status_code=503, request_id="ba7c841a"))
    assert failure.details == {"error": "SourceUnavailableError", "status_code": 503, "request_id": "ba7c841a"}


def test_what_the_source_did_not_say_is_left_out() -> None:
    assert failure_of(SourceUnavailableError("down")).details == {"error": "SourceUnavailableError"}


def test_our_own_errors_are_described_by_their_message_alone() -> None:
    assert describe(SourceError("2026-01-02 / OTC: not there")) == "2026-01-02 / OTC: not there"


def test_other_errors_are_described_with_their_type_on_one_line() -> None:
    assert describe(ValueError("first\n  second\tthird")) == "ValueError: first second third"


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_an_exception_that_cannot_say_what_happened_is_described_all_the_same() -> None:
    assert describe(MuteError()) == "MuteError: it cannot say what happened"


def test_text_that_no_encoding_has_is_written_out() -> None:
    assert describe(ValueError("a \udc80 b")) == "ValueError: a \\udc80 b"
