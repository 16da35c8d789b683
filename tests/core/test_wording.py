"""Decisions in words, where the document has them in its own."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest

from finra_core.domain.captures import SourceVersion
from finra_core.domain.revision import (
    Action,
    CaptureRef,
    Decision,
    Evidence,
    Rule,
    decide_by_content,
    decide_by_version,
)
from finra_core.runs.wording import reason
from support.captures import a_capture

HASH = "a3f5b2c8" + "0" * 56
OTHER_HASH = "a3f5b2c9" + "0" * 56
LATER = datetime(2026, 1, 8, 15, tzinfo=timezone.utc)
STORED = a_capture(version=SourceVersion(date(2025, 12, 30), 48_765), content_hash=HASH, verified_at=LATER)


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (decide_by_version(None, None), "No prior capture found (first ingest)"),
        (
            decide_by_version(STORED, SourceVersion(date(2026, 1, 4), 48_765)),
            "source updated 2026-01-04 > stored 2025-12-30",
        ),
        (
            decide_by_version(STORED, SourceVersion(date(2025, 12, 29), 48_765)),
            "source updated 2025-12-29 < stored 2025-12-30",
        ),
        (
            decide_by_version(STORED, SourceVersion(date(2025, 12, 30), 48_762)),
            "source has 48,762 rows, stored 48,765",
        ),
        (decide_by_version(STORED, STORED.version), "Source unchanged since 2025-12-30"),
        (decide_by_content(STORED, HASH, STORED.version), "Content unchanged (hash a3f5b2c8)"),
        (decide_by_content(STORED, OTHER_HASH, STORED.version), "content changed, hash a3f5b2c9 != a3f5b2c8"),
        (decide_by_version(STORED, None, forced="an {audit}"), "Forced: an {audit}"),
    ],
)
def test_decisions_explain_themselves_in_the_documents_words(decision: Decision, words: str) -> None:
    assert reason(decision) == words


@pytest.mark.parametrize(
    ("offered_from", "words"),
    [(date(2025, 1, 3), "not offered; FINRA's list begins 2025-01-03"), (None, "not offered")],
)
def test_a_week_outside_finras_list_is_not_called_late(offered_from: date | None, words: str) -> None:
    assert reason(Decision(Action.WAIT, Rule.NOT_OFFERED, Evidence(offered_from=offered_from))) == words


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_words_of_one_line(rule: Rule) -> None:
    evidence = Evidence(
        latest=CaptureRef.of(STORED),
        version=STORED.version,
        content_hash=HASH,
        due=date(2026, 2, 2),
        offered_from=date(2025, 1, 3),
        note="because",
    )
    words = reason(Decision(Action.SKIP, rule, evidence))
    assert words.isprintable()
    assert words
    assert "None" not in words
