package sink

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/leadroute/leadroute"
)

// Trail is every step of a lead, in order of time; empty for a lead that is not known.
func (db *DB) Trail(ctx context.Context, lead leadroute.LeadID) ([]leadroute.LatencyEvent, error) {
	rows, err := db.conn.Query(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM events WHERE lead = {lead:String} ORDER BY at, rev, step, n",
		clickhouse.Named("lead", string(lead)))
	if err != nil {
		return nil, fmt.Errorf("read the trail of %s: %w", lead, db.addr.explain(err))
	}
	defer rows.Close()
	trail := []leadroute.LatencyEvent{}
	for rows.Next() {
		var e leadroute.LatencyEvent
		var at, emitted, received time.Time
		var step string
		var rev, attempt int32
		err := rows.Scan(&at, (*string)(&e.Lead), &rev, &step, &e.N,
			(*string)(&e.Class), (*string)(&e.Source), &e.Rule, &e.Territory, (*string)(&e.Pool), (*string)(&e.Queue), (*string)(&e.Rep), (*string)(&e.Destination),
			&attempt, &e.Outcome, &e.Reason, (*string)(&e.Plan),
			&emitted, &received, &e.SinceEmit, &e.SincePrev, &e.SLA, &e.Cost)
		if err != nil {
			return nil, fmt.Errorf("read the trail of %s: %w", lead, err)
		}
		e.Rev, e.Step, e.Attempt = int(rev), leadroute.Step(step), int(attempt)
		e.At, e.EmittedAt, e.ReceivedAt = millis(at), millis(emitted), millis(received)
		trail = append(trail, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the trail of %s: %w", lead, db.addr.explain(err))
	}
	return trail, nil
}

// millis keeps the epoch, "not known", as 0.
func millis(t time.Time) leadroute.Millis { return leadroute.Millis(t.UnixMilli()) }

// CountEvents is how many distinct events ClickHouse holds.
func (db *DB) CountEvents(ctx context.Context) (uint64, error) {
	a, err := db.Audit(ctx)
	return a.Distinct, err
}

// Audit compares what is read with what there is: the two are equal when every event is
// there exactly once.
type Audit struct {
	Rows     uint64 // as every query sees them
	Distinct uint64 // identities, found without the table's own replacing
	// Decisions are the logged decisions as every query sees them.
	Decisions uint64
}

// Audit counts the table's rows and identities. It reads the whole table.
func (db *DB) Audit(ctx context.Context) (a Audit, err error) {
	row := db.conn.QueryRow(ctx, "SELECT (SELECT count() FROM events), (SELECT uniqExact(lead, rev, step, n) FROM lead_events), (SELECT count() FROM decisions)")
	if err := row.Scan(&a.Rows, &a.Distinct, &a.Decisions); err != nil {
		return a, fmt.Errorf("count events: %w", db.addr.explain(err))
	}
	return a, nil
}

// SLARow is what became of the leads of one class that were received in one bucket of time.
type SLARow struct {
	Class leadroute.Class `json:"class"`
	From  time.Time       `json:"from"`
	Leads uint64          `json:"leads"`
	// Delivered leads were acknowledged at least once; the latencies, in milliseconds
	// since the emit, are those of their first acknowledgements.
	Delivered uint64  `json:"delivered"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
	Max       int64   `json:"max_ms"`
	// WithSLA leads have a class with an SLA; of those, InSLA made it. Breaches did not:
	// acknowledged late, or not at all when the SLA had run out. DeadLettered were given
	// up before, and Open leads may still make it.
	WithSLA      uint64 `json:"with_sla"`
	InSLA        uint64 `json:"in_sla"`
	Breaches     uint64 `json:"breaches"`
	DeadLettered uint64 `json:"dead_lettered"`
	Open         uint64 `json:"open"`
	// Compliance is InSLA of those whose fate is settled, in percent; nil while none is.
	Compliance *float64 `json:"compliance_pct"`
}

// SLA returns, per class and bucket, what became by now of the leads received in [from,
// to). Buckets are whole seconds and aligned to UTC; bucket 0 makes one of the whole span.
func (db *DB) SLA(ctx context.Context, from, to time.Time, bucket time.Duration) ([]SLARow, error) {
	return db.slaAsOf(ctx, from, to, time.Now(), bucket)
}

func (db *DB) slaAsOf(ctx context.Context, from, to, asOf time.Time, bucket time.Duration) ([]SLARow, error) {
	if bucket < 0 || bucket/time.Second > math.MaxUint32 {
		return nil, fmt.Errorf("read the SLA figures: bucket %v is out of range", bucket)
	}
	query := fmt.Sprintf(`SELECT class, t, leads, delivered, quantiles[1], quantiles[2], quantiles[3], max_ms,
		with_sla, in_sla, breaches, dead_lettered, still_open, compliance_pct
		FROM kpi_sla(from = %s, to = %s, asof = %s, bucket = %d)`, timestamp(from), timestamp(to), timestamp(asOf), bucket/time.Second)
	rows, err := db.conn.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read the SLA figures: %w", db.addr.explain(err))
	}
	defer rows.Close()
	out := []SLARow{}
	for rows.Next() {
		var r SLARow
		var p50, p95, p99 float32
		var compliance float64
		err := rows.Scan((*string)(&r.Class), &r.From, &r.Leads, &r.Delivered, &p50, &p95, &p99, &r.Max,
			&r.WithSLA, &r.InSLA, &r.Breaches, &r.DeadLettered, &r.Open, &compliance)
		if err != nil {
			return nil, fmt.Errorf("read the SLA figures: %w", err)
		}
		if r.Delivered > 0 { // a quantile of nothing is no number
			r.P50, r.P95, r.P99 = float64(p50), float64(p95), float64(p99)
		}
		if !math.IsNaN(compliance) {
			r.Compliance = &compliance
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the SLA figures: %w", db.addr.explain(err))
	}
	return out, nil
}

// timestamp writes an instant as the views take it.
func timestamp(t time.Time) string { return t.UTC().Format("'2006-01-02 15:04:05.000'") }
