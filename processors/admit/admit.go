// Package admit lets leads from the inboxes into the middle: it decides a lead's final
// class, and admits by earliest deadline with a bounded number on their way, so that
// queues stand at the door and the middle stays short. Who gets a lead is the ledger's
// business.
//
// A lead is in the middle from its admission until the ledger says that it has left
// (it has an owner, waits in a queue, or is dead), or until Patience is over.
package admit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// Classifier is what admit needs of the plan in force.
type Classifier interface {
	// ClassOf is the lead's class at that time and the time within which its class must
	// be delivered, 0 if the class has no such time.
	ClassOf(l *leadroute.Lead, at time.Time) (class leadroute.Class, deliverWithin time.Duration)
	PlanID() leadroute.PlanID
}

// Config configures an Admitter. Zero values mean the defaults named below.
type Config struct {
	// Stream says where the log is, and where to log and count.
	Stream stream.Config
	// Classifier returns the plan that decides a lead, never nil while Run runs.
	Classifier func(*leadroute.Lead) Classifier
	// Classes are the classes that have an inbox, most urgent first; required. A lead of
	// any other class counts as urgent as the last.
	Classes []leadroute.Class
	// InFlight is how many leads this instance lets be in the middle at once, 128. More
	// raise throughput until the middle becomes a queue, and P0 waits in it.
	InFlight int
	// ReadAhead is how many leads of one inbox wait here, 256. Earliest deadline first
	// holds among these; the rest is still in the log.
	ReadAhead int
	// Patience is how long a lead may stay in the middle before its slot is used again, 5s.
	Patience time.Duration
	// Group is the consumer group before the namespace, "admit".
	Group string
}

func (c *Config) withDefaults() Config {
	d := *c
	if d.InFlight == 0 {
		d.InFlight = 128
	}
	if d.ReadAhead == 0 {
		d.ReadAhead = 256
	}
	if d.Patience == 0 {
		d.Patience = 5 * time.Second
	}
	if d.Group == "" {
		d.Group = "admit"
	}
	if d.Stream.Log == nil {
		d.Stream.Log = slog.Default()
	}
	if d.Stream.Clock == nil {
		d.Stream.Clock = time.Now
	}
	if d.Stream.Metrics == nil {
		d.Stream.Metrics = prometheus.NewRegistry()
	}
	return d
}

// fetchBytes is what one fetch brings of one partition, some 200 leads.
const fetchBytes = 128 << 10

// Admitter is one member of the admit group.
type Admitter struct {
	cfg     Config
	worker  stream.Worker
	inbox   map[leadroute.Topic]int
	metrics *metrics
	log     *kgo.Client     // set by Run before the first record, as the next two
	ended   <-chan struct{} // Run is ending: nothing more is admitted
	fail    func(error)     // ends Run
	room    []*sync.Cond    // per inbox, on mu: a lead of it has left the schedule
	mu      sync.Mutex      // guards what follows
	leads   *schedule
	unacked map[stream.Partition]int // admissions that the log has not acknowledged
	slowLog bool                     // the last wait for acknowledgements was in vain
}

