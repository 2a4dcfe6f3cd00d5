package deliver

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/leadroute/leadroute/processors/stream"
)

const (
	// tick is how often the loop looks around when nothing happens.
	tick = 100 * time.Millisecond
	// settle is how long no attempt starts after this process stood still: enough for the
	// next heartbeat to tell whether its partitions have another owner by now.
	settle = 1500 * time.Millisecond
)

// scheduler is one Run: a loop that owns the backlog and the limits, and the goroutines
// that talk to it.
type scheduler struct {
	*Worker
	cl   *kgo.Client
	stop context.CancelFunc // of the whole Run

	limiter   *rate.Limiter // nil: no rate
	slots     int           // attempts at once, this instance's share
	owned     int           // partitions
	backlog   *backlog
	running   map[*item]context.CancelFunc
	answering map[stream.Partition]int // records whose answer the log has not acknowledged
	departing departures
	seen      time.Time // when the loop last looked around
	hold      time.Time // no attempt starts before
	err       error

	classes  map[string]int  // by topic on the broker
	room     []chan struct{} // by class: a place for each unanswered record
	arrived  chan arrival
	finished chan finish
	assign   chan stream.Partition
	leave    chan departure
	acks     *acks
	ended    chan struct{} // the loop is over
}

// arrival is a record as its lane read it.
type arrival struct {
	lane context.Context
	raw  *kgo.Record
	rec  record
	d    *leadroute.Delivery // nil: it is none of ours
}

// finish is an attempt's end.
type finish struct {
	it      *item
	attempt connector.Attempt
	took    time.Duration
	cut     bool // nobody knows how it would have ended
}

func newScheduler(w *Worker) *scheduler {
	s := &scheduler{
		Worker: w, backlog: newBacklog(len(w.topics)), running: map[*item]context.CancelFunc{}, answering: map[stream.Partition]int{},
		classes: map[string]int{}, arrived: make(chan arrival), finished: make(chan finish),
		assign: make(chan stream.Partition), leave: make(chan departure), acks: newAcks(), ended: make(chan struct{}),
		seen: time.Now(),
	}
	for i, t := range w.topics {
		s.classes[w.cfg.Stream.Namespace.Topic(t)] = i
		s.room = append(s.room, make(chan struct{}, w.cfg.ReadAhead))
	}
	if w.cfg.Destination.RatePerSec > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(w.cfg.Destination.RatePerSec), 1)
	}
	s.share()
	return s
}

// handle takes a record in; it runs in its partition's lane, which it holds up while the
// class has no room.
func (s *scheduler) handle(lane context.Context, r *kgo.Record, done func()) {
	class := s.classes[r.Topic]
	select {
	case s.room[class] <- struct{}{}:
	case <-lane.Done():
		return
	}
	a := arrival{lane: lane, raw: r, rec: record{stream.Partition{Topic: r.Topic, Partition: r.Partition}, class, done}}
	if d, err := leadroute.Decode[leadroute.Delivery](r.Value); err == nil && d.Lead != "" && d.Destination == s.cfg.Destination.Name {
		a.d = d
	}
	select {
	case s.arrived <- a:
	case <-lane.Done():
		<-s.room[class]
	}
}

// loop runs until the stream is over, then waits for the attempts that were cut off.
func (s *scheduler) loop(over <-chan error) error {
	defer close(s.ended)
	defer s.gauges()
	wake := time.NewTimer(0)
	defer wake.Stop()
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for {
		s.look()
		if wait := s.start(); wait > 0 {
			wake.Reset(wait)
		}
		select {
		case a := <-s.arrived:
			s.add(a)
		case f := <-s.finished:
			s.finish(f)
		case <-s.acks.more:
			s.acknowledge()
		case <-s.assign:
			s.owned++
			s.share()
		case d := <-s.leave:
			s.depart(d)
		case <-ticks.C:
			s.gauges()
		case <-wake.C:
		case err := <-over:
			for _, cancel := range s.running {
				cancel()
			}
			for len(s.running) > 0 {
				s.finish(<-s.finished)
			}
			if s.err != nil {
				return s.err
			}
			return err
		}
		s.letGo()
	}
}

// look notices when the process stood still (stopped, swapped out, a sleeping laptop):
// its partitions may have a new owner, so what it holds may be outdated.
func (s *scheduler) look() {
	now := time.Now()
	if now.Sub(s.seen) > s.cfg.Stream.SessionTimeout/2 {
		s.hold = now.Add(settle)
		s.log.Warn("stood still, holding deliveries until the group has spoken", "destination", s.cfg.Destination.Name, "stall", now.Sub(s.seen))
	}
	s.seen = now
}

