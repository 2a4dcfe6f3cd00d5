package stream_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

const jobs leadroute.Topic = "jobs"

func startWorker(t *testing.T, cfg stream.Config, w stream.Worker) (stop func()) {
	t.Helper()
	g, err := stream.NewWorker(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	return running(t, g.Run)
}

func TestWorkerHandsOutInOrderAndCommitsInOrder(t *testing.T) {
	noLeaks(t)
	b := startBroker(t)
	b.ensure(t, stream.TopicSpec{Name: ns.Topic(jobs), Partitions: 1})
	cl := b.client(t)
	const n = 500
	for i := range n {
		send(t, cl, record(jobs, name("k%d", i), name("%d", i)))
	}

	var mu sync.Mutex
	var got []int64
	var dones []func()
	handed := make(chan struct{})
	stop := startWorker(t, b.config(t), stream.Worker{
		Group: "g", Topics: []leadroute.Topic{jobs}, Buffer: 16, CommitEvery: 5 * time.Millisecond,
		Handle: func(_ context.Context, r *kgo.Record, done func()) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, r.Offset)
			dones = append(dones, done)
			if len(got) == n {
				close(handed)
			}
		},
	})
	await(t, "all records", handed)
	mu.Lock()
	for i, o := range got {
		if o != int64(i) {
			t.Fatalf("record %d has offset %d, want %d", i, o, i)
		}
	}
	mu.Unlock()
	for i := n - 1; i > 0; i-- { // all but the first, backwards
		dones[i]()
	}
	stop() // commits what it may: nothing
	if at := b.committed(t, "g", jobs, 0); at != -1 {
		t.Errorf("committed = %d with record 0 unfinished, want none", at)
	}

	// Everything is delivered again; finished in reverse, all of it is committed in the end.
	mu.Lock()
	got, dones, handed = nil, nil, make(chan struct{})
	mu.Unlock()
	stop = startWorker(t, b.config(t), stream.Worker{
		Group: "g", Topics: []leadroute.Topic{jobs}, CommitEvery: 5 * time.Millisecond,
		Handle: func(_ context.Context, _ *kgo.Record, done func()) {
			mu.Lock()
			defer mu.Unlock()
			dones = append(dones, done)
			if len(dones) == n {
				close(handed)
			}
		},
	})
	await(t, "all records again", handed)
	for i := n - 1; i >= 0; i-- {
		dones[i]()
	}
	eventually(t, "everything committed while it runs", func() bool { return b.committed(t, "g", jobs, 0) == n })
	stop()
}

