package stream_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// rig is a tally stage on a broker, and a reader of what it sends.
type rig struct {
	t    *testing.T
	b    *broker
	cfg  stream.Config
	reg  *prometheus.Registry
	cl   *kgo.Client
	out  *kgo.Client
	seen []*kgo.Record
}

func newRig(t *testing.T, opts ...kfake.Opt) *rig {
	t.Helper()
	b := startBroker(t, opts...)
	b.ensure(t, stream.TopicSpec{Name: ns.Topic(out), Partitions: 4})
	r := &rig{t: t, b: b, cfg: b.config(t), reg: prometheus.NewRegistry(), cl: b.client(t)}
	r.cfg.Metrics = r.reg
	r.cfg.SessionTimeout = 3 * time.Second
	r.out = b.client(t, kgo.ConsumeTopics(ns.Topic(out), ns.Topic(leadroute.TopicDeadLetters)),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMaxAge(300*time.Millisecond))
	return r
}

func (r *rig) start(st stream.Stage[tally, note]) (p *stream.Processor[tally], stop func()) {
	r.t.Helper()
	return r.startAs(r.cfg, st)
}

func (r *rig) startAs(cfg stream.Config, st stream.Stage[tally, note]) (p *stream.Processor[tally], stop func()) {
	r.t.Helper()
	p, err := stream.New(cfg, st)
	if err != nil {
		r.t.Fatal(err)
	}
	stop = running(r.t, p.Run)
	await(r.t, "readiness", p.Ready())
	return p, stop
}

func (r *rig) send(key, value string) {
	r.t.Helper()
	send(r.t, r.cl, record(tallies, key, value))
}

// next waits for one more record that the stage sent.
func (r *rig) next() *kgo.Record {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for len(r.seen) == 0 {
		r.out.PollFetches(ctx).EachRecord(func(rec *kgo.Record) { r.seen = append(r.seen, rec) })
		if ctx.Err() != nil {
			r.t.Fatal("the stage sent nothing more")
		}
	}
	rec := r.seen[0]
	r.seen = r.seen[1:]
	return rec
}

func (r *rig) nextTold() told {
	r.t.Helper()
	v, err := leadroute.Decode[told](r.next().Value)
	if err != nil {
		r.t.Fatal(err)
	}
	return *v
}

func TestProcessorKeepsRowsOverRestart(t *testing.T) {
	noLeaks(t)
	r := newRig(t)
	p, stop := r.start(tallyStage())
	for i := range 3 {
		r.send("a", name(`{"text":"%d"}`, i))
		if got, want := r.nextTold(), (told{name("%d", i), i + 1}); got != want {
			t.Errorf("sent %v, want %v", got, want)
		}
	}
	r.send("b", `{}`)
	r.nextTold()
	r.send("b", `{"delete":true}`)
	for range 2 {
		if rec := r.next(); rec.Value != nil || string(rec.Key) != "b" {
			t.Errorf("sent %q for %s, want a tombstone for b", rec.Value, rec.Key)
		}
	}
	s, ok, err := p.Get("a")
	if err != nil || !ok || s.N != 3 {
		t.Errorf("Get(a) = %v, %v, %v, want a tally of 3", s, ok, err)
	}
	if s, ok, err := p.Get("b"); ok || err != nil {
		t.Errorf("Get(b) = %v, %v, %v, want none", s, ok, err)
	}
	stop()
	if _, _, err := p.Get("a"); err == nil {
		t.Error("Get of a stopped processor = nil error, want ErrNotLocal")
	}

	var mu sync.Mutex
	updates := map[string]int{}
	st := tallyStage()
	st.OnUpdate = func(key string, s *tally) {
		mu.Lock()
		defer mu.Unlock()
		if s == nil {
			delete(updates, key)
		} else {
			updates[key] = s.N
		}
	}
	p, stop = r.start(st)
	rows := map[string]int{}
	p.Rows(func(key string, s *tally) bool { rows[key] = s.N; return true })
	if len(rows) != 1 || rows["a"] != 3 {
		t.Errorf("Rows after the restart = %v, want a:3 alone", rows)
	}
	r.send("a", `{}`)
	if got := r.nextTold(); got.N != 4 {
		t.Errorf("tally after the restart = %d, want 4: a row was lost or a message repeated", got.N)
	}
	mu.Lock()
	if updates["a"] != 4 || len(updates) != 1 {
		t.Errorf("OnUpdate left %v, want a:4 alone", updates)
	}
	mu.Unlock()
	stop()
	if len(updates) != 0 {
		t.Errorf("OnUpdate left %v after the stop, want none: the rows are no longer owned", updates)
	}
}

