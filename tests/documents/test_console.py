"""The pages with console sessions: each command, run in a new folder after the ones before it, prints what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.console import Session, Step, is_as_shown, steps

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [page for page in sorted(DOCS.glob("*.md")) if steps(page.read_text(encoding="utf-8"))]


def test_there_is_a_tutorial() -> None:
    assert DOCS / "tutorial.md" in PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_prints_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(DOCS)
    session = Session(tmp_path)
    for step in steps(page.read_text(encoding="utf-8")):
        output = session.run(step.line)
        assert is_as_shown(step, output), f"{page.name}: $ {step.line}\n{output}"


def test_an_output_that_differs_is_noticed() -> None:
    (step,) = steps("```console\n$ echo one && echo two\none\n...\n```\n")
    assert step == Step("echo one && echo two", "one\n...\n")
    assert is_as_shown(step, "one\ntwo\n")
    assert not is_as_shown(step, "two\none\n")
