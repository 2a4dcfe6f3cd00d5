// Package clock turns the compacted timers topic into time: a timer that is due, and the
// lead at the head of each queue, become messages in the ledger's inbox. It decides
// nothing: what a firing means, and when a timer is set or taken back, is the ledger's.
//
// Every instance reads its partitions from their start and keeps their pending timers in
// memory, some 200 bytes each; the topic is the only copy. A timer fires at least once,
// and again with a back-off until its row is gone, so a lost message strands nobody.
package clock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

const (
	// quiet is how long a partition must yield nothing to count as read to its end even
	// though the record before its end did not come: compaction may have taken it.
	quiet = time.Second
	// maxUnacked is how many firings may wait for the log; more fire when it has them.
	maxUnacked = 4096
)

// Config is what a Clock needs.
type Config struct {
	// Stream says where the log is and who this member is; its Clock tells what is due.
	Stream stream.Config
	// Tick is how often the heads of the queues are offered, 250ms if zero. Due timers do
	// not wait for it.
	Tick time.Duration
	// Say is how often is said what is seen of each queue, 2s if zero. Who listens believes
	// it for ten times as long.
	Say     time.Duration
	Metrics *Metrics // unobserved if nil
}

// Clock is one instance.
type Clock struct {
	cfg Config
	now func() time.Time
	log *slog.Logger
}

// New checks the configuration; it starts nothing.
func New(cfg Config) (*Clock, error) {
	switch {
	case len(cfg.Stream.Brokers) == 0:
		return nil, errors.New("clock: no brokers given")
	case cfg.Tick < 0 || cfg.Say < 0:
		return nil, fmt.Errorf("clock: tick %v and say %v cannot be negative", cfg.Tick, cfg.Say)
	}
	if cfg.Say == 0 {
		cfg.Say = 2 * time.Second
	}
	if cfg.Tick == 0 {
		cfg.Tick = 250 * time.Millisecond
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	c := &Clock{cfg: cfg, now: cfg.Stream.Clock, log: cfg.Stream.Log}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	return c, nil
}

// Group is the logical name of the clock's consumer group.
const Group = "clock"

// Run fires timers until ctx ends, then returns nil.
func (c *Clock) Run(ctx context.Context) error {
	r := &run{Clock: c, parts: map[int32]*partition{}, kicks: make(chan struct{}, 1)}
	g, err := stream.NewWorker(c.cfg.Stream, stream.Worker{
		Group: Group, Topics: []leadroute.Topic{leadroute.TopicTimers},
		Handle: r.handle, Assigned: r.assigned, Revoked: r.revoked,
		Buffer:  1 << 14, // rows are laid in faster than they come: no need to stop fetching
		Options: []kgo.Opt{kgo.AdjustFetchOffsetsFn(fromStart)},
	})
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	r.cl = g.Client()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.ctx = ctx
	var over sync.WaitGroup
	over.Go(r.loop)
	err = g.Run(ctx)
	cancel()
	over.Wait()
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	return nil
}

// fromStart makes every assignment read its partitions whole, whatever was committed.
func fromStart(_ context.Context, parts map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	for _, ps := range parts {
		for p := range ps {
			ps[p] = kgo.NewOffset().AtStart()
		}
	}
	return parts, nil
}

// run is one Run: lanes lay rows into the partitions, the loop fires them.
type run struct {
	*Clock
	cl    *kgo.Client
	ctx   context.Context
	kicks chan struct{} // there may be something to fire earlier than planned

	unacked atomic.Int64

	said time.Time // when it was last said what is seen of the queues

	mu    sync.Mutex
	parts map[int32]*partition
	plan  leadroute.Millis // when the loop wakes next
}

// partition is one partition's pending timers.
type partition struct {
	wheel  *wheel
	queues *queues
	end    int64           // offset to read up to before anything fires; -1: the broker did not say
	heard  time.Time       // of the last record, or of the assignment
	ready  bool            // read to the end
	said   map[string]bool // queues that were last said to hold leads
}

func (r *run) assigned(_ leadroute.Topic, n int32) {
	end := int64(-1)
	ctx, cancel := context.WithTimeout(r.ctx, 2*time.Second)
	defer cancel()
	topic := r.cfg.Stream.Namespace.Topic(leadroute.TopicTimers)
	if ends, err := kadm.NewClient(r.cl).ListEndOffsets(ctx, topic); err == nil {
		if o, ok := ends.Lookup(topic, n); ok && o.Err == nil {
			end = o.Offset
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts[n] = &partition{wheel: newWheel(), queues: newQueues(), end: end, heard: time.Now(), ready: end == 0, said: map[string]bool{}}
}

func (r *run) revoked(_ leadroute.Topic, n int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.parts, n)
}

// handle lays one row in. It is done at once: the next owner reads the partition whole.
func (r *run) handle(_ context.Context, rec *kgo.Record, done func()) {
	defer done()
	key := string(rec.Key)
	var t *leadroute.Timer
	if len(rec.Value) > 0 {
		var err error
		if t, err = leadroute.Decode[leadroute.Timer](rec.Value); err != nil || t.Key() != key || t.Lead == "" {
			r.bury(rec)
			return
		}
	}
	r.mu.Lock()
	p := r.parts[rec.Partition]
	if p == nil {
		r.mu.Unlock()
		return
	}
	wake := p.lay(key, t)
	p.heard = time.Now()
	if p.end >= 0 && rec.Offset+1 >= p.end {
		p.ready = true
	}
	if !p.ready {
		wake = nil
	}
	next, ok := p.wheel.next()
	early := p.ready && ok && next < r.plan
	if early {
		r.plan = next
	}
	r.mu.Unlock()
	for _, t := range wake {
		r.fire(t)
	}
	if early {
		r.kick()
	}
}

// lay applies one row: nil is a tombstone. It returns whom to offer at once.
func (p *partition) lay(key string, t *leadroute.Timer) []*leadroute.Timer {
	switch {
	case t != nil && t.Kind == leadroute.TimerWake:
		p.queues.set(t)
	case t != nil:
		p.wheel.set(key, t)
	default:
		gone := (&row{key: key}).timer()
		if gone.Kind == leadroute.TimerWake {
			return p.queues.cancel(gone.Lead, gone.Name)
		}
		p.wheel.cancel(key)
	}
	return nil
}

func (r *run) kick() {
	select {
	case r.kicks <- struct{}{}:
	default:
	}
}

// loop fires what is due, and at every tick offers the heads of the queues.
func (r *run) loop() {
	tick := time.NewTicker(r.cfg.Tick)
	defer tick.Stop()
	wake := time.NewTimer(0)
	defer wake.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick.C:
			r.wake()
		case <-wake.C:
		case <-r.kicks:
		}
		wake.Reset(r.fireDue())
	}
}

