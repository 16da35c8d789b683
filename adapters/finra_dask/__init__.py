"""The executor over Dask: a cluster of many machines, or processes of this one."""

from finra_dask.executor import open_executor

__all__ = ["open_executor"]
