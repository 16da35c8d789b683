"""FINRA's weeklySummary format: from delimited documents to records."""
