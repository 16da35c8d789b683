"""The tables as statements name them. Their definitions, with keys and indexes, are in the migrations.

Names and columns that start with core_ or finra_otc_ are what users query: they are not renamed.

Rows of FINRA's data are stored once and live from one capture to another (`row_versions`, SCD type 2): a capture's
rows are those of its partition that began with it or before and have not ended with it or before.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Integer, LargeBinary, MetaData, Table, Text

from finra_sql.types import Json, Timestamp

metadata = MetaData()


def _key(name: str) -> Column[Any]:
    return Column(name, Integer, primary_key=True)


partitions = Table(
    "finra_otc_partitions",
    metadata,
    _key("partition_no"),
    Column("week_ending", Date),
    Column("tier", Text),
)

captures = Table(
    "core_captures",
    metadata,
    _key("capture_no"),
    Column("capture_id", Text),
    Column("revision", Integer),
    Column("partition_no", Integer),
    Column("week_ending", Date),
    Column("tier", Text),
    Column("captured_at", Timestamp),
    Column("verified_at", Timestamp),
    Column("checked_at", Timestamp),
    Column("content_hash", Text),
    Column("payload_hash", Text),
    Column("source_last_updated", Date),
    Column("source_row_count", Integer),
    Column("row_count", Integer),
    Column("size_bytes", BigInteger),
    Column("source_url", Text),
    Column("run_id", Text),
    Column("reason", Text),
    Column("normalized_at", Timestamp),
    Column("rejected_rows", Integer),
)

capture_coverage = Table(
    "core_capture_coverage",
    metadata,
    Column("capture_no", Integer, primary_key=True),
    Column("half", Text, primary_key=True),
    Column("rows", Integer),
    Column("venues", Integer),
    Column("symbols", Integer),
    Column("shares_micros", BigInteger),
)

manifest = Table(
    "core_manifest",
    metadata,
    _key("manifest_no"),
    Column("domain", Text),
    Column("partition_key", Json),
    Column("stage", Text),
    Column("capture_id", Text),
    Column("revision", Integer),
    Column("row_count", Integer),
    Column("captured_at", Timestamp),
    Column("metadata_json", Json),
)

raw_payloads = Table(
    "core_raw_payloads",
    metadata,
    Column("payload_hash", Text, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("codec", Text),
    Column("size_bytes", BigInteger),
    Column("base_hash", Text),
    Column("body", LargeBinary),
)

securities = Table(
    "finra_otc_securities",
    metadata,
    _key("security_no"),
    Column("symbol", Text),
    Column("issue_name", Text),
    Column("product_type", Text),
)

venues = Table(
    "finra_otc_venues",
    metadata,
    _key("venue_no"),
    Column("venue_type", Text),
    Column("mpid", Text),
    Column("crd", Text),
    Column("venue_name", Text),
)

row_versions = Table(
    "finra_otc_row_versions",
    metadata,
    Column("partition_no", Integer, primary_key=True),
    Column("security_no", Integer, primary_key=True),
    Column("venue_no", Integer, primary_key=True),
    Column("from_capture", Integer, primary_key=True),
    Column("to_capture", Integer),
    Column("shares_micros", BigInteger),
    Column("trades", BigInteger),
    Column("last_update_date", Date),
)

rejected_rows = Table(
    "finra_otc_rejected_rows",
    metadata,
    _key("reject_no"),
    Column("capture_no", Integer),
    Column("document", Integer),
    Column("line", Integer),
    Column("reason", Text),
    Column("raw_text", Text),
)

analyses = Table(
    "finra_otc_analyses",
    metadata,
    _key("analysis_no"),
    Column("fingerprint", Text),
    Column("capture_id", Text),
    Column("revision", Integer),
    Column("week_ending", Date),
    Column("tier", Text),
    Column("calc_version", Integer),
    Column("computed_at", Timestamp),
    Column("newest_input", Integer),
    Column("shares_micros", BigInteger),
    Column("trades", BigInteger),
    Column("venues", Integer),
    Column("symbols", Integer),
    Column("hhi", Float),
    Column("hhi_upper", Float),
)

analysis_inputs = Table(
    "finra_otc_analysis_inputs",
    metadata,
    Column("analysis_no", Integer, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("capture_no", Integer),
)

analysis_venues = Table(
    "finra_otc_analysis_venues",
    metadata,
    Column("analysis_no", Integer, primary_key=True),
    Column("venue_type", Text, primary_key=True),
    Column("mpid", Text, primary_key=True),
    Column("crd", Text, primary_key=True),
    Column("venue_name", Text, primary_key=True),
    Column("shares_micros", BigInteger),
    Column("trades", BigInteger),
    Column("symbols", Integer),
    Column("share", Float),
)

anomalies = Table(
    "core_anomalies",
    metadata,
    _key("anomaly_no"),
    Column("fingerprint", Text),
    Column("domain", Text),
    Column("severity", Text),
    Column("category", Text),
    Column("partition_key", Json),
    Column("week_ending", Date),
    Column("tier", Text),
    Column("place", Text),
    Column("stage", Text),
    Column("message", Text),
    Column("details_json", Json),
    Column("first_seen", Timestamp),
    Column("last_seen", Timestamp),
    Column("occurrences", Integer),
    Column("resolved_at", Timestamp),
    Column("acknowledged_reason", Text),
    Column("acknowledged_at", Timestamp),
    Column("acknowledged_until", Date),
)

data_readiness = Table(
    "core_data_readiness",
    metadata,
    _key("readiness_no"),
    Column("domain", Text),
    Column("partition_key", Json),
    Column("is_ready", Boolean),
    Column("ready_for", Text),
    Column("all_partitions_present", Boolean),
    Column("all_stages_complete", Boolean),
    Column("no_critical_anomalies", Boolean),
    Column("no_rejected_rows", Boolean),
    Column("no_partial_coverage", Boolean),
    Column("blocking_issues", Json),
    Column("ready_on", Date),
    Column("captures", Json),
    Column("updated_at", Timestamp),
)

readiness_history = Table(
    "core_readiness_history",
    metadata,
    _key("judgment_no"),
    Column("week_ending", Date),
    Column("ready_for", Text),
    Column("is_ready", Boolean),
    Column("all_partitions_present", Boolean),
    Column("all_stages_complete", Boolean),
    Column("no_critical_anomalies", Boolean),
    Column("no_rejected_rows", Boolean),
    Column("no_partial_coverage", Boolean),
    Column("blocking_issues", Json),
    Column("ready_on", Date),
    Column("captures", Json),
    Column("judged_at", Timestamp),
    Column("superseded_at", Timestamp),
)

decisions = Table(
    "core_decisions",
    metadata,
    _key("decision_no"),
    Column("run_id", Text),
    Column("week_ending", Date),
    Column("tier", Text),
    Column("action", Text),
    Column("rule", Text),
    Column("reason", Text),
    Column("evidence", Json),
    Column("decided_at", Timestamp),
)

runs = Table(
    "core_runs",
    metadata,
    _key("run_no"),
    Column("run_id", Text),
    Column("started_at", Timestamp),
    Column("finished_at", Timestamp),
    Column("mode", Text),
    Column("run_date", Date),
    Column("exit_code", Integer),
    Column("report_json", Text),
    Column("sweep_from", Date),
)

pins = Table(
    "core_pins",
    metadata,
    Column("capture_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("week_ending", Date),
    Column("tier", Text),
    Column("reason", Text),
    Column("pinned_at", Timestamp),
)

prunes = Table(
    "core_prunes",
    metadata,
    _key("prune_no"),
    Column("week_ending", Date),
    Column("tier", Text),
    Column("known_since", Date),
    Column("pruned_at", Timestamp),
    Column("removed", Json),
)

chain = Table(
    "core_chain",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text),
    Column("subject", Text),
    Column("at", Timestamp),
    Column("previous", Text),
    Column("hash", Text),
)
