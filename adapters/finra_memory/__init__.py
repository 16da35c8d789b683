"""A store in this process's memory: the reference that the other stores are compared with, and a store for trials."""

from finra_memory.store import MemoryStore, open_store

__all__ = ["MemoryStore", "open_store"]
