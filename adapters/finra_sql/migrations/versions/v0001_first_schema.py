"""The first schema: captures, the manifest, row versions, analytics, anomalies, readiness, decisions and runs.

Plain SQL in the database's words, so that what was released stays as it was, whatever becomes of the library's types.
"""

from alembic import context, op

revision = "0001"
down_revision = None

_CAPTURES = """
CREATE TABLE finra_otc_partitions (
    partition_no {key} PRIMARY KEY,
    week_ending {date} NOT NULL,
    tier {text} NOT NULL,
    UNIQUE (week_ending, tier)
);
CREATE TABLE core_captures (
    capture_no {key} PRIMARY KEY,
    capture_id {text} NOT NULL,
    revision INTEGER NOT NULL,
    partition_no INTEGER NOT NULL REFERENCES finra_otc_partitions (partition_no),
    week_ending {date} NOT NULL,
    tier {text} NOT NULL,
    captured_at {timestamp} NOT NULL,
    verified_at {timestamp} NOT NULL,
    checked_at {timestamp} NOT NULL,
    content_hash {text} NOT NULL,
    payload_hash {text} NOT NULL,
    source_last_updated {date},
    source_row_count INTEGER,
    row_count INTEGER NOT NULL,
    size_bytes BIGINT NOT NULL,
    source_url {text} NOT NULL,
    run_id {text} NOT NULL,
    reason {text} NOT NULL,
    normalized_at {timestamp},
    rejected_rows INTEGER,
    UNIQUE (capture_id, revision)
);
CREATE INDEX core_captures_by_partition ON core_captures (partition_no, capture_no);
CREATE INDEX core_captures_by_week ON core_captures (week_ending, tier, capture_no);
CREATE TABLE core_capture_coverage (
    capture_no INTEGER NOT NULL REFERENCES core_captures (capture_no),
    half {text} NOT NULL,
    rows INTEGER NOT NULL,
    venues INTEGER NOT NULL,
    symbols INTEGER NOT NULL,
    shares_micros BIGINT NOT NULL,
    PRIMARY KEY (capture_no, half)
){clustered};
CREATE TABLE core_manifest (
    manifest_no {key} PRIMARY KEY,
    domain {text} NOT NULL,
    partition_key {json} NOT NULL,
    stage {text} NOT NULL,
    capture_id {text} NOT NULL,
    revision INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    captured_at {timestamp} NOT NULL,
    metadata_json {json} NOT NULL
);
CREATE INDEX core_manifest_by_capture ON core_manifest (capture_id, stage);
CREATE INDEX core_manifest_by_partition ON core_manifest (domain, stage, {week_of_key}, {tier_of_key}, captured_at);
CREATE TABLE core_raw_payloads (
    payload_hash {text} NOT NULL,
    ordinal INTEGER NOT NULL,
    codec {text} NOT NULL,
    size_bytes BIGINT NOT NULL,
    base_hash {text},
    body {blob} NOT NULL,
    PRIMARY KEY (payload_hash, ordinal)
)
"""

# Row versions have no foreign keys: four look-ups for each of millions of rows, whose keys come from one transaction.
_ROWS = """
CREATE TABLE finra_otc_securities (
    security_no {key} PRIMARY KEY,
    symbol {text} NOT NULL,
    issue_name {text} NOT NULL,
    product_type {text} NOT NULL,
    UNIQUE (symbol, issue_name, product_type)
);
CREATE TABLE finra_otc_venues (
    venue_no {key} PRIMARY KEY,
    venue_type {text} NOT NULL,
    mpid {text} NOT NULL,
    crd {text} NOT NULL,
    venue_name {text} NOT NULL,
    UNIQUE (venue_type, mpid, crd, venue_name)
);
CREATE TABLE finra_otc_row_versions (
    partition_no INTEGER NOT NULL,
    security_no INTEGER NOT NULL,
    venue_no INTEGER NOT NULL,
    from_capture INTEGER NOT NULL,
    to_capture INTEGER,
    shares_micros BIGINT NOT NULL,
    trades BIGINT NOT NULL,
    last_update_date {date} NOT NULL,
    PRIMARY KEY (partition_no, security_no, venue_no, from_capture)
){clustered};
CREATE TABLE finra_otc_rejected_rows (
    reject_no {key} PRIMARY KEY,
    capture_no INTEGER NOT NULL REFERENCES core_captures (capture_no),
    document INTEGER NOT NULL,
    line INTEGER NOT NULL,
    reason {text} NOT NULL,
    raw_text {text} NOT NULL
);
CREATE INDEX finra_otc_rejected_rows_by_capture ON finra_otc_rejected_rows (capture_no, document, line)
"""

