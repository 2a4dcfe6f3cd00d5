package stream_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute/processors/stream"
)

// A broker that restarts on its port with its data: the stage and a view go
// on, and nothing is lost.
func TestBrokerRestartIsSurvived(t *testing.T) {
	r := newRig(t, kfake.DataDir(t.TempDir()))
	source, _ := r.start(tallyStage())
	viewed := make(chan int, 64)
	v, err := stream.NewView(r.cfg, tallies, func(key string, s *tally) {
		if key == "a" {
			viewed <- s.N
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	running(t, v.Run)
	await(t, "recovery of the view", v.Recovered())

	r.send("a", `{}`)
	r.nextTold()
	if n := await(t, "the row in the view", viewed); n != 1 {
		t.Errorf("view has %d, want 1", n)
	}
	for round := range 2 {
		r.b.stop()
		if row := v.Get("a"); row == nil || row.N != round+1 {
			t.Errorf("view has %v with the broker gone, want %d", row, round+1)
		}
		r.b.start()
		r.send("a", `{}`)
		want := round + 2
		for got := 0; got < want; { // replays tell of it again
			got = r.nextTold().N
			if got > want {
				t.Fatalf("tally %d after restart %d, want %d", got, round+1, want)
			}
		}
		for n := 0; n != want; {
			n = await(t, "the row in the view after the restart", viewed)
		}
		eventually(t, "the stage consuming", func() bool { return source.Recovered() })
	}
}

func TestViewFollowsUpdatesAndDeletions(t *testing.T) {
	noLeaks(t)
	r := newRig(t)
	r.start(tallyStage())
	for i := range 10 {
		r.send(name("k%d", i), `{}`)
		r.nextTold()
	}
	var mu sync.Mutex
	rows := map[string]int{}
	v, err := stream.NewView(r.cfg, tallies, func(key string, s *tally) {
		mu.Lock()
		defer mu.Unlock()
		if s == nil {
			delete(rows, key)
		} else {
			rows[key] = s.N
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, v.Run)
	await(t, "recovery", v.Recovered())
	mu.Lock()
	if len(rows) != 10 {
		t.Errorf("%d rows told at recovery, want 10", len(rows))
	}
	mu.Unlock()
	r.send("k0", `{}`)
	r.send("k1", `{"delete":true}`)
	eventually(t, "an update and a deletion", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return rows["k0"] == 2 && len(rows) == 9
	})
	seen := 0
	v.Rows(func(key string, s *tally) bool {
		if seen++; v.Get(key) == nil || v.Get(key).N != s.N {
			t.Errorf("Get(%s) = %v, want %v", key, v.Get(key), s)
		}
		return true
	})
	if seen != 9 || v.Get("k1") != nil {
		t.Errorf("Rows saw %d rows, Get(k1) = %v, want 9 and none", seen, v.Get("k1"))
	}
	stop()
}

// A stalled owner's write that reaches the log after its successor took over is skipped by
// everybody, and the row that it would hide from compaction is written again.
func TestZombieWriteLoses(t *testing.T) {
	r := newRig(t)
	_, stop := r.start(tallyStage())
	r.send("a", `{}`)
	r.nextTold()
	zombie := r.lastTableRecord("a") // what the first owner would write, epoch and all
	stop()
	p, stop := r.start(tallyStage())
	r.send("a", `{}`)
	if got := r.nextTold(); got.N != 2 {
		t.Fatalf("tally = %d, want 2", got.N)
	}
	late := func() {
		t.Helper()
		send(t, r.cl, &kgo.Record{Topic: ns.Table(tallies), Key: zombie.Key, Value: []byte(`{"n":100}`), Headers: zombie.Headers},
			&kgo.Record{Topic: ns.Table(tallies), Key: zombie.Key, Value: []byte(`{"n":100}`)}) // without an epoch: not ours at all
	}
	late()
	if s, _, _ := p.Get("a"); s.N != 2 {
		t.Errorf("Get(a) = %v, want the owner's own 2", s)
	}

	// The owner finds the hole at its next write, and starts again from a repaired table.
	r.send("a", `{}`)
	for got := 0; got != 3; {
		if got = r.nextTold().N; got > 3 {
			t.Fatalf("tally = %d, want 3: a zombie's row won", got)
		}
	}
	eventually(t, "a restart over the foreign write", func() bool {
		return metric(t, r.reg, "leadroute_stage_restarts_total") > 0 && p.Recovered()
	})
	if n := metric(t, r.reg, "leadroute_stage_fenced_records_total"); n < 2 {
		t.Errorf("fenced_records_total = %v, want at least 2", n)
	}

	// The same with nobody there to notice: the next owner recovers past it.
	stop()
	late()
	v, err := stream.NewView[tally](r.cfg, tallies, nil)
	if err != nil {
		t.Fatal(err)
	}
	running(t, v.Run)
	await(t, "recovery of the view", v.Recovered())
	if s := v.Get("a"); s == nil || s.N != 3 {
		t.Errorf("view has %v, want 3", s)
	}
	p, stop = r.start(tallyStage())
	if s, ok, err := p.Get("a"); err != nil || !ok || s.N != 3 {
		t.Errorf("Get(a) after recovery = %v, %v, %v, want 3", s, ok, err)
	}
	// What compaction would keep is the true row again.
	if last := r.lastTableRecord("a"); string(last.Value) == `{"n":100}` {
		t.Error("the table's last record of a is still the zombie's: compaction would lose the row")
	}
	stop()
}

// lastTableRecord reads the table and returns the last record of key.
func (r *rig) lastTableRecord(key string) (last *kgo.Record) {
	r.t.Helper()
	p := stream.PartitionOf(key, 4)
	end := r.b.cluster.PartitionInfo(ns.Table(tallies), p).HighWatermark
	cl := r.b.client(r.t, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{ns.Table(tallies): {p: kgo.NewOffset().AtStart()}}))
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for at := int64(0); at < end; {
		cl.PollFetches(ctx).EachRecord(func(rec *kgo.Record) {
			if at = rec.Offset + 1; string(rec.Key) == key {
				last = rec
			}
		})
		if ctx.Err() != nil {
			r.t.Fatal("the table cannot be read")
		}
	}
	return last
}

// Broker faults that stop a stage: the supervisor builds it anew until they are gone.
func TestSupervisorRebuilds(t *testing.T) {
	for _, c := range []struct {
		what  string
		fault kfake.Fault
	}{
		{"table writes refused", kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: ns.Table(tallies), Err: kerr.NotEnoughReplicas, Count: -1}},
		{"effects refused for good", kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: ns.Topic(out), Err: kerr.TopicAuthorizationFailed, Count: -1}},
		{"the group forgets the member", kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID, TopLevel: true, Count: 1}},
		{"another process with our instance id", kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.FencedInstanceID, TopLevel: true, Count: 2}},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRig(t)
			p, _ := r.start(tallyStage())
			r.send("a", `{}`)
			r.nextTold()
			f := r.b.cluster.Fault(c.fault)
			r.send("a", `{}`)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := f.Wait(ctx, 1); err != nil {
				t.Fatal(err)
			}
			if c.fault.Count == -1 {
				eventually(t, "a restart", func() bool { return metric(t, r.reg, "leadroute_stage_restarts_total") > 0 })
				f.Remove()
			}
			// At least once: this stage does not know a message again, and may count it twice.
			for r.nextTold().N < 2 {
			}
			eventually(t, "the stage consuming again", p.Recovered)
			r.send("a", `{"text":"last"}`)
			for r.nextTold().Text != "last" {
			}
		})
	}
}

