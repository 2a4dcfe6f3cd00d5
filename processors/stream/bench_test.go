package stream_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// hopMessage is about 1 kB of JSON, as a lead is; so is hopRow.
type hopMessage struct {
	ID     string            `json:"id"`
	Fields map[string]string `json:"fields"`
	Pad    string            `json:"pad"`
}

type hopRow struct {
	N   int    `json:"n"`
	Pad string `json:"pad"`
}

var (
	hopFields = map[string]string{
		"email": "ana@example.com", "company": "Example", "country": "DE", "employees": "250", "source": "web", "title": "Head of Sales",
	}
	hopPad = strings.Repeat("x", 700)
	rowPad = strings.Repeat("y", 980)
)

// BenchmarkHop compares one hop (inbox, decode, decide, encode, next topic) of this
// package with a bare franz-go consume-produce loop on one embedded broker: latency at 100
// messages/s, and CPU and throughput with 4,000 in flight. The variants take turns in
// rounds, so that a busy machine is busy for all of them; a ratio is the median of the
// rounds' ratios, so that a burst of something else is one round's alone.
//
// CPU is user and system time of the whole process by getrusage: the load's producer and
// consumer and the embedded broker (with a data folder) are in it, for each in the same
// way; "none" is their cost without any hop, and cpu-of-hop the ratio without it. "bare"
// commits what it has polled, written or not; "worker" is the same loop on a Worker, with
// the stages' guarantee that an input is committed after its output. It runs for some 45 s
// whatever b.N is.
func BenchmarkHop(b *testing.B) {
	const none, bare, worker, stateless, table = 0, 1, 2, 3, 4
	variants := []struct {
		name string
		run  func(b *testing.B, cfg stream.Config, in leadroute.Topic) (stop func())
		load *load

		took []time.Duration
		cpu  time.Duration
		n    int
		in   time.Duration
		each []float64 // CPU microseconds a message, by round
	}{
		{name: "none"}, {name: "bare", run: bareHop}, {name: "worker", run: workerHop}, {name: "stateless", run: stageHop(false)}, {name: "table", run: stageHop(true)},
	}
	br := startBroker(b, kfake.DataDir(b.TempDir()))
	cfg := br.config(b)
	cfg.Partitions = 8
	for i := range variants {
		v := &variants[i]
		in := leadroute.Topic("hop-" + v.name)
		to := in
		br.ensure(b, stream.TopicSpec{Name: ns.Topic(in), Partitions: 8}, stream.TopicSpec{Name: ns.Topic(in + ".out"), Partitions: 8})
		if v.run != nil {
			to = in + ".out"
			defer v.run(b, cfg, in)()
		}
		v.load = newLoad(b, br, in, to)
		defer v.load.stop()
		v.load.closed(300 * time.Millisecond) // warm
	}
	for range 7 {
		for i := range variants {
			v := &variants[i]
			v.took = append(v.took, v.load.paced(100, 600*time.Millisecond)...)
		}
		for i := range variants {
			v := &variants[i]
			before := cpuTime(b)
			n, in := v.load.closed(600 * time.Millisecond)
			spent := cpuTime(b) - before
			v.cpu, v.n, v.in = v.cpu+spent, v.n+n, v.in+in
			v.each = append(v.each, float64(spent.Nanoseconds())/1000/float64(n))
		}
	}
	cpu := func(i int) float64 { return float64(variants[i].cpu.Nanoseconds()) / 1000 / float64(variants[i].n) }
	at := func(i, percent int) float64 {
		took := variants[i].took
		return float64(took[len(took)*percent/100].Microseconds())
	}
	// ratio is the median over the rounds of what f makes of the variants' CPU in one of them.
	ratio := func(f func(cpu func(variant int) float64) float64) float64 {
		all := make([]float64, len(variants[none].each))
		for round := range all {
			all[round] = f(func(variant int) float64 { return variants[variant].each[round] })
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	for i, v := range variants {
		slices.Sort(v.took)
		b.ReportMetric(at(i, 50), v.name+"-p50-us")
		b.ReportMetric(at(i, 99), v.name+"-p99-us")
		b.ReportMetric(cpu(i), v.name+"-cpu-us/msg")
		b.ReportMetric(float64(v.n)/v.in.Seconds(), v.name+"-msg/s")
	}
	for _, i := range []int{stateless, table} {
		name := variants[i].name
		b.ReportMetric(at(i, 50)/at(bare, 50), name+"/bare-p50")
		b.ReportMetric(ratio(func(cpu func(int) float64) float64 { return cpu(i) / cpu(bare) }), name+"/bare-cpu")
		b.ReportMetric(ratio(func(cpu func(int) float64) float64 { return cpu(i) / cpu(worker) }), name+"/worker-cpu")
		b.ReportMetric(ratio(func(cpu func(int) float64) float64 { return (cpu(i) - cpu(none)) / (cpu(bare) - cpu(none)) }), name+"/bare-cpu-of-hop")
	}
	b.ReportMetric(0, "ns/op")
}

// bareHop is the least a hop can be: poll, decode, encode, produce, commit every 200 ms.
func bareHop(b *testing.B, cfg stream.Config, in leadroute.Topic) func() {
	b.Helper()
	cl, err := kgo.NewClient(append(cfg.Options(), kgo.ConsumerGroup("bare"), kgo.ConsumeTopics(ns.Topic(in)),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AutoCommitInterval(200*time.Millisecond))...)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				m, err := leadroute.Decode[hopMessage](r.Value)
				if err != nil {
					panic(err)
				}
				v, err := leadroute.Encode(m)
				if err != nil {
					panic(err)
				}
				cl.Produce(context.Background(), &kgo.Record{Topic: ns.Topic(in + ".out"), Key: r.Key, Value: v}, nil)
			})
		}
	}()
	return func() {
		cancel()
		<-ended
		cl.Close()
	}
}

