"""`finra pin` and `finra prune`: what they would do, do, and refuse."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from support.command import SIMULATOR, Command, CommandHere

OTC = "finra.otc_transparency:OTC:2025-12-05:20260105"
AGAIN = (
    "run", "--weeks", "2025-12-05", "--tiers", "OTC", "--run-date", "2026-01-05", "--force", "--source", SIMULATOR,
)  # fmt: skip


@pytest.fixture
def finra(tmp_path: Path) -> Command:
    return CommandHere(tmp_path)


@pytest.fixture
def aged(finra_after_run: Command) -> Command:
    """A store with three versions of one week and tier, all of them captured long ago."""
    for _ in range(2):
        finra_after_run.ok(*AGAIN)
    tables = {
        "core_captures": ("captured_at", "verified_at", "checked_at", "normalized_at"),
        "finra_otc_analyses": ("computed_at",),
    }
    with closing(sqlite3.connect(finra_after_run.folder / "finra_otc.db")) as connection, connection:
        for table, columns in tables.items():
            for column in columns:
                old = f"replace({column}, substr({column}, 1, 10), '2026-01-05')"
                connection.execute(f"UPDATE {table} SET {column} = {old}")
    return finra_after_run


PRUNE = ("prune", "--before", "2026-01-20")


def counts(finra: Command) -> list[tuple[object, ...]]:
    names = ("core_captures", "core_raw_payloads", "core_manifest", "finra_otc_analyses", "core_prunes")
    return [finra.query(f"SELECT count(*) FROM {name}")[0] for name in names]


def test_it_says_what_it_would_do_and_does_it_only_when_told(aged: Command) -> None:
    before = counts(aged)
    said = aged.ok(*PRUNE)
    assert counts(aged) == before
    done = aged.ok(*PRUNE, "--yes")

    assert said.splitlines()[1].split()[:3] == ["2025-12-05", "OTC", "2"]
    assert said.splitlines()[2].startswith("Would remove 2 captures, ")
    assert done.splitlines()[2] == said.splitlines()[2].replace("Would remove", "Removed")
    assert done.splitlines()[-1] == "History begins on 2026-01-20 for these weeks"
    assert all(len(line) <= 80 for line in (said + done).splitlines())
    captures = json.loads(aged.ok("captures", "--json", "--weeks", "2025-12-05", "--tiers", "OTC"))["captures"]
    assert [capture["revision"] for capture in captures] == [3]
    assert aged.query("SELECT count(*) FROM core_manifest WHERE capture_id = ? AND revision < 3", OTC) == [(0,)]
    assert "nothing that could go" in aged.ok(*PRUNE, "--yes")


def test_json_says_what_and_how_much(aged: Command) -> None:
    aged.ok("pin", OTC, "r1", "--reason", "for the audit")
    document = json.loads(aged.ok(*PRUNE, "--yes", "--json"))

    (partition,) = document["partitions"]
    assert (document["done"], document["captures"]) == (True, 1)
    assert [(c["capture_id"], c["revision"]) for c in partition["captures"]] == [(OTC, 2)]
    assert (partition["kept"], partition["pinned"]) == (2, 1)
    assert partition["rows"] == document["rows"] == partition["captures"][0]["row_count"]


def test_pins_are_made_listed_and_taken_away(aged: Command) -> None:
    ended = aged("pin", OTC, "--reason", "why")
    assert ended.returncode == 2
    assert "has 3 revisions: say which, r1 or r2 or r3" in ended.stderr
    assert aged.ok("pin", OTC, "r2", "--reason", "why") == f"Pinned: {OTC} r2: why\n"
    listed = aged.ok("pin", "--list").splitlines()
    assert listed[1].split()[:4] == ["2025-12-05", "OTC", "20260105", "2"]
    assert json.loads(aged.ok("pin", "--list", "--json"))["pins"][0]["capture_id"] == OTC
    aged.ok("pin", OTC, "r2", "--remove")
    assert aged.ok("pin", "--list").endswith(" has no pins.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("prune",), "missing option '--before'"),
        (("prune", "--before", "2999-01-01"), "is to come"),
        (("pin",), "say which capture"),
        (("pin", "x"), "needs --reason TEXT"),
        (("pin", "x", "--reason", "y", "--remove"), "--remove takes none"),
        (("pin", "x", "--list"), "--list shows all pins"),
        (("pin", "x", "two", "--reason", "y"), "'two' is no revision"),
        (("pin", "x", "--reason", "y"), "no capture 'x'"),
    ],
)
def test_what_cannot_be_done_is_one_line(finra_after_run: Command, arguments: tuple[str, ...], message: str) -> None:
    ended = finra_after_run(*arguments)

    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
