"""The numbers that pages promise are those of the code."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from finra_core.domain.completeness import DEFAULT_BOUNDS, Measure
from finra_core.domain.policies import COMPLIANCE, TRADING, Criterion
from finra_core.domain.publication import GRACE_DAYS
from finra_core.domain.weeks import DEFAULT_LOOKBACK
from finra_core.runs.sweep import ROTATION_DAYS
from finra_core.weekly_summary.parsing import NOISE_BITS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]


def page(name: str) -> str:
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def test_the_bounds_of_coverage() -> None:
    rows = re.findall(r"\| (\w+) \| (\d+) % \| (\d+) % \| (\d+) \|", page("docs/coverage.md"))
    assert [name for name, *_numbers in rows] == [measure.value for measure in Measure]
    for name, previous, recent, slack in rows:
        measure = Measure(name)
        bounds = DEFAULT_BOUNDS.previous[measure], DEFAULT_BOUNDS.recent[measure], DEFAULT_BOUNDS.slack[measure]
        assert (int(previous) / 100, int(recent) / 100, int(slack)) == bounds


def test_the_bounds_that_the_settings_file_shows_are_the_defaults() -> None:
    text = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    shown = tomllib.loads(block)["coverage"]

    assert shown.pop("recent_weeks") == DEFAULT_BOUNDS.recent_weeks
    assert shown.pop("fewest_weeks") == DEFAULT_BOUNDS.fewest_weeks
    for reference, values in shown.items():
        for measure, value in values.items():
            assert getattr(DEFAULT_BOUNDS, reference)[Measure(measure)] == value


@pytest.mark.parametrize("name", ["README.md", "docs/restatements.md", "docs/scheduling.md", "docs/glossary.md"])
def test_the_length_of_the_rotation(name: str) -> None:
    assert set(re.findall(r"(\d+) (?:daily )?runs", page(name))) == {str(ROTATION_DAYS)}


@pytest.mark.parametrize("name", ["README.md", "docs/restatements.md"])
def test_the_window(name: str) -> None:
    assert f"{DEFAULT_LOOKBACK} newest weeks that are due in all" in page(name)


def test_the_days_of_grace() -> None:
    assert GRACE_DAYS == 3
    assert "Due, and still absent 3 days later: WARN, late" in page("docs/differences.md")
    assert "a grace period of three days" in page("docs/glossary.md")


def test_the_noise_of_a_double() -> None:
    assert f"at most 2^-{NOISE_BITS} of its size" in page("docs/differences.md")


def test_what_the_built_in_policies_need() -> None:
    decision = page("docs/adr/0018-coverage-and-readiness-policies.md")
    rows = re.findall(r"\| `(\w+)` \| [^|]+ \| ((?:not )?needed) \| ((?:not )?needed) \|", decision)
    assert {name for name, *_needed in rows} == {criterion.value for criterion in Criterion}
    for name, trading, compliance in rows:
        needed = [Criterion(name) in policy.criteria for policy in (TRADING, COMPLIANCE)]
        assert [trading == "needed", compliance == "needed"] == needed
