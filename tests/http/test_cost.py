"""What requests cost: the rate, the count, the budget, the estimate."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import SourceError, SourceUnavailableError
from finra_core.ports.source import Usage
from finra_http import ByteBudgetError, HttpSource
from finra_http.limits import Meter, RateLimiter
from support.byte_server import answer, serving
from support.one_partition_server import PARTITION, Desk, Time, always, connect, make_rows


@contextmanager
def source_over(desk: Desk, **given: str) -> Iterator[HttpSource]:
    with serving(desk) as url:
        source = connect(url, given)
        try:
            yield source
        finally:
            source.close()


@given(rate=st.sampled_from([0.5, 3.0, 20.0]), pauses=st.lists(st.floats(0, 2), min_size=1, max_size=60))
@settings(max_examples=50)
def test_no_second_holds_more_requests_than_the_rate(rate: float, pauses: list[float]) -> None:
    time = Time()
    limiter = RateLimiter(rate, time.runtime())
    starts = []
    for pause in pauses:
        time.sleep(pause)
        limiter.wait()
        starts.append(time.clock())
    assert all(later - earlier > 0.999 / rate for earlier, later in itertools.pairwise(starts))


def test_the_rate_holds_over_all_threads() -> None:
    slots: list[float] = []
    lock = threading.Lock()
    frozen = Time()

    def sleep(seconds: float) -> None:
        with lock:
            slots.append(seconds)

    runtime = frozen.runtime()
    limiter = RateLimiter(20, type(runtime)(runtime.clock, sleep, runtime.jitter, runtime.now))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: limiter.wait(), range(100)))
    # The clock stands still: the first starts at once and each other 50 ms after the one before it.
    assert sorted(slots) == pytest.approx([i / 20 for i in range(1, 100)])


def test_a_source_keeps_its_rate_by_itself() -> None:
    time = Time()
    with serving(Desk()) as url:
        source = connect(url, {"FINRA_REQUESTS_PER_SECOND": "4"}, time)
        for _ in range(9):
            source.probe(PARTITION)
        source.close()
    assert time.now - 1000 == pytest.approx(8 / 4)


def test_usage_counts_every_request_and_the_bytes_of_its_answer_as_they_came() -> None:
    desk = Desk(changes={"listing": always(answer(b"x" * 1000, status=500))})
    sizes = []

    def listen(seen: object, sound: bytes) -> bytes:
        sizes.append(len(sound.partition(b"\r\n\r\n")[2]))
        return sound

    desk.changes["probe"] = desk.changes["page"] = listen
    with source_over(desk) as source:
        assert source.usage() == Usage()
        with pytest.raises(SourceError):
            source.list_partitions()
        assert source.usage() == Usage(6, 6000)
        source.fetch(PARTITION)
        assert source.usage() == Usage(8, 6000 + sum(sizes))
    assert sum(sizes) < len("".join(desk.rows))  # compressed


def test_a_request_that_could_pass_the_budget_is_not_made() -> None:
    desk = Desk()
    with source_over(desk, FINRA_MAX_BYTES="70000") as source:
        assert source.probe(PARTITION) is not None
        with pytest.raises(
            ByteBudgetError,
            match=r"not asked for the list of partitions: \d+ of 70,000 bytes are used",
        ) as caught:
            source.list_partitions()
        used = source.usage().bytes_received
    assert (caught.value.max_bytes, caught.value.used_bytes) == (70_000, used)
    assert desk.count() == {"probe": 1}


def test_a_page_that_the_budget_does_not_allow_fails_its_partition() -> None:
    desk = Desk(make_rows(3100))
    with source_over(desk, FINRA_MAX_BYTES="200000") as source, pytest.raises(ByteBudgetError) as caught:
        source.fetch(PARTITION)
    assert "2026-01-02 / OTC" in caught.value.message
    assert caught.value.partition == PARTITION
    assert not desk.count()["page"]


def test_a_budget_that_suffices_is_no_hindrance_to_pages_side_by_side() -> None:
    desk = Desk(make_rows(3100))
    # Room for one page at its bound, not for three at once.
    with source_over(desk, FINRA_MAX_BYTES="3500000") as source:
        assert source.fetch(PARTITION).version == SourceVersion(date(2026, 2, 3), 12_400)


def test_an_answer_larger_than_was_reserved_is_cut_off_within_the_budget() -> None:
    desk = Desk(changes={"probe": always(answer(b"x" * 1_000_000))})
    with source_over(desk, FINRA_MAX_BYTES="66000") as source:
        with pytest.raises(SourceError):
            source.probe(PARTITION)
        assert source.usage().bytes_received <= 66_000


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), max_size=40), st.integers(1, 400))
@settings(max_examples=30)
def test_the_budget_is_never_passed_whatever_the_threads_do(answers: list[tuple[int, float]], budget: int) -> None:
    meter = Meter(budget)

    def spend(one: tuple[int, float]) -> bool:
        bound, part = one
        try:
            with meter.account(bound, "a page") as tally:
                tally.received = int(bound * part)
        except ByteBudgetError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(spend, answers))
    assert meter.usage().bytes_received <= budget
    assert meter.usage().requests == sum(made)


def test_an_estimate_grows_with_the_rows() -> None:
    with source_over(Desk()) as source:
        none = source.estimate(None)
        one, many = (source.estimate(SourceVersion(date(2026, 2, 3), rows)) for rows in (5000, 5001))
    assert none.requests == 1
    assert (one.requests, many.requests) == (1, 2)
    assert none.bytes_received < one.bytes_received < many.bytes_received


def test_the_requests_of_a_partition_are_one_probe_and_its_pages() -> None:
    desk = Desk(make_rows(3100))
    with source_over(desk) as source:
        version = source.probe(PARTITION)
        estimate = source.estimate(version)
        assert source.usage().requests == 1
        source.fetch(PARTITION, version)
        assert source.usage().requests - 1 == estimate.requests == 3
    assert desk.count() == {"probe": 1, "page": 3}


def test_a_source_that_is_dead_stays_within_its_tries() -> None:
    desk = Desk(changes={"page": always(b"")})
    with source_over(desk) as source, pytest.raises(SourceUnavailableError):
        source.fetch(PARTITION)
    assert desk.count() == {"probe": 1, "page": 6}
