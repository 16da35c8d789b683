"""The embedded default store: one SQLite file."""

from finra_sqlite.store import open_schema, open_store

__all__ = ["open_schema", "open_store"]
