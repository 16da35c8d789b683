"""FINRA's weekly OTC transparency data, every version of it, and which weeks are ready to trade on."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finra_core.domain.captures import generate_capture_id, parse_capture_id
    from finra_core.domain.errors import ConfigurationError, FinraError, SourceError, StoreError
    from finra_core.domain.partitions import DOMAIN, Partition
    from finra_core.domain.tiers import TIERS, Tier
    from finra_core.domain.weeks import calculate_target_weeks
    from finra_core.registry import open_executor, open_source, open_store
    from finra_core.runs.report import Outcome, PartitionReport, RunReport
    from finra_core.runs.request import Mode, Order, RunRequest, Window
    from finra_core.runs.scheduler import Scheduler
    from finra_core.weekly_summary.payload import compute_content_hash

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
    "domain.captures": ("generate_capture_id", "parse_capture_id"),
    "domain.errors": ("ConfigurationError", "FinraError", "SourceError", "StoreError"),
    "domain.partitions": ("DOMAIN", "Partition"),
    "domain.tiers": ("TIERS", "Tier"),
    "domain.weeks": ("calculate_target_weeks",),
    "registry": ("open_executor", "open_source", "open_store"),
    "runs.report": ("Outcome", "PartitionReport", "RunReport"),
    "runs.request": ("Mode", "Order", "RunRequest", "Window"),
    "runs.scheduler": ("Scheduler",),
    "weekly_summary.payload": ("compute_content_hash",),
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
