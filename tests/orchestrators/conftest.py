"""What the tests of the orchestrators' examples share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'finra_otc.db'}"


@pytest.fixture
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that is down is given up at once."""
    monkeypatch.setenv("FINRA_MAX_ATTEMPTS", "1")
