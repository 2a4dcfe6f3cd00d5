package deliver

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/deliver/connector"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"
)

const (
	// commitEvery bounds what a crash repeats: outcomes acknowledged and not yet committed.
	commitEvery = 200 * time.Millisecond
	// maxUnacked is how many answers may wait for the log before no more attempts start;
	// below the client's own bound, so that producing never blocks the loop.
	maxUnacked = 2048
)

// scheduler is one Run: a loop that owns the backlog, the offsets and the limits, and
// the goroutines that talk to it.
type scheduler struct {
	*Worker
	cl      *kgo.Client
	limiter *rate.Limiter // nil: no rate

	backlog *backlog
	offsets map[part]*offsets // of the partitions that are ours
	total   int               // partitions of all the topics, ours or not
	running map[*item]context.CancelFunc
	slots   int    // attempts at once, this instance's share
	unacked int    // answers sent and not acknowledged
	paused  []bool // by class
	leaving []*handover
	err     error

	answering map[part]int // records whose answer is not acknowledged

	fetched  chan kgo.Fetches
	changed  chan func() // partitions come and go
	finished chan finish
	acks     chan struct{} // something is in acked
	ended    chan struct{} // the loop is over

	mu    sync.Mutex
	acked []ack
}

// finish is an attempt's end.
type finish struct {
	it      *item
	attempt connector.Attempt
	took    time.Duration
	cut     bool // cancelled: nobody knows how it would have ended
}

// ack is the log's word on the answer of the records marked.
type ack struct {
	marks []mark
	err   error
}

// handover is a rebalance that waits for attempts in flight.
type handover struct {
	gone  map[part]bool
	until time.Time
	done  chan struct{}
}