func TestWorkerBlockedPartitionHoldsUpNoOther(t *testing.T) {
	b := startBroker(t)
	const slow, fast = leadroute.Topic("slow"), leadroute.Topic("fast")
	b.ensure(t, stream.TopicSpec{Name: ns.Topic(slow), Partitions: 1}, stream.TopicSpec{Name: ns.Topic(fast), Partitions: 1})
	cl := b.client(t)
	const nSlow, nFast = 8000, 200
	pad := strings.Repeat("x", 1000)
	rs := make([]*kgo.Record, 0, nSlow+nFast)
	for i := range nSlow {
		rs = append(rs, record(slow, "k", name("%d %s", i, pad)))
	}
	for i := range nFast {
		rs = append(rs, record(fast, "k", name("%d", i)))
	}
	send(t, cl, rs...)
	fastDone := make(chan struct{})
	release := make(chan struct{})
	slowDone := make(chan struct{})
	gotFast, gotSlow := 0, 0
	g, err := stream.NewWorker(b.config(t), stream.Worker{
		Group: "g", Topics: []leadroute.Topic{slow, fast}, Buffer: 4,
		Handle: func(ctx context.Context, r *kgo.Record, done func()) {
			if r.Topic == ns.Topic(slow) {
				select {
				case <-release:
				case <-ctx.Done():
					return
				}
				if gotSlow++; gotSlow == nSlow {
					close(slowDone)
				}
			} else if gotFast++; gotFast == nFast {
				close(fastDone)
			}
			done()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	running(t, g.Run)
	await(t, "all of the fast topic while the slow one blocks", fastDone)
	// A fetch brings 1 MB of a partition; what is beyond the buffer is paused.
	if n := g.Backlog(); n > nSlow/2 {
		t.Errorf("Backlog = %d of %d with a buffer of 4, want a fetch or two", n, nSlow)
	}
	close(release)
	await(t, "all of the slow topic after its pause", slowDone)
}

// What one member has done is not done again by the next when partitions move, and what
// it has not done is.
func TestWorkerCommitsOnRevoke(t *testing.T) {
	b := startBroker(t)
	b.ensure(t, stream.TopicSpec{Name: ns.Topic(jobs), Partitions: 4})
	cl := b.client(t)
	const n = 400
	for i := range n {
		send(t, cl, record(jobs, name("k%d", i), name("%d", i)))
	}
	var mu sync.Mutex
	seen := map[string]int{}
	all := make(chan struct{})
	handle := func(_ context.Context, r *kgo.Record, done func()) {
		mu.Lock()
		defer mu.Unlock()
		if seen[string(r.Value)]++; len(seen) == n && seen[string(r.Value)] == 1 {
			close(all)
		}
		done()
	}
	w := stream.Worker{
		Group: "g", Topics: []leadroute.Topic{jobs}, Handle: handle, Copartition: true,
		CommitEvery: time.Hour, // so that only the revocation commits
	}
	revoked := make(chan int32, 16)
	w.Revoked = func(topic leadroute.Topic, p int32) {
		if topic != jobs {
			t.Errorf("Revoked(%q), want %q", topic, jobs)
		}
		revoked <- p
	}
	startWorker(t, b.config(t), w)
	await(t, "all records", all)
	assigned := make(chan int32, 16)
	second := w
	second.Revoked = nil
	second.Assigned = func(_ leadroute.Topic, p int32) { assigned <- p }
	startWorker(t, b.config(t), second)
	await(t, "a revocation", revoked)
	await(t, "an assignment to the second member", assigned)
	send(t, cl, record(jobs, "last", "last"))
	eventually(t, "the record sent after the rebalance", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return seen["last"] > 0
	})
	mu.Lock()
	defer mu.Unlock()
	for v, times := range seen {
		if times != 1 {
			t.Errorf("record %s was handled %d times, want once", v, times)
		}
	}
}

func TestWorkerStaticMemberRestartsWithoutRebalance(t *testing.T) {
	b := startBroker(t)
	b.ensure(t, stream.TopicSpec{Name: ns.Topic(jobs), Partitions: 4})
	cfg := b.config(t)
	cfg.InstanceID = "a"
	cl := b.client(t)
	got := make(chan string, 64)
	w := stream.Worker{Group: "g", Topics: []leadroute.Topic{jobs}, Handle: func(_ context.Context, r *kgo.Record, done func()) {
		got <- string(r.Value)
		done()
	}}
	stop := startWorker(t, cfg, w)
	send(t, cl, record(jobs, "k", "1"))
	if v := await(t, "first record", got); v != "1" {
		t.Fatalf("got %s, want 1", v)
	}
	before := b.cluster.GroupInfo(ns.Group("g")).Epoch
	stop()
	startWorker(t, cfg, w)
	send(t, cl, record(jobs, "k", "2"))
	if v := await(t, "record after the restart", got); v != "2" {
		t.Fatalf("got %s, want 2: what was done before the restart was done again", v)
	}
	if after := b.cluster.GroupInfo(ns.Group("g")).Epoch; after != before {
		t.Errorf("generation %d after the restart, want %d: the restart rebalanced", after, before)
	}
}

func TestWorkerStopsWithoutBroker(t *testing.T) {
	b := startBroker(t)
	b.ensure(t, stream.TopicSpec{Name: ns.Topic(jobs), Partitions: 1})
	cl := b.client(t)
	got := make(chan struct{}, 8)
	stop := startWorker(t, b.config(t), stream.Worker{
		Group: "g", Topics: []leadroute.Topic{jobs}, CommitEvery: time.Hour,
		Handle: func(_ context.Context, _ *kgo.Record, done func()) { done(); got <- struct{}{} },
	})
	send(t, cl, record(jobs, "k", "1"))
	await(t, "record", got)
	b.stop()
	start := time.Now()
	stop()
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("stop took %v with the broker gone, want < 3s", d)
	}
}
