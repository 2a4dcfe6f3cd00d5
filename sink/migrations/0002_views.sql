-- The figures, as parameterised views: SELECT * FROM kpi_latency(from='2026-01-01 00:00:00', to='2026-01-02 00:00:00', bucket=3600).
-- Times are UTC, [from, to); buckets are seconds.

-- One row per lead received in [from, to), with what became of it by asof. The SLA runs from
-- the lead's emit (or receipt) to the first acknowledgement by the primary destination; the
-- events of other destinations carry no SLA, and count only where the lead has none.
--   ok    acknowledged in time
--   late  not acknowledged when the SLA ran out: acknowledged later, or never
--   dead  given up before the SLA ran out
--   open  may still make it; for a lead without SLA: not acknowledged yet
CREATE OR REPLACE VIEW lead_outcomes AS
SELECT lead,
       anyIf(class, step = 'received')                              AS class,
       anyIf(source, step = 'received')                             AS source,
       minIf(at, step = 'received')                                 AS received,
       minIf(at - toIntervalMillisecond(since_emit_ms), step = 'received') AS since,
       max(sla_ms)                                                  AS sla,
       if(sla > 0, countIf(step = 'delivered' AND sla_ms > 0), countIf(step = 'delivered')) AS acks,
       if(sla > 0, minIf(since_emit_ms, step = 'delivered' AND sla_ms > 0), minIf(since_emit_ms, step = 'delivered')) AS latency_ms,
       since + toIntervalMillisecond(sla)                           AS due,
       acks > 0 AND (sla = 0 OR latency_ms <= sla)                  AS ok,
       NOT ok AND sla > 0 AND (acks > 0 OR due < {asof:DateTime64(3, 'UTC')}) AS late,
       NOT ok AND NOT late AND countIf(step = 'dead_lettered') > 0  AS dead,
       NOT ok AND NOT late AND NOT dead                             AS open