func newScheduler(w *Worker) *scheduler {
	s := &scheduler{
		Worker: w, backlog: newBacklog(len(w.topics)), offsets: map[part]*offsets{},
		running: map[*item]context.CancelFunc{}, paused: make([]bool, len(w.topics)), answering: map[part]int{},
		fetched: make(chan kgo.Fetches), changed: make(chan func()), finished: make(chan finish),
		acks: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if w.cfg.Destination.RatePerSec > 0 {
		s.limiter = rate.NewLimiter(0, 1)
	}
	s.share()
	return s
}

// poll hands what the client fetches to the loop. A rebalance waits for the hand-over,
// so the loop never gets records of a partition that it has given up.
func (s *scheduler) poll(ctx context.Context) {
	for {
		fs := s.cl.PollFetches(ctx)
		if ctx.Err() != nil || fs.IsClientClosed() {
			return
		}
		fs.EachError(func(topic string, n int32, err error) {
			s.cfg.Log.Warn("fetch failed", "topic", topic, "partition", n, "error", err)
		})
		select {
		case s.fetched <- fs:
		case <-s.ended:
		}
		s.cl.AllowRebalance()
	}
}

// loop runs until ctx has ended and what was in flight has ended or was cut off.
func (s *scheduler) loop(ctx context.Context) error {
	defer close(s.ended)
	defer s.gauges()
	stop := ctx.Done()
	var stopped time.Time // zero: not yet
	wake := time.NewTimer(0)
	defer wake.Stop()
	ticks := time.NewTicker(commitEvery / 2)
	defer ticks.Stop()
	for {
		if stopped.IsZero() && s.err == nil {
			if wait := s.start(); wait > 0 {
				wake.Reset(wait)
			}
		}
		if (!stopped.IsZero() || s.err != nil) && len(s.running) == 0 && (s.unacked == 0 || s.err != nil) {
			s.letGo(time.Now(), true)
			return s.err
		}
		fetched := s.fetched
		if s.unacked >= maxUnacked {
			fetched = nil // the log does not take answers: read no more questions
		}
		select {
		case fs := <-fetched:
			s.take(fs)
		case f := <-s.finished:
			s.finish(f)
		case <-s.acks:
			s.acknowledge()
		case change := <-s.changed:
			change()
		case <-ticks.C:
			s.commit()
			s.gauges()
		case <-wake.C:
		case <-stop:
			stop, stopped = nil, time.Now()
		}
		s.letGo(time.Now(), false)
		if s.err != nil || !stopped.IsZero() && time.Since(stopped) > s.cfg.Drain {
			for _, cancel := range s.running {
				cancel()
			}
			if s.unacked > 0 && len(s.running) == 0 && s.err == nil {
				s.err = fmt.Errorf("%d outcomes not acknowledged within %v of the stop", s.unacked, s.cfg.Drain)
			}
		}
	}
}

// take lays fetched records into the backlog and stops reading classes that have enough.
func (s *scheduler) take(fs kgo.Fetches) {
	for class, topic := range s.topics {
		fs.EachTopic(func(t kgo.FetchTopic) {
			if t.Topic == topic {
				t.EachRecord(func(r *kgo.Record) { s.add(class, r) })
			}
		})
	}
	s.pause()
}

func (s *scheduler) add(class int, r *kgo.Record) {
	p := part{r.Topic, r.Partition}
	o := s.offsets[p]
	if o == nil {
		return // given up meanwhile: the next owner reads it
	}
	o.add(r.Offset)
	m := mark{p, r.Offset}
	d, err := leadroute.Decode[leadroute.Delivery](r.Value)
	if err == nil && (d.Lead == "" || d.Destination != s.cfg.Destination.Name) {
		err = fmt.Errorf("not a delivery to %s", s.cfg.Destination.Name)
	}
	if err != nil {
		s.bury(r, m)
		return
	}
	if old := s.backlog.add(d, class, m); old != nil {
		s.answer(old, connector.Attempt{Result: leadroute.ResultSuperseded, Reason: "newer revision"})
	}
}

// start starts what may start and returns how long to wait for the next turn; 0: until
// something happens.
func (s *scheduler) start() time.Duration {
	now := time.Now()
	for len(s.running) < s.slots && s.unacked < maxUnacked {
		var turn *rate.Reservation
		if s.limiter != nil {
			turn = s.limiter.ReserveN(now, 1)
			if wait := turn.DelayFrom(now); wait > 0 {
				turn.CancelAt(now)
				return min(wait, time.Second)
			}
		}
		classes := len(s.topics)
		if len(s.running) >= s.slots-s.reserved() {
			classes = 1
		}
		it := s.backlog.next(leadroute.At(s.cfg.Now()), classes)
		if it == nil {
			if turn != nil {
				turn.CancelAt(now)
			}
			return 0
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

// try makes the attempt in its own goroutine, which ends by sending to finished.
func (s *scheduler) try(it *item) {
	cut, cancel := context.WithCancel(context.Background())
	s.running[it] = cancel
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
			s.cfg.Log.Error("connector panicked", "destination", d.Destination, "lead_id", d.Lead, "type", fmt.Sprintf("%T", r))
			a = connector.Attempt{Result: leadroute.ResultRetry, Reason: "connector panicked"}
		}
	}()
	return s.cfg.Connector.Deliver(ctx, d)
}

func (s *scheduler) finish(f finish) {
	s.running[f.it]()
	delete(s.running, f.it)
	s.backlog.finish(f.it)
	s.pause()
	if f.cut {
		return // left uncommitted: the next owner makes the attempt again
	}
	s.cfg.Metrics.seconds.WithLabelValues(string(s.cfg.Destination.Name)).Observe(f.took.Seconds())
	s.answer(f.it, f.attempt)
}

// answer sends the outcome to the ledger; its ack answers the item's records.
func (s *scheduler) answer(it *item, a connector.Attempt) {
	s.cfg.Metrics.attempts.WithLabelValues(string(s.cfg.Destination.Name), string(a.Result)).Inc()
	s.send(leadroute.TopicLedger, string(it.d.Lead), &leadroute.LedgerMessage{Outcome: &leadroute.Outcome{
		Rev: it.d.Rev, Destination: it.d.Destination, Attempt: it.d.Attempt,
		Result: a.Result, Status: a.Status, Reason: a.Reason, RetryAfter: a.RetryAfter, At: leadroute.At(s.cfg.Now()),
	}}, it.marks)
}

// bury sends a record that is no delivery of ours to the dead letters, under its own key.
func (s *scheduler) bury(r *kgo.Record, m mark) {
	s.cfg.Metrics.bad.WithLabelValues(string(s.cfg.Destination.Name)).Inc()
	s.cfg.Log.Warn("not a delivery, sent to the dead letters", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset)
	s.send(leadroute.TopicDeadLetters, string(r.Key), &leadroute.DeadLetter{
		ID: fmt.Sprintf("%s-%d-%d", r.Topic, r.Partition, r.Offset), Kind: leadroute.DeadMessage,
		Stage: "deliver." + string(s.cfg.Destination.Name), Destination: s.cfg.Destination.Name, Class: s.cfg.Classes[s.class(r.Topic)],
		Reason: "not a delivery to this destination", At: leadroute.At(s.cfg.Now()),
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Payload: r.Value,
	}, []mark{m})
}

func (s *scheduler) class(topic string) int {
	for i, t := range s.topics {
		if t == topic {
			return i
		}
	}
	return len(s.topics) - 1
}

func (s *scheduler) send(t leadroute.Topic, key string, v any, marks []mark) {
	b, err := leadroute.Encode(v)
	if err != nil {
		s.err = err
		return
	}
	s.unacked++
	for _, m := range marks {
		s.answering[m.part]++
	}
	r := &kgo.Record{Topic: s.cfg.Namespace.Topic(t), Key: []byte(key), Value: b}
	s.cl.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
		s.mu.Lock()
		s.acked = append(s.acked, ack{marks, err})
		s.mu.Unlock()
		select {
		case s.acks <- struct{}{}:
		default:
		}
	})
}