// wake offers the heads of the queues of every partition.
func (r *run) wake() {
	var offer []*leadroute.Timer
	due, waiting, queued, oldest := 0, 0, map[string]int{}, map[string]leadroute.Millis{}
	var seen []sighting
	say := time.Since(r.said) >= r.cfg.Say
	if say {
		r.said = time.Now()
	}
	r.mu.Lock()
	for n, p := range r.parts {
		if !p.ready && time.Since(p.heard) >= quiet {
			p.ready = true
		}
		if p.ready {
			offer = append(offer, p.queues.tick()...)
		}
		if p.ready && say {
			for name, v := range p.queues.seen(n, p.said) {
				v.At = leadroute.At(r.now())
				seen = append(seen, sighting{name, v})
			}
		}
		due += p.wheel.len()
		waiting += p.queues.len()
		for name, k := range p.queues.byName {
			queued[name] += len(k.rows)
			if since := k.ages.head().Deadline; since != 0 && (oldest[name] == 0 || since < oldest[name]) {
				oldest[name] = since
			}
		}
	}
	r.mu.Unlock()
	for _, t := range offer {
		r.fire(t)
	}
	for _, v := range seen {
		r.say(v)
	}
	r.cfg.Metrics.pending.WithLabelValues("due").Set(float64(due))
	r.cfg.Metrics.pending.WithLabelValues("wake").Set(float64(waiting))
	r.cfg.Metrics.waiting.Reset()
	for name, n := range queued {
		r.cfg.Metrics.waiting.WithLabelValues(name).Set(float64(n))
	}
	r.cfg.Metrics.oldest.Reset()
	for name, since := range oldest {
		r.cfg.Metrics.oldest.WithLabelValues(name).Set(leadroute.At(r.now()).Sub(since).Seconds())
	}
}

