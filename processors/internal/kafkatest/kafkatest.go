// Package kafkatest gives the workers' tests an embedded broker and patience: every wait
// is for an event, with a bound that only a failure reaches.
package kafkatest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// Patience bounds every wait.
const Patience = 20 * time.Second

// Broker is an embedded broker with the product's topics.
type Broker struct {
	*kfake.Cluster
	Config stream.Config
	t      testing.TB
}

// Start starts a broker in memory with all topics of these classes and destinations. The
// test fails if it leaves a goroutine behind.
func Start(t testing.TB, classes []leadroute.Class, destinations ...leadroute.DestinationID) *Broker {
	t.Helper()
	before := goleak.IgnoreCurrent()
	// The metrics that Goka's client keeps tick for as long as the process lives.
	metrics := goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick")
	t.Cleanup(func() { goleak.VerifyNone(t, before, metrics) })
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b := &Broker{Cluster: c, t: t, Config: stream.Config{
		Brokers: c.ListenAddrs(), Namespace: "test", Partitions: 4,
		Log: slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}}
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	specs := stream.Specs(b.Config.Namespace, classes, destinations, b.Config.Partitions)
	if err := stream.EnsureTopics(ctx, kadm.NewClient(b.Client()), specs); err != nil {
		t.Fatal(err)
	}
	return b
}

// Client returns a client that is closed when the test ends.
func (b *Broker) Client(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	cl, err := kgo.NewClient(append(b.Config.Options(), opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(cl.Close)
	return cl
}

// Record encodes a message; a nil value is a tombstone, a []byte goes as it is.
func (b *Broker) Record(t leadroute.Topic, key string, v any) *kgo.Record {
	b.t.Helper()
	r := &kgo.Record{Topic: b.Config.Namespace.Topic(t), Key: []byte(key)}
	switch v := v.(type) {
	case nil:
	case []byte:
		r.Value = v
	default:
		raw, err := leadroute.Encode(v)
		if err != nil {
			b.t.Fatal(err)
		}
		r.Value = raw
	}
	return r
}

// Send produces the records and waits until the log has them.
func Send(t testing.TB, cl *kgo.Client, rs ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if err := cl.ProduceSync(ctx, rs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// Reader reads one topic from its start.
type Reader struct {
	t  testing.TB
	cl *kgo.Client
}

// Read starts to read a topic.
func (b *Broker) Read(t leadroute.Topic) *Reader {
	b.t.Helper()
	return &Reader{b.t, b.Client(kgo.ConsumeTopics(b.Config.Namespace.Topic(t)), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))}
}

// Until hands every further record to more until it returns false; the test fails if
// that takes longer than Patience.
func (r *Reader) Until(what string, more func(*kgo.Record) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), Patience)
	defer cancel()
	for going := true; going; {
		fs := r.cl.PollRecords(ctx, 1)
		if ctx.Err() != nil {
			r.t.Fatalf("not within %v: %s", Patience, what)
		}
		fs.EachRecord(func(rec *kgo.Record) { going = more(rec) })
	}
}

// Run starts run and returns a function that stops it and waits. The test fails if run
// does not stop or returns an error; at the test's end it is stopped at the latest.
func Run(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- run(ctx) }()
	var once sync.Once
	stop = func() {
		t.Helper()
		once.Do(func() {
			cancel()
			if err := Await(t, "the end of Run", over); err != nil {
				t.Errorf("Run = %v, want nil", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// Await fails the test unless c yields within Patience.
func Await[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(Patience):
		t.Fatalf("not within %v: %s", Patience, what)
		panic("unreachable")
	}
}

// testLog writes to the test's log until the test is over.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Logf("%s", p)
	}
	return len(p), nil
}
