package sink

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"

	"github.com/leadroute/leadroute"
)

// BenchmarkSink compares the whole sink (fetch, decode, append, insert, commit) with JSON
// decode and the client's column append alone, in one run: "ratio" is the sink's rows per
// second over theirs. "cpu-ratio" is the same of this process's CPU time, the broker's part
// in it included: it holds on a busy machine, where the clock does not.
func BenchmarkSink(b *testing.B) {
	const rows = 200_000
	events := sample(rows)
	values := make([][]byte, rows)
	for i := range events {
		v, err := leadroute.Encode(&events[i])
		if err != nil {
			b.Fatal(err)
		}
		values[i] = v
	}
	db := open(b, address(b))
	broker, c := brokers(b)
	for i, v := range values {
		c.Produce(b.Context(), &kgo.Record{Key: []byte(events[i].Lead), Value: v}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := c.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}

	var alone, whole cost
	n := 0
	for b.Loop() {
		alone = alone.plus(decodeAndAppend(b, db, values))
		n++
		whole = whole.plus(drain(b, Config{Brokers: broker.Addrs(), DB: db}))
		// The next one starts at the beginning of the topic again.
		if _, err := kadm.NewClient(c).DeleteGroup(b.Context(), leadroute.Namespace("").Group(groupName)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*rows/whole.wall.Seconds(), "rows/s")
	b.ReportMetric(float64(n)*rows/alone.wall.Seconds(), "decode+append-rows/s")
	b.ReportMetric(alone.wall.Seconds()/whole.wall.Seconds(), "ratio")
	b.ReportMetric(float64(whole.cpu.Microseconds())/float64(n*rows), "cpu-µs/row")
	b.ReportMetric(alone.cpu.Seconds()/whole.cpu.Seconds(), "cpu-ratio")
	b.ReportMetric(0, "ns/op")
	a, err := db.Audit(b.Context())
	if err != nil || a.Rows != rows || a.Distinct != rows {
		b.Fatalf("in ClickHouse: %+v, %v; want each of %d events once", a, err, rows)
	}
}

// decodeAndAppend does what cannot be spared, in batches like the sink's, and throws it away.
func decodeAndAppend(b *testing.B, db *DB, values [][]byte) (took cost) {
	b.Helper()
	bt := newBatch()
	for part := range slices.Chunk(values, 20_000) {
		took = took.plus(decodeAndAppendBatch(b, db, bt, part))
	}
	return took
}

func decodeAndAppendBatch(b *testing.B, db *DB, bt *batch, values [][]byte) cost {
	b.Helper()
	in, err := db.conn.PrepareBatch(clickhouse.Context(b.Context(), clickhouse.WithSettings(insertSettings)), insertQuery)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	began := now(b)
	for _, v := range values {
		e, err := leadroute.Decode[leadroute.LatencyEvent](v)
		if err != nil {
			b.Fatal(err)
		}
		if err := bt.add(e); err != nil {
			b.Fatal(err)
		}
	}
	if err := appendColumns(in, columns, bt.values()); err != nil {
		b.Fatal(err)
	}
	took := now(b).minus(began)
	bt.reset()
	if err := in.Abort(); err != nil {
		b.Fatal(err)
	}
	return took
}

// drain runs a sink until it has caught up, and returns how long that took from the first
// record that it read to the last commit.
func drain(b *testing.B, cfg Config) cost {
	b.Helper()
	read := firstRead{b: b}
	cfg.Client = []kgo.Opt{kgo.WithHooks(&read)}
	s, stop := running(b, cfg)
	if err := s.CaughtUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	took := now(b).minus(read.at)
	stop()
	return took
}

// firstRead notes when a client hands out its first record.
type firstRead struct {
	b    *testing.B
	once sync.Once
	at   cost
}

// OnFetchRecordUnbuffered is kgo's hook.
func (f *firstRead) OnFetchRecordUnbuffered(*kgo.Record, bool) {
	f.once.Do(func() { f.at = now(f.b) })
}

// cost is time by the clock and of this process on the CPUs.
type cost struct{ wall, cpu time.Duration }

var started = time.Now()

func now(b *testing.B) cost {
	b.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return cost{wall: time.Since(started), cpu: time.Duration(r.Utime.Nano() + r.Stime.Nano())}
}

func (c cost) plus(d cost) cost  { return cost{c.wall + d.wall, c.cpu + d.cpu} }
func (c cost) minus(d cost) cost { return cost{c.wall - d.wall, c.cpu - d.cpu} }