func (s *scheduler) acknowledge() {
	s.mu.Lock()
	acked := s.acked
	s.acked = nil
	s.mu.Unlock()
	for _, a := range acked {
		s.unacked--
		for _, m := range a.marks {
			s.answering[m.part]--
		}
		if a.err != nil {
			s.err = fmt.Errorf("the log did not take an outcome: %w", a.err)
			continue
		}
		for _, m := range a.marks {
			if o := s.offsets[m.part]; o != nil {
				o.answer(m.offset)
			}
		}
	}
}

// commit marks what the client's next commit takes along.
func (s *scheduler) commit() {
	var moved map[string]map[int32]kgo.EpochOffset
	for p, o := range s.offsets {
		at, ok := o.take()
		if !ok {
			continue
		}
		if moved == nil {
			moved = map[string]map[int32]kgo.EpochOffset{}
		}
		if moved[p.topic] == nil {
			moved[p.topic] = map[int32]kgo.EpochOffset{}
		}
		moved[p.topic][p.n] = kgo.EpochOffset{Epoch: -1, Offset: at}
	}
	if moved != nil {
		s.cl.MarkCommitOffsets(moved)
	}
}

// pause stops reading a class that has enough waiting, so that a flood of one class
// neither fills the memory nor delays another, and resumes it at half.
func (s *scheduler) pause() {
	for class, topic := range s.topics {
		switch n := s.backlog.waiting[class]; {
		case !s.paused[class] && n >= s.cfg.ReadAhead:
			s.cl.PauseFetchTopics(topic)
			s.paused[class] = true
		case s.paused[class] && n <= s.cfg.ReadAhead/2:
			s.cl.ResumeFetchTopics(topic)
			s.paused[class] = false
		}
	}
}

// share sets this instance's part of the destination's rate and concurrency: in the
// proportion of the partitions that it serves, so that all instances together keep
// within the destination's.
func (s *scheduler) share() {
	f := 1.0
	if s.total > 0 && len(s.offsets) > 0 {
		f = min(1, float64(len(s.offsets))/float64(s.total))
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