FROM events
WHERE at >= {from:DateTime64(3, 'UTC')} AND at <= {asof:DateTime64(3, 'UTC')}
  AND lead IN (SELECT lead FROM events WHERE step = 'received' AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')})
GROUP BY lead;

-- Latency to the acknowledgement and compliance per class and hour (or other bucket) of receipt; bucket 0: the whole span.
CREATE OR REPLACE VIEW kpi_sla AS
SELECT class,
       fromUnixTimestamp64Milli(toInt64(if({bucket:UInt32} = 0, toUnixTimestamp64Milli({from:DateTime64(3, 'UTC')}),
           intDiv(toUnixTimestamp64Milli(received), greatest(1000 * {bucket:UInt32}, 1)) * 1000 * {bucket:UInt32})), 'UTC') AS t,
       count()                                                 AS leads,
       countIf(acks > 0)                                       AS delivered,
       quantilesTDigestIf(0.5, 0.95, 0.99)(latency_ms, acks > 0) AS quantiles,
       maxIf(latency_ms, acks > 0)                             AS max_ms,
       countIf(sla > 0)                                        AS with_sla,
       countIf(sla > 0 AND ok)                                 AS in_sla,
       countIf(late)                                           AS breaches,
       countIf(dead)                                           AS dead_lettered,
       countIf(open)                                           AS still_open,
       ifNull(100 * in_sla / nullIf(in_sla + breaches + countIf(sla > 0 AND dead), 0), nan) AS compliance_pct
FROM lead_outcomes(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, asof = {asof:DateTime64(3, 'UTC')})
GROUP BY class, t
ORDER BY class, t;

-- Latency of the acknowledgements given in [from, to), each lead's first in that span.
CREATE OR REPLACE VIEW kpi_latency AS
SELECT class, toStartOfInterval(acked, toIntervalSecond({bucket:UInt32})) AS t, count() AS delivered,
       quantilesTDigest(0.5, 0.95, 0.99)(ms) AS quantiles, max(ms) AS max_ms
FROM (SELECT lead, argMin(class, at) AS class, min(at) AS acked, min(since_emit_ms) AS ms
      FROM events WHERE step = 'delivered' AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')} GROUP BY lead)
GROUP BY class, t
ORDER BY class, t;

-- Breaches per hour in which the SLA of a lead ran out, for leads received in [from, to).
CREATE OR REPLACE VIEW kpi_breaches AS
SELECT toStartOfHour(due) AS hour, class, count() AS breaches, countIf(acks = 0) AS never_delivered
FROM lead_outcomes(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, asof = {asof:DateTime64(3, 'UTC')})
WHERE late
GROUP BY hour, class
ORDER BY hour, class;

-- Success per destination: of the deliveries, and of the single attempts.
CREATE OR REPLACE VIEW kpi_delivery AS
SELECT destination,
       countIf(step = 'delivered') AS delivered, countIf(step = 'delivered' AND attempt <= 1) AS first_try,
       countIf(step = 'attempt_failed') AS failed_attempts, countIf(step = 'dead_lettered') AS dead_lettered,
       100 * delivered / nullIf(delivered + dead_lettered, 0) AS delivery_success_pct,
       100 * delivered / nullIf(delivered + failed_attempts, 0) AS attempt_success_pct,
       quantileTDigestIf(0.99)(since_prev_ms, step = 'delivered') AS p99_ms
FROM events
WHERE step IN ('delivered', 'attempt_failed', 'dead_lettered') AND destination != ''
  AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
GROUP BY destination
ORDER BY destination;

-- Dead letters per hour, and their share of the deliveries that ended.
CREATE OR REPLACE VIEW kpi_dead_letters AS
SELECT toStartOfHour(at) AS hour, countIf(step = 'dead_lettered') AS dead_lettered, count() AS ended, 1e6 * dead_lettered / ended AS dead_ppm
FROM events
WHERE step IN ('delivered', 'dead_lettered') AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
GROUP BY hour
ORDER BY hour;

-- Cost of all steps per lead that was delivered, in the policy's currency unit.
CREATE OR REPLACE VIEW kpi_cost AS
SELECT source, class, sum(cost_micros) / 1e6 AS cost, uniqExactIf(lead, step = 'delivered') AS delivered, cost / nullIf(delivered, 0) AS cost_per_delivered
FROM events
WHERE at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
GROUP BY source, class
ORDER BY source, class;

-- Load and fairness: leads assigned per rep of a pool; cv is the standard deviation over the mean.
CREATE OR REPLACE VIEW kpi_reps AS
SELECT pool, count() AS reps, sum(leads) AS leads_assigned, min(leads) AS min_per_rep, avg(leads) AS avg_per_rep, max(leads) AS max_per_rep,
       max_per_rep / avg_per_rep AS max_over_avg, stddevPop(leads) / avg_per_rep AS cv
FROM (SELECT pool, rep, count() AS leads
      FROM events WHERE step = 'assigned' AND at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')} GROUP BY pool, rep)
GROUP BY pool
ORDER BY pool;

-- How many leads took each step, and their share of those received.
CREATE OR REPLACE VIEW kpi_funnel AS
SELECT step, leads, 100 * leads / nullIf(maxIf(leads, step = 'received') OVER (), 0) AS pct_of_received
FROM (SELECT step, uniqCombined64(lead) AS leads
      FROM events WHERE at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')} GROUP BY step)
ORDER BY step;

-- How fast the error budget of 1 % burns: the share of breaches among the leads whose fate was
-- settled in the last 5 minutes and in the last hour, over 0.01. 1 uses the budget up exactly.
CREATE OR REPLACE VIEW kpi_burn AS
SELECT class,
       ifNull(countIf(late AND settled > {asof:DateTime64(3, 'UTC')} - INTERVAL 5 MINUTE) / nullIf(countIf(settled > {asof:DateTime64(3, 'UTC')} - INTERVAL 5 MINUTE), 0), 0) / 0.01 AS burn_5m,
       countIf(late) / count() / 0.01 AS burn_1h
FROM (SELECT class, late, if(late, due, since + toIntervalMillisecond(latency_ms)) AS settled
      FROM lead_outcomes(from = {from:DateTime64(3, 'UTC')}, to = {asof:DateTime64(3, 'UTC')}, asof = {asof:DateTime64(3, 'UTC')})
      WHERE sla > 0 AND (ok OR late))
WHERE settled > {asof:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR
GROUP BY class
ORDER BY class;

-- One lead's way.
CREATE OR REPLACE VIEW lead_trail AS
SELECT * FROM events WHERE lead = {lead:String} ORDER BY at, rev, step, n;
