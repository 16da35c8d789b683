"""Settings are checked before anything is opened, and what is wrong is said without showing secrets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import finra_core
from finra_core.domain.captures import SourceVersion
from finra_core.domain.errors import ConfigurationError, SourceUnavailableError
from finra_core.ports.source import SourceKind
from finra_http import HttpSource, open_source
from finra_http.settings import read_settings
from support.byte_server import Seen, answer, serving
from support.one_partition_server import CREDENTIALS, PARTITION, Desk, connect


def test_api_means_finra_unless_a_setting_names_another_host() -> None:
    assert read_settings("api:", {}).api_url == "https://api.finra.org"
    assert read_settings("api:", {"FINRA_API_URL": "https://x.test/base/"}).api_url == "https://x.test/base"
    assert read_settings("https://y.test/b", {"FINRA_API_URL": "https://x.test"}).api_url == "https://y.test/b"


def test_defaults_are_finras() -> None:
    found = read_settings("api:", {"FINRA_MAX_BYTES": "", "FINRA_CLIENT_ID": " "})
    assert found.token_url == "https://ews.fip.finra.org/fip/rest/ews/oauth2/access_token"
    assert (found.requests_per_second, found.deadline_seconds) == (20, 600)
    assert (found.max_bytes, found.credentials) == (None, None)


@pytest.mark.parametrize(
    ("url", "settings", "message"),
    [
        ("ftp://x.test", {}, "the source is no http or https URL"),
        ("https://", {}, "the source is no http or https URL"),
        ("https://x.test:99999", {}, "the source is no http or https URL"),
        ("https://user:geheim@x.test", {}, "the source holds more than a host and a path"),
        ("https://x.test/?token=geheim", {}, "the source holds more than a host and a path"),
        ("api:", {"FINRA_API_URL": "geheim"}, "FINRA_API_URL is no http or https URL"),
        ("api:", {"FINRA_TOKEN_URL": "geheim"}, "FINRA_TOKEN_URL is no http or https URL"),
        ("api:", {"FINRA_CLIENT_ID": "me"}, "FINRA_CLIENT_ID without a secret"),
        ("api:", {"FINRA_CLIENT_SECRET": "geheim"}, "a client secret without an id"),
        ("api:", {"FINRA_CLIENT_ID": "a:b", "FINRA_CLIENT_SECRET": "geheim"}, "FINRA_CLIENT_ID holds a colon"),
        ("api:", {"FINRA_MAX_BYTES": "10MB"}, "FINRA_MAX_BYTES is '10MB': give a number over 0"),
        ("api:", {"FINRA_MAX_BYTES": "0"}, "FINRA_MAX_BYTES is '0'"),
        ("api:", {"FINRA_MAX_BYTES": "1.5"}, "FINRA_MAX_BYTES is '1.5'"),
        ("api:", {"FINRA_REQUESTS_PER_SECOND": "-1"}, "FINRA_REQUESTS_PER_SECOND is '-1'"),
        ("api:", {"FINRA_REQUESTS_PER_SECOND": "nan"}, "FINRA_REQUESTS_PER_SECOND is 'nan'"),
        ("api:", {"FINRA_DEADLINE": "inf"}, "FINRA_DEADLINE is 'inf'"),
        ("api:", {"HTTPS_PROXY": "geheim@proxy"}, "HTTPS_PROXY is no http or https URL"),
        ("api:", {"HTTPS_PROXY": "socks5://geheim@proxy"}, "HTTPS_PROXY is no http or https URL"),
        ("http://x.test", {"FINRA_CLIENT_ID": "me", "FINRA_CLIENT_SECRET": "geheim"}, "credentials are not sent unenc"),
        (
            "api:",
            {"FINRA_CLIENT_ID": "me", "FINRA_CLIENT_SECRET": "geheim", "FINRA_TOKEN_URL": "http://x.test"},
            "FINRA_TOKEN_URL is not https",
        ),
    ],
)
def test_malformed_settings_are_an_error_that_names_the_setting(
    url: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        open_source(url, settings)
    assert "geheim" not in caught.value.message


def test_the_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("geheim\n", encoding="utf-8")
    found = read_settings("api:", {"FINRA_CLIENT_ID": "me", "FINRA_CLIENT_SECRET_FILE": str(file)})
    assert found.credentials is not None
    assert found.credentials.client_secret == "geheim"
    assert "geheim" not in repr(found)


def test_a_secret_file_that_is_absent_empty_a_folder_or_not_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    for name in ("absent", "empty", "binary", "."):
        with pytest.raises(ConfigurationError, match=r"FINRA_CLIENT_SECRET_FILE .* (cannot be read|is empty)"):
            open_source("api:", {"FINRA_CLIENT_ID": "me", "FINRA_CLIENT_SECRET_FILE": str(tmp_path / name)})


def test_a_secret_in_two_places_is_an_error(tmp_path: Path) -> None:
    given = {**CREDENTIALS, "FINRA_CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    with pytest.raises(ConfigurationError, match="both set"):
        open_source("api:", given)


def test_it_says_who_asks() -> None:
    desk = Desk()
    with serving(desk) as url:
        source = connect(url)
        source.list_partitions()
        source.close()
    agent = f"finra-core/{finra_core.__version__} (+https://pypi.org/project/finra-core/)"
    assert desk.seen[0].headers["user-agent"] == agent


def test_requests_go_through_the_proxy_that_the_settings_name() -> None:
    seen: list[Seen] = []

    def proxy(request: Seen) -> bytes:
        seen.append(request)
        return Desk()(Seen(request.method, "/partitions/x", request.headers, request.body))

    with serving(proxy) as url:
        named = url.replace("http://", "http://user:pass@")
        source = open_source("http://finra.invalid", {"HTTP_PROXY": named})
        assert len(source.list_partitions().partitions) == 1
        source.close()
    assert seen[0].path == "http://finra.invalid/partitions/group/otcMarket/name/weeklySummary"
    assert seen[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


def test_a_dead_proxy_is_an_error_without_its_password() -> None:
    with serving(Desk()) as dead:
        pass
    source = connect("http://finra.invalid", {"HTTP_PROXY": dead.replace("http://", "http://user:geheim@")})
    with pytest.raises(SourceUnavailableError, match=r"^API fetch failed \(proxy error\)") as caught:
        source.list_partitions()
    source.close()
    assert "geheim" not in caught.value.message


@pytest.mark.parametrize("direct", ["127.0.0.1", "other.test, 127.0.0.1", "*"])
def test_hosts_that_no_proxy_names_are_asked_directly(direct: str) -> None:
    def proxy(_request: Seen) -> bytes:
        return answer(status=404)

    with serving(proxy) as proxy_url, serving(Desk()) as url:
        source = connect(url, {"HTTP_PROXY": proxy_url, "NO_PROXY": direct})
        assert len(source.list_partitions().partitions) == 1
        source.close()


def test_opening_makes_no_connection() -> None:
    desk = Desk()
    with serving(desk) as url:
        source: HttpSource = connect(url, CREDENTIALS)
        source.close()
    assert (desk.seen, source.info.label, source.info.kind) == ([], "API", SourceKind.FEED)


def test_each_opened_source_is_told_apart_for_as_long_as_it_is_open() -> None:
    with connect("http://127.0.0.1:9") as one, connect("http://127.0.0.1:9") as other:
        assert one.info == one.info
        assert one.info.instance != other.info.instance


def test_leaving_it_closes_it() -> None:
    with serving(Desk()) as url, connect(url) as source:
        assert source.fetch(PARTITION)
    with pytest.raises(RuntimeError, match="after shutdown"):
        source.fetch(PARTITION, SourceVersion(date(2026, 2, 3), 16))
