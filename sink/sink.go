package sink

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute"
)

// Config says what a Sink reads and where it writes.
type Config struct {
	Brokers   []string
	Namespace leadroute.Namespace
	DB        *DB
	// Linger is how long a part-filled batch waits before it is written, 1s if zero.
	// ClickHouse prefers few large inserts. Raise MaxRows along with it.
	Linger time.Duration
	// MaxRows is how many rows a batch holds at most, 20,000 if zero. Two batches exist:
	// one is filled while the other is written.
	MaxRows int
	// StopWithin is how long Run goes on writing after its context ended, 1.5s if zero.
	// What is not written by then is read again at the next start.
	StopWithin time.Duration
	// Instance names this member of the group across restarts: one that was killed takes its
	// partitions back at once. Two members of one name fence each other. Empty: a killed
	// member's partitions stand still until its session ends, 10 s later.
	Instance string
	// Client holds further options for the Kafka client, such as TLS and SASL.
	Client []kgo.Opt
	// Metrics registers the sink's metrics; nil: they are not shown.
	Metrics prometheus.Registerer
	// Log; nil drops everything.
	Log *slog.Logger
}

// groupName is the sink's consumer group within the namespace.
const groupName = "sink"

// Sink is the worker that moves events into ClickHouse. Several may run at once, on one
// or on many machines: they share the partitions.
//
// Rows carry their identity, so that writing one again changes nothing. A batch is
// therefore sent until it is acknowledged, and the offsets are committed after that,
// batch after batch: a committed offset means that everything before it is in ClickHouse.
type Sink struct {
	cfg    Config
	topic  string
	client *kgo.Client
	m      *metrics
	log    *slog.Logger
	flush  chan struct{}
	wake   chan struct{} // has the reader look at wanted

	mu     sync.Mutex
	owned  map[int32]bool
	wanted map[int32]int64 // offsets that somebody waits for
}

// New checks the configuration. It does not connect to the brokers.
func New(cfg Config) (*Sink, error) {
	if cfg.DB == nil || len(cfg.Brokers) == 0 {
		return nil, errors.New("sink: brokers and a database are needed")
	}
	if cfg.Linger <= 0 {
		cfg.Linger = time.Second
	}
	if cfg.MaxRows <= 0 {
		cfg.MaxRows = 20_000
	}
	if cfg.StopWithin <= 0 {
		cfg.StopWithin = 1500 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(cfg.Metrics)
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	s := &Sink{
		cfg: cfg, topic: cfg.Namespace.Topic(leadroute.TopicEvents), m: m, log: cfg.Log,
		flush: make(chan struct{}, 1), wake: make(chan struct{}, 1), owned: map[int32]bool{}, wanted: map[int32]int64{},
	}
	opts := append([]kgo.Opt{
		kgo.SeedBrokers(cfg.Brokers...),
		kgo.ConsumerGroup(cfg.Namespace.Group(groupName)),
		kgo.ConsumeTopics(s.topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.DisableAutoCommit(),
		kgo.SessionTimeout(10 * time.Second), kgo.HeartbeatInterval(time.Second),
		kgo.OnPartitionsAssigned(s.assigned),
		kgo.OnPartitionsRevoked(s.lost),
		kgo.OnPartitionsLost(s.lost),
		// Nobody waits for a single event: fewer, larger fetches.
		kgo.FetchMinBytes(64 << 10), kgo.FetchMaxWait(min(max(cfg.Linger/4, 10*time.Millisecond), 250*time.Millisecond)),
		kgo.FetchMaxBytes(16 << 20), kgo.FetchMaxPartitionBytes(4 << 20),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(kgo.SaramaCompatHasher(fnv32a))),
	}, cfg.Client...)
	if cfg.Instance != "" {
		opts = append(opts, kgo.InstanceID(cfg.Instance))
	}
	if s.client, err = kgo.NewClient(opts...); err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	return s, nil
}

// Run moves events until ctx ends; then it writes what it holds, for StopWithin at most,
// and returns nil. It survives the loss of ClickHouse and of the brokers: it tries again,
// holding no more than two batches. An error is one that trying again does not mend.
func (s *Sink) Run(ctx context.Context) error {
	defer s.leave()
	// Writing may go on a little longer than reading.
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(s.cfg.StopWithin, stop) })()
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()

	full, free := make(chan *batch), make(chan *batch, 2)
	free <- newBatch()
	free <- newBatch()
	var readErr error
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(full)
		readErr = s.read(reading, writing, free, full)
	})
	for b := range full {
		if s.write(writing, b) != nil {
			break // writing has ended; what is not committed is read again
		}
		b.reset()
		free <- b
	}
	stopReading()
	stop()
	for range full { // lets the reader go
	}
	wg.Wait()
	return readErr
}

// read fills batches and hands each over when it is full, old enough, or awaited.
func (s *Sink) read(ctx, writing context.Context, free <-chan *batch, full chan<- *batch) error {
	var b *batch
	for ctx.Err() == nil {
		if b == nil {
			select {
			case b = <-free:
			case <-writing.Done():
				return nil
			}
		}
		if err := s.fill(ctx, b); err != nil {
			return err
		}
		if b.empty() {
			continue
		}
		select {
		case full <- b:
			b = nil
		case <-writing.Done():
			return nil
		}
	}
	return nil
}

