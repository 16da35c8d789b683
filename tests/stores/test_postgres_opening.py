"""Opening a PostgreSQL store: what its URL may say and what of it is shown, and what reading alone leaves untouched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from finra_core.domain.errors import ConfigurationError, StoreSchemaError, StoreUnavailableError
from finra_core.domain.scopes import STORE, Scope
from finra_core.ports.store import Store
from finra_core.registry import open_schema
from finra_core.testing.examples import T1, ask, captures_of, put_capture, put_normalized, rows_of
from finra_postgres import open_store
from finra_postgres.location import parse_url
from finra_sql.migrate import HEAD
from support.postgres import Server


@pytest.fixture
def url(postgres: Server, postgres_database: str) -> str:
    return postgres.url(postgres_database)


@pytest.fixture
def empty_database(postgres: Server) -> Iterator[str]:
    """A database with nothing of ours in it."""
    name = postgres.new_empty_database()
    yield name
    postgres.drop_database(name)


def tables(server: Server, database: str) -> set[str]:
    with server.connect(database) as connection:
        return {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:secret@h:5432/d", "postgresql://u@h:5432/d"),
        ("postgres://u:s%40%2Fcret@h/d", "postgresql://u@h/d"),
        ("postgresql://u@h/d?password=secret&sslmode=require", "postgresql://u@h/d?sslmode=require"),
        ("postgresql://u@h/d?sslpassword=secret", "postgresql://u@h/d"),
        ("postgresql://u:secret@[::1]:5433/d", "postgresql://u@[::1]:5433/d"),
        ("postgresql://u:secret@a:1,b:2/d", "postgresql://u@/d?host=a%2Cb&port=1%2C2"),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=%2Frun%2Fpostgresql"),
        ("postgresql://h/d?options=-csearch_path%3Dfinra", "postgresql://h/d?options=-csearch_path%3Dfinra"),
        ("postgresql://Ren%C3%A9@h/my%20data", "postgresql://Ren%C3%A9@h/my%20data"),
    ],
)
def test_a_url_is_shown_without_its_secrets_and_means_the_same(url: str, shown: str) -> None:
    location = parse_url(url)
    assert location.url == shown
    assert parse_url(shown).url == shown
    assert "secret" not in f"{location} {location.name}"
    secrets = {"password", "sslpassword"}
    given, again = (psycopg.conninfo.conninfo_to_dict(parse_url(u).conninfo) for u in (url, shown))
    assert {key: value for key, value in given.items() if key not in secrets} == again


def test_libpq_completes_what_a_url_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGHOST": "db", "PGPORT": "77", "PGUSER": "me"}.items():
        monkeypatch.setenv(name, value)
    assert [parse_url(url).name for url in ("postgresql://", "postgresql:///finra")] == ["db:77/me", "db:77/finra"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:",
        "postgresql:finra",
        "postgresql://h/d?nonsense=1",
        "postgresql://h:port/d",
        "postgresql://u:sec@ret@h/d",
        "postgresql://u:sec/ret@h/d",
        "postgresql://u:5/sec?ret@h/d",
        "postgresql://u:1?secret@h/d",
        "postgresql://u:%zzsecret@h/d",
    ],
)
def test_a_malformed_url_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="malformed store URL") as caught:
        open_store(url)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert not any(part in caught.value.message for part in ("sec", "ret", "nonsense"))


def test_stores_in_two_schemas_of_one_database_have_nothing_to_do_with_each_other(
    postgres: Server, empty_database: str
) -> None:
    with postgres.connect(empty_database) as connection:
        connection.execute("CREATE SCHEMA one")
        connection.execute("CREATE SCHEMA other")
    url = postgres.url(empty_database)
    with (
        closing(open_store(f"{url}&options=-csearch_path%3Done")) as one,
        closing(open_store(f"{url}&options=-csearch_path%3Dother")) as other,
    ):
        with one.write(Scope.partition(T1)):
            put_normalized(other)
        assert (len(captures_of(one)), len(captures_of(other))) == (0, 1)
    assert tables(postgres, empty_database) == set()


def test_several_that_open_a_fresh_database_at_once_all_get_it(postgres: Server, empty_database: str) -> None:
    url = postgres.url(empty_database)
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(open_store, [url] * 4))
    for store in stores:
        with closing(store):
            assert captures_of(store) == []


def test_reading_alone_makes_nothing(postgres: Server, empty_database: str) -> None:
    with closing(open_store(postgres.url(empty_database), read_only=True)) as store:
        assert captures_of(store) == []
        assert ask(store, lambda view: view.runs()) == []
        assert empty_database in store.url
    assert tables(postgres, empty_database) == set()


def test_a_store_that_is_only_read_sees_what_a_later_run_makes(postgres: Server, empty_database: str) -> None:
    url = postgres.url(empty_database)
    with closing(open_store(url, read_only=True)) as reader:
        assert captures_of(reader) == []
        with closing(open_store(url)) as writer:
            capture = put_capture(writer)
        assert captures_of(reader) == [capture]


def test_the_schema_is_looked_after_by_its_url(postgres: Server, empty_database: str) -> None:
    admin = open_schema(postgres.url(empty_database))
    assert (admin.version(), tables(postgres, empty_database)) == (None, set())
    for _again in range(2):
        admin.upgrade()
        assert admin.version() == admin.newest_version == HEAD
    with postgres.connect(empty_database) as connection:
        connection.execute("UPDATE finra_schema_version SET version_num = '9999'")
    assert admin.version() == "9999"
    with pytest.raises(StoreSchemaError, match="upgrade finra-core"):
        admin.upgrade()


def test_reading_alone_refuses_transactions_and_so_does_the_server(postgres: Server, url: str) -> None:
    with closing(open_store(url)) as store:
        capture = put_normalized(store)
    with closing(open_store(url, read_only=True)) as store:
        assert len(rows_of(store, capture)) == 1
        with pytest.raises(StoreUnavailableError, match="read-only"), store.write(STORE):
            pass
        with store._engine.begin() as connection, pytest.raises(StoreUnavailableError, match="only be read"):
            connection.exec_driver_sql("UPDATE core_captures SET reason = ''")


def test_a_store_can_live_beside_other_tables(postgres: Server, empty_database: str) -> None:
    with postgres.connect(empty_database) as connection:
        connection.execute("CREATE TABLE somebody_elses (x int)")
        connection.execute("CREATE TABLE alembic_version (x int)")
    with closing(open_store(postgres.url(empty_database))) as store:
        assert put_capture(store) == captures_of(store)[0]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_schema_newer_than_the_library_is_refused(
    postgres: Server, postgres_database: str, url: str, read_only: bool
) -> None:
    with postgres.connect(postgres_database) as connection:
        connection.execute("UPDATE finra_schema_version SET version_num = '9999'")
    with pytest.raises(StoreSchemaError, match=rf"{postgres_database}: .* upgrade finra-core"):
        open_store(url, read_only=read_only)


@pytest.mark.parametrize("read_only", [False, True])
def test_tables_of_our_names_that_are_not_ours_are_refused(
    postgres: Server, empty_database: str, read_only: bool
) -> None:
    with postgres.connect(empty_database) as connection:
        connection.execute("CREATE TABLE core_manifest (x int)")
    with pytest.raises(StoreSchemaError, match="core_manifest"):
        open_store(postgres.url(empty_database), read_only=read_only)


def test_an_upgrade_that_fails_leaves_nothing(postgres: Server, empty_database: str) -> None:
    with postgres.connect(empty_database) as connection:
        connection.execute("CREATE VIEW finra_otc_transparency_hhi_latest AS SELECT 1 AS x")
        connection.execute("CREATE VIEW mine AS SELECT * FROM finra_otc_transparency_hhi_latest")
    with pytest.raises(StoreSchemaError, match="view mine depends on"):
        open_store(postgres.url(empty_database))
    assert tables(postgres, empty_database) == set()


def test_connections_that_the_server_ended_between_two_calls_are_replaced(
    postgres: Server, postgres_database: str, url: str
) -> None:
    with closing(open_store(url)) as store:
        assert captures_of(store) == []
        postgres.disconnect(postgres_database)
        assert captures_of(store) == []


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as opened:
        yield opened