func workerHop(b *testing.B, cfg stream.Config, in leadroute.Topic) func() {
	b.Helper()
	var g *stream.WorkerGroup
	g, err := stream.NewWorker(cfg, stream.Worker{
		Group: "worker", Topics: []leadroute.Topic{in},
		Handle: func(_ context.Context, r *kgo.Record, done func()) {
			m, err := leadroute.Decode[hopMessage](r.Value)
			if err != nil {
				panic(err)
			}
			v, err := leadroute.Encode(m)
			if err != nil {
				panic(err)
			}
			g.Client().Produce(context.Background(), &kgo.Record{Topic: ns.Topic(in + ".out"), Key: r.Key, Value: v}, func(_ *kgo.Record, err error) {
				if err == nil {
					done()
				}
			})
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return running(b, g.Run)
}

func stageHop(write bool) func(b *testing.B, cfg stream.Config, in leadroute.Topic) func() {
	return func(b *testing.B, cfg stream.Config, in leadroute.Topic) func() {
		b.Helper()
		p, err := stream.New(cfg, stream.Stage[hopRow, hopMessage]{
			Name: in,
			Apply: func(_ stream.Ctx, key string, s *hopRow, m *hopMessage, _ leadroute.Millis) (*hopRow, []leadroute.Effect) {
				if write {
					if s == nil {
						s = &hopRow{Pad: rowPad}
					}
					s.N++
				}
				return s, []leadroute.Effect{{Topic: in + ".out", Key: key, Value: m}}
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		stop := running(b, p.Run)
		await(b, "readiness", p.Ready())
		return stop
	}
}

// load sends messages to one topic and waits for them on another.
type load struct {
	b    *testing.B
	in   *kgo.Client
	to   string
	from *kgo.Client
	body []byte

	cancel context.CancelFunc
	ended  chan struct{}
	mu     sync.Mutex
	took   []time.Duration
	slots  chan struct{}
}

func newLoad(b *testing.B, br *broker, in, to leadroute.Topic) *load {
	b.Helper()
	body, err := leadroute.Encode(&hopMessage{ID: "1234567890123456789", Fields: hopFields, Pad: hopPad})
	if err != nil {
		b.Fatal(err)
	}
	l := &load{b: b, in: br.client(b), to: ns.Topic(in), body: body, ended: make(chan struct{}), slots: make(chan struct{}, 4000)}
	l.from = br.client(b, kgo.ConsumeTopics(ns.Topic(to)), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go func() {
		defer close(l.ended)
		for ctx.Err() == nil {
			fetches := l.from.PollFetches(ctx)
			now := time.Now()
			l.mu.Lock()
			fetches.EachRecord(func(r *kgo.Record) {
				sent, err := strconv.ParseInt(string(r.Value[len(idStart):len(idStart)+19]), 10, 64)
				if err != nil {
					panic(err)
				}
				l.took = append(l.took, time.Duration(now.UnixNano()-sent))
				<-l.slots
			})
			l.mu.Unlock()
		}
	}()
	return l
}

func (l *load) stop() {
	l.cancel()
	<-l.ended
}

// idStart begins every message; the 19 digits of the time it was sent follow.
const idStart = `{"id":"`

// one sends a message for one of 1,000 keys, once there is a slot.
func (l *load) one(i int) {
	l.slots <- struct{}{}
	body := slices.Clone(l.body)
	strconv.AppendInt(body[:len(idStart)], time.Now().UnixNano(), 10)
	l.in.Produce(context.Background(), &kgo.Record{Topic: l.to, Key: strconv.AppendInt(nil, int64(i%1000), 10), Value: body}, nil)
}

// drain waits until everything sent has arrived and returns how long each took.
func (l *load) drain() []time.Duration {
	l.b.Helper()
	eventually(l.b, "all messages through the hop", func() bool { return len(l.slots) == 0 })
	l.mu.Lock()
	defer l.mu.Unlock()
	took := l.took
	l.took = nil
	return took
}

// paced sends at a steady rate.
func (l *load) paced(perSecond int, d time.Duration) []time.Duration {
	l.b.Helper()
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for i := range int(d.Seconds() * float64(perSecond)) {
		<-tick.C
		l.one(i)
	}
	return l.drain()
}

// closed sends as fast as messages come out, 4,000 in flight.
func (l *load) closed(d time.Duration) (n int, took time.Duration) {
	l.b.Helper()
	start := time.Now()
	for ; time.Since(start) < d; n++ {
		l.one(n)
	}
	l.drain()
	return n, time.Since(start)
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRecovery measures how fast 200,000 rows of 200 B are read back: by a view, and
// by a stage from its start to its readiness.
func BenchmarkRecovery(b *testing.B) {
	const rows = 200_000
	br := startBroker(b, kfake.DataDir(b.TempDir()))
	cfg := br.config(b)
	cfg.Partitions = 8
	br.ensure(b, stream.TopicSpec{Name: ns.Table(tallies), Partitions: 8, Compact: true})
	cl := br.client(b)
	pad := strings.Repeat("x", 170)
	for i := range rows {
		cl.Produce(context.Background(), &kgo.Record{Topic: ns.Table(tallies), Key: strconv.AppendInt(nil, int64(i), 10), Value: []byte(`{"n":1,"pad":"` + pad + `"}`)}, nil)
	}
	if err := cl.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		start := time.Now()
		v, err := stream.NewView[tally](cfg, tallies, nil)
		if err != nil {
			b.Fatal(err)
		}
		stop := running(b, v.Run)
		await(b, "recovery of the view", v.Recovered())
		b.ReportMetric(rows/time.Since(start).Seconds(), "view-rows/s")
		stop()
		start = time.Now()
		p, err := stream.New(cfg, tallyStage())
		if err != nil {
			b.Fatal(err)
		}
		stop = running(b, p.Run)
		await(b, "readiness", p.Ready())
		b.ReportMetric(rows/time.Since(start).Seconds(), "stage-rows/s")
		stop()
	}
}
