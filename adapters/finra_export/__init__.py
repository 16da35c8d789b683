"""Views in folders of Parquet, Arrow or CSV files, partitioned by week and tier as Hive does it."""

from finra_export.folder import Exported, ExportedPart, Outcome, export
from finra_export.formats import FORMATS

__all__ = ["FORMATS", "Exported", "ExportedPart", "Outcome", "export"]
