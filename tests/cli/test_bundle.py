"""`finra bundle`: from one store to another and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import Command, CommandHere


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return CommandHere(tmp_path)


def test_another_store_has_the_same_and_says_which_manifest_it_took(finra_after_run: Command) -> None:
    made = json.loads(finra_after_run.ok("bundle", "export", "all.bundle", "--json"))
    into = ("bundle", "import", "all.bundle", "--store", "sqlite:///other.db")
    first = json.loads(finra_after_run.ok(*into, "--json"))
    second = finra_after_run.ok(*into)

    there, here = finra_after_run.contents("other.db"), finra_after_run.contents()
    assert there | {"readiness": []} == here | {"readiness": []}  # that is judged as of today
    assert (made["captures"], first["added"], first["known"], len(first["judged"])) == (20, 20, 0, 8)
    assert made["manifest_sha256"] == first["manifest_sha256"]
    assert second.splitlines()[0] == "0 captures added to sqlite:///other.db, 20 there already"
    assert all(len(line) <= 80 for line in second.splitlines())


def test_a_damaged_file_is_one_line_and_makes_no_record(finra_after_run: Command) -> None:
    finra_after_run.ok("bundle", "export", "all.bundle")
    content = bytearray((finra_after_run.folder / "all.bundle").read_bytes())
    content[700] ^= 1
    (finra_after_run.folder / "all.bundle").write_bytes(content)

    ended = finra_after_run("bundle", "import", "all.bundle", "--store", "sqlite:///other.db")

    assert ended.returncode == 2
    assert ended.stderr.startswith("CRITICAL all.bundle: ") or "all.bundle: " in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert finra_after_run.query("SELECT count(*) FROM core_captures", name="other.db") == [(0,)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "all.bundle", "--captures", "x"), "no capture 'x'"),
        (("export", "no/such/folder/all.bundle"), "No such file"),
        (("import", "absent.bundle"), "absent.bundle: No such file"),
        (("export",), "missing argument 'FILE'"),
    ],
)
def test_what_cannot_be_done_is_one_line(finra_after_run: Command, arguments: tuple[str, ...], message: str) -> None:
    ended = finra_after_run("bundle", *arguments)

    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
