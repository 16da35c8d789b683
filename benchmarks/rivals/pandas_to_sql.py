"""`pandas_to_sql.py FOLDER URL`: FINRA's files by pandas.read_csv and DataFrame.to_sql into one table with a key.

SQLite over the standard library's driver, which is faster there than SQLAlchemy; PostgreSQL over SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

NAMES = {
    "issueSymbolIdentifier": "symbol", "issueName": "issue_name", "marketParticipantName": "venue_name",
    "MPID": "mpid", "firmCRDNumber": "mpid", "totalWeeklyShareQuantity": "shares",
    "totalWeeklyTradeCount": "trades", "lastUpdateDate": "last_update_date",
}  # fmt: skip
TABLE = """
CREATE TABLE normalized (
    capture_id TEXT NOT NULL, week_ending TEXT NOT NULL, tier TEXT NOT NULL, symbol TEXT NOT NULL,
    mpid TEXT NOT NULL, issue_name TEXT NOT NULL, venue_name TEXT NOT NULL, shares NUMERIC NOT NULL,
    trades BIGINT NOT NULL, last_update_date TEXT NOT NULL, PRIMARY KEY (capture_id, symbol, mpid))
"""


def read(folder: Path) -> Any:
    """One partition as a frame."""
    text = dict.fromkeys(("issueSymbolIdentifier", "MPID", "firmCRDNumber"), str)
    files = sorted(folder.glob("*.csv"))
    frames = [pd.read_csv(path, sep="|", dtype=text, keep_default_na=False).rename(columns=NAMES) for path in files]
    frame = pd.concat(frames, ignore_index=True)[list(dict.fromkeys(NAMES.values()))]
    repeats = frame.groupby(["symbol", "mpid"]).cumcount()
    frame.loc[repeats > 0, "mpid"] += "/" + repeats.astype(str)
    week, tier = (part.partition("=")[2] for part in folder.parts[-2:])
    frame.insert(0, "tier", tier)
    frame.insert(0, "week_ending", week)
    frame.insert(0, "capture_id", f"finra.otc_transparency:{tier}:{week}:20260601")
    return frame


def main() -> None:
    """Load every partition of the folder."""
    root, url = Path(sys.argv[1]), sys.argv[2]
    folders = sorted(root.glob("week_ending=*/tier=*"))
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute(TABLE)
            for folder in folders:
                read(folder).to_sql("normalized", connection, if_exists="append", index=False)
        return
    engine = sa.create_engine(url)
    with engine.begin() as begun:
        begun.execute(sa.text(TABLE))
    for folder in folders:
        read(folder).to_sql("normalized", engine, if_exists="append", index=False)
    engine.dispose()


if __name__ == "__main__":
    main()
