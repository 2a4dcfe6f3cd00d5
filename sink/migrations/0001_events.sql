-- One row per step of a lead. The identity of a row is (lead, rev, step, n), the end of the
-- sorting key: a row that is written again replaces itself. Every column of the sorting and
-- of the partition key comes from the record that caused the step, never from a clock here,
-- so that a copy always meets its original in one partition.
CREATE TABLE IF NOT EXISTS lead_events
(
    at            DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    lead          String               CODEC(ZSTD(1)),
    rev           Int32                CODEC(T64, ZSTD(1)),
    step          Enum8('received' = 1, 'rejected' = 2, 'duplicate' = 3, 'enriched' = 4, 'decided' = 5, 'offered' = 6,
                         'claimed' = 7, 'declined' = 8, 'assigned' = 9, 'queued' = 10, 'released' = 11, 'delivered' = 12,
                         'attempt_failed' = 13, 'superseded' = 14, 'dead_lettered' = 15, 'responded' = 16, 'reassigned' = 17, 'breached' = 18,
                         'closed' = 19),
    n             UInt64               CODEC(ZSTD(1)),
    class         LowCardinality(String),
    source        LowCardinality(String),
    rule          LowCardinality(String),
    territory     LowCardinality(String),
    pool          LowCardinality(String),
    queue         LowCardinality(String),
    rep           LowCardinality(String),
    destination   LowCardinality(String),
    attempt       Int32                CODEC(T64, ZSTD(1)),
    outcome       LowCardinality(String),
    reason        LowCardinality(String),
    plan          LowCardinality(String),
    emitted_at    DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    received_at   DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    since_emit_ms Int64                CODEC(T64, ZSTD(1)),
    since_prev_ms Int64                CODEC(T64, ZSTD(1)),
    sla_ms        Int64                CODEC(T64, ZSTD(1)),
    cost_micros   Int64                CODEC(T64, ZSTD(1)),
    INDEX ix_lead lead TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(at)
PRIMARY KEY (class, step, toStartOfMinute(at), destination)
ORDER BY (class, step, toStartOfMinute(at), destination, lead, rev, n)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1;

-- What everybody reads: each row once, whether or not its copies were merged yet. Copies
-- never lie in two partitions, so each is resolved by itself.
CREATE OR REPLACE VIEW events AS
SELECT *
FROM lead_events FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
