"""A source over files downloaded from FINRA: its downloads as they are, hive-style folders, or the API's CSV."""

from finra_files.source import FileSource, open_source

__all__ = ["FileSource", "open_source"]
