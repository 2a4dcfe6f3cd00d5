package sink

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/leadroute/leadroute"
)

// decisionColumns are the columns of lead_decisions in the order in which a batch holds them.
var decisionColumns = []string{
	"at", "lead", "rev", "n", "class", "source", "rule", "plan", "emitted_at", "received_at", "fields", "seen", "said",
}

var insertDecisions = "INSERT INTO lead_decisions (" + strings.Join(decisionColumns, ", ") + ")"

// decisions are the rows of lead_decisions that a batch's events bring.
type decisions struct {
	at, emittedAt, receivedAt []int64 // milliseconds
	lead, fields, seen, said  []string
	rev                       []int32
	n                         []uint64
	class, source, rule, plan []*string
}

func (d *decisions) add(e *leadroute.LatencyEvent, w words) {
	d.at = append(d.at, int64(e.At))
	d.lead = append(d.lead, string(e.Lead))
	d.rev = append(d.rev, int32(e.Rev)) //nolint:gosec // a small count
	d.n = append(d.n, e.N)
	d.class = append(d.class, w.of(string(e.Class)))
	d.source = append(d.source, w.of(string(e.Source)))
	d.rule = append(d.rule, w.of(e.Rule))
	d.plan = append(d.plan, w.of(string(e.Plan)))
	d.emittedAt = append(d.emittedAt, int64(e.EmittedAt))
	d.receivedAt = append(d.receivedAt, int64(e.ReceivedAt))
	d.fields = append(d.fields, string(e.Decision.Fields))
	d.seen = append(d.seen, string(e.Decision.Seen))
	d.said = append(d.said, string(e.Decision.Said))
}

func (d *decisions) reset() {
	for _, texts := range [][]string{d.lead, d.fields, d.seen, d.said} {
		clear(texts) // lets them go
	}
	d.at, d.emittedAt, d.receivedAt = d.at[:0], d.emittedAt[:0], d.receivedAt[:0]
	d.lead, d.fields, d.seen, d.said = d.lead[:0], d.fields[:0], d.seen[:0], d.said[:0]
	d.rev, d.n = d.rev[:0], d.n[:0]
	d.class, d.source, d.rule, d.plan = d.class[:0], d.source[:0], d.rule[:0], d.plan[:0]
}

func (d *decisions) values() []any {
	return []any{d.at, d.lead, d.rev, d.n, d.class, d.source, d.rule, d.plan, d.emittedAt, d.receivedAt, d.fields, d.seen, d.said}
}

const selectDecisions = "SELECT lead, rev, n, at, class, rule, plan, source, emitted_at, received_at, fields, seen, said FROM decisions "

// Decisions are the events of all decisions about a lead, with what makes them again, oldest
// first; none for a lead that is not known.
func (db *DB) Decisions(ctx context.Context, lead leadroute.LeadID) ([]leadroute.LatencyEvent, error) {
	all := []leadroute.LatencyEvent{}
	for d, err := range db.decisions(ctx, selectDecisions+"WHERE lead = {lead:String} ORDER BY at, rev, n", clickhouse.Named("lead", string(lead))) {
		if err != nil {
			return nil, fmt.Errorf("read the decisions about %s: %w", lead, err)
		}
		all = append(all, d)
	}
	return all, nil
}

// Recorded yields the first decision about each lead that was received in [from, to), in
// order of receipt. An error ends it.
func (db *DB) Recorded(ctx context.Context, from, to time.Time) iter.Seq2[leadroute.LatencyEvent, error] {
	// The decision lies behind the receipt, which bounds the parts to be read.
	query := fmt.Sprintf(selectDecisions+`WHERE at >= %[1]s AND received_at >= %[1]s AND received_at < %[2]s
		ORDER BY received_at, lead, rev, n LIMIT 1 BY lead`, timestamp(from), timestamp(to))
	return func(yield func(leadroute.LatencyEvent, error) bool) {
		for d, err := range db.decisions(ctx, query) {
			if err != nil {
				err = fmt.Errorf("read the recorded leads: %w", err)
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// CountRecorded is how many leads Recorded yields.
func (db *DB) CountRecorded(ctx context.Context, from, to time.Time) (n uint64, err error) {
	query := fmt.Sprintf("SELECT uniqExact(lead) FROM lead_decisions WHERE at >= %[1]s AND received_at >= %[1]s AND received_at < %[2]s", timestamp(from), timestamp(to))
	if err := db.conn.QueryRow(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the recorded leads: %w", db.addr.explain(err))
	}
	return n, nil
}

func (db *DB) decisions(ctx context.Context, query string, args ...any) iter.Seq2[leadroute.LatencyEvent, error] {
	return func(yield func(leadroute.LatencyEvent, error) bool) {
		rows, err := db.conn.Query(ctx, query, args...)
		if err != nil {
			yield(leadroute.LatencyEvent{}, db.addr.explain(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			d, err := scanDecision(rows)
			if !yield(d, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(leadroute.LatencyEvent{}, db.addr.explain(err))
		}
	}
}

func scanDecision(rows driver.Rows) (e leadroute.LatencyEvent, err error) {
	var at, emitted, received time.Time
	var rev int32
	var fields, seen, said string
	if err := rows.Scan((*string)(&e.Lead), &rev, &e.N, &at, (*string)(&e.Class), &e.Rule, (*string)(&e.Plan), (*string)(&e.Source),
		&emitted, &received, &fields, &seen, &said); err != nil {
		return e, err
	}
	e.Step, e.Rev, e.At, e.EmittedAt, e.ReceivedAt = leadroute.StepDecided, int(rev), millis(at), millis(emitted), millis(received)
	e.Decision = &leadroute.Decision{Fields: []byte(fields), Said: []byte(said)}
	if seen != "" {
		e.Decision.Seen = []byte(seen)
	}
	return e, nil
}

// RolloutFigures are what became of the leads since a change of the policy was tried.
type RolloutFigures struct{ Leads, Moved, Unassigned, Settled, Missed uint64 }

// Rollout counts the leads that were decided since: by the candidate, and of a shadow by
// the plan in force, which routes them all; its own part are then the moved ones alone.
// Unassigned are leads that no rule took, or that came to wait in the built-in queue.
func (db *DB) Rollout(ctx context.Context, base, candidate leadroute.PlanID, shadow bool, since time.Time) (f RolloutFigures, err error) {
	decides := candidate
	if shadow {
		decides = base
	}
	row := db.conn.QueryRow(ctx, `SELECT
			uniqExactIf(lead, step = 'decided'),
			uniqExactIf(lead, step = 'decided' AND outcome = 'moved'),
			uniqExactIf(lead, step = 'queued' AND queue = 'unassigned' OR step = 'dead_lettered' AND reason = 'no_rule'),
			uniqExactIf(lead, step IN ('delivered', 'breached') AND sla_ms > 0),
			uniqExactIf(lead, step = 'breached')
		FROM lead_events WHERE plan = {plan:String} AND at >= `+timestamp(since)+` AND lead IN (
			SELECT lead FROM lead_events WHERE plan = {plan:String} AND step = 'decided' AND outcome IN ('same', 'moved') AND at >= `+timestamp(since)+`)`,
		clickhouse.Named("plan", string(decides)))
	if err := row.Scan(&f.Leads, &f.Moved, &f.Unassigned, &f.Settled, &f.Missed); err != nil {
		return f, fmt.Errorf("read the figures of a rollout: %w", db.addr.explain(err))
	}
	if shadow {
		f.Unassigned, f.Settled, f.Missed = 0, 0, 0
	}
	return f, nil
}