// New checks the configuration and starts nothing.
func New(cfg Config) (*Admitter, error) {
	c := cfg.withDefaults()
	switch {
	case len(c.Stream.Brokers) == 0:
		return nil, errors.New("admit: no brokers given")
	case c.Classifier == nil:
		return nil, errors.New("admit: no classifier given")
	case len(c.Classes) == 0:
		return nil, errors.New("admit: no classes given")
	case c.InFlight < len(c.Classes) || c.ReadAhead < 1 || c.Patience < 0:
		return nil, fmt.Errorf("admit: in flight %d, read ahead %d and patience %v are too small", c.InFlight, c.ReadAhead, c.Patience)
	}
	a := &Admitter{
		cfg:     c,
		inbox:   map[leadroute.Topic]int{},
		leads:   newSchedule(len(c.Classes), c.InFlight, c.Patience),
		unacked: map[stream.Partition]int{},
		metrics: newMetrics(c.Stream.Metrics),
	}
	for i, class := range c.Classes {
		a.inbox[leadroute.Inbox(class)] = i
		a.room = append(a.room, sync.NewCond(&a.mu))
	}
	if len(a.inbox) != len(c.Classes) {
		return nil, fmt.Errorf("admit: a class is named twice in %v", c.Classes)
	}
	a.worker = stream.Worker{
		Group:   c.Group,
		Topics:  []leadroute.Topic{leadroute.TopicDepartures},
		Handle:  a.handle,
		Revoked: a.revoked,
		// A lead's departure must come to the instance that admitted it.
		Copartition: true,
	}
	// One fetch brings a little of every partition: a flood neither fills it, nor memory.
	partitions := max(int(c.Stream.Partitions), stream.DefaultPartitions)
	a.worker.Options = []kgo.Opt{
		kgo.ClientID("leadroute-admit"),
		kgo.FetchMaxPartitionBytes(fetchBytes),
		kgo.FetchMaxBytes(int32(min(fetchBytes*partitions*(len(c.Classes)+1), 64<<20))),
	}
	for _, class := range c.Classes {
		a.worker.Topics = append(a.worker.Topics, leadroute.Inbox(class))
	}
	return a, nil
}

// Run admits leads until ctx ends. It returns an error when the log refuses an
// admission for good; nothing is lost then, as its record is not committed. Run may be
// called once.
func (a *Admitter) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	a.ended = ctx.Done()
	a.fail = func(err error) {
		select {
		case failed <- err:
			cancel()
		default: // the first one counts
		}
	}
	group, err := stream.NewWorker(a.cfg.Stream, a.worker)
	if err != nil {
		return fmt.Errorf("admit: %w", err)
	}
	a.log = group.Client()
	var expiry sync.WaitGroup
	expiry.Go(func() { a.expire(ctx) })
	err = group.Run(ctx)
	cancel()
	expiry.Wait()
	select {
	case err = <-failed:
	default:
	}
	if err != nil {
		return fmt.Errorf("admit: %w", err)
	}
	return nil
}

// handle takes one record of an inbox or of the departures.
func (a *Admitter) handle(ctx context.Context, r *kgo.Record, done func()) {
	topic, _ := a.cfg.Stream.Namespace.Logical(r.Topic)
	inbox, isLead := a.inbox[topic]
	if !isLead {
		d, err := leadroute.Decode[leadroute.Departure](r.Value)
		if err != nil {
			a.bury(r, "not a departure", done)
			return
		}
		a.mu.Lock()
		a.leads.departed(d.Lead)
		a.pump()
		a.mu.Unlock()
		done()
		return
	}
	l, err := leadroute.Decode[leadroute.Lead](r.Value)
	if err != nil || l.ID == "" || l.ReceivedAt == 0 || len(l.Fields) == 0 {
		a.bury(r, "not a lead with id, time of receipt and fields", done)
		return
	}
	it := a.judge(l, inbox)
	it.from, it.done = stream.Partition{Topic: r.Topic, Partition: r.Partition}, done

	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.awaitRoom(ctx, inbox) {
		return // not done: its next owner reads it again
	}
	a.leads.push(it)
	a.pump()
}

// judge gives a lead its final class and its deadline. Its time is the door's, so that a
// replay judges the same.
func (a *Admitter) judge(l *leadroute.Lead, inbox int) *item {
	plan := a.cfg.Classifier(l)
	class, within := plan.ClassOf(l, l.ReceivedAt.Time())
	it := &item{
		admission: leadroute.Admission{Lead: *l, Class: class, Plan: plan.PlanID()},
		inbox:     inbox,
		class:     len(a.cfg.Classes) - 1,
	}
	if within > 0 {
		it.admission.Deadline = l.Since().Add(within)
	}
	if i, ok := a.inbox[leadroute.Inbox(class)]; ok {
		it.class = i
	}
	return it
}

// awaitRoom waits, with mu held, until another lead of the inbox may wait; false if ctx
// ended. Only the inbox's own partitions stand still meanwhile.
func (a *Admitter) awaitRoom(ctx context.Context, inbox int) bool {
	if a.leads.read[inbox] >= a.cfg.ReadAhead {
		defer context.AfterFunc(ctx, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.room[inbox].Broadcast()
		})()
	}
	for a.leads.read[inbox] >= a.cfg.ReadAhead && ctx.Err() == nil {
		a.room[inbox].Wait()
	}
	return ctx.Err() == nil
}

