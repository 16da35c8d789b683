"""The executor over Dask: a cluster of many machines, or processes of this one."""

import dask

# Dask sets its loggers' levels when it is imported, and by default tells all: whom that helps can configure it.
if not dask.config.get("logging", {}):
    dask.config.set({"logging": {"distributed": "warning"}})

from finra_dask.executor import open_executor

__all__ = ["open_executor"]
