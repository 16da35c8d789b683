"""FINRA's weekly OTC transparency data, every version of it, and which weeks are ready to trade on."""

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
