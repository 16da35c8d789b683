"""Checks against what is known, for any history: compared with the rules told one finding at a time."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.anomalies import Anomaly, AnomalyRecord, Category, Check, Severity, Stage, settle
from finra_core.domain.scopes import Scope

MONDAY = datetime(2026, 2, 2, 15, tzinfo=timezone.utc)
WORST_FIRST = ["CRITICAL", "ERROR", "WARN", "INFO"]
SCOPES = [Scope.week(date(2025, 12, 26)), Scope(date(2025, 12, 26), "OTC")]
CATEGORIES = [Category.LATE, Category.BAD_DATA]

scopes, stages = st.sampled_from(SCOPES), st.sampled_from([Stage.RAW, Stage.CALC])


@st.composite
def checks(draw: st.DrawFn) -> Check:
    scope, stage = draw(scopes), draw(stages)
    found = draw(
        st.lists(
            st.builds(
                Anomaly,
                st.sampled_from(Severity),
                st.sampled_from(CATEGORIES),
                st.just(scope),
                st.just(stage),
                st.sampled_from(["bad", "worse"]),
            ),
            max_size=2,
        )
    )
    looks_for = draw(st.none() | st.frozensets(st.sampled_from(CATEGORIES)))
    return Check(scope, stage, tuple(found), looks_for)


run = st.lists(checks(), max_size=2)
runs = st.lists(run, max_size=4)


def worst(found: list[Anomaly]) -> Anomaly:
    """The most severe; of equal ones the last that was found."""
    return min(reversed(found), key=lambda anomaly: WORST_FIRST.index(anomaly.severity.value))


def told_one_by_one(check: Check, known: dict[str, AnomalyRecord], at: datetime) -> None:
    """The rules, as they are in words."""
    for fingerprint in {anomaly.fingerprint for anomaly in check.found}:
        anomaly = worst([each for each in check.found if each.fingerprint == fingerprint])
        if fingerprint not in known:
            known[fingerprint] = AnomalyRecord(
                fingerprint=fingerprint, anomaly=anomaly, first_seen=at, last_seen=at, occurrences=1
            )
        else:
            count = known[fingerprint].occurrences + 1
            known[fingerprint] = evolve(
                known[fingerprint], anomaly=anomaly, last_seen=at, occurrences=count, resolved_at=None
            )
    for fingerprint, record in known.items():
        looked_for = check.looks_for is None or record.anomaly.category in check.looks_for
        its_own = (record.anomaly.scope, record.anomaly.stage) == (check.scope, check.stage)
        is_found = fingerprint in {anomaly.fingerprint for anomaly in check.found}
        if its_own and looked_for and not is_found and record.is_open:
            known[fingerprint] = evolve(record, resolved_at=at)


def carried_out(history: list[list[Check]]) -> tuple[dict[str, AnomalyRecord], dict[str, AnomalyRecord]]:
    """What is known after these runs, a day each, by `settle` and by the rules in words."""
    by_settle: dict[str, AnomalyRecord] = {}
    in_words: dict[str, AnomalyRecord] = {}
    for day, run in enumerate(history):
        at = MONDAY + timedelta(days=day)
        by_settle.update((record.fingerprint, record) for record in settle(run, by_settle.values(), at))
        for check in run:
            told_one_by_one(check, in_words, at)
    return by_settle, in_words


@given(runs)
def test_any_history_of_checks_ends_as_the_rules_say(history: list[list[Check]]) -> None:
    by_settle, in_words = carried_out(history)
    assert by_settle == in_words


@given(runs, run)
def test_records_that_do_not_change_are_not_returned(history: list[list[Check]], made: list[Check]) -> None:
    known, _in_words = carried_out(history)
    changed = settle(made, known.values(), MONDAY + timedelta(days=99))
    assert all(known.get(record.fingerprint) != record for record in changed)
    assert len({record.fingerprint for record in changed}) == len(changed)


@given(runs, run)
def test_what_belongs_to_no_check_is_left_alone(history: list[list[Check]], made: list[Check]) -> None:
    known, _in_words = carried_out(history)
    looked_at = {(check.scope, check.stage) for check in made}
    changed = settle(made, known.values(), MONDAY + timedelta(days=99))
    assert {(record.anomaly.scope, record.anomaly.stage) for record in changed} <= looked_at


@given(runs, run)
def test_the_known_anomalies_of_the_checks_suffice(history: list[list[Check]], made: list[Check]) -> None:
    """Those that the function's promise names: open ones of the checks' scopes, and those that are found again."""
    known, _in_words = carried_out(history)
    scopes_looked_at = {check.scope for check in made}
    found = {anomaly.fingerprint for check in made for anomaly in check.found}
    needed = [
        record
        for record in known.values()
        if record.fingerprint in found or (record.is_open and record.anomaly.scope in scopes_looked_at)
    ]
    later = MONDAY + timedelta(days=99)
    assert settle(made, needed, later) == settle(made, known.values(), later)


@given(runs, run)
def test_checks_made_again_find_no_more_to_resolve(history: list[list[Check]], made: list[Check]) -> None:
    """A second time renews what is found, and no more."""
    known, _in_words = carried_out(history)
    first, second = MONDAY + timedelta(days=98), MONDAY + timedelta(days=99)
    known.update((record.fingerprint, record) for record in settle(made[-1:], known.values(), first))
    again = settle(made[-1:], known.values(), second)
    assert all(record.is_open for record in again)
    for record in again:
        before = known[record.fingerprint]
        assert record == evolve(before, last_seen=second, occurrences=before.occurrences + 1)


@given(run)
def test_the_first_time_everything_found_is_opened_and_seen_as_often_as_checks_found_it(made: list[Check]) -> None:
    opened = {record.fingerprint: record for record in settle(made, [], MONDAY)}
    found = [{anomaly.fingerprint for anomaly in check.found} for check in made]
    assert opened.keys() == set().union(*found)
    for fingerprint, record in opened.items():
        assert record.occurrences == sum(fingerprint in each for each in found)
        assert (record.first_seen, record.last_seen) == (MONDAY, MONDAY)
