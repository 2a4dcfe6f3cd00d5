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

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Config is what a Worker needs.
type Config struct {
	Brokers   []string
	Namespace leadroute.Namespace
	// Destination says how fast and how much at once; its attempts and back-off are the ledger's.
	Destination plan.Destination
	Connector   connector.Connector
	// Classes are the policy's, highest first: one topic each.
	Classes []leadroute.Class
	// Instance names this process for static group membership: after a crash the same
	// name has its partitions back at once. It must be unique among the workers of a
	// destination. Empty: a dynamic member, which leaves the group when it stops.
	Instance string
	// ReadAhead is how many unanswered deliveries of one class are held at most, give or
	// take one fetch; 1024 if zero. Within it the earliest deadline goes first.
	ReadAhead int
	// Drain is how long attempts in flight may go on after a stop or a rebalance took
	// their partition, 2s if zero; what is cut off is made again by the next owner.
	Drain   time.Duration
	Now     func() time.Time // time.Now if nil
	Log     *slog.Logger     // slog.Default() if nil
	Metrics *Metrics         // unobserved if nil
	// Kafka are further client options (TLS, SASL); they come last.
	Kafka []kgo.Opt
}

// Worker serves one destination. Make a new one for every Run.
type Worker struct {
	cfg    Config
	topics []string // by class
}

// New checks the configuration; it starts nothing.
func New(cfg Config) (*Worker, error) {
	d := &cfg.Destination
	switch {
	case d.Name == "":
		return nil, errors.New("deliver: the destination has no name")
	case len(cfg.Brokers) == 0:
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
		cfg.Drain = 2 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	w := &Worker{cfg: cfg}
	for _, c := range cfg.Classes {
		w.topics = append(w.topics, cfg.Namespace.Topic(leadroute.Deliveries(d.Name, c)))
	}
	return w, nil
}

// Group is the worker's consumer group.
func (w *Worker) Group() string {
	return w.cfg.Namespace.Group("deliver." + string(w.cfg.Destination.Name))
}

// Run serves the destination until ctx ends, then lets what is in flight end within
// Drain and returns nil. An error means that the log did not take an outcome; nothing
// is lost, a new Worker makes the attempts again.
func (w *Worker) Run(ctx context.Context) error {
	s := newScheduler(w)
	cl, err := newClient(w, s)
	if err != nil {
		return fmt.Errorf("deliver to %s: %w", w.cfg.Destination.Name, err)
	}
	s.cl = cl
	polling, stopPolling := context.WithCancel(ctx)
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		s.poll(polling)
	}()
	err = s.loop(ctx)
	stopPolling()
	<-polled

	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.Drain)
	defer cancel()
	s.commit()
	if cerr := cl.CommitMarkedOffsets(closing); cerr != nil {
		w.cfg.Log.Warn("offsets not committed, some deliveries will be repeated", "destination", w.cfg.Destination.Name, "error", cerr)
	}
	cl.CloseAllowingRebalance()
	if err != nil {
		return fmt.Errorf("deliver to %s: %w", w.cfg.Destination.Name, err)
	}
	return nil
}