// What is buffered when the session is lost is not sent later, over the new owner's head:
// it fails at once, here long before its delivery timeout of 40 s.
func TestLostSessionAbortsWhatIsBuffered(t *testing.T) {
	r := newRig(t)
	r.cfg.SessionTimeout = time.Minute
	p, _ := r.start(tallyStage())
	f := r.b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: ns.Topic(out), Err: kerr.NotEnoughReplicas, Count: -1})
	r.send("a", `{}`)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := f.Wait(ctx, 1); err != nil {
		t.Fatal(err)
	}
	r.b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID, TopLevel: true})
	eventually(t, "a restart", func() bool { return metric(t, r.reg, "leadroute_stage_restarts_total") > 0 })
	f.Remove()
	r.nextTold()
	eventually(t, "the stage consuming again", p.Recovered)
}

func TestProcessorRefusesTopicThatDoesNotFit(t *testing.T) {
	b := startBroker(t)
	b.ensure(t, stream.TopicSpec{Name: ns.Topic(tallies), Partitions: 2})
	p, err := stream.New(b.config(t), tallyStage())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); !errors.Is(err, stream.ErrTopic) {
		t.Errorf("Run on an inbox of another partition count = %v, want %v", err, stream.ErrTopic)
	}
}

func TestProcessorStops(t *testing.T) {
	for _, c := range []struct {
		what  string
		limit time.Duration
		spoil func(r *rig)
	}{
		{"cleanly", time.Second, func(*rig) {}},
		{"with the broker gone", 3 * time.Second, func(r *rig) { r.b.stop() }},
		{"with outputs refused", 3 * time.Second, func(r *rig) {
			f := r.b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: ns.Topic(out), Err: kerr.NotEnoughReplicas, Count: -1})
			r.send("b", `{}`)
			ctx, cancel := context.WithTimeout(r.t.Context(), patience)
			defer cancel()
			if err := f.Wait(ctx, 1); err != nil {
				r.t.Fatal(err)
			}
		}},
		{"with a broker that does not answer", 3 * time.Second, func(r *rig) {
			hang := make(chan struct{})
			r.t.Cleanup(func() { close(hang) })
			r.b.cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
				r.b.cluster.KeepControl()
				r.b.cluster.SleepControl(func() { <-hang })
				return nil, nil, false
			})
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			noLeaks(t)
			r := newRig(t)
			_, stop := r.start(tallyStage())
			r.send("a", `{}`)
			r.nextTold()
			c.spoil(r)
			start := time.Now()
			stop()
			took := time.Since(start)
			t.Logf("stopped after %v", took)
			if took > c.limit {
				t.Errorf("stop took %v, want at most %v", took, c.limit)
			}
		})
	}
}

// A stage that has never seen its broker stops as well.
func TestProcessorStopsBeforeItStarted(t *testing.T) {
	noLeaks(t)
	cfg := stream.Config{Brokers: []string{"127.0.0.1:1"}, Partitions: 4, Log: (&broker{}).config(t).Log}
	p, err := stream.New(cfg, tallyStage())
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, p.Run)
	start := time.Now()
	stop()
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("stop took %v, want at most 3s", took)
	}
}
