package stream_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.b.String(), "\n"), "\n")
}

// An outage of a broker is one line, its end another, however many clients try how often;
// and each outage is told.
func TestAnOutageIsToldOnce(t *testing.T) {
	noLeaks(t)
	br := startBroker(t, kfake.DataDir(t.TempDir()))
	br.ensure(t, stream.TopicSpec{Name: ns.Topic("jobs"), Partitions: 4})
	var log lines
	dials := make(chan struct{}, 1000)
	cfg := br.config(t)
	cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	handled := make(chan struct{}, 10)
	for _, group := range []string{"a", "b"} {
		w, err := stream.NewWorker(cfg, stream.Worker{
			Group: group, Topics: []leadroute.Topic{"jobs"},
			Handle: func(_ context.Context, _ *kgo.Record, done func()) {
				done()
				handled <- struct{}{}
			},
			Options: []kgo.Opt{kgo.WithHooks(dialCount{dials})},
		})
		if err != nil {
			t.Fatal(err)
		}
		running(t, w.Run)
	}
	cl, err := kgo.NewClient(cfg.Options()...) // whichever client notices, tells it: all use this log
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	for outage := 1; outage <= 2; outage++ {
		send(t, cl, record("jobs", "k", "v"))
		for range 2 {
			await(t, "the job", handled)
		}
		br.stop()
		for len(dials) > 0 {
			<-dials
		}
		for range 12 { // failed attempts of the two clients
			await(t, "an attempt to connect", dials)
		}
		br.start()
		send(t, cl, record("jobs", "k", "v"))
		for range 2 {
			await(t, "the job after the outage", handled)
		}
		gone, back := 0, 0
		for _, line := range log.all() {
			switch {
			case strings.Contains(line, "broker cannot be reached"):
				gone++
			case strings.Contains(line, "broker answers again"):
				back++
			case strings.Contains(line, "level=WARN"):
				t.Errorf("one more line: %s", line)
			}
		}
		if gone != outage || back != outage {
			t.Fatalf("%d lines tell of a beginning and %d of an end, want %d each:\n%s", gone, back, outage, strings.Join(log.all(), "\n"))
		}
	}
}

// dialCount tells of failed attempts to connect.
type dialCount struct{ failed chan<- struct{} }

func (d dialCount) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		d.failed <- struct{}{}
	}
}

// A broker that is away from the start is told by who starts, not by every client.
func TestABrokerNeverReachedIsNoOutage(t *testing.T) {
	br := startBroker(t)
	var log lines
	cfg := br.config(t)
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	br.stop()
	failed := make(chan struct{}, 100)
	cl, err := kgo.NewClient(append(cfg.Options(), kgo.WithHooks(dialCount{failed}))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithCancel(t.Context())
	pinged := make(chan error, 1)
	go func() { pinged <- cl.Ping(ctx) }()
	await(t, "an attempt to connect", failed)
	cancel()
	if err := await(t, "the end of the ping", pinged); err == nil {
		t.Error("Ping = nil, want an error")
	}
	if got := log.all(); len(got) != 1 || got[0] != "" {
		t.Errorf("the log says %q, want nothing", got)
	}
}
