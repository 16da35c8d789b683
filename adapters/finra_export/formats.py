"""The formats by name. pyarrow is imported when one is asked for that needs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from finra_core.domain.errors import ConfigurationError
from finra_core.history.tables import Table

Writer = Callable[[Path, Table], None]
"""Writes a table to a new file."""

FORMATS = ("parquet", "csv", "arrow")


def writer_of(name: str) -> Writer:
    """Who writes this format.

    Raises:
        ConfigurationError: there is no such format, or what it needs is not installed.
    """
    if name not in FORMATS:
        raise ConfigurationError(f"unknown export format {name!r}: the formats are {', '.join(FORMATS)}")
    if name == "csv":
        from finra_export.csv_files import write_csv  # noqa: PLC0415  one format is asked for

        return write_csv
    try:
        # pyarrow takes a quarter of a second to import
        from finra_export.arrow_files import write_arrow, write_parquet  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"export format {name}: needs {error.name}, which is not installed; pip install 'finra-core[arrow]', "
            "or export csv"
        ) from error
    return write_parquet if name == "parquet" else write_arrow
