"""The `finra` command."""
