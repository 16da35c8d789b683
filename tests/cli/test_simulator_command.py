"""`finra simulator`: FINRA's API on a local port, for trying a pipeline against."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

FINRA = str(Path(sys.executable).with_name("finra"))


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL that the command prints, and its process."""
    command = [FINRA, "simulator", "--symbols", "5", *(options if "--port" in options else (*options, "--port", "0"))]
    env = {**os.environ, **environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def finra(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([FINRA, *options], capture_output=True, text=True, check=False)


def test_a_run_against_it_ingests_what_it_publishes(tmp_path: Path) -> None:
    with serving("--now", "2026-01-05T15:30:00Z", "--fault-rate", "0.1") as (url, _process):
        store = f"sqlite:///{tmp_path / 'finra.db'}"
        done = finra("run", "--json", "--source", url, "--run-date", "2026-01-05", "--store", store)

    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert [p["outcome"] for p in report["partitions"]] == ["ingested"] * 20
    assert report["usage"]["requests"] >= 1 + 20 + 20  # the listing; per partition a probe and a page


TOKEN = "/fip/rest/ews/oauth2/access_token?grant_type=client_credentials"


def token_status(url: str, client: str) -> int:
    headers = urllib3.make_headers(basic_auth=client)
    return int(urllib3.request("POST", url + TOKEN, headers=headers).status)


def test_any_client_gets_a_token_unless_it_was_started_with_credentials() -> None:
    with serving() as (url, _process):
        assert token_status(url, "anybody:at all") == 200
    with serving(FINRA_CLIENT_ID="an-id", FINRA_CLIENT_SECRET="a-secret!") as (url, _process):
        assert [token_status(url, client) for client in ("an-id:a-secret!", "an-id:wrong")] == [200, 401]


def test_half_of_the_credentials_is_refused() -> None:
    done = subprocess.run(
        [FINRA, "simulator", "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FINRA_CLIENT_ID": "an-id"},
    )
    assert done.returncode == 2
    assert "FINRA_CLIENT_ID and FINRA_CLIENT_SECRET go together" in done.stderr


def test_it_serves_the_world_that_is_asked_for() -> None:
    with serving("--now", "2026-01-05T15:30:00Z", "--world", "names=delimiters") as (url, _process):
        filters = [("weekStartDate", "2025-12-08"), ("tierIdentifier", "T1")]
        asked = {"compareFilters": [{"compareType": "EQUAL", "fieldName": n, "fieldValue": v} for n, v in filters]}
        address = f"{url}/data/group/otcMarket/name/weeklySummary"
        answer = urllib3.request("POST", address, json=asked, headers={"Accept": "application/json"})
    assert answer.status == 200
    assert any("|" in (row["issueName"] or "") for row in answer.json())


def test_it_serves_on_the_port_that_it_is_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with serving("--port", str(port)) as (url, process):
        assert url == f"http://127.0.0.1:{port}"
        assert urllib3.request("GET", url).status == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 143


def test_the_bytes_received_never_pass_the_budget(tmp_path: Path) -> None:
    with serving("--now", "2026-01-05T15:30:00Z") as (url, _process):
        options = ("--source", url, "--run-date", "2026-01-05", "--store", f"sqlite:///{tmp_path / 'finra.db'}")
        whole = json.loads(finra("run", "--json", "--mode", "dry-run", *options).stdout)
        budget = 1_200_000  # a listing may take 1 MiB, and every page reserves the most that it may take
        bounded = json.loads(finra("run", "--json", "--max-bytes", str(budget), *options).stdout)

    assert whole["expected_usage"]["requests"] == 20
    assert bounded["usage"]["bytes_received"] <= budget
    refused = finra("run", "--json", "--max-bytes", "1000", *options)
    assert refused.returncode == 1
    assert "API budget reached" in json.loads(refused.stdout)["partitions"][0]["reason"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(number: signal.Signals, code: int) -> None:
    with serving() as (_url, process):
        process.send_signal(number)
        assert process.wait() == code


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--symbols", "none"), "symbols=NUMBER"),
        (("--fault-rate", "2"), "--fault-rate 2.0"),
        (("--port", "70000"), "cannot listen on 127.0.0.1:70000"),
        (("--host", "203.0.113.1"), "cannot listen on 203.0.113.1"),
    ],
)
def test_what_cannot_be_served_is_refused(options: tuple[str, ...], message: str) -> None:
    done = finra("simulator", *options)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
