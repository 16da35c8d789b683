"""Captures as one file that another store verifies and replays. docs/bundle.md has the format."""

from finra_bundle.exporting import Bundled, export_bundle
from finra_bundle.importing import Imported, import_bundle

__all__ = ["Bundled", "Imported", "export_bundle", "import_bundle"]
