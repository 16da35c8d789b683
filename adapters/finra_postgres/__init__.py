"""The store for teams: a PostgreSQL database."""

from finra_postgres.store import open_schema, open_store

__all__ = ["open_schema", "open_store"]