func TestProcessorWritesNoUnchangedRow(t *testing.T) {
	r := newRig(t)
	r.start(tallyStage())
	r.send("a", `{}`)
	r.nextTold()
	p := stream.PartitionOf("a", 4)
	before := r.b.cluster.PartitionInfo(ns.Table(tallies), p).HighWatermark
	r.send("a", `{"same":true}`)
	r.send("a", `{"text":"then"}`)
	r.nextTold()
	eventually(t, "the row's second write", func() bool {
		return r.b.cluster.PartitionInfo(ns.Table(tallies), p).HighWatermark > before
	})
	if after := r.b.cluster.PartitionInfo(ns.Table(tallies), p).HighWatermark; after != before+1 {
		t.Errorf("the table grew by %d records, want 1: an unchanged row was written", after-before)
	}
}

// Goka stops at a message that panics or cannot be decoded, at every restart again.
func TestProcessorGoesOnAfterPoison(t *testing.T) {
	r := newRig(t)
	r.start(tallyStage())
	r.send("a", `{"text":"before"}`)
	r.send("a", `not json`)
	r.send("a", `{"panic":true}`)
	r.send("a", `{"text":"after"}`)
	letters := 0
	for {
		rec := r.next()
		if rec.Topic == ns.Topic(leadroute.TopicDeadLetters) {
			letters++
			continue
		}
		if v, err := leadroute.Decode[told](rec.Value); err != nil {
			t.Fatal(err)
		} else if v.Text == "after" {
			if v.N != 2 {
				t.Errorf("tally after poison = %d, want 2", v.N)
			}
			break
		}
	}
	for letters < 2 {
		if rec := r.next(); rec.Topic == ns.Topic(leadroute.TopicDeadLetters) {
			letters++
		}
	}
	if n := metric(t, r.reg, "leadroute_stage_restarts_total"); n != 0 {
		t.Errorf("the stage restarted %v times over poison, want never", n)
	}
	if n := metric(t, r.reg, "leadroute_stage_dead_letters_total"); n != 2 {
		t.Errorf("dead_letters_total = %v, want 2", n)
	}
}

// The time of a row's last message survives a restart: a replay is never earlier.
func TestProcessorTimeNeverGoesBack(t *testing.T) {
	r := newRig(t)
	at := func(ms int64) {
		t.Helper()
		rec := record(tallies, "a", `{}`)
		rec.Timestamp = time.UnixMilli(ms)
		send(t, r.cl, rec)
	}
	p, stop := r.start(tallyStage())
	want := func(ms leadroute.Millis) {
		t.Helper()
		r.nextTold()
		if s, _, err := p.Get("a"); err != nil || s.At != ms {
			t.Errorf("at = %v (%v), want %d", s, err, ms)
		}
	}
	at(5_000)
	want(5_000)
	at(3_000)
	want(5_000)
	stop()
	p, _ = r.start(tallyStage())
	at(4_000)
	want(5_000)
	at(6_000)
	want(6_000)
}

