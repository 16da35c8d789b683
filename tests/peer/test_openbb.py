"""openbb-finra, a public client of FINRA's API, gets the world's numbers from the simulator.

Version 2 reads the API's address from a constant, which is set to the simulator's. Version 1 has it written out in each
function: there aiohttp exchanges the host of whatever it is asked for. Quantities are floats in this client.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import pytest

from finra_core.domain.tiers import TIERS, Tier
from finra_simulator.http import Options, SimulatorServer
from finra_simulator.rows import Row
from support.peers import NOW, PAGE, WORLD, newest, published, shares, totals

_REASON = "openbb-finra is installed by the tox environments peer (version 2) and peer-openbb1 (version 1)"
models: Any = pytest.importorskip("openbb_finra.models.otc_aggregate", reason=_REASON)

# Its own deprecations, and those of what it imports, are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
_IS_FIRST = version("openbb-finra").startswith("1.")
first_version = pytest.mark.skipif(not _IS_FIRST, reason="of version 1: tox -e peer-openbb1")
second_version = pytest.mark.skipif(_IS_FIRST, reason="of version 2: tox -e peer")
KINDS = {True: "ATS_W_SMBL", False: "OTC_W_SMBL"}


@pytest.fixture(scope="module", params=[Options(), Options(max_payload=300_000)], ids=["whole pages", "short pages"])
def server(request: pytest.FixtureRequest) -> Iterator[SimulatorServer]:
    """With short pages the cap on the payload ends a page before its limit does."""
    with SimulatorServer(WORLD, lambda: NOW, options=request.param) as running:
        yield running


@pytest.fixture
def rerouted(server: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    _reroute(server, monkeypatch)


def _reroute(server: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    if not _IS_FIRST:
        monkeypatch.setattr("openbb_finra.utils.constants.QUERY_API_URL", server.url)
        return
    session: Any = pytest.importorskip("aiohttp").ClientSession
    send = session._request

    async def request(self: Any, method: str, url: str, **options: Any) -> Any:
        parts = urlsplit(url)
        assert parts.hostname in {"api.finra.org", "www.finra.org"}
        return await send(self, method, server.url + parts.path, **options)

    monkeypatch.setattr(session, "_request", request)


def _fetch(**query: object) -> list[Any]:
    fetched: list[Any] = _run(models.FinraOTCAggregateFetcher.fetch_data(query, {}))
    return fetched


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def _sent(fetched: Iterable[Any]) -> Counter[tuple[Any, ...]]:
    """What both versions give of a row."""
    return Counter((each.symbol, each.share_quantity, each.trade_quantity, each.update_date) for each in fetched)


def _true(rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    return Counter((row.symbol, float(shares(row)), row.trades, row.last_update_date) for row in rows)


@pytest.mark.usefixtures("rerouted")
@pytest.mark.parametrize("is_ats", [True, False])
def test_a_symbol_over_time(is_ats: bool) -> None:
    """Version 1 asks for each week on its own and goes on where a week has nothing."""
    for tier in TIERS:
        symbol = totals(tier, KINDS[is_ats])[11].symbol
        rows = totals(tier, KINDS[is_ats], symbol)
        assert _sent(_fetch(symbol=symbol, tier=tier.finra_code, is_ats=is_ats)) == _true(rows)


@second_version
@pytest.mark.usefixtures("rerouted")
def test_the_other_fields_of_a_symbol() -> None:
    symbols = sorted({row.symbol or "" for row in totals(Tier.NMS_TIER_1, "OTC_W_SMBL")})[20:23]
    rows = [row for symbol in symbols for row in totals(Tier.NMS_TIER_1, "OTC_W_SMBL", symbol)]
    fetched = _fetch(symbol=",".join(symbols), tier="T1", is_ats=False)
    assert Counter(
        (e.symbol, e.week_start_date, e.issue_name, e.tier, e.initial_published_date, e.last_reported_date)
        for e in fetched
    ) == Counter(
        (r.symbol, r.week_start_date, r.issue_name, r.tier_description, r.initial_published_date, r.last_reported_date)
        for r in rows
    )
    assert sorted(each.total_notional for each in fetched) == sorted(row.notional_micros / 1e6 for row in rows)


@second_version
@pytest.mark.usefixtures("rerouted")
@pytest.mark.parametrize("is_ats", [True, False])
def test_the_newest_week_of_a_tier_comes_whole_over_all_pages_largest_first(is_ats: bool) -> None:
    """More symbols than a page holds traded outside ATSs. The client leaves out FINRA's row without a symbol."""
    rows = [row for row in WORLD.control_rows(newest(Tier.OTC), NOW) if row.summary_type == KINDS[is_ats]]
    fetched = _fetch(tier="OTCE", is_ats=is_ats)
    assert _sent(fetched) == _true(row for row in rows if row.symbol)
    assert (len(fetched) > PAGE) is not is_ats
    quantities = [each.share_quantity for each in fetched]
    assert quantities == sorted(quantities, reverse=True)


