"""The first schema: captures, the manifest, row versions, analytics, anomalies, readiness and runs."""

from alembic import op
from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
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

revision = "0001"
down_revision = None

_PARTITION_PARTS = {
    "sqlite": ("json_extract(partition_key, '$.week_ending')", "json_extract(partition_key, '$.tier')"),
    "postgresql": ("(partition_key ->> 'week_ending')", "(partition_key ->> 'tier')"),
}


def upgrade() -> None:
    """Make all tables."""
    _captures()
    _rows()
    _analytics()
    _bookkeeping()


def _captures() -> None:
    op.create_table(
        "finra_otc_partitions",
        numbering("partition_no"),
        Column("week_ending", IsoDate, nullable=False),
        Column("tier", Text, nullable=False),
        UniqueConstraint("week_ending", "tier"),
    )
    op.create_table(
        "core_captures",
        numbering("capture_no"),
        Column("capture_id", Text, nullable=False),
        Column("revision", Integer, nullable=False),
        Column("partition_no", Integer, ForeignKey("finra_otc_partitions.partition_no"), nullable=False),
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
    op.create_table(
        "core_manifest",
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
    op.create_index(
        "core_manifest_by_partition",
        "core_manifest",
        ["domain", "stage", *map(text, _PARTITION_PARTS[op.get_context().dialect.name]), "captured_at"],
    )
    op.create_table(
        "core_raw_payloads",
        Column("payload_hash", Text, primary_key=True),
        Column("ordinal", Integer, primary_key=True, autoincrement=False),
        Column("codec", Text, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),
    )


def _rows() -> None:
    op.create_table(
        "finra_otc_securities",
        numbering("security_no"),
        Column("symbol", Text, nullable=False),
        Column("issue_name", Text, nullable=False),
        Column("product_type", Text, nullable=False),
        UniqueConstraint("symbol", "issue_name", "product_type"),
    )
    op.create_table(
        "finra_otc_venues",
        numbering("venue_no"),
        Column("venue_type", Text, nullable=False),
        Column("mpid", Text, nullable=False),
        Column("crd", Text, nullable=False),
        Column("venue_name", Text, nullable=False),
        UniqueConstraint("venue_type", "mpid", "crd", "venue_name"),
    )
    op.create_table(
        "finra_otc_row_versions",
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
    op.create_table(
        "finra_otc_rejected_rows",
        numbering("reject_no"),
        Column("capture_no", Integer, ForeignKey("core_captures.capture_no"), nullable=False),
        Column("document", Integer, nullable=False),
        Column("line", Integer, nullable=False),
        Column("reason", Text, nullable=False),
        Column("raw_text", Text, nullable=False),
        Index("finra_otc_rejected_rows_by_capture", "capture_no", "document", "line"),
    )


def _analytics() -> None:
    op.create_table(
        "finra_otc_analyses",
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
    op.create_table(
        "finra_otc_analysis_venues",
        Column(
            "analysis_no", Integer, ForeignKey("finra_otc_analyses.analysis_no"), primary_key=True, autoincrement=False
        ),
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


def _bookkeeping() -> None:
    op.create_table(
        "core_anomalies",
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
    op.create_table(
        "core_data_readiness",
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
    op.create_table(
        "core_runs",
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