# An analysis is told from others by week, tier, version and all of its inputs, which stand in a table of their own:
# the fingerprint is a hash of these four, so that one unique index can see to it.
_ANALYTICS = """
CREATE TABLE finra_otc_analyses (
    analysis_no {key} PRIMARY KEY,
    fingerprint {text} NOT NULL UNIQUE,
    capture_id {text} NOT NULL,
    revision INTEGER NOT NULL,
    week_ending {date} NOT NULL,
    tier {text} NOT NULL,
    calc_version INTEGER NOT NULL,
    computed_at {timestamp} NOT NULL,
    newest_input INTEGER NOT NULL,
    shares_micros BIGINT NOT NULL,
    trades BIGINT NOT NULL,
    venues INTEGER NOT NULL,
    symbols INTEGER NOT NULL,
    hhi DOUBLE PRECISION,
    hhi_upper DOUBLE PRECISION
);
CREATE INDEX finra_otc_analyses_by_capture ON finra_otc_analyses (capture_id, revision, calc_version);
CREATE INDEX finra_otc_analyses_by_week ON finra_otc_analyses (week_ending, tier, newest_input, calc_version);
CREATE TABLE finra_otc_analysis_inputs (
    analysis_no INTEGER NOT NULL REFERENCES finra_otc_analyses (analysis_no),
    ordinal INTEGER NOT NULL,
    capture_no INTEGER NOT NULL REFERENCES core_captures (capture_no),
    PRIMARY KEY (analysis_no, ordinal)
){clustered};
CREATE INDEX finra_otc_analysis_inputs_by_capture ON finra_otc_analysis_inputs (capture_no);
CREATE TABLE finra_otc_analysis_venues (
    analysis_no INTEGER NOT NULL REFERENCES finra_otc_analyses (analysis_no),
    venue_type {text} NOT NULL,
    mpid {text} NOT NULL,
    crd {text} NOT NULL,
    venue_name {text} NOT NULL,
    shares_micros BIGINT NOT NULL,
    trades BIGINT NOT NULL,
    symbols INTEGER NOT NULL,
    share DOUBLE PRECISION,
    PRIMARY KEY (analysis_no, venue_type, mpid, crd, venue_name)
){clustered}
"""

