"""Errors: one root, a type that says whether to try again, and attributes that survive the way from a worker."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Iterator
from datetime import date

import pytest

from finra_core.domain import errors
from finra_core.domain.errors import (
    ConfigurationError,
    ControlTotalError,
    FinraError,
    PartitionLockedError,
    Retryable,
    SourceDataError,
    SourceError,
    SourceRejectedError,
    SourceUnavailableError,
    StoreError,
    StoreInterruptedError,
    StoreLockedError,
    StoreSchemaError,
    StoreUnavailableError,
    WorkersLostError,
)
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import Tier

PARTITION = Partition(date(2025, 12, 26), Tier.OTC)
MESSAGE = "2025-12-26 / OTC: the source answered 503; run again later"
FACTS = {
    "partition": PARTITION,
    "place": "week.csv",
    "status_code": 503,
    "request_id": "ba7c841a",
    "differences": ("the plan saw a, the store has b",),
}


class StrangersError(SourceError):
    """As an adapter of somebody else might write it: with positional parameters of its own."""

    def __init__(self, path: str, line: int) -> None:
        super().__init__(f"{path}: line {line}", partition=PARTITION)
        self.line = line


def every_class(root: type[FinraError] = FinraError) -> Iterator[type[FinraError]]:
    if root.__module__ == errors.__name__:
        yield root
    for child in root.__subclasses__():
        yield from every_class(child)


EVERY_CLASS = sorted(set(every_class()), key=lambda kind: kind.__name__)
each_class = pytest.mark.parametrize("kind", EVERY_CLASS)


def make(kind: type[FinraError]) -> FinraError:
    accepted = inspect.signature(kind).parameters
    return kind(MESSAGE, **{name: value for name, value in FACTS.items() if name in accepted})  # type: ignore[arg-type]


def test_finra_error_is_the_root_of_every_exception_there() -> None:
    exceptions = [
        member
        for _name, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, BaseException) and member.__module__ == errors.__name__
    ]
    assert set(exceptions) == set(EVERY_CLASS)
    assert all(issubclass(member, FinraError) for member in exceptions)
    assert not issubclass(FinraError, ValueError | RuntimeError | OSError)


@each_class
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_comes_back_from_a_worker_as_it_was(kind: type[FinraError], protocol: int) -> None:
    error = make(kind)
    back = pickle.loads(pickle.dumps(error, protocol))
    assert type(back) is kind
    assert (str(back), back.args) == (MESSAGE, (MESSAGE,))
    assert vars(back) == vars(error)


@each_class
def test_an_error_can_be_copied(kind: type[FinraError]) -> None:
    error = make(kind)
    for copied in (copy.copy(error), copy.deepcopy(error)):
        assert type(copied) is kind
        assert vars(copied) == vars(error)


def test_a_strangers_error_comes_back_too() -> None:
    back = pickle.loads(pickle.dumps(StrangersError("week.csv", 7)))
    assert type(back) is StrangersError
    assert (str(back), back.line, back.partition) == ("week.csv: line 7", 7, PARTITION)


@each_class
def test_an_error_that_concerns_all_partitions_names_none(kind: type[FinraError]) -> None:
    error = pickle.loads(pickle.dumps(kind(MESSAGE)))
    assert error.partition is None
    assert error.message == str(error) == MESSAGE


@pytest.mark.parametrize("kind", [SourceUnavailableError, SourceRejectedError])
def test_an_http_error_carries_its_status_and_finras_request_id(
    kind: type[SourceUnavailableError | SourceRejectedError],
) -> None:
    error = pickle.loads(pickle.dumps(kind(MESSAGE, status_code=503, request_id="ba7c841a")))
    assert (error.status_code, error.request_id) == (503, "ba7c841a")
    without_answer = kind(MESSAGE)
    assert (without_answer.status_code, without_answer.request_id) == (None, None)


def test_whether_to_try_again_is_a_type() -> None:
    retryable = {kind for kind in EVERY_CLASS if issubclass(kind, Retryable)}
    assert retryable - {Retryable} == {
        SourceUnavailableError,
        WorkersLostError,
        StoreUnavailableError,
        StoreInterruptedError,
        StoreLockedError,
        PartitionLockedError,
    }


def test_what_may_be_tried_again_can_be_caught_by_that_type() -> None:
    def read() -> bool:
        try:
            raise SourceUnavailableError(MESSAGE)
        except Retryable:
            return True

    assert read()


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (SourceUnavailableError, SourceError),
        (SourceRejectedError, SourceError),
        (SourceDataError, SourceError),
        (ControlTotalError, SourceDataError),
        (StoreUnavailableError, StoreError),
        (StoreLockedError, StoreError),
        (PartitionLockedError, StoreError),
        (StoreSchemaError, StoreError),
        (ConfigurationError, FinraError),
    ],
)
def test_errors_are_caught_by_who_is_to_blame(kind: type[FinraError], parent: type[FinraError]) -> None:
    assert issubclass(kind, parent)
    blamed = [root for root in (SourceError, StoreError, ConfigurationError) if issubclass(kind, root)]
    assert len(blamed) == 1
