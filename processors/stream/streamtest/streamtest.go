// Package streamtest runs a stage in a test without a broker, on Goka's own tester. It
// shows what a stage decides, stores and sends. What happens between partitions,
// instances and crashes is tested on a broker, in processors/stream and internal/sim.
package streamtest

import (
	"context"
	"hash"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/lovoo/goka"
	"github.com/lovoo/goka/tester"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

const ns leadroute.Namespace = "test"

// Sent is one message that the stage sent. Value is nil for a tombstone.
type Sent struct {
	Topic leadroute.Topic
	Key   string
	Value []byte
}

// Harness is one running stage.
type Harness[S, M any] struct {
	t     testing.TB
	stage stream.Stage[S, M]
	tt    *tester.Tester

	mu   sync.Mutex
	sent []Sent
	now  time.Time
}

// New runs the stage until the test ends. Its clock stands where the last Send put it.
func New[S, M any](t testing.TB, stage stream.Stage[S, M]) *Harness[S, M] {
	t.Helper()
	h := &Harness[S, M]{t: t, stage: stage, tt: tester.New(t)}
	p, err := stream.ForTester(ns, stage, tap[S, M]{h.tt, h}, slog.New(slog.NewTextHandler(t.Output(), nil)), h.clock)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stage %s: Run = %v, want nil", stage.Name, err)
		}
	})
	if err := p.WaitForReadyContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// Send gives the stage a message whose record time is at, moves the clock there, and
// returns what the stage sent because of it, in order.
func (h *Harness[S, M]) Send(key string, m *M, at leadroute.Millis) []Sent {
	h.t.Helper()
	b, err := leadroute.Encode(m)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.SendRaw(key, b, at)
}

// SendAt is Send with the clock at now, whatever the record's time.
func (h *Harness[S, M]) SendAt(now time.Time, key string, m *M, at leadroute.Millis) []Sent {
	h.t.Helper()
	b, err := leadroute.Encode(m)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.send(now, key, b, at)
}

// SendRaw is Send for bytes that need not be a message; nil is a tombstone.
func (h *Harness[S, M]) SendRaw(key string, b []byte, at leadroute.Millis) []Sent {
	h.t.Helper()
	return h.send(at.Time(), key, b, at)
}

func (h *Harness[S, M]) send(now time.Time, key string, b []byte, at leadroute.Millis) []Sent {
	h.t.Helper()
	h.mu.Lock()
	h.now = now
	h.sent = nil
	h.mu.Unlock()
	h.tt.Consume(ns.Topic(h.stage.Name), key, b, tester.WithTime(at.Time()))
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sent
}

// State is the row of key, nil if there is none.
func (h *Harness[S, M]) State(key string) *S {
	h.t.Helper()
	raw, _ := h.tt.TableValue(goka.Table(ns.Table(h.stage.Name)), key).([]byte)
	if raw == nil {
		return nil
	}
	s, err := leadroute.Decode[S](raw)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// SetState puts a row into the stage's own table.
func (h *Harness[S, M]) SetState(key string, s *S) {
	h.t.Helper()
	b, err := leadroute.Encode(s)
	if err != nil {
		h.t.Fatal(err)
	}
	h.tt.SetTableValue(goka.Table(ns.Table(h.stage.Name)), key, b)
}

// Decode reads one sent message.
func Decode[T any](t testing.TB, s Sent) *T {
	t.Helper()
	v, err := leadroute.Decode[T](s.Value)
	if err != nil {
		t.Fatalf("message for %q on %s: %v", s.Key, s.Topic, err)
	}
	return v
}

func (h *Harness[S, M]) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// tap listens to what the stage's producer is given.
type tap[S, M any] struct {
	*tester.Tester
	h *Harness[S, M]
}

func (t tap[S, M]) ProducerBuilder() goka.ProducerBuilder {
	build := t.Tester.ProducerBuilder()
	return func(brokers []string, id string, hasher func() hash.Hash32) (goka.Producer, error) {
		p, err := build(brokers, id, hasher)
		return tapProducer[S, M]{p, t.h}, err
	}
}

type tapProducer[S, M any] struct {
	goka.Producer
	h *Harness[S, M]
}

// Emit is for effects; writes to the table go through EmitWithHeaders.
func (p tapProducer[S, M]) Emit(topic, key string, value []byte) *goka.Promise {
	logical, _ := ns.Logical(topic)
	p.h.mu.Lock()
	p.h.sent = append(p.h.sent, Sent{logical, key, value})
	p.h.mu.Unlock()
	return p.Producer.Emit(topic, key, value)
}
