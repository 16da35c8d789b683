-- Years of three tiers, without their meaning: what the planner sees.

INSERT INTO finra_otc_partitions (week_ending, tier)
SELECT date '2020-01-03' + 7 * w, tier
FROM generate_series(0, 299) w, unnest(ARRAY['NMS_TIER_1', 'NMS_TIER_2', 'OTC']) tier ORDER BY 1, 2;

INSERT INTO core_captures (capture_id, revision, partition_no, week_ending, tier, captured_at, verified_at, checked_at, content_hash, payload_hash, row_count, size_bytes, source_url, run_id, reason, normalized_at, rejected_rows)
SELECT 'c' || partition_no || '-' || n, 1, partition_no, week_ending, tier, now(), now(), now(), 'h', 'p' || partition_no, 10, 10, '', 'r', '', now(), 0
FROM finra_otc_partitions, generate_series(1, 3) n ORDER BY partition_no, n;

INSERT INTO core_capture_coverage
SELECT capture_no, half, 10, 10, 10, 10
FROM core_captures, unnest(ARRAY['ATS', 'NON_ATS']) half;

INSERT INTO core_manifest (domain, partition_key, stage, capture_id, revision, row_count, captured_at, metadata_json)
SELECT 'finra.otc_transparency', jsonb_build_object('week_ending', week_ending, 'tier', tier), stage, capture_id, 1, 10, captured_at, '{}'
FROM core_captures, unnest(ARRAY['RAW', 'NORMALIZED', 'CALC']) stage;

INSERT INTO core_raw_payloads (payload_hash, ordinal, codec, size_bytes, body)
SELECT 'p' || p, 0, 'zstd', 10, '\x28b52ffd2000010000'
FROM generate_series(1, 5000) p;

INSERT INTO finra_otc_securities (symbol, issue_name, product_type)
SELECT 'S' || s, '', ''
FROM generate_series(1, 500) s;

INSERT INTO finra_otc_venues (venue_type, mpid, crd, venue_name)
SELECT 'ATS', 'M' || v, '', ''
FROM generate_series(1, 10) v;

INSERT INTO finra_otc_row_versions
SELECT p, s, v, 3 * p - 2, NULL, 1, 1, '2026-01-12'
FROM generate_series(1, 20) p, generate_series(1, 500) s, generate_series(1, 10) v;

INSERT INTO finra_otc_rejected_rows (capture_no, document, line, reason, raw_text)
SELECT capture_no, 0, n, '', ''
FROM core_captures, generate_series(1, 3) n;

INSERT INTO finra_otc_analyses (fingerprint, capture_id, revision, week_ending, tier, calc_version, computed_at, newest_input, shares_micros, trades, venues, symbols)
SELECT 'a' || capture_no, capture_id, 1, week_ending, tier, 1, now(), capture_no, 1, 1, 10, 1
FROM core_captures;

INSERT INTO finra_otc_analysis_inputs
SELECT analysis_no, 0, newest_input
FROM finra_otc_analyses;

INSERT INTO finra_otc_analysis_venues
SELECT analysis_no, 'ATS', 'M' || v, '', '', 1, 1, 1, 1
FROM finra_otc_analyses, generate_series(1, 10) v;

INSERT INTO core_anomalies (fingerprint, domain, severity, category, partition_key, week_ending, tier, stage, message, details_json, first_seen, last_seen, occurrences, resolved_at)
SELECT 'f' || partition_no || '-' || n, 'd', 'CRITICAL', 'LATE', jsonb_build_object('week_ending', week_ending, 'tier', tier), week_ending, tier, 'RAW', '', '{}', now(), now(), 1, now()
FROM finra_otc_partitions, generate_series(1, 5) n;

INSERT INTO core_data_readiness (domain, partition_key, is_ready, ready_for, all_partitions_present, all_stages_complete, no_critical_anomalies)
SELECT 'finra.otc_transparency', jsonb_build_object('week_ending', date '2000-01-07' + 7 * w), true, 'trading', true, true, true
FROM generate_series(1, 2000) w;

INSERT INTO core_readiness_history (week_ending, ready_for, is_ready, all_partitions_present, all_stages_complete, no_critical_anomalies, no_rejected_rows, no_partial_coverage, blocking_issues, captures, judged_at, superseded_at)
SELECT date '2000-01-07' + 7 * w, 'trading', true, true, true, true, true, true, '[]', '[]', now(), CASE WHEN n < 3 THEN now() END
FROM generate_series(1, 2000) w, generate_series(1, 3) n;

INSERT INTO core_decisions (run_id, week_ending, tier, action, rule, reason, evidence, decided_at)
SELECT 'r' || r, date '2000-01-07' + 7 * (r % 300) + 7 * w, tier, 'skip', 'version_unchanged', '', '{}', now()
FROM generate_series(1, 2000) r, generate_series(1, 6) w, unnest(ARRAY['NMS_TIER_1', 'NMS_TIER_2', 'OTC']) tier;

INSERT INTO core_runs (run_id, started_at, mode, run_date)
SELECT 'r' || r, now(), 'run', now()
FROM generate_series(1, 2000) r;

UPDATE core_captures SET payload_hash = encode(sha256(sha256('')), 'hex') WHERE payload_hash = 'p1';
UPDATE core_raw_payloads SET payload_hash = encode(sha256(sha256('')), 'hex') WHERE payload_hash = 'p1';

ANALYZE;
