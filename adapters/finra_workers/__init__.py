"""Steps in other processes: what executors share whose workers are processes, here or on other machines."""

from finra_workers.executor import WorkerExecutor

__all__ = ["WorkerExecutor"]