func (s *scheduler) add(a arrival) {
	if a.d == nil {
		s.bury(a)
		return
	}
	if old := s.backlog.add(a.lane, a.d, a.rec); old != nil {
		s.answer(old, connector.Attempt{Result: leadroute.ResultSuperseded, Reason: "newer revision"})
	}
}

// start starts what may start and returns how long to wait for the next turn; 0: until
// something happens.
func (s *scheduler) start() time.Duration {
	now := s.seen
	if wait := s.hold.Sub(now); wait > 0 {
		return wait
	}
	for len(s.running) < s.slots && s.err == nil {
		var turn *rate.Reservation
		if s.limiter != nil {
			turn = s.limiter.ReserveN(now, 1)
			if wait := turn.DelayFrom(now); wait > 0 {
				turn.CancelAt(now)
				return wait
			}
		}
		classes := len(s.topics)
		if len(s.running) >= s.slots-s.reserved() {
			classes = 1
		}
		it := s.backlog.next(leadroute.At(s.now()), classes)
		if it == nil || it.lane.Err() != nil {
			if turn != nil {
				turn.CancelAt(now)
			}
			if it == nil {
				return 0
			}
			s.drop(it) // its partition is being taken away
			continue
		}
		s.try(it)
	}
	return 0
}

// reserved is how many slots only the highest class may take, so that slow attempts of
// the others never hold it up.
func (s *scheduler) reserved() int {
	if len(s.topics) == 1 || s.slots < 4 {
		return 0
	}
	return max(1, s.slots/8)
}

// try makes the attempt in its own goroutine, which ends by sending to finished. It is
// cut off Drain after its partition was taken away.
func (s *scheduler) try(it *item) {
	cut, cancel := context.WithCancel(context.Background())
	s.running[it] = cancel
	context.AfterFunc(it.lane, func() {
		select {
		case <-time.After(s.cfg.Drain):
			cancel()
		case <-cut.Done():
		}
	})
	go func() {
		started := time.Now()
		ctx, done := context.WithTimeout(cut, s.cfg.Destination.Timeout)
		a := s.deliver(ctx, it.d)
		done()
		s.finished <- finish{it, a, time.Since(started), cut.Err() != nil && a.Status == 0 && a.Result != leadroute.ResultDelivered}
	}()
}

// deliver turns a connector's panic into a failed attempt, so that one lead does not
// stop the destination.
func (s *scheduler) deliver(ctx context.Context, d *leadroute.Delivery) (a connector.Attempt) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("connector panicked", "destination", d.Destination, "lead_id", d.Lead, "type", fmt.Sprintf("%T", r))
			a = connector.Attempt{Result: leadroute.ResultRetry, Reason: "connector panicked"}
		}
	}()
	return s.cfg.Connector.Deliver(ctx, d)
}

func (s *scheduler) finish(f finish) {
	s.running[f.it]()
	delete(s.running, f.it)
	if f.cut {
		s.drop(f.it)
		return
	}
	s.backlog.finish(f.it)
	s.cfg.Metrics.seconds.WithLabelValues(string(s.cfg.Destination.Name)).Observe(f.took.Seconds())
	s.answer(f.it, f.attempt)
}

// drop ends an item without an answer: the next owner of its partition makes the attempt.
func (s *scheduler) drop(it *item) {
	s.backlog.finish(it)
	for _, r := range it.records {
		<-s.room[r.class]
	}
}

// share sets this instance's part of the destination's rate and concurrency: in the
// proportion of the partitions that it serves, so that all instances together keep
// within the destination's.
func (s *scheduler) share() {
	f := 1.0
	if s.owned > 0 {
		f = min(1, float64(s.owned)/float64(len(s.topics)*int(s.cfg.Stream.Partitions)))
	}
	s.slots = max(1, int(float64(s.cfg.Destination.Concurrency)*f))
	if s.limiter != nil {
		r := s.cfg.Destination.RatePerSec * f
		s.limiter.SetLimit(rate.Limit(r))
		s.limiter.SetBurst(max(1, int(math.Ceil(r/20)))) // 50 ms worth: a late timer costs no turn
	}
}

func (s *scheduler) gauges() {
	m, d := s.cfg.Metrics, string(s.cfg.Destination.Name)
	m.inFlight.WithLabelValues(d).Set(float64(len(s.running)))
	for i, c := range s.cfg.Classes {
		m.queued.WithLabelValues(d, string(c)).Set(float64(s.backlog.waiting[i]))
	}
}
