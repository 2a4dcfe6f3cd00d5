package stream_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// patience bounds every wait for an event; a test that needs anything near it has failed.
const patience = 30 * time.Second

const ns leadroute.Namespace = "test"

// broker is an embedded broker on a port of its own that can be stopped and started.
type broker struct {
	t       testing.TB
	port    int
	opts    []kfake.Opt
	cluster *kfake.Cluster
}

// startBroker starts an in-memory broker, or one that survives a stop if opts say so.
func startBroker(t testing.TB, opts ...kfake.Opt) *broker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	b := &broker{t: t, port: port, opts: append([]kfake.Opt{
		kfake.Ports(port), kfake.GroupMinSessionTimeout(time.Second),
	}, opts...)}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start() {
	b.t.Helper()
	c, err := kfake.NewCluster(b.opts...)
	if err != nil {
		b.t.Fatalf("start broker on port %d: %v", b.port, err)
	}
	b.cluster = c
}

func (b *broker) stop() {
	if b.cluster != nil {
		b.cluster.Close()
		b.cluster = nil
	}
}

func (b *broker) config(t testing.TB) stream.Config {
	t.Helper()
	return stream.Config{
		Brokers:    []string{"127.0.0.1:" + strconv.Itoa(b.port)},
		Namespace:  ns,
		Partitions: 4,
		Log:        slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

// client is a franz-go client of the broker, closed at the end of the test.
func (b *broker) client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(b.config(t).Options(), opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func (b *broker) ensure(t testing.TB, specs ...stream.TopicSpec) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := stream.EnsureTopics(ctx, kadm.NewClient(b.client(t)), specs); err != nil {
		t.Fatalf("EnsureTopics(%v) = %v", specs, err)
	}
}

// noLeaks fails the test if a goroutine is left when everything else is cleaned up; call
// it first.
func noLeaks(t testing.TB) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func send(t testing.TB, cl *kgo.Client, rs ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := cl.ProduceSync(ctx, rs...).FirstErr(); err != nil {
		t.Fatalf("produce: %v", err)
	}
}

func record(t leadroute.Topic, key, value string) *kgo.Record {
	r := &kgo.Record{Topic: ns.Topic(t), Key: []byte(key)}
	if value != "" {
		r.Value = []byte(value)
	}
	return r
}

// running starts run and returns a function that stops it and fails the test unless it
// stops cleanly; it is stopped at the end of the test at the latest.
func running(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	var once sync.Once
	stop = func() {
		t.Helper()
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("Run = %v, want nil", err)
				}
			case <-time.After(patience):
				t.Errorf("Run did not return within %v", patience)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// await fails the test unless c is ready within patience.
func await[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s within %v", what, patience)
		panic("unreachable")
	}
}

// eventually polls cond for things that have no event.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// committed is the offset that the group has committed, -1 if none.
func (b *broker) committed(t testing.TB, group string, topic leadroute.Topic, partition int32) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	res, err := kadm.NewClient(b.client(t)).FetchOffsets(ctx, ns.Group(group))
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := res.Lookup(ns.Topic(topic), partition); ok {
		return o.At
	}
	return -1
}

func name(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// metric is the sum of a metric's series, 0 if there are none.
func metric(t testing.TB, reg *prometheus.Registry, metric string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == metric {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}
