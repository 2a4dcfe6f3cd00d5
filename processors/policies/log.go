// Package policies is the log of policies: which were published, which one is in force,
// which one is tried beside it, and how that came to be. Every instance reads it and
// comes to the same conclusion. What a policy means is the plan's business; what an
// instance does when another one comes into force is that of package processors.
package policies

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// ErrMoved is the error of a change that came too late: another plan was in force, or
// another one was tried, when it reached the log.
var ErrMoved = errors.New("the policy in force has changed meanwhile")

// ErrTooLarge is the error of a policy that is too large for the log.
var ErrTooLarge = fmt.Errorf("the policy's files are larger than the log takes: %d MB in base64", stream.MaxPolicy>>20)

// Log is the log of policies as far as it was read. It is safe for concurrent use.
type Log struct {
	topic   string
	options []kgo.Opt
	now     func() time.Time
	client  *kgo.Client
	stop    context.CancelFunc
	done    chan struct{}

	mu       sync.Mutex
	standing Standing
	names    map[leadroute.PlanID]string
	at       map[leadroute.PlanID]int64 // offset of the plan's source
	void     map[int64]bool             // offsets of our changes that had no effect
	next     int64                      // offset of the next record
	moved    chan struct{}              // closed, and replaced, when next moves
}

// Open reads the log to its end, and goes on reading it until Close.
func Open(ctx context.Context, cfg stream.Config) (*Log, error) {
	l := &Log{
		topic: cfg.Namespace.Topic(leadroute.TopicPolicies), now: cfg.Clock, done: make(chan struct{}),
		names: map[leadroute.PlanID]string{}, at: map[leadroute.PlanID]int64{}, void: map[int64]bool{}, moved: make(chan struct{}),
	}
	if l.now == nil {
		l.now = time.Now
	}
	l.options = append(cfg.Options(), kgo.ProducerBatchMaxBytes(stream.MaxPolicy), kgo.ProducerBatchCompression(kgo.ZstdCompression(), kgo.NoCompression()))
	var err error
	if l.client, err = kgo.NewClient(append(l.options, l.from(0), kgo.FetchMaxWait(250*time.Millisecond))...); err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	end, err := l.end(ctx)
	if err != nil {
		l.client.Close()
		return nil, fmt.Errorf("read the policies: %w", err)
	}
	reading, stop := context.WithCancel(context.Background())
	l.stop = stop
	go l.read(reading)
	if err := l.await(ctx, end); err != nil {
		l.Close()
		return nil, fmt.Errorf("read the policies: %w", err)
	}
	return l, nil
}

// Close ends the reading.
func (l *Log) Close() {
	l.stop()
	<-l.done
	l.client.Close()
}

func (l *Log) from(offset int64) kgo.Opt {
	return kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{l.topic: {0: kgo.NewOffset().At(offset)}})
}

func (l *Log) end(ctx context.Context) (int64, error) {
	ends, err := kadm.NewClient(l.client).ListEndOffsets(ctx, l.topic)
	if err != nil {
		return 0, err
	}
	end, ok := ends.Lookup(l.topic, 0)
	if !ok {
		return 0, fmt.Errorf("there is no topic %s", l.topic)
	}
	return end.Offset, end.Err
}

func (l *Log) read(ctx context.Context) {
	defer close(l.done)
	for ctx.Err() == nil {
		fetches := l.client.PollFetches(ctx)
		if fetches.IsClientClosed() {
			return
		}
		fetches.EachRecord(l.take)
	}
}

func (l *Log) take(r *kgo.Record) {
	v, err := leadroute.Decode[leadroute.PolicyRecord](r.Value)
	l.mu.Lock()
	defer l.mu.Unlock()
	key := string(r.Key)
	switch {
	case err != nil || len(r.Value) == 0: // none of ours
	case l.standing.apply(key, v, l.names):
		if len(v.Source) > 0 {
			l.at[v.ID] = r.Offset
		}
	default:
		l.void[r.Offset] = true
	}
	l.next = r.Offset + 1
	close(l.moved)
	l.moved = make(chan struct{})
}

