"""The alert script of docs/scheduling.md tells the right people, however `finra` ends."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from attrs import frozen

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scheduling.md").read_text(encoding="utf-8")
DOCUMENTS_OWN = """
if ! finra run --lookback-weeks 6; then
    EXITCODE=$?
    if [ $EXITCODE -eq 2 ]; then
        send_alert "CRITICAL: FINRA scheduler failed"
    elif [ $EXITCODE -eq 1 ]; then
        send_email "WARN: FINRA scheduler partial failure"
    fi
fi
"""
"""As the design document has it."""
SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]


def script() -> str:
    (found,) = re.findall(r"^```sh\n(#!/bin/sh\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@frozen
class Ended:
    code: int
    mails: str
    alerts: str


@frozen
class Machine:
    """A folder with a `finra` that ends as told, a mailer and a pager that keep what they are given."""

    folder: Path
    shell: str

    def run(self, text: str, finra: str | None) -> Ended:
        """finra: what it does, as lines of shell; None: there is none."""
        programs = self.folder / "bin"
        programs.mkdir()
        for name, body in (("send_email", 'echo "$1" >>mails'), ("send_alert", 'echo "$1" >>alerts'), ("finra", finra)):
            if body is not None:
                (programs / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
                (programs / name).chmod(0o755)
        (self.folder / "script").write_text(text, encoding="utf-8")
        environ = {"PATH": f"{programs}:/usr/bin:/bin", "FINRA_LOG": str(self.folder / "log")}
        ended = subprocess.run([self.shell, "script"], cwd=self.folder, env=environ, capture_output=True, check=False)
        return Ended(ended.returncode, self._read("mails"), self._read("alerts"))

    def _read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return Machine(tmp_path, request.param)


def test_a_run_that_did_all_tells_nobody(machine: Machine) -> None:
    assert machine.run(script(), "exit 0") == Ended(0, "", "")


def test_a_partial_run_is_mailed_with_its_last_lines(machine: Machine) -> None:
    ended = machine.run(script(), "echo 'Failed: 1 partition: HTTP 503'; echo 'Exit code: 1' >&2; exit 1")

    assert (ended.code, ended.alerts) == (1, "")
    assert ended.mails.startswith("WARN: FINRA scheduler partial failure: Failed: 1 partition: HTTP 503")


def test_a_critical_run_is_an_alert(machine: Machine) -> None:
    ended = machine.run(script(), "echo 'the store is locked' >&2; exit 2")

    assert (ended.code, ended.mails) == (2, "")
    assert ended.alerts == "CRITICAL: FINRA scheduler failed with code 2: the store is locked\n"


def test_a_killed_run_is_an_alert(machine: Machine) -> None:
    ended = machine.run(script(), "kill -KILL $$")

    assert (ended.code, ended.mails) == (137, "")
    assert "failed with code 137" in ended.alerts


def test_a_run_that_was_stopped_is_mailed(machine: Machine) -> None:
    ended = machine.run(script(), "kill -TERM $$")

    assert (ended.code, ended.alerts) == (143, "")
    assert "the next run goes on" in ended.mails


def test_a_finra_that_is_not_there_is_an_alert(machine: Machine) -> None:
    ended = machine.run(script(), None)

    assert (ended.code, ended.mails) == (127, "")
    assert "failed with code 127" in ended.alerts


def test_the_script_does_so_under_set_e(machine: Machine) -> None:
    assert machine.run(script().replace("\n", "\nset -e\n", 1), "exit 1").mails


@pytest.mark.parametrize("code", [1, 2])
def test_the_documents_own_form_tells_nobody(machine: Machine, code: int) -> None:
    ended = machine.run(DOCUMENTS_OWN, f"exit {code}")

    assert (ended.mails, ended.alerts) == ("", "")


def test_every_example_that_needs_no_orchestrator_is_shown() -> None:
    for name in ("cron/crontab", "systemd/finra.service", "systemd/finra.timer", "kubernetes/cronjob.yaml"):
        assert f"(examples/{name})" in PAGE
