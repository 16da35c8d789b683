"""The tables. Names and columns that start with core_ or finra_otc_ are what users query: they are not renamed.

Rows of FINRA's data are stored once and live from one capture to another (`row_versions`): a capture's rows
are those of its partition that began with it or before and have not ended with it or before.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    text,
    true,
)

from finra_sql.types import (
    BigInteger,
    IsoDate,
    IsoDateText,
    Json,
    PartitionKey,
    Text,
    UtcTimestamp,
    numbering,
    utc_now,
    where,
)

metadata = MetaData()

partitions = Table(
    "finra_otc_partitions",
    metadata,
    numbering("partition_no"),
    Column("week_ending", IsoDate, nullable=False),
    Column("tier", Text, nullable=False),
    UniqueConstraint("week_ending", "tier"),
)

captures = Table(
    "core_captures",
    metadata,
    numbering("capture_no"),
    Column("capture_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("partition_no", ForeignKey("finra_otc_partitions.partition_no"), nullable=False),
    Column("week_ending", IsoDate, nullable=False),
    Column("tier", Text, nullable=False),
    Column("captured_at", UtcTimestamp, nullable=False),
    Column("verified_at", UtcTimestamp, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("payload_hash", Text, nullable=False),
    Column("source_last_updated", IsoDate),
    Column("source_row_count", Integer),
    Column("row_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("source_url", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("normalized_at", UtcTimestamp),
    Column("rejected_rows", Integer),
    UniqueConstraint("capture_id", "revision"),
    Index("core_captures_by_partition", "partition_no", "capture_no"),
    Index("core_captures_by_week", "week_ending", "tier", "capture_no"),
    Index("core_captures_without_records", "partition_no", **where("normalized_at IS NULL")),
)

manifest = Table(
    "core_manifest",
    metadata,
    numbering("manifest_no"),
    Column("domain", Text, nullable=False),
    Column("partition_key", PartitionKey, nullable=False),
    Column("stage", Text, nullable=False),
    Column("capture_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("captured_at", UtcTimestamp, nullable=False),
    Column("metadata_json", Json, nullable=False),
    Index("core_manifest_by_capture", "capture_id", "stage"),
)
Index(
    "core_manifest_by_partition",
    manifest.c.domain,
    manifest.c.stage,
    text("json_extract(partition_key, '$.week_ending')"),
    text("json_extract(partition_key, '$.tier')"),
    manifest.c.captured_at,
).ddl_if(dialect="sqlite")
Index(
    "core_manifest_by_partition",
    manifest.c.domain,
    manifest.c.stage,
    text("(partition_key ->> 'week_ending')"),
    text("(partition_key ->> 'tier')"),
    manifest.c.captured_at,
).ddl_if(dialect="postgresql")

raw_payloads = Table(
    "core_raw_payloads",
    metadata,
    Column("payload_hash", Text, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("codec", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

securities = Table(
    "finra_otc_securities",
    metadata,
    numbering("security_no"),
    Column("symbol", Text, nullable=False),
    Column("issue_name", Text, nullable=False),
    Column("product_type", Text, nullable=False),
    UniqueConstraint("symbol", "issue_name", "product_type"),
)

venues = Table(
    "finra_otc_venues",
    metadata,
    numbering("venue_no"),
    Column("venue_type", Text, nullable=False),
    Column("mpid", Text, nullable=False),
    Column("crd", Text, nullable=False),
    Column("venue_name", Text, nullable=False),
    UniqueConstraint("venue_type", "mpid", "crd", "venue_name"),
)

# No foreign keys here: four look-ups for each of millions of rows, whose numbers come from one transaction.
row_versions = Table(
    "finra_otc_row_versions",
    metadata,
    Column("partition_no", Integer, primary_key=True, autoincrement=False),
    Column("security_no", Integer, primary_key=True, autoincrement=False),
    Column("venue_no", Integer, primary_key=True, autoincrement=False),
    Column("from_capture", Integer, primary_key=True, autoincrement=False),
    Column("to_capture", Integer),
    Column("shares_micros", BigInteger, nullable=False),
    Column("trades", BigInteger, nullable=False),
    Column("last_update_date", IsoDateText, nullable=False),
    sqlite_with_rowid=False,
)

rejected_rows = Table(
    "finra_otc_rejected_rows",
    metadata,
    numbering("reject_no"),
    Column("capture_no", ForeignKey("core_captures.capture_no"), nullable=False),
    Column("document", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw_text", Text, nullable=False),
    Index("finra_otc_rejected_rows_by_capture", "capture_no", "document", "line"),
)

analyses = Table(
    "finra_otc_analyses",
    metadata,
    numbering("analysis_no"),
    Column("capture_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("week_ending", IsoDate, nullable=False),
    Column("tier", Text, nullable=False),
    Column("calc_version", Integer, nullable=False),
    Column("computed_at", UtcTimestamp, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("newest_input", Integer, nullable=False),
    Column("shares_micros", BigInteger, nullable=False),
    Column("trades", BigInteger, nullable=False),
    Column("venues", Integer, nullable=False),
    Column("symbols", Integer, nullable=False),
    Column("hhi", Float),
    UniqueConstraint("week_ending", "tier", "inputs", "calc_version"),
    Index("finra_otc_analyzes_by_capture", "capture_id", "revision", "calc_version"),
    Index("finra_otc_analyzes_by_week", "week_ending", "tier", "newest_input", "calc_version"),
)

analysis_venues = Table(
    "finra_otc_analysis_venues",
    metadata,
    Column("analysis_no", ForeignKey("finra_otc_analyses.analysis_no"), primary_key=True, autoincrement=False),
    Column("venue_type", Text, primary_key=True),
    Column("mpid", Text, primary_key=True),
    Column("crd", Text, primary_key=True),
    Column("venue_name", Text, primary_key=True),
    Column("shares_micros", BigInteger, nullable=False),
    Column("trades", BigInteger, nullable=False),
    Column("symbols", Integer, nullable=False),
    Column("share", Float),
    sqlite_with_rowid=False,
)

anomalies = Table(
    "core_anomalies",
    metadata,
    numbering("anomaly_no"),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("domain", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("partition_key", PartitionKey, nullable=False),
    Column("stage", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("details_json", Json, nullable=False),
    Column("first_seen", UtcTimestamp, nullable=False),
    Column("last_seen", UtcTimestamp, nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("resolved_at", UtcTimestamp),
    Index("core_anomalies_by_check", "partition_key", "stage", "resolved_at"),
    Index("core_anomalies_by_severity", "severity", "resolved_at"),
    Index("core_anomalies_by_last_seen", "last_seen"),
)

data_readiness = Table(
    "core_data_readiness",
    metadata,
    numbering("readiness_no"),
    Column("domain", Text, nullable=False),
    Column("partition_key", PartitionKey, nullable=False),
    Column("is_ready", Boolean, nullable=False),
    Column("ready_for", Text, nullable=False),
    Column("all_partitions_present", Boolean, nullable=False),
    Column("all_stages_complete", Boolean, nullable=False),
    Column("no_critical_anomalies", Boolean, nullable=False),
    Column("no_rejected_rows", Boolean, nullable=False, server_default=true()),
    Column("blocking_issues", Json, nullable=False, server_default=text("'[]'")),
    Column("updated_at", UtcTimestamp, nullable=False, server_default=utc_now()),
    UniqueConstraint("domain", "partition_key", "ready_for"),
)

runs = Table(
    "core_runs",
    metadata,
    numbering("run_no"),
    Column("run_id", Text, nullable=False, unique=True),
    Column("started_at", UtcTimestamp, nullable=False),
    Column("finished_at", UtcTimestamp),
    Column("mode", Text, nullable=False),
    Column("run_date", IsoDate, nullable=False),
    Column("exit_code", Integer),
    Column("report_json", Text),
    Index("core_runs_by_start", "started_at"),
)
