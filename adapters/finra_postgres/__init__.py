"""The store for teams and clusters: a PostgreSQL database."""

from finra_postgres.store import open_store

__all__ = ["open_store"]