@second_version
@pytest.mark.usefixtures("rerouted")
def test_the_partitions_are_those_published() -> None:
    client: Any = pytest.importorskip("openbb_finra.utils.client")

    async def partitions() -> Any:
        async with client.query_api_session() as api:
            return await api.partitions("otcMarket", "weeklySummary")

    listed = {tuple(key) for key in _run(partitions()) if key[1] != "NA"}
    assert listed == {(str(p.week_start), p.tier.finra_code) for p in WORLD.published(NOW)}


@second_version
@pytest.mark.usefixtures("rerouted")
def test_the_universe_is_every_symbol_of_each_tiers_newest_week_in_upper_case() -> None:
    """The client folds case: of two securities whose symbols differ in nothing else it keeps one."""
    directory: Any = pytest.importorskip("openbb_finra.utils.directory")
    rows = [row for tier in TIERS for row in WORLD.control_rows(newest(tier), NOW)]
    symbols = {row.symbol for row in rows if row.symbol}
    assert set(_run(directory.load_universe())) == {symbol.upper() for symbol in symbols}
    assert "TpC" in symbols


@second_version
@pytest.mark.usefixtures("rerouted")
def test_no_data_is_the_clients_error() -> None:
    with pytest.raises(Exception, match="no OTC volume") as raised:
        _fetch(symbol="NONESUCH")
    assert type(raised.value).__name__ == "EmptyDataError"


@second_version
@pytest.mark.usefixtures("rerouted")
def test_who_asks_for_a_symbol_in_lower_case_gets_another_security() -> None:
    """A defect of the client: it makes symbols upper-case, and TPC is not TpC."""
    asked, given = (_true(totals(Tier.NMS_TIER_1, "ATS_W_SMBL", symbol)) for symbol in ("TpC", "TPC"))
    assert _sent(_fetch(symbol="TpC")) == given != asked


@second_version
def test_what_finra_refuses_the_client_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    with SimulatorServer(WORLD, lambda: NOW, options=Options(require_token=True)) as locked:
        _reroute(locked, monkeypatch)
        with pytest.raises(Exception, match=r"HTTP 401: Unauthorized"):
            _fetch(symbol="ADA")


@first_version
@pytest.mark.usefixtures("rerouted")
@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("is_ats", [True, False])
def test_the_weeks_of_a_tier_are_listed_newest_first_by_the_download_details(tier: Tier, is_ats: bool) -> None:
    helpers: Any = pytest.importorskip("openbb_finra.utils.helpers")
    weeks = _run(helpers.aget_finra_weeks(tier.finra_code, is_ats))
    assert weeks == [{"weekStartDate": str(partition.week_start)} for partition in reversed(published(tier))]


@first_version
@pytest.mark.usefixtures("rerouted")
def test_a_tier_that_fits_a_page_comes_whole_in_all_weeks() -> None:
    assert _sent(_fetch(tier="T2")) == _true(totals(Tier.NMS_TIER_2, "ATS_W_SMBL"))


@first_version
def test_of_a_larger_tier_the_largest_symbols_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the client: it asks for one page, sorted by shares upward, and takes it for all."""
    with SimulatorServer(WORLD, lambda: NOW) as running:
        _reroute(running, monkeypatch)
        fetched = _fetch(tier="OTCE", is_ats=False)
    expected: Counter[float] = Counter()
    for partition in published(Tier.OTC):
        rows = [row for row in WORLD.control_rows(partition, NOW) if row.summary_type == "OTC_W_SMBL"]
        assert len(rows) > PAGE
        expected.update(sorted(float(shares(row)) for row in rows)[:PAGE])
    assert Counter(each.share_quantity for each in fetched) == expected


@first_version
@pytest.mark.usefixtures("rerouted")
def test_an_unknown_symbol_is_an_empty_list() -> None:
    """A defect of the client: whatever fails, a refusal too, looks the same."""
    assert _fetch(symbol="NONESUCH") == []
