"""Two runs at once, in processes of their own, on each store that processes can share: one truth, and all of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finra_core import RunRequest, Scheduler, open_source, open_store
from finra_core.domain.weeks import parse_date, parse_weeks
from support.command import RUN, SIMULATOR, Command
from support.harness import captures_of, contents

SAME = (("2025-11-28,2025-11-21", "2025-11-28,2025-11-21"), 6)
OVERLAPPING = (("2025-11-28,2025-11-21", "2025-11-21,2025-11-14"), 9)
DISJOINT = (("2025-11-28,2025-11-21", "2025-11-14,2025-11-07"), 12)


@pytest.fixture(params=["sqlite", "postgres"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'finra.db'}"
    url: str = request.getfixturevalue("postgres").url(request.getfixturevalue("postgres_database"))
    return url


def run_both(folder: Path, url: str, weeks: tuple[str, str]) -> list[dict[str, object]]:
    """The reports of two runs that were started at the same time; both end with code 0."""
    finra = Command(folder)
    processes = [finra.start(*RUN, "--store", url, "--json", "--weeks", asked) for asked in weeks]
    reports = []
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err
        reports.append(json.loads(out))
    return reports


def truth(weeks: tuple[str, str]) -> dict[str, object]:
    """What one run at a time makes of the same."""
    with open_store("memory:") as store, open_source(SIMULATOR) as source:
        for asked in weeks:
            request = RunRequest(weeks=parse_weeks(asked), run_date=parse_date("2026-01-05"))
            Scheduler(source=source, store=store).run(request)
        return contents(store)


@pytest.mark.parametrize(
    ("weeks", "partitions"), [SAME, OVERLAPPING, DISJOINT], ids=["same", "overlapping", "disjoint"]
)
def test_two_runs_at_once_end_where_one_after_the_other_does(
    tmp_path: Path, shared_url: str, weeks: tuple[str, str], partitions: int
) -> None:
    with open_store(shared_url):
        pass  # makes the schema: its own race is tested with the stores

    reports = run_both(tmp_path, shared_url, weeks)
    Command(tmp_path)(*RUN, "--store", shared_url, "--weeks", ",".join(weeks))

    with open_store(shared_url) as store:
        assert len(captures_of(store)) == partitions
        assert but_analyses(contents(store)) == but_analyses(truth(weeks))
    outcomes = [p["outcome"] for report in reports for p in report["partitions"]]  # type: ignore[attr-defined]
    assert outcomes.count("ingested") == partitions
    assert set(outcomes) <= {"ingested", "skipped"}


def but_analyses(everything: dict[str, object]) -> dict[str, object]:
    """Those across tiers may have been computed once more, by the run that came to them first."""
    return {
        name: everything[name] for name in ("captures", "coverage", "records", "rejects", "readiness", "open anomalies")
    }
