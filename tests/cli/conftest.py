"""The command in an empty folder, and one folder with a store that a run has filled."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.command import RUN, STORE, Command


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store after one run; tests copy it."""
    folder = tmp_path_factory.mktemp("filled")
    Command(folder).ok(*RUN)
    return folder / STORE


@pytest.fixture
def finra_after_run(finra: Command, filled: Path) -> Command:
    """The command in a folder whose default store has had one run."""
    shutil.copy(filled, finra.folder)
    return finra
