"""Analytics across tiers, added up here by hand: a symbol counts once, whichever tiers it is in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from finra_core import RunRequest, Scheduler, open_source, open_store

WEEK = "2025-11-14"
COLUMNS = "tierDescription|issueSymbolIdentifier|issueName|marketParticipantName|MPID|totalWeeklyShareQuantity|totalWeeklyTradeCount|lastUpdateDate"  # noqa: E501
DESCRIPTIONS = {"NMS_TIER_1": "NMS Tier 1", "NMS_TIER_2": "NMS Tier 2", "OTC": "OTC"}


def write(root: Path, tier: str, *rows: tuple[str, str, int]) -> None:
    folder = root / f"week_ending={WEEK}" / f"tier={tier}"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{DESCRIPTIONS[tier]}|{symbol}|{symbol} Inc|{mpid} ATS|{mpid}|{shares}|1|2025-12-15"
        for symbol, mpid, shares in rows
    ]
    (folder / "ats.csv").write_text("\n".join([COLUMNS, *lines, ""]))


@pytest.fixture(params=["memory:", "sqlite:///"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url: str = request.param
    return url + str(tmp_path / "store.db") if url.startswith("sqlite") else url


@pytest.mark.parametrize(
    ("otc_symbol", "symbols", "ubsa"),
    [("PINK", 4, 3), ("AAPL", 3, 2)],
    ids=["a symbol in one tier", "a symbol in two tiers"],
)
def test_a_symbol_counts_once(tmp_path: Path, store_url: str, otc_symbol: str, symbols: int, ubsa: int) -> None:
    root = tmp_path / "files"
    write(root, "NMS_TIER_1", ("AAPL", "UBSA", 100), ("AAPL", "JPBX", 7), ("IBM", "UBSA", 20))
    write(root, "NMS_TIER_2", ("F", "JPBX", 3))
    write(root, "OTC", (otc_symbol, "UBSA", 5))
    with open_source(root.as_uri()) as source, open_store(store_url) as store:
        Scheduler(source=source, store=store).run(RunRequest(run_date=date(2026, 1, 5)))
        with store.read() as view:
            (across,) = [analysis for analysis in view.analyses() if analysis.tier == "ALL"]
    assert across.volumes.symbols == symbols
    found = {v.mpid: (v.shares_micros // 1_000_000, v.trades, v.symbols) for v in across.volumes.venues}
    assert found == {"JPBX": (10, 2, 2), "UBSA": (125, 3, ubsa)}
