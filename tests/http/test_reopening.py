"""A source opened again in worker processes: FINRA's limits hold for all of them together, and no secret travels."""

from __future__ import annotations

import pickle

import pytest

from finra_core.domain.errors import ConfigurationError
from finra_core.ports.source import Usage
from finra_http import HttpSource, open_source
from finra_http.settings import Settings
from support.byte_server import serving
from support.one_partition_server import PARTITION, Desk, connect

URL = "http://127.0.0.1:9"
CREDENTIALS = {"FINRA_CLIENT_ID": "an-id", "FINRA_CLIENT_SECRET": "a-secret"}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FINRA_REQUESTS_PER_SECOND", "FINRA_MAX_BYTES", "FINRA_DEADLINE", *CREDENTIALS):
        monkeypatch.delenv(name, raising=False)


def parcel(source: HttpSource, processes: int) -> bytes:
    return pickle.dumps(source.reopener(same_machine=False, processes=processes))


def settings_in_a_worker(source: HttpSource, processes: int) -> Settings:
    with source, pickle.loads(parcel(source, processes))() as reopened:
        settings = reopened._settings
        assert isinstance(settings, Settings)
        return settings


@pytest.mark.parametrize("processes", [1, 4, 7])
def test_the_shares_of_all_processes_are_finras_twenty_requests_a_second(processes: int) -> None:
    settings = settings_in_a_worker(open_source(URL, {}), processes)
    assert settings.requests_per_second * processes == pytest.approx(20)
    assert settings.max_bytes is None


def test_the_run_s_own_limits_are_shared_not_the_worker_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINRA_REQUESTS_PER_SECOND", "1000")
    monkeypatch.setenv("FINRA_MAX_BYTES", "1")
    monkeypatch.setenv("FINRA_DEADLINE", "2")
    own = {"FINRA_REQUESTS_PER_SECOND": "6", "FINRA_MAX_BYTES": "1000", "FINRA_DEADLINE": "30"}
    settings = settings_in_a_worker(open_source(URL, own), 3)
    assert (settings.requests_per_second, settings.max_bytes, settings.deadline_seconds) == (2, 333, 30)


def test_no_secret_travels_and_the_worker_uses_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = {"HTTPS_PROXY": "http://user:hidden@127.0.0.1:3128"}
    with open_source(URL, CREDENTIALS | proxies) as source:
        content = parcel(source, 2)
    assert URL.encode() in content
    assert not any(secret in content for secret in (b"a-secret", b"hidden", b"an-id"))
    monkeypatch.setenv("FINRA_CLIENT_ID", "the-worker-s")
    monkeypatch.setenv("FINRA_CLIENT_SECRET", "another")
    with pickle.loads(content)() as reopened:
        assert reopened._settings.credentials.client_id == "the-worker-s"


def test_a_worker_without_credentials_says_so_before_it_asks_anything() -> None:
    with pytest.raises(ConfigurationError, match="worker process has no credentials"):
        settings_in_a_worker(open_source(URL, CREDENTIALS), 2)


def test_a_run_without_credentials_uses_none_of_the_worker_s(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    assert settings_in_a_worker(open_source(URL, {}), 2).credentials is None


def test_what_is_opened_again_reads_the_same_and_counts_for_itself() -> None:
    with serving(Desk()) as url, connect(url) as source, pickle.loads(parcel(source, 2))() as reopened:
        assert reopened.fetch(PARTITION).documents == source.fetch(PARTITION).documents
        assert source.usage() == reopened.usage() != Usage()
        assert source.info.instance != reopened.info.instance