_FINDINGS = """
CREATE TABLE core_anomalies (
    anomaly_no {key} PRIMARY KEY,
    fingerprint {text} NOT NULL UNIQUE,
    domain {text} NOT NULL,
    severity {text} NOT NULL,
    category {text} NOT NULL,
    partition_key {json} NOT NULL,
    week_ending {date},
    tier {text},
    place {text},
    stage {text} NOT NULL,
    message {text} NOT NULL,
    details_json {json} NOT NULL,
    first_seen {timestamp} NOT NULL,
    last_seen {timestamp} NOT NULL,
    occurrences INTEGER NOT NULL,
    resolved_at {timestamp},
    acknowledged_reason {text},
    acknowledged_at {timestamp},
    acknowledged_until {date}
);
CREATE INDEX core_anomalies_by_week ON core_anomalies (week_ending, tier, resolved_at);
CREATE INDEX core_anomalies_by_severity ON core_anomalies (severity, resolved_at);
CREATE INDEX core_anomalies_by_last_seen ON core_anomalies (last_seen);
CREATE TABLE core_data_readiness (
    readiness_no {key} PRIMARY KEY,
    domain {text} NOT NULL,
    partition_key {json} NOT NULL,
    is_ready BOOLEAN NOT NULL,
    ready_for {text} NOT NULL,
    all_partitions_present BOOLEAN NOT NULL,
    all_stages_complete BOOLEAN NOT NULL,
    no_critical_anomalies BOOLEAN NOT NULL,
    no_rejected_rows BOOLEAN NOT NULL DEFAULT TRUE,
    no_partial_coverage BOOLEAN NOT NULL DEFAULT TRUE,
    blocking_issues {json} NOT NULL DEFAULT '[]',
    ready_on {date},
    captures {json} NOT NULL DEFAULT '[]',
    updated_at {timestamp} NOT NULL DEFAULT {now},
    UNIQUE (domain, partition_key, ready_for)
);
CREATE TABLE core_readiness_history (
    judgment_no {key} PRIMARY KEY,
    week_ending {date} NOT NULL,
    ready_for {text} NOT NULL,
    is_ready BOOLEAN NOT NULL,
    all_partitions_present BOOLEAN NOT NULL,
    all_stages_complete BOOLEAN NOT NULL,
    no_critical_anomalies BOOLEAN NOT NULL,
    no_rejected_rows BOOLEAN NOT NULL,
    no_partial_coverage BOOLEAN NOT NULL,
    blocking_issues {json} NOT NULL,
    ready_on {date},
    captures {json} NOT NULL,
    judged_at {timestamp} NOT NULL,
    superseded_at {timestamp}
);
CREATE INDEX core_readiness_history_by_week ON core_readiness_history (week_ending, ready_for);
CREATE TABLE core_decisions (
    decision_no {key} PRIMARY KEY,
    run_id {text} NOT NULL,
    week_ending {date} NOT NULL,
    tier {text} NOT NULL,
    action {text} NOT NULL,
    rule {text} NOT NULL,
    reason {text} NOT NULL,
    evidence {json} NOT NULL,
    decided_at {timestamp} NOT NULL
);
CREATE INDEX core_decisions_by_run ON core_decisions (run_id);
CREATE INDEX core_decisions_by_partition ON core_decisions (week_ending, tier, decided_at);
CREATE INDEX core_decisions_by_time ON core_decisions (decided_at, decision_no);
CREATE TABLE core_runs (
    run_no {key} PRIMARY KEY,
    run_id {text} NOT NULL UNIQUE,
    started_at {timestamp} NOT NULL,
    finished_at {timestamp},
    mode {text} NOT NULL,
    run_date {date} NOT NULL,
    exit_code INTEGER,
    report_json {text},
    sweep_from {date}
);
CREATE INDEX core_runs_by_start ON core_runs (started_at, run_no)
"""

# known_since: the day from which on all is known of the partition.
_RETENTION = """
CREATE TABLE core_pins (
    capture_id {text} NOT NULL,
    revision INTEGER NOT NULL,
    week_ending {date} NOT NULL,
    tier {text} NOT NULL,
    reason {text} NOT NULL,
    pinned_at {timestamp} NOT NULL,
    PRIMARY KEY (capture_id, revision)
){clustered};
CREATE TABLE core_prunes (
    prune_no {key} PRIMARY KEY,
    week_ending {date} NOT NULL,
    tier {text} NOT NULL,
    known_since {date} NOT NULL,
    pruned_at {timestamp} NOT NULL,
    removed {json} NOT NULL
)
"""

# The subject is text and no JSON, as it is hashed byte for byte.
_CHAIN = """
CREATE TABLE core_chain (
    seq INTEGER NOT NULL PRIMARY KEY,
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    at {timestamp} NOT NULL,
    previous {text} NOT NULL,
    hash {text} NOT NULL
)
"""


def upgrade() -> None:
    """Make all tables."""
    words = context.config.attributes["words"]
    for tables in (_CAPTURES, _ROWS, _ANALYTICS, _FINDINGS, _RETENTION, _CHAIN):
        for statement in tables.split(";"):
            op.execute(
                statement.strip().format(
                    key=words.key,
                    text=words.text,
                    date=words.date,
                    timestamp=words.timestamp,
                    json=words.json,
                    blob=words.blob,
                    now=words.now,
                    clustered=words.clustered,
                    week_of_key=words.json_field("partition_key", "week_ending"),
                    tier_of_key=words.json_field("partition_key", "tier"),
                )
            )
