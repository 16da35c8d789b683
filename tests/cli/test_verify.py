"""`finra verify` and `finra checkpoint`: what they say, write and return."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from support.command import STORE, Command, CommandHere

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


@pytest.fixture
def finra(filled: Path, tmp_path: Path) -> Command:
    """In this process; with a default store that has had one run."""
    shutil.copy(filled, tmp_path)
    return CommandHere(tmp_path)


def change(finra: Command, statement: str) -> None:
    with closing(sqlite3.connect(finra.folder / STORE)) as connection, connection:
        assert connection.execute(statement).rowcount


def document(finra: Command, *arguments: str, code: int) -> dict[str, Any]:
    ended = finra("verify", "--json", *arguments)
    assert ended.returncode == code, ended
    found: dict[str, Any] = json.loads(ended.stdout)
    schema = json.loads((SCHEMAS / "verify.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(found)
    return found


TRADES = "UPDATE finra_otc_row_versions SET trades = trades + 1 WHERE partition_no = 1"


def test_a_sound_store_is_sound_and_is_not_written(finra: Command) -> None:
    before = (finra.folder / STORE).read_bytes()
    found = document(finra, code=0)
    assert found["ok"]
    assert found["problems"] == found["notes"] == []
    assert found["checked"]["captures"] == found["checked"]["of_captures"] > 0
    assert (finra.folder / STORE).read_bytes() == before
    assert "Sound: nothing was found wrong." in finra.ok("verify")


def test_damage_is_shown_recorded_and_blocks_its_week(finra: Command) -> None:
    change(finra, TRADES)
    unrecorded = document(finra, "--no-record", code=1)
    assert json.loads(finra.ok("anomalies", "--severity", "CRITICAL", "--json"))["anomalies"] == []
    found = document(finra, code=1)
    assert found == unrecorded
    (problem,) = found["problems"]
    assert problem["kind"] == "records"
    (anomaly,) = json.loads(finra.ok("anomalies", "--severity", "CRITICAL", "--json"))["anomalies"]
    assert anomaly["category"] == "DAMAGED"
    assert problem["message"] in anomaly["message"]
    ready = json.loads(finra.ok("readiness", "--week", problem["week_ending"], "--json"))
    assert "open_criticals" in json.dumps(ready)

    page = finra("verify")
    assert page.returncode == 1
    assert f"[records] {problem['message']}" in page.stdout
    assert "Not sound: 1 problem." in page.stdout


def test_what_cannot_be_read_is_exit_2(tmp_path: Path) -> None:
    finra = CommandHere(tmp_path)
    (tmp_path / STORE).write_text("no database, and long enough to be taken for the beginning of one" * 20)
    assert finra("verify").returncode == 2


def test_a_sample_says_how_it_was_drawn_and_can_be_drawn_again(finra: Command) -> None:
    found = document(finra, "--sample", "2", "--seed", "5", code=0)
    assert found["checked"]["captures"] == 2
    assert "seed 5" in found["notes"][0]
    assert finra("verify", "--seed", "5").returncode == 2
    assert "drawn with seed" in finra.ok("verify", "--sample", "1")


def test_only_some_captures_are_asked_for(finra: Command) -> None:
    found = document(finra, "--weeks", "2025-12-05", "--tiers", "OTC", code=0)
    assert found["checked"]["captures"] == 1
    assert document(finra, "--since", "2099-01-01", code=0)["checked"]["captures"] == 0


def test_other_processes_find_the_same(finra_after_run: Command) -> None:
    finra = finra_after_run
    change(finra, TRADES)
    alone = document(finra, "--no-record", code=1)
    assert document(finra, "--no-record", "--processes", "2", code=1) == alone


def test_it_goes_on_from_its_file(finra: Command, tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    kept = {"number": 1, "rows": 7, "size_bytes": 0, "analyses": 0, "older_analyses": 0, "documents_hash": None}
    lines = [{"schema_version": 1, "store": "sqlite:///finra_otc.db"}, {**kept, "problems": []}]
    state.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"number": 2, "ro')
    whole = document(finra, code=0)["checked"]
    resumed = document(finra, "--resume", str(state), code=0)["checked"]
    assert resumed["captures"] == whole["captures"]
    with closing(sqlite3.connect(finra.folder / STORE)) as connection:
        (rows,) = connection.execute("SELECT row_count FROM core_captures WHERE capture_no = 1").fetchone()
    assert resumed["rows"] == whole["rows"] - rows + 7
    assert not state.exists(), "all is done"

    state.write_text('{"schema_version": 1, "store": "sqlite:///other.db"}\n')
    refused = finra("verify", "--resume", str(state))
    assert refused.returncode == 2
    assert "it is about sqlite:///other.db" in refused.stderr


def _keys(folder: Path) -> None:
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    for name in ("own", "other"):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pem").write_bytes(private)
        (folder / f"{name}.pub").write_bytes(public)


def test_a_checkpoint_is_kept_signed_and_met(finra: Command) -> None:
    _keys(finra.folder)
    said = finra.ok("checkpoint", "--out", "head.json", "--sign", "own.pem", "--json")
    assert json.loads(said) == json.loads((finra.folder / "head.json").read_text())
    document(finra, "--checkpoint", "head.json", "--public-key", "own.pub", code=0)
    stranger = document(finra, "--no-record", "--checkpoint", "head.json", "--public-key", "other.pub", code=1)
    assert [problem["kind"] for problem in stranger["problems"]] == ["checkpoint"]
    assert finra("verify", "--public-key", "own.pub").returncode == 2

    forged = json.loads(said) | {"seq": 1}
    (finra.folder / "forged.json").write_text(json.dumps(forged))
    document(finra, "--no-record", "--checkpoint", "forged.json", "--public-key", "own.pub", code=1)


CUT = "DELETE FROM core_chain WHERE seq > 5"


@pytest.mark.parametrize("changed", [CUT, "UPDATE core_chain SET hash = 'x' WHERE seq = 1"])
def test_a_checkpoint_shows_what_was_done_to_the_chain(finra: Command, changed: str) -> None:
    finra.ok("checkpoint", "--out", "head.json")
    change(finra, changed)
    found = document(finra, "--no-record", "--checkpoint", "head.json", code=1)
    assert "checkpoint" in {problem["kind"] for problem in found["problems"]}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "cannot be read"),
        (lambda path: path.write_text("no json"), "holds no checkpoint"),
        (lambda path: path.write_text('{"schema_version": 99}'), "no checkpoint of this release"),
        (lambda path: path.write_text('{"schema_version": 1, "seq": 1}'), "holds no checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_refused(finra: Command, make: Callable[[Path], object], said: str) -> None:
    make(finra.folder / "head.json")
    ended = finra("verify", "--checkpoint", "head.json")
    assert ended.returncode == 2
    assert said in ended.stderr


def test_a_store_without_a_chain_has_no_checkpoint(tmp_path: Path) -> None:
    ended = CommandHere(tmp_path)("checkpoint")
    assert ended.returncode == 2
    assert "no chain yet" in ended.stderr


def test_signing_without_the_package_says_what_to_install(finra: Command) -> None:
    (finra.folder / "own.pem").write_text("key")
    (finra.folder / "cryptography").mkdir()
    (finra.folder / "cryptography" / "__init__.py").write_text("raise ImportError")
    environ = {**finra.environ, "PYTHONPATH": str(finra.folder)}
    script = "from finra_cli.main import main; import sys; sys.exit(main(['checkpoint', '--sign', 'own.pem']))"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=finra.folder, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2, ended
    assert "finra-core[sign]" in ended.stderr
