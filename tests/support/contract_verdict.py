"""What a suite of tests says of an adapter: the suite is run within the test, and its outcomes are looked at."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest


class _Listener:
    """A pytest plugin that remembers how each test ended: `passed`, `failed` or `skipped`, by its function's name."""

    def __init__(self) -> None:
        self.ended: defaultdict[str, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self.ended[report.outcome].add(report.location[2].partition(".")[2].partition("[")[0])


def judge(suite: str, folder: Path, *only: str) -> defaultdict[str, set[str]]:
    """Run this test file in a folder that a test has to itself; of parametrized tests the case is left out.

    only: the names of the tests to run, all where there are none.
    """
    path = folder / f"{folder.name}.py"  # one process runs many suites: each is a module of its own
    path.write_text(suite, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    listener = _Listener()
    # Never a distributed run within one: it would ask for workers of its own.
    options = [
        "-q",
        "--tb=no",
        "--no-header",
        "-pno:cacheprovider",
        "-pno:xdist",
        "--import-mode=importlib",
    ]
    selected = ["-k", " or ".join(only)] if only else []
    pytest.main([*options, *selected, f"--rootdir={folder}", str(path)], plugins=[listener])
    return listener.ended
