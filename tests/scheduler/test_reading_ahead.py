"""A payload is read while others are fetched: what goes wrong there is told by the phase that needs it, and once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from finra_core import Outcome, Partition, Stage, Tier
from finra_core.runs import reading
from finra_core.weekly_summary.parsing import ParsedContent, parse_content
from support.harness import Bench, latest_of, partition

BROKEN = partition("2025-11-28", Tier.OTC)


def test_an_error_that_nobody_expected_is_its_partitions_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(documents: Sequence[bytes], partition: Partition) -> ParsedContent:
        if partition == BROKEN:
            raise RuntimeError("nobody thought of this")
        return parse_content(documents, partition)

    monkeypatch.setattr(reading, "parse_content", parse)
    report = bench.run()

    (failed,) = [each for each in report.partitions if each.outcome is Outcome.FAILED]
    assert (failed.week_ending, failed.tier) == (BROKEN.week_ending, BROKEN.tier)
    assert report.exit_code == 1
    assert [found.stage for found in report.findings if "nobody thought of this" in found.message] == [Stage.NORMALIZED]
    assert all(capture.is_normalized for each, capture in latest_of(bench.store).items() if each != BROKEN)
