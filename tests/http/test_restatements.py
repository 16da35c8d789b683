"""Which older weeks FINRA has restated, in one request: exactly those, or the source says that it cannot tell."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timezone
from typing import Any

import pytest

from finra_core.domain.errors import SourceError, SourceRejectedError, SourceUnavailableError
from finra_core.domain.partitions import Partition
from finra_core.domain.tiers import TIERS, Tier
from finra_http import HttpSource
from finra_simulator import Restatement, World
from finra_simulator.http import Fault, Options, SimulatorServer
from support.byte_server import Seen, answer, serving
from support.one_partition_server import Time, connect

NOW = datetime(2026, 4, 20, 15, tzinfo=timezone.utc)
WINDOW = date(2026, 3, 13)
"""Weeks that end before this Friday are old."""


def week(ending: str, tier: Tier) -> Partition:
    return Partition(date.fromisoformat(ending), tier)


def restated(partition: Partition, on: str, **counts: Any) -> Restatement:
    return Restatement(partition, datetime.fromisoformat(f"{on}T16:00:00+00:00"), **counts)


WORLD = World(
    seed=5,
    symbols=6,
    first_week=date(2025, 12, 5),
    restatement_rate=0,
    events=[
        restated(week("2025-12-05", Tier.NMS_TIER_1), "2026-04-15"),
        restated(week("2025-12-05", Tier.OTC), "2026-04-16", changed=0, added=1),
        restated(week("2026-01-16", Tier.NMS_TIER_2), "2026-04-17"),
        restated(week("2026-02-06", Tier.OTC), "2026-04-17", changed=2),
        restated(week("2026-02-06", Tier.OTC), "2026-04-18", changed=1),
        restated(week("2026-02-13", Tier.NMS_TIER_1), "2026-04-17", silent=True),
        restated(week("2026-03-13", Tier.NMS_TIER_1), "2026-04-17"),
        restated(week("2026-01-23", Tier.NMS_TIER_1), "2026-05-04"),
    ],
)


@contextmanager
def served(*faults: Fault, world: World = WORLD, **options: Any) -> Iterator[tuple[SimulatorServer, HttpSource]]:
    with (
        SimulatorServer(world, lambda: NOW, faults=faults, options=Options(**options)) as server,
        closing(connect(server.url, None, Time())) as source,
    ):
        yield server, source


def truth(day: date, before: date, world: World = WORLD) -> frozenset[Partition]:
    """Looked up row by row in the world."""
    return frozenset(
        partition
        for partition in world.published(NOW)
        if partition.week_ending < before and any(row.last_update_date >= day for row in world.rows(partition, NOW))
    )


@pytest.mark.parametrize("day", ["2026-03-30", "2026-04-15", "2026-04-16", "2026-04-18", "2026-04-19"])
@pytest.mark.parametrize("before", ["2025-12-05", "2026-02-06", "2026-03-13", "2026-03-14", "2026-04-20"])
def test_it_names_the_partitions_that_have_rows_updated_since(day: str, before: str) -> None:
    asked = date.fromisoformat(day), date.fromisoformat(before)
    with served() as (server, source):
        assert source.restated_since(*asked) == truth(*asked)
    assert dict(server.counts) == {"restatements": 1}


def test_three_restated_weeks_of_a_day_cost_one_small_request() -> None:
    with served() as (server, source):
        found = source.restated_since(date(2026, 4, 16), WINDOW)
        assert found == frozenset(
            {week("2025-12-05", Tier.OTC), week("2026-01-16", Tier.NMS_TIER_2), week("2026-02-06", Tier.OTC)}
        )
        assert source.usage().requests == 1
        assert source.usage().bytes_received < 500
    (request,) = server.requests
    asked = json.loads(request.body)
    assert "sortFields" not in asked  # FINRA would refuse it
    assert (asked["fields"], asked["limit"]) == (["weekStartDate", "tierIdentifier", "lastUpdateDate"], 5000)


@pytest.mark.parametrize("no_data", ["204", "empty", "bare", "message"])
def test_nothing_restated_is_an_empty_answer(no_data: str) -> None:
    with served(no_data=no_data) as (_server, source):
        assert source.restated_since(date(2026, 4, 19), WINDOW) == frozenset()


@pytest.mark.parametrize("max_payload", [100, 200, 400, 1000])
def test_what_does_not_fit_into_an_answer_is_asked_for_without_what_is_known_and_no_order_is_relied_on(
    max_payload: int,
) -> None:
    day = date(2026, 4, 15)
    with served(max_payload=max_payload, drifting_order=True) as (server, source):
        assert source.restated_since(day, WINDOW) == truth(day, WINDOW)
    assert set(server.counts) == {"restatements"}
    assert (server.counts["restatements"] > 1) == (max_payload < 1000)
    assert server.counts["restatements"] <= 8


def test_a_week_restated_as_a_whole_does_not_hide_the_others() -> None:
    """All rows of a partition are updated; they come first, and fill more than a page by far."""
    rows = len(WORLD.rows(week("2025-12-12", Tier.NMS_TIER_1), NOW))
    whole = restated(week("2025-12-12", Tier.NMS_TIER_1), "2026-04-17", changed=rows)
    world = World(seed=5, symbols=6, first_week=date(2025, 12, 5), restatement_rate=0, events=[*WORLD.events, whole])
    with served(world=world, max_payload=600) as (server, source):
        assert source.restated_since(date(2026, 4, 15), WINDOW) == truth(date(2026, 4, 15), WINDOW, world)
    assert 2 <= server.counts["restatements"] <= 8


def test_rows_of_other_tiers_are_none_of_ours() -> None:
    """In the week of 2023-11-06 the live API has a tier NMS; each week has a tier NA."""
    world = World(seed=5, symbols=6, first_week=date(2023, 11, 3), restatement_rate=0)
    with (
        SimulatorServer(world, lambda: datetime(2023, 12, 20, tzinfo=timezone.utc)) as server,
        closing(connect(server.url)) as source,
    ):
        found = source.restated_since(date(2023, 11, 1), date(2023, 11, 17))
    assert found == frozenset(Partition(date(2023, 11, day), tier) for day in (3, 10) for tier in TIERS)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"ignored_filters": ["lastUpdateDate"]}, "a filter is ignored: the week of 2025-12-01 / "),
        ({"ignored_filters": ["weekStartDate"]}, "a filter is ignored: the week of 2026-03-09 / T1"),
        ({"ignored_filters": ["tierIdentifier"], "max_payload": 200}, "a filter is ignored"),
        ({"refused_filters": ["lastUpdateDate"]}, "HTTP 400"),
        ({"refused_filters": ["weekStartDate"]}, "HTTP 400"),
        ({"max_payload": 1}, "more rows than 20 answers hold"),
    ],
    ids=str,
)
def test_a_question_ignored_or_refused_or_not_answered_in_full_is_no_answer_and_logged_once(
    options: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "finra_http")
    with served(**options) as (server, source):
        day = date(2026, 2, 1) if options == {"max_payload": 1} else date(2026, 4, 15)
        assert source.restated_since(day, WINDOW) is None
    (line,) = logged(caplog)
    assert line.startswith("API cannot tell which older weeks were restated since ")
    assert reason in line
    assert server.counts["restatements"] <= 20


def test_an_ignored_filter_by_itself_is_noticed_where_a_week_is_left_out() -> None:
    """Asked for the same rows again and again, FINRA would be asked for ever."""
    rows = ["2025-12-01|T1|2026-04-17"] * 2

    def serve(seen: Seen) -> bytes:
        return answer("\n".join(["weekStartDate|tierIdentifier|lastUpdateDate", *rows]), Record_Total=9)

    with serving(serve) as url, closing(connect(url)) as source:
        assert source.restated_since(date(2026, 4, 15), WINDOW) is None
        assert source.usage().requests == 2


def test_other_refusals_and_a_dead_api_are_errors() -> None:
    with served(Fault("403", on="restatements")) as (_server, source), pytest.raises(SourceRejectedError):
        source.restated_since(date(2026, 4, 15), WINDOW)
    with (
        served(Fault("503", on="restatements", times=99)) as (server, source),
        pytest.raises(SourceUnavailableError, match=r"the rows updated since 2026-04-15 of all tiers in weeks"),
    ):
        source.restated_since(date(2026, 4, 15), WINDOW)
    assert server.counts["restatements"] == 6


@pytest.mark.parametrize("kind", ["429", "500", "reset", "truncate", "truncate-silently", "html"])
def test_a_fault_that_passes_costs_a_retry(kind: Any) -> None:
    with served(Fault(kind, on="restatements")) as (server, source):
        assert source.restated_since(date(2026, 4, 15), WINDOW) == truth(date(2026, 4, 15), WINDOW)
    assert server.counts["restatements"] == 2


HEADER = "weekStartDate|tierIdentifier|lastUpdateDate"


@pytest.mark.parametrize(
    "body",
    [
        answer(f"{HEADER}\n2025-12-01|T1|2026-04-17\n"),
        answer(f"{HEADER}\n2025-12-01|T1|2026-04-17\n", Record_Total=0),
        answer(f"{HEADER}\n2025-12-01|T1|2026-04-17\n", Record_Total=5, Total_Records_On_Page=5),
        answer(f"{HEADER}\n2025-12-02|T1|2026-04-17\n", Record_Total=1),
        answer(f"{HEADER}\n2025-12-01|T1|2026-04\n", Record_Total=1),
        answer(f"{HEADER}\n2025-12-01|T1\n", Record_Total=1),
        answer(f"{HEADER}\n\xff|T1|2026-04-17\n".encode("latin-1"), Record_Total=1),
    ],
)
def test_what_is_no_answer_to_the_question_is_an_error(body: bytes) -> None:
    with serving(lambda _seen: body) as url, closing(connect(url)) as source, pytest.raises(SourceError) as caught:
        source.restated_since(date(2026, 4, 15), WINDOW)
    assert "\n" not in caught.value.message


def test_columns_may_come_in_another_order_and_with_quotes() -> None:
    body = answer('"lastUpdateDate"|"weekStartDate"|"tierIdentifier"\n"2026-04-17"|"2025-12-01"|"T1"\n', Record_Total=1)
    with serving(lambda _seen: body) as url, closing(connect(url)) as source:
        assert source.restated_since(date(2026, 4, 15), WINDOW) == frozenset([week("2025-12-05", Tier.NMS_TIER_1)])
