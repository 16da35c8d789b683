"""`dlt_load.py FOLDER URL FORM DISPOSITION`: FINRA's files by dlt into one table with a key.

FORM: `dicts`, a dict a row from csv.DictReader, or `arrow`, tables of pyarrow. DISPOSITION: `append` or `merge`.
The working folder is dlt's.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt

KEY = ("capture_id", "symbol", "mpid")
NAMES = {
    "issueSymbolIdentifier": "symbol", "issueName": "issue_name", "marketParticipantName": "venue_name",
    "totalWeeklyShareQuantity": "shares", "totalWeeklyTradeCount": "trades", "lastUpdateDate": "last_update_date",
}  # fmt: skip


def identity(folder: Path) -> dict[str, str]:
    """The columns that are the same in all rows of a partition."""
    week, tier = (part.partition("=")[2] for part in folder.parts[-2:])
    return {"capture_id": f"finra.otc_transparency:{tier}:{week}:20260601", "week_ending": week, "tier": tier}


def dicts(folder: Path) -> Iterator[dict[str, Any]]:
    """A partition's rows."""
    same, taken = identity(folder), Counter[tuple[str, str]]()
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="|"):
                found = {ours: row[theirs] for theirs, ours in NAMES.items()}
                mpid = row.get("MPID") or row["firmCRDNumber"]
                repeats = taken[found["symbol"], mpid]
                taken[found["symbol"], mpid] += 1
                found["mpid"] = f"{mpid}/{repeats}" if repeats else mpid
                found["shares"], found["trades"] = int(found["shares"]), int(found["trades"])
                yield {**same, **found}


def arrow(folder: Path) -> Iterator[Any]:
    """A partition's rows as tables, one a file."""
    import pyarrow as pa  # noqa: PLC0415  only this form needs it
    from pyarrow import csv as pacsv  # noqa: PLC0415

    same = identity(folder)
    for path in sorted(folder.glob("*.csv")):
        names = ("issueSymbolIdentifier", "issueName", "MPID", "firmCRDNumber", "lastUpdateDate")
        options = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        table = pacsv.read_csv(path, parse_options=pacsv.ParseOptions(delimiter="|"), convert_options=options)
        columns = {ours: table[theirs] for theirs, ours in NAMES.items()}
        venues = table["MPID" if "MPID" in table.column_names else "firmCRDNumber"].to_pylist()
        taken = Counter[tuple[str, str]]()
        for i, key in enumerate(zip(columns["symbol"].to_pylist(), venues, strict=True)):
            if taken[key]:
                venues[i] = f"{key[1]}/{taken[key]}"
            taken[key] += 1
        columns["mpid"] = pa.array(venues)
        yield pa.table({**{name: pa.array([value] * len(venues)) for name, value in same.items()}, **columns})


def main() -> None:
    """Load every partition of the folder in one run of one pipeline."""
    root, url, form, disposition = sys.argv[1:]
    folders = sorted(Path(root).glob("week_ending=*/tier=*"))
    reader = {"dicts": dicts, "arrow": arrow}[form]

    def rows() -> Iterator[Any]:
        for folder in folders:
            yield from reader(folder)

    resource = dlt.resource(rows, name="normalized", primary_key=KEY, write_disposition=disposition)
    sqlite = url.startswith("sqlite")
    # In PostgreSQL dlt makes no primary key; in merging it keeps to it all the same.
    destination = (
        dlt.destinations.sqlalchemy(url, create_primary_keys=True) if sqlite else dlt.destinations.postgres(url)
    )
    pipeline = dlt.pipeline(
        "finra",
        destination=destination,
        dataset_name="main" if sqlite else "public",
        pipelines_dir=str(Path.cwd() / "pipelines"),
    )
    pipeline.run(resource).raise_on_failed_jobs()


if __name__ == "__main__":
    main()