// A rebalance must not stop the stage for the 8 s that it takes Goka.
func TestProcessorTakesOverAndSharesAtOnce(t *testing.T) {
	r := newRig(t)
	first, stopFirst := r.start(tallyStage())
	keys := make([]string, 32)
	for i := range keys {
		keys[i] = name("k%d", i)
		r.send(keys[i], `{}`)
		r.nextTold()
	}
	start := time.Now()
	second, stopSecond := r.start(tallyStage())
	local := func(p *stream.Processor[tally]) (n int) {
		for _, k := range keys {
			if s, ok, err := p.Get(k); err == nil {
				if !ok || s.N == 0 {
					t.Errorf("Get(%s) on its owner = %v, %v, want a row", k, s, ok)
				}
				n++
			}
		}
		return n
	}
	eventually(t, "two members that share all keys", func() bool {
		a, b := local(first), local(second)
		return a > 0 && b > 0 && a+b == len(keys)
	})
	joined := time.Since(start)
	stopFirst()
	start = time.Now()
	eventually(t, "the second member owning all keys", func() bool { return local(second) == len(keys) })
	left := time.Since(start)
	t.Logf("joined after %v, took over after %v", joined, left)
	if joined > 4*time.Second || left > 4*time.Second {
		t.Errorf("joined after %v, took over after %v, want well below Goka's 8 s", joined, left)
	}
	r.send(keys[0], `{}`)
	if got := r.nextTold(); got.N != 2 {
		t.Errorf("tally after two rebalances = %d, want 2", got.N)
	}
	stopSecond()
}

func TestProcessorStaticMemberRestartsWithoutRebalance(t *testing.T) {
	r := newRig(t)
	one, two := r.cfg, r.cfg
	one.InstanceID, two.InstanceID = "one", "two"
	_, stop := r.startAs(one, tallyStage())
	other, _ := r.startAs(two, tallyStage())
	eventually(t, "both members in the group", func() bool {
		g := r.b.cluster.GroupInfo(ns.Group(string(tallies)))
		return g.State == "Stable" && len(g.Members) == 2 && other.Recovered()
	})
	before := r.b.cluster.GroupInfo(ns.Group(string(tallies))).Epoch
	stop()
	r.startAs(one, tallyStage())
	if after := r.b.cluster.GroupInfo(ns.Group(string(tallies))).Epoch; after != before {
		t.Errorf("generation %d after the restart of a static member, want %d", after, before)
	}
	for i := range 16 {
		r.send(name("k%d", i), `{}`)
	}
	for range 16 {
		r.nextTold()
	}
}

func TestProcessorSweepsItsRows(t *testing.T) {
	r := newRig(t)
	st := tallyStage()
	st.SweepEvery = 20 * time.Millisecond
	st.Sweep = func(key string, s *tally, now leadroute.Millis) []leadroute.Effect {
		if key == "bad" {
			panic("a sweep must not stop the stage")
		}
		return []leadroute.Effect{{Topic: out, Key: key, Value: &told{"swept", s.N}}}
	}
	r.start(st)
	r.send("bad", `{}`)
	r.send("a", `{}`)
	r.send("b", `{}`)
	swept := map[string]int{}
	for swept["a"] < 3 || swept["b"] < 3 {
		rec := r.next()
		v, err := leadroute.Decode[told](rec.Value)
		if err != nil {
			t.Fatal(err)
		}
		if v.Text == "swept" {
			swept[string(rec.Key)]++
			if v.N != 1 {
				t.Errorf("sweep of %s saw %d, want 1", rec.Key, v.N)
			}
		}
	}
}

func TestNewRefusesBadConfigs(t *testing.T) {
	good := stream.Config{Brokers: []string{"127.0.0.1:1"}, Partitions: 4}
	for _, c := range []struct {
		what  string
		cfg   func(*stream.Config)
		stage func(*stream.Stage[tally, note])
	}{
		{what: "no brokers", cfg: func(c *stream.Config) { c.Brokers = nil }},
		{what: "six partitions", cfg: func(c *stream.Config) { c.Partitions = 6 }},
		{what: "session too short", cfg: func(c *stream.Config) { c.SessionTimeout = time.Second }},
		{what: "no name", stage: func(s *stream.Stage[tally, note]) { s.Name = "" }},
		{what: "no Apply", stage: func(s *stream.Stage[tally, note]) { s.Apply = nil }},
	} {
		cfg, st := good, tallyStage()
		if c.cfg != nil {
			c.cfg(&cfg)
		}
		if c.stage != nil {
			c.stage(&st)
		}
		if _, err := stream.New(cfg, st); err == nil {
			t.Errorf("New with %s = nil error, want one", c.what)
		}
	}
}