// sighting is what one partition's clock sees of one queue.
type sighting struct {
	queue string
	seen  *leadroute.QueueSeen
}

// say sends it to whoever knows of the queue as a whole. What the log does not take is said
// again soon.
func (r *run) say(v sighting) {
	b, err := leadroute.Encode(&leadroute.QueueMessage{Seen: v.seen})
	if err != nil {
		r.log.Error("queue not reported", "queue", v.queue, "error", err)
		return
	}
	rec := &kgo.Record{Topic: r.cfg.Stream.Namespace.Topic(leadroute.TopicQueues), Key: []byte(v.queue), Value: b}
	r.cl.Produce(r.ctx, rec, func(_ *kgo.Record, err error) {
		if err != nil && r.ctx.Err() == nil {
			r.log.Warn("the log refused what is seen of a queue, it will be said again", "queue", v.queue, "error", err)
		}
	})
}

// fireDue fires what is due and returns when to come again. The lock is let go between
// timers in batches, so that rows keep coming in.
func (r *run) fireDue() time.Duration {
	const batch = 256
	var todo []*leadroute.Timer
	for {
		todo = todo[:0]
		now := leadroute.At(r.now())
		r.mu.Lock()
		r.plan = now.Add(r.cfg.Tick)
		for _, p := range r.parts {
			if !p.ready {
				continue
			}
			room := min(batch, maxUnacked-int(r.unacked.Load())-len(todo))
			for ; room > 0; room-- {
				t, due := p.wheel.fire(now)
				if t == nil {
					break
				}
				if t.Due == due && due != 0 {
					r.cfg.Metrics.late.Observe(now.Sub(due).Seconds())
				}
				todo = append(todo, t)
			}
			if next, ok := p.wheel.next(); ok && next < r.plan {
				r.plan = next
			}
		}
		plan := r.plan
		r.mu.Unlock()
		for _, t := range todo {
			r.fire(t)
		}
		switch {
		case plan > now:
			return plan.Sub(now)
		case r.unacked.Load() >= maxUnacked:
			return r.cfg.Tick // or the kick when the log has taken half of them
		}
	}
}

// fire sends one timer to the ledger. It is not waited for and not repeated here: what
// the log did not take fires again.
func (r *run) fire(t *leadroute.Timer) {
	b, err := leadroute.Encode(&leadroute.LedgerMessage{Due: t})
	if err != nil {
		r.log.Error("timer not fired", "lead_id", t.Lead, "kind", t.Kind, "error", err)
		return
	}
	r.unacked.Add(1)
	r.cfg.Metrics.fired.WithLabelValues(string(t.Kind)).Inc()
	rec := &kgo.Record{Topic: r.cfg.Stream.Namespace.Topic(leadroute.TopicLedger), Key: []byte(t.Lead), Value: b}
	r.cl.Produce(r.ctx, rec, func(_ *kgo.Record, err error) {
		if r.unacked.Add(-1) == maxUnacked/2 {
			r.kick()
		}
		if err != nil && r.ctx.Err() == nil {
			r.cfg.Metrics.failed.Inc()
			r.log.Warn("the log refused a timer, it will fire again", "error", err)
		}
	})
}

// bury reports a row that is no timer. It stays in the topic, as long as nobody replaces it.
func (r *run) bury(rec *kgo.Record) {
	r.log.Warn("not a timer, sent to the dead letters", "topic", rec.Topic, "partition", rec.Partition, "offset", rec.Offset)
	b, err := leadroute.Encode(&leadroute.DeadLetter{
		ID: fmt.Sprintf("%s-%d-%d", rec.Topic, rec.Partition, rec.Offset), Kind: leadroute.DeadMessage, Stage: "clock",
		Reason: "not a timer", At: leadroute.At(r.now()), Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Payload: rec.Value,
	})
	if err != nil {
		r.log.Error("dead letter not written", "error", err)
		return
	}
	dead := &kgo.Record{Topic: r.cfg.Stream.Namespace.Topic(leadroute.TopicDeadLetters), Key: rec.Key, Value: b}
	r.cl.Produce(r.ctx, dead, func(_ *kgo.Record, err error) {
		if err != nil && r.ctx.Err() == nil {
			r.log.Error("dead letter not written", "error", err)
		}
	})
}
