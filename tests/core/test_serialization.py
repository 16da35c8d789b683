"""The one converter by which values cross the library's edges."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import resolve_types
from hypothesis import given
from hypothesis import strategies as st

from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import ConfigurationError
from finra_core.domain.partitions import Partition
from finra_core.domain.policies import COMPLIANCE, Policy
from finra_core.domain.readiness import BlockingIssue, IssueKind, Readiness
from finra_core.domain.revision import Action, CaptureRef, Decision, Evidence, Rule
from finra_core.domain.scopes import Scope
from finra_core.domain.tiers import TIERS, Tier
from finra_core.runs.plan import SweepPlan
from finra_core.runs.serialization import from_json, from_plain, to_json, to_plain

resolve_types(Readiness)  # Hypothesis builds the other fields by their types, which are text until then
resolve_types(SweepPlan)

DAYS = st.dates()
FRIDAYS = st.integers(0, 3_000).map(lambda weeks: date(2014, 1, 3) + timedelta(weeks=weeks))
TEXTS = st.text(max_size=9)
VERSIONS = st.builds(SourceVersion, DAYS, st.integers(0, 10**9) | st.none())
REFS = st.builds(
    CaptureRef,
    number=st.integers(1, 10**12),
    capture_id=TEXTS,
    revision=st.integers(1, 99),
    content_hash=TEXTS,
    version=VERSIONS | st.none(),
)
EVIDENCE = st.builds(
    Evidence,
    latest=REFS | st.none(),
    version=VERSIONS | st.none(),
    content_hash=TEXTS | st.none(),
    due=DAYS | st.none(),
    offered_from=DAYS | st.none(),
    note=TEXTS | st.none(),
)
DECISIONS = st.builds(Decision, st.sampled_from(Action), st.sampled_from(Rule), EVIDENCE)
ISSUES = st.builds(BlockingIssue, st.sampled_from(IssueKind), st.sampled_from(TIERS) | st.none(), TEXTS, TEXTS)
READINESS = st.builds(Readiness, week_ending=FRIDAYS, ready_for=TEXTS, blocking_issues=st.lists(ISSUES).map(tuple))


@given(DECISIONS)
def test_decisions_survive_json(decision: Decision) -> None:
    assert from_json(to_json(decision), Decision) == decision


@given(READINESS)
def test_judgments_survive_json(readiness: Readiness) -> None:
    assert from_json(to_json(readiness), Readiness) == readiness


@given(st.builds(Partition, FRIDAYS, st.sampled_from(TIERS)))
def test_partitions_survive_json_and_stay_keys(partition: Partition) -> None:
    assert {partition: 1}[from_json(to_json(partition), Partition)] == 1


@given(st.builds(SweepPlan, since=DAYS | st.none(), next_from=DAYS | st.none(), failure=TEXTS | st.none()))
def test_sweeps_survive_json(sweep: SweepPlan) -> None:
    assert from_json(to_json(sweep), SweepPlan) == sweep


def test_instants_are_utc_with_microseconds_and_z() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert to_plain(datetime(2026, 1, 6, 0, 30, tzinfo=tokyo)) == "2026-01-05T15:30:00.000000Z"


def test_values_are_what_a_reader_without_this_library_expects() -> None:
    decision = Decision(Action.SKIP, Rule.VERSION_UNCHANGED, Evidence(version=SourceVersion(date(2025, 12, 29), 40)))
    plain = json.loads(to_json(decision))
    assert (plain["action"], plain["rule"]) == ("skip", "version_unchanged")
    assert plain["evidence"]["version"] == {"last_update_date": "2025-12-29", "row_count": 40}
    assert plain["evidence"]["latest"] is None
    assert to_plain(Scope(date(2025, 12, 26), "OTC")) == {"week_ending": "2025-12-26", "tier": "OTC", "place": None}


def test_policies_survive_json_with_their_sets() -> None:
    research = Policy(name="research", tiers=(Tier.OTC,))
    assert from_json(to_json([COMPLIANCE, research]), list[Policy]) == [COMPLIANCE, research]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no Decision: "),
        ('"skip"', "no Decision: "),
        ("{}", r"no Decision: required field missing @ \$\.action"),
        ('{"action": "leap", "rule": "forced"}', r"no Decision: .*'leap' is not a valid Action.* @ \$\.action"),
        (
            '{"action": "skip", "rule": "forced", "evidence": {"due": "2025-02-30"}}',
            r"no Decision: .*day is out of range.* @ \$\.evidence\.due",
        ),
    ],
)
def test_what_is_no_such_value_is_refused_by_the_first_place_at_fault(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        from_json(text, Decision)
    assert "\n" not in raised.value.message


@pytest.mark.parametrize("value", [None, 3, [], {"week_ending": "2025-12-27", "tier": "OTC"}])
def test_a_value_that_breaks_a_rule_of_its_class_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^no Partition: "):
        from_plain(value, Partition)
