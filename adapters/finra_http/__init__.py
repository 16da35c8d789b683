"""A source over FINRA's Query API: `open_source` is what the entry points `api`, `http` and `https` name."""

from finra_http.limits import ByteBudgetError
from finra_http.source import HttpSource, open_source

__all__ = ["ByteBudgetError", "HttpSource", "open_source"]
