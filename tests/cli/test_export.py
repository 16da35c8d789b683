"""`finra export`: what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import Command, CommandHere


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return CommandHere(tmp_path)


def test_it_says_how_much_it_wrote_and_what_it_left_alone(finra_after_run: Command) -> None:
    first = finra_after_run.ok("export", "out", "--weeks", "2025-12-05", "--format", "csv")
    second = finra_after_run.ok("export", "out", "--format", "csv")

    lines = sum(len(f.read_text().splitlines()) - 1 for f in finra_after_run.folder.rglob("*2025-12-05*/*/part-*.csv"))
    assert first == f"3 files written ({lines} rows) to out\n0 files unchanged, 0 removed\n"
    assert second.endswith("3 files unchanged, 0 removed\n")
    assert second.startswith("17 files written")


def test_json_names_each_file(finra_after_run: Command) -> None:
    document = json.loads(finra_after_run.ok("export", "out", "--view", "hhi", "--tiers", "OTC", "--json"))

    assert document["written"] == len(document["files"]) == 6
    for file in document["files"]:
        assert (finra_after_run.folder / "out" / file["file"]).is_file()
        assert (file["tier"], file["outcome"], file["rows"]) == ("OTC", "written", 1)


def test_of_an_empty_store_there_is_nothing_to_export(finra: Command) -> None:
    assert "nothing of this to export" in finra.ok("export", "out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export",), "missing argument 'DIR'"),
        (("export", "out", "--view", "volumes"), "--view"),
        (("export", "out", "--history", "--as-of", "2025-12-30"), "contradict each other"),
        (("export", "out", "--view", "restatements", "--history"), "leave out --history"),
        (("export", "out", "--as-of", "yesterday"), "malformed instant 'yesterday'"),
    ],
)
def test_what_cannot_be_exported_is_one_line_and_makes_no_folder(
    finra: Command, arguments: tuple[str, ...], message: str
) -> None:
    ended = finra(*arguments)

    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (finra.folder / "out").exists()
