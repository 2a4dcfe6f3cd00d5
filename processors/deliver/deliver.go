// Package deliver makes the attempts that the ledger asks for at one destination and
// answers each with its outcome. It schedules (earliest deadline first, under the
// destination's rate and concurrency, one at a time per lead) and never decides: whether
// to try again and when, and when to give up, is the ledger's. The wire of each
// destination is package connector's.
//
// Every delivery that was read is answered at least once: its offset is committed only
// after the log has the outcome, so a worker that dies makes the attempt again.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/leadroute/leadroute/processors/stream"
)

// Config is what a Worker needs.
type Config struct {
	// Stream says where the log is and who this member is.
	Stream stream.Config
	// Destination says how fast and how much at once; its attempts and back-off are the ledger's.
	Destination plan.Destination
	Connector   connector.Connector
	// Classes are the policy's, highest first: one topic each.
	Classes []leadroute.Class
	// ReadAhead is how many unanswered deliveries of one class are held, 1024 if zero.
	// Within it the earliest deadline goes first; beyond it the class stays in the log.
	ReadAhead int
	// Drain is how long attempts in flight may go on after a stop or a rebalance took
	// their partition, 1.5s if zero; what is cut off is made again by the next owner.
	Drain   time.Duration
	Metrics *Metrics // unobserved if nil
}

// Worker serves one destination.
type Worker struct {
	cfg    Config
	now    func() time.Time
	log    *slog.Logger
	topics []leadroute.Topic // by class
}

// New checks the configuration; it starts nothing.
func New(cfg Config) (*Worker, error) {
	d := &cfg.Destination
	switch {
	case d.Name == "":
		return nil, errors.New("deliver: the destination has no name")
	case len(cfg.Stream.Brokers) == 0:
		return nil, fmt.Errorf("deliver to %s: no brokers given", d.Name)
	case cfg.Connector == nil:
		return nil, fmt.Errorf("deliver to %s: no connector given", d.Name)
	case len(cfg.Classes) == 0:
		return nil, fmt.Errorf("deliver to %s: no classes given", d.Name)
	case d.RatePerSec < 0 || d.Concurrency < 0 || d.Timeout < 0 || cfg.ReadAhead < 0 || cfg.Drain < 0:
		return nil, fmt.Errorf("deliver to %s: rate, concurrency, timeout, read-ahead and drain cannot be negative", d.Name)
	}
	if d.Concurrency == 0 {
		d.Concurrency = plan.DefaultConcurrency
	}
	if d.Timeout == 0 {
		d.Timeout = plan.DefaultTimeout
	}
	if cfg.ReadAhead == 0 {
		cfg.ReadAhead = 1024
	}
	if cfg.Drain == 0 {
		cfg.Drain = 1500 * time.Millisecond
	}
	if cfg.Stream.Partitions == 0 {
		cfg.Stream.Partitions = stream.DefaultPartitions
	}
	if cfg.Stream.SessionTimeout == 0 {
		cfg.Stream.SessionTimeout = stream.DefaultSessionTimeout
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	w := &Worker{cfg: cfg, now: cfg.Stream.Clock, log: cfg.Stream.Log}
	if w.now == nil {
		w.now = time.Now
	}
	if w.log == nil {
		w.log = slog.Default()
	}
	for _, c := range cfg.Classes {
		w.topics = append(w.topics, leadroute.Deliveries(d.Name, c))
	}
	return w, nil
}

// Group is the logical name of the worker's consumer group.
func (w *Worker) Group() string { return "deliver." + string(w.cfg.Destination.Name) }

// Run serves the destination until ctx ends, then lets what is in flight end within
// Drain and returns nil. An error means that the log refused an outcome; nothing is
// lost, the next Run makes the attempt again.
func (w *Worker) Run(ctx context.Context) error {
	s := newScheduler(w)
	g, err := stream.NewWorker(w.cfg.Stream, stream.Worker{
		Group: w.Group(), Topics: w.topics, Handle: s.handle, Assigned: s.assigned, Revoked: s.revoked,
		// Small fetches: what the client holds stands outside of the schedule.
		Options: []kgo.Opt{kgo.FetchMaxBytes(4 << 20), kgo.FetchMaxPartitionBytes(256 << 10)},
	})
	if err != nil {
		return fmt.Errorf("deliver to %s: %w", w.cfg.Destination.Name, err)
	}
	s.cl = g.Client()
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	over := make(chan error, 1)
	go func() { over <- g.Run(ctx) }()
	if err := s.loop(over); err != nil {
		return fmt.Errorf("deliver to %s: %w", w.cfg.Destination.Name, err)
	}
	return nil
}
