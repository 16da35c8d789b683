"""FINRA's weekly OTC transparency data, every version of it, and which weeks are ready to trade on."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finra_core.captures import generate_capture_id, parse_capture_id
    from finra_core.content import compute_content_hash
    from finra_core.errors import ConfigurationError, FinraError, SourceError, StoreError
    from finra_core.partitions import DOMAIN, Partition
    from finra_core.plugins import open_executor, open_source, open_store
    from finra_core.report import Outcome, PartitionReport, RunReport
    from finra_core.request import Mode, Order, RunRequest, Window
    from finra_core.scheduler import Scheduler
    from finra_core.tiers import TIERS, Tier
    from finra_core.weeks import calculate_target_weeks

__version__ = "0.1.0"

__all__ = [
    "DOMAIN",
    "TIERS",
    "ConfigurationError",
    "FinraError",
    "Mode",
    "Order",
    "Outcome",
    "Partition",
    "PartitionReport",
    "RunReport",
    "RunRequest",
    "Scheduler",
    "SourceError",
    "StoreError",
    "Tier",
    "Window",
    "calculate_target_weeks",
    "compute_content_hash",
    "generate_capture_id",
    "open_executor",
    "open_source",
    "open_store",
    "parse_capture_id",
]

_MODULES = {
    "captures": ("generate_capture_id", "parse_capture_id"),
    "content": ("compute_content_hash",),
    "errors": ("ConfigurationError", "FinraError", "SourceError", "StoreError"),
    "partitions": ("DOMAIN", "Partition"),
    "plugins": ("open_executor", "open_source", "open_store"),
    "report": ("Outcome", "PartitionReport", "RunReport"),
    "request": ("Mode", "Order", "RunRequest", "Window"),
    "scheduler": ("Scheduler",),
    "tiers": ("TIERS", "Tier"),
    "weeks": ("calculate_target_weeks",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


if not TYPE_CHECKING:  # to a type checker it would make any name at all one of ours

    def __getattr__(name: str) -> object:
        # A module is imported when a name of it is first asked for; all of them take five times what `--help` does.
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