// fill reads into b until it should be written, or ctx ends.
func (s *Sink) fill(ctx context.Context, b *batch) error {
	for ctx.Err() == nil && b.rows() < s.cfg.MaxRows {
		fetches, due := s.poll(ctx, b)
		if fetches.IsClientClosed() {
			return errors.New("sink: the Kafka client was closed")
		}
		fetches.EachError(func(_ string, partition int32, err error) {
			if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
				s.log.Warn("cannot read events", "partition", partition, "error", err)
			}
		})
		if b.opened.IsZero() && fetches.NumRecords() > 0 {
			b.opened = time.Now()
		}
		for it := fetches.RecordIter(); !it.Done(); {
			if err := s.take(ctx, b, it.Next()); err != nil {
				if ctx.Err() != nil {
					return nil // stopping: this record and those after it are read again
				}
				return err
			}
		}
		if due || s.awaited(b) {
			return nil
		}
	}
	return nil
}

// poll waits for records; due is true when b should be written with what it then has.
func (s *Sink) poll(ctx context.Context, b *batch) (_ kgo.Fetches, due bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var linger <-chan time.Time
	if !b.opened.IsZero() {
		t := time.NewTimer(time.Until(b.opened.Add(s.cfg.Linger)))
		defer t.Stop()
		linger = t.C
	}
	polled := make(chan kgo.Fetches, 1)
	go func() { polled <- s.client.PollRecords(ctx, s.cfg.MaxRows-b.rows()) }()
	select {
	case f := <-polled:
		return f, false
	case <-linger:
		due = true
	case <-s.flush:
		due = true
	case <-s.wake:
	}
	cancel()
	return <-polled, due
}

// take adds a record to the batch. One that cannot be read goes to the dead letters, and
// is noted only when it is there.
func (s *Sink) take(ctx context.Context, b *batch, r *kgo.Record) error {
	e, err := leadroute.Decode[leadroute.LatencyEvent](r.Value)
	if err == nil {
		err = b.add(e)
	}
	if err != nil {
		s.m.unreadable.Inc()
		s.log.Warn("event cannot be read, it goes to the dead letters", "partition", r.Partition, "offset", r.Offset)
		if err := s.bury(ctx, r); err != nil {
			return err
		}
	}
	b.note(r)
	return nil
}

// bury puts a record that cannot be read into the dead letters.
func (s *Sink) bury(ctx context.Context, r *kgo.Record) error {
	v, err := leadroute.Encode(&leadroute.DeadLetter{
		ID:   r.Topic + "-" + strconv.Itoa(int(r.Partition)) + "-" + strconv.FormatInt(r.Offset, 10),
		Kind: leadroute.DeadMessage, Stage: groupName, Reason: "unreadable event", At: leadroute.At(r.Timestamp),
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Payload: r.Value,
	})
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	letter := &kgo.Record{Topic: s.cfg.Namespace.Topic(leadroute.TopicDeadLetters), Key: r.Key, Value: v}
	if err := s.client.ProduceSync(ctx, letter).FirstErr(); err != nil {
		return fmt.Errorf("sink: write a dead letter: %w", err)
	}
	return nil
}

// write inserts b, as often as it takes, and commits its offsets. It fails only when ctx ends.
func (s *Sink) write(ctx context.Context, b *batch) error {
	wait := retry()
	for try := 1; b.rows() > 0; try++ {
		began := time.Now()
		err := s.cfg.DB.insert(ctx, b)
		if err == nil {
			if try > 1 {
				s.log.Info("ClickHouse takes events again", "tries", try)
			}
			s.m.rows.Add(float64(b.rows()))
			s.m.insert.Observe(time.Since(began).Seconds())
			s.m.last.SetToCurrentTime()
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.m.errors.Inc()
		if try == 1 || try%30 == 0 {
			s.log.Warn("ClickHouse takes no events, trying on", "tries", try, "error", s.cfg.DB.addr.explain(err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait.NextBackOff()):
		}
	}
	return s.commit(ctx, b)
}

// commit notes b's offsets in the group, as often as it takes. Partitions that went to
// another member are left out. It fails only when ctx ends.
func (s *Sink) commit(ctx context.Context, b *batch) error {
	wait := retry()
	for {
		next := s.ours(b.next)
		if len(next) == 0 {
			return nil
		}
		err := s.commitOnce(ctx, next)
		if err == nil {
			return nil
		}
		s.log.Debug("offsets not committed, trying on", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait.NextBackOff()):
		}
	}
}

func (s *Sink) commitOnce(ctx context.Context, next map[int32]kgo.EpochOffset) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{s.topic: next},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, e error) {
			if err = e; err != nil {
				return
			}
			for _, t := range resp.Topics {
				for _, p := range t.Partitions {
					err = errors.Join(err, kerr.ErrorForCode(p.ErrorCode))
				}
			}
		})
	return err
}

// ours is the part of next whose partitions are assigned to this member.
func (s *Sink) ours(next map[int32]kgo.EpochOffset) map[int32]kgo.EpochOffset {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[int32]kgo.EpochOffset, len(next))
	for p, o := range next {
		if s.owned[p] {
			out[p] = o
		}
	}
	return out
}

func (s *Sink) assigned(_ context.Context, _ *kgo.Client, got map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range got[s.topic] {
		s.owned[p] = true
	}
}

// lost forgets partitions: another member has them, and commits for them.
func (s *Sink) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range gone[s.topic] {
		delete(s.owned, p)
	}
}

// retry is the pace of trying again, without end.
func retry() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 50*time.Millisecond, 2*time.Second
	return b
}

// leave closes the client; a group that cannot be reached must not hold up the stop.
func (s *Sink) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.client.LeaveGroupContext(ctx) // the session ends by itself otherwise
	s.client.Close()
}

func fnv32a(b []byte) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(b)
	return h.Sum32()
}
