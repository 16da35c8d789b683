"""A request that makes no sense is refused where it is made, by the name of what is wrong."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve

from finra_core import (
    ConfigurationError,
    Mode,
    Order,
    Policy,
    RunRequest,
    Scheduler,
    Tier,
    Window,
    open_source,
    open_store,
)
from finra_core.domain.policies import BUILT_IN, COMPLIANCE, TRADING
from finra_core.runs.serialization import from_json, to_json


def test_the_defaults_are_a_scheduled_runs() -> None:
    request = RunRequest()
    assert (request.lookback_weeks, request.weeks, request.tiers) == (None, (), tuple(Tier))
    assert (request.mode, request.order, request.window) == (Mode.RUN, Order.PHASED, Window.DUE)
    assert (request.force, request.verify, request.sweep, request.forced) == (False, False, True, None)
    assert [policy.name for policy in request.policies] == ["trading", "compliance"]


def test_days_name_their_weeks_once_each_newest_first() -> None:
    days = [date(2025, 12, 15), date(2025, 12, 21), date(2025, 12, 22)]
    assert RunRequest(weeks=days).weeks == (date(2025, 12, 26), date(2025, 12, 19))


def test_tiers_are_in_processing_order_once_each() -> None:
    asked = [Tier.OTC, Tier.NMS_TIER_1, Tier.OTC]
    assert RunRequest(tiers=asked).tiers == (Tier.NMS_TIER_1, Tier.OTC)


def test_words_are_as_good_as_members() -> None:
    request = RunRequest(mode="dry-run", order="chained", window="calendar")
    assert (request.mode, request.order, request.window) == (Mode.DRY_RUN, Order.CHAINED, Window.CALENDAR)


@pytest.mark.parametrize(
    ("force", "reason", "forced"), [(False, "audit", None), (True, None, "restatement"), (True, "audit", "audit")]
)
def test_a_forced_restatement_has_a_reason(force: bool, reason: str | None, forced: str | None) -> None:
    assert RunRequest(force=force, reason=reason).forced == forced


WRONG: list[tuple[str, Any]] = [
    ("lookback_weeks", 0),
    ("lookback_weeks", -1),
    ("lookback_weeks", 100_000),
    ("lookback_weeks", "6"),
    ("lookback_weeks", 6.0),
    ("lookback_weeks", True),
    ("weeks", "2025-12-15"),
    ("weeks", ["2025-12-15"]),
    ("weeks", [datetime(2025, 12, 15, tzinfo=timezone.utc)]),
    ("weeks", date(2025, 12, 15)),
    ("weeks", None),
    ("tiers", []),
    ("tiers", "OTC"),
    ("tiers", ["OTCE"]),
    ("tiers", Tier.OTC),
    ("tiers", None),
    ("tiers", [3]),
    ("mode", "nope"),
    ("mode", None),
    ("mode", 1),
    ("order", "random"),
    ("window", "due weeks"),
    ("run_date", "2026-01-05"),
    ("run_date", datetime(2026, 1, 5, tzinfo=timezone.utc)),
    ("run_date", date(9999, 12, 31)),
    ("force", "no"),
    ("force", 1),
    ("verify", "no"),
    ("sweep", None),
    ("reason", 7),
    ("workers", 0),
    ("workers", -4),
    ("workers", "4"),
    ("workers", 2.5),
    ("workers", None),
    ("grace_days", 3),
    ("grace_days", {"OTCE": 3}),
    ("grace_days", {Tier.OTC: -1}),
    ("grace_days", {Tier.OTC: "3"}),
    ("policies", []),
    ("policies", "trading"),
    ("policies", ["trading"]),
    ("policies", TRADING),
    ("policies", [TRADING, evolve(COMPLIANCE, name="trading")]),
    ("bounds", {"rows": 0.9}),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}={value!r}"[:40] for name, value in WRONG])
def test_a_wrong_argument_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as raised:
        RunRequest(**{name: value})  # type: ignore[arg-type]
    assert raised.value.message.startswith(name)
    assert "\n" not in raised.value.message


@pytest.mark.parametrize("name", ["lookback", "tier", "week"])
def test_an_argument_that_there_is_not_is_pythons_to_refuse(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        RunRequest(**{name: 1})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "has no name"),
        ({"name": None}, "has no name"),
        ({"name": "research", "tiers": ()}, "research: it names no tier"),
        ({"name": "research", "tiers": "OTC"}, "research: tiers: 'OTC' is no list of Tier"),
        ({"name": "research", "tiers": Tier.OTC}, "research: tiers: .* is no list of Tier"),
        ({"name": "research", "halves": ("BOTH",)}, "research: halves: .* is no list of Half"),
        ({"name": "research", "criteria": {"no_errors"}}, "research: criteria: .* is no list of Criterion"),
        ({"name": "research", "criteria": 5}, "research: criteria: 5 is no list of Criterion"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_by_its_name(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Policy(**wrong)


def test_a_request_survives_json() -> None:
    request = RunRequest(
        lookback_weeks=3,
        weeks=(date(2025, 12, 19),),
        tiers=(Tier.OTC,),
        mode=Mode.DRY_RUN,
        force=True,
        reason="audit",
        order=Order.CHAINED,
        window=Window.CALENDAR,
        run_date=date(2026, 1, 5),
        sweep=False,
        grace_days={Tier.OTC: 5},
        policies=(*BUILT_IN, Policy(name="research", tiers=(Tier.OTC,))),
        workers=9,
    )
    assert from_json(to_json(request), RunRequest) == request


# The scheduler's own ----------------------------------------------------------------------------------


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler(source=open_source("simulator:?symbols=2"), store=open_store("memory:"))


@pytest.mark.parametrize("request_", [{"lookback_weeks": 3}, "dry-run", 6])
def test_what_is_no_request_is_refused(scheduler: Scheduler, request_: Any) -> None:
    for method in (scheduler.run, scheduler.plan):
        with pytest.raises(ConfigurationError, match=r"^request: .* is no RunRequest"):
            method(request_)


def test_a_clock_without_a_time_zone_is_refused() -> None:
    source, store = open_source("simulator:?symbols=2"), open_store("memory:")
    naive = Scheduler(source=source, store=store, clock=datetime.now)
    with pytest.raises(ConfigurationError, match=r"^clock: .* has no time zone"):
        naive.run()
    with store.read() as view:
        assert view.runs() == []


def test_the_run_date_is_the_day_in_utc_whatever_the_clocks_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    source, store = open_source("simulator:?symbols=2&now=2026-01-05T20:00:00Z"), open_store("memory:")
    scheduler = Scheduler(source=source, store=store, clock=lambda: datetime(2026, 1, 6, 5, tzinfo=tokyo))
    assert scheduler.plan(RunRequest(lookback_weeks=1)).run_date == date(2026, 1, 5)