// await waits until the log was read up to the offset.
func (l *Log) await(ctx context.Context, next int64) error {
	for {
		l.mu.Lock()
		there, moved := l.next >= next, l.moved
		l.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Standing is what the log adds up to now; the channel is closed when it may have changed.
func (l *Log) Standing() (Standing, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.standing.clone(), l.moved
}

// Source reads a published policy's source; nil if the log has none of that plan.
func (l *Log) Source(ctx context.Context, id leadroute.PlanID) (*leadroute.PolicyRecord, error) {
	l.mu.Lock()
	offset, ok := l.at[id]
	l.mu.Unlock()
	if !ok {
		return nil, nil
	}
	cl, err := kgo.NewClient(append(l.options, l.from(offset))...)
	if err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	defer cl.Close()
	for ctx.Err() == nil {
		fetches := cl.PollFetches(ctx)
		for it := fetches.RecordIter(); !it.Done(); {
			if r := it.Next(); r.Offset == offset {
				return leadroute.Decode[leadroute.PolicyRecord](r.Value)
			}
		}
	}
	return nil, fmt.Errorf("read the policy %s: %w", id, ctx.Err())
}

// Await is Source for a plan that another instance may have published just now: it first
// reads the log to its end.
func (l *Log) Await(ctx context.Context, id leadroute.PlanID) (*leadroute.PolicyRecord, error) {
	end, err := l.end(ctx)
	if err == nil {
		err = l.await(ctx, end)
	}
	if err != nil {
		return nil, fmt.Errorf("read the policies: %w", err)
	}
	return l.Source(ctx, id)
}

// Publish puts a policy's source into the log, unless it is there.
func (l *Log) Publish(ctx context.Context, id leadroute.PlanID, name string, source map[string][]byte) error {
	l.mu.Lock()
	_, there := l.at[id]
	l.mu.Unlock()
	if there {
		return nil
	}
	return l.append(ctx, leadroute.PolicyPlan+string(id), &leadroute.PolicyRecord{ID: id, Name: name, Source: maps.Clone(source)})
}

// Enforce puts a published plan into force in the place of prev, and ends a rollout. It is
// ErrMoved where prev is not in force any more; an empty prev is whatever is in force.
func (l *Log) Enforce(ctx context.Context, id, prev leadroute.PlanID, by, reason string) error {
	return l.append(ctx, leadroute.PolicyCurrent, &leadroute.PolicyRecord{ID: id, Prev: prev, By: by, Reason: reason})
}

// Promote puts the plan that is tried into force. It is ErrMoved where that has changed.
func (l *Log) Promote(ctx context.Context, candidate, prev leadroute.PlanID, by, reason string) error {
	return l.append(ctx, leadroute.PolicyCurrent, &leadroute.PolicyRecord{ID: candidate, Candidate: candidate, Prev: prev, By: by, Reason: reason})
}

// Try has a published plan tried beside prev. It is ErrMoved where prev is not in force, or
// another plan is tried.
func (l *Log) Try(ctx context.Context, id, prev leadroute.PlanID, by string) error {
	return l.append(ctx, leadroute.PolicyCandidate, &leadroute.PolicyRecord{ID: id, Prev: prev, By: by})
}

// Withdraw takes the plan that is tried back. It is ErrMoved where that has changed.
func (l *Log) Withdraw(ctx context.Context, candidate leadroute.PlanID, by, reason string) error {
	return l.append(ctx, leadroute.PolicyCandidate, &leadroute.PolicyRecord{Candidate: candidate, By: by, Reason: reason})
}

// append writes a record and waits until it was read again: only then it is known whether
// another one came first.
func (l *Log) append(ctx context.Context, key string, r *leadroute.PolicyRecord) error {
	r.At = leadroute.At(l.now())
	b, err := leadroute.Encode(r)
	if err != nil {
		return err
	}
	if len(b) > stream.MaxPolicy-1024 {
		return ErrTooLarge
	}
	sent, err := l.client.ProduceSync(ctx, &kgo.Record{Topic: l.topic, Key: []byte(key), Value: b}).First()
	if err == nil {
		err = l.await(ctx, sent.Offset+1)
	}
	if err != nil {
		return fmt.Errorf("write to the log of policies: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.void[sent.Offset] {
		return ErrMoved
	}
	return nil
}
