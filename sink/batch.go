package sink

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// columns are the columns of lead_events in the order in which a batch holds them.
var columns = []string{
	"at", "lead", "rev", "step", "n",
	"class", "source", "rule", "territory", "pool", "queue", "rep", "destination",
	"attempt", "outcome", "reason", "plan",
	"emitted_at", "received_at", "since_emit_ms", "since_prev_ms", "sla_ms", "cost_micros",
}

// insert does without deduplication by the server (the table replaces copies) and wants
// an answer that means "on disk": no asynchronous insert. Rows may be of any age, so any
// number of daily partitions.
var (
	insertQuery    = "INSERT INTO lead_events (" + strings.Join(columns, ", ") + ")"
	insertSettings = clickhouse.Settings{"async_insert": 0, "optimize_on_insert": 0, "max_partitions_per_insert_block": 0}
)

// stepNumber is a step's number in the table's Enum8.
var stepNumber = func() map[leadroute.Step]int8 {
	m := make(map[leadroute.Step]int8, len(leadroute.Steps))
	for i, s := range leadroute.Steps {
		m[s] = int8(i + 1) //nolint:gosec // a short list
	}
	return m
}()

// batch collects rows column by column, as ClickHouse takes them, and the offsets up to
// which they reach. Its memory is used again and again.
type batch struct {
	at, emittedAt, receivedAt            []int64 // milliseconds
	lead                                 []string
	rev, attempt                         []int32
	step                                 []int8
	n                                    []uint64
	class, source, rule, territory, pool []*string // pointers from words; nil is ""
	queue, rep, destination              []*string
	outcome, reason, plan                []*string
	sinceEmit, sincePrev, sla, cost      []int64
	decisions                            decisions
	words                                words
	next                                 map[int32]kgo.EpochOffset // per partition, the offset after the last record
	opened                               time.Time                 // when the first record came; zero while empty
}

func newBatch() *batch { return &batch{words: words{}, next: map[int32]kgo.EpochOffset{}} }

func (b *batch) rows() int { return len(b.at) }

// empty is true while the batch knows no record, readable or not.
func (b *batch) empty() bool { return len(b.next) == 0 }

// note moves the batch's offset past r.
func (b *batch) note(r *kgo.Record) {
	b.next[r.Partition] = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
}

// add appends one event; an event whose step this version does not know is refused.
func (b *batch) add(e *leadroute.LatencyEvent) error {
	step, ok := stepNumber[e.Step]
	if !ok {
		return fmt.Errorf("unknown step %q", e.Step)
	}
	w := b.words
	b.at = append(b.at, int64(e.At))
	b.lead = append(b.lead, string(e.Lead))
	b.rev = append(b.rev, int32(e.Rev)) //nolint:gosec // a small count
	b.step = append(b.step, step)
	b.n = append(b.n, e.N)
	b.class = append(b.class, w.of(string(e.Class)))
	b.source = append(b.source, w.of(string(e.Source)))
	b.rule = append(b.rule, w.of(e.Rule))
	b.territory = append(b.territory, w.of(e.Territory))
	b.pool = append(b.pool, w.of(string(e.Pool)))
	b.queue = append(b.queue, w.of(string(e.Queue)))
	b.rep = append(b.rep, w.of(string(e.Rep)))
	b.destination = append(b.destination, w.of(string(e.Destination)))
	b.attempt = append(b.attempt, int32(e.Attempt)) //nolint:gosec // a small count
	b.outcome = append(b.outcome, w.of(e.Outcome))
	b.reason = append(b.reason, w.of(e.Reason))
	b.plan = append(b.plan, w.of(string(e.Plan)))
	b.emittedAt = append(b.emittedAt, int64(e.EmittedAt))
	b.receivedAt = append(b.receivedAt, int64(e.ReceivedAt))
	b.sinceEmit = append(b.sinceEmit, e.SinceEmit)
	b.sincePrev = append(b.sincePrev, e.SincePrev)
	b.sla = append(b.sla, e.SLA)
	b.cost = append(b.cost, e.Cost)
	if e.Decision != nil {
		b.decisions.add(e, w)
	}
	return nil
}

// reset empties the batch and keeps its memory.
func (b *batch) reset() {
	b.at, b.emittedAt, b.receivedAt = b.at[:0], b.emittedAt[:0], b.receivedAt[:0]
	clear(b.lead) // lets the decoded records go
	b.lead, b.rev, b.attempt, b.step, b.n = b.lead[:0], b.rev[:0], b.attempt[:0], b.step[:0], b.n[:0]
	b.class, b.source, b.rule, b.territory, b.pool = b.class[:0], b.source[:0], b.rule[:0], b.territory[:0], b.pool[:0]
	b.queue, b.rep, b.destination = b.queue[:0], b.rep[:0], b.destination[:0]
	b.outcome, b.reason, b.plan = b.outcome[:0], b.reason[:0], b.plan[:0]
	b.sinceEmit, b.sincePrev, b.sla, b.cost = b.sinceEmit[:0], b.sincePrev[:0], b.sla[:0], b.cost[:0]
	b.decisions.reset()
	b.words.trim()
	clear(b.next)
	b.opened = time.Time{}
}

// values are the columns in the order of the list above.
func (b *batch) values() []any {
	return []any{
		b.at, b.lead, b.rev, b.step, b.n,
		b.class, b.source, b.rule, b.territory, b.pool, b.queue, b.rep, b.destination,
		b.attempt, b.outcome, b.reason, b.plan,
		b.emittedAt, b.receivedAt, b.sinceEmit, b.sincePrev, b.sla, b.cost,
	}
}

// insert writes the batch and returns when ClickHouse has it on disk. After an error any
// part of it may be there.
func (db *DB) insert(ctx context.Context, b *batch) error {
	if err := db.insertColumns(ctx, insertQuery, columns, b.values()); err != nil || len(b.decisions.at) == 0 {
		return err
	}
	return db.insertColumns(ctx, insertDecisions, decisionColumns, b.decisions.values())
}

func (db *DB) insertColumns(ctx context.Context, query string, names []string, values []any) error {
	in, err := db.conn.PrepareBatch(clickhouse.Context(ctx, clickhouse.WithSettings(insertSettings)), query)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := appendColumns(in, names, values); err != nil {
		return err
	}
	return in.Send()
}

func appendColumns(in driver.Batch, names []string, values []any) error {
	for i, v := range values {
		if err := in.Column(i).Append(v); err != nil {
			return fmt.Errorf("column %s: %w", names[i], err)
		}
	}
	return nil
}

// words gives equal strings one address. The client's dictionary of a LowCardinality
// column then compares addresses, which costs a third of comparing boxed strings.
type words map[string]*string

// maxWords bounds the memory for words that do not come back.
const maxWords = 1 << 16

func (w words) of(s string) *string {
	if s == "" {
		return nil // the dictionary's default entry
	}
	if p, ok := w[s]; ok {
		return p
	}
	s = strings.Clone(s) // not a piece of the whole record
	w[s] = &s
	return &s
}

func (w words) trim() {
	if len(w) > maxWords {
		clear(w)
	}
}