// pump admits whatever may enter; mu is held.
func (a *Admitter) pump() {
	select {
	case <-a.ended:
		return
	default:
	}
	for it := a.leads.next(); it != nil; it = a.leads.next() {
		a.room[it.inbox].Signal()
		a.admit(it)
	}
	a.metrics.inFlight.Set(float64(len(a.leads.slots)))
}

func (a *Admitter) admit(it *item) {
	lead := &it.admission.Lead
	a.unacked[it.from]++
	a.produce(leadroute.TopicLedger, []byte(lead.ID), &leadroute.LedgerMessage{Admitted: &it.admission}, func(err error) {
		now := leadroute.At(a.cfg.Stream.Clock())
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.unacked[it.from]--; a.unacked[it.from] == 0 {
			delete(a.unacked, it.from)
		}
		if err != nil {
			a.stop(fmt.Errorf("admit lead %s: %w", lead.ID, err))
			return
		}
		a.slowLog = false
		a.leads.acked(lead.ID, now)
		a.metrics.admitted(a.cfg.Classes[it.class], now.Sub(lead.ReceivedAt))
		it.done()
	})
}

// produce sends one message; then runs when the log has it or never will.
func (a *Admitter) produce(t leadroute.Topic, key []byte, msg any, then func(error)) {
	value, err := leadroute.Encode(msg)
	if err != nil {
		go then(err) // as a promise would, without the caller's lock
		return
	}
	a.log.Produce(context.Background(), &kgo.Record{Topic: a.cfg.Stream.Namespace.Topic(t), Key: key, Value: value},
		func(_ *kgo.Record, err error) { then(err) })
}

// bury sends a record that cannot be read to the dead letters; the stream goes on.
func (a *Admitter) bury(r *kgo.Record, why string, done func()) {
	a.metrics.buried.Inc()
	dead := &leadroute.DeadLetter{
		ID:   fmt.Sprintf("%s-%d-%d", r.Topic, r.Partition, r.Offset),
		Kind: leadroute.DeadMessage, Stage: a.cfg.Group, Reason: why, At: leadroute.At(a.cfg.Stream.Clock()),
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Payload: r.Value,
	}
	a.produce(leadroute.TopicDeadLetters, r.Key, dead, func(err error) {
		if err != nil {
			a.stop(fmt.Errorf("bury %s: %w", dead.ID, err))
			return
		}
		done()
	})
}

// stop ends Run with err, unless it is ending anyway.
func (a *Admitter) stop(err error) {
	if !errors.Is(err, kgo.ErrClientClosed) {
		a.fail(err)
	}
}

// revoked forgets a partition that goes to another instance. It waits a moment for what
// is on its way into the log, so that its offset is committed and the new owner does not
// admit it again (which would do no harm but cost work).
func (a *Admitter) revoked(t leadroute.Topic, partition int32) {
	p := stream.Partition{Topic: a.cfg.Stream.Namespace.Topic(t), Partition: partition}
	a.mu.Lock()
	a.leads.drop(p)
	wait := a.unacked[p] > 0 && !a.slowLog
	a.mu.Unlock()
	if wait {
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		if a.log.Flush(ctx) != nil {
			a.mu.Lock()
			a.slowLog = true // the other partitions do not wait, too
			a.mu.Unlock()
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.room {
		c.Broadcast()
	}
	a.pump() // its slots are free
}

// expire frees the slots of leads that have not departed in time.
func (a *Admitter) expire(ctx context.Context) {
	tick := time.NewTicker(max(a.cfg.Patience/20, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		a.mu.Lock()
		if n := a.leads.expire(leadroute.At(a.cfg.Stream.Clock())); n > 0 {
			a.metrics.expired.Add(float64(n))
			a.pump()
		}
		a.metrics.queued(a.cfg.Classes, a.leads.read)
		a.mu.Unlock()
	}
}
