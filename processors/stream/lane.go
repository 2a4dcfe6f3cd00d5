package stream

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// lane hands the records of one assigned partition to the worker's Handle, one at a time,
// for as long as the partition is ours. A new assignment of it is a new lane, so that a
// late done of an old one moves nothing.
type lane struct {
	g      *WorkerGroup
	key    Partition
	cancel context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex
	more   *sync.Cond
	queue  []*kgo.Record
	paused bool
	closed bool

	offsets   Offsets
	offsetMu  sync.Mutex
	next      int64 // committable
	dirty     bool
	committed bool
}

func startLane(g *WorkerGroup, key Partition) *lane {
	ctx, cancel := context.WithCancel(g.ctx)
	l := &lane{g: g, key: key, cancel: cancel, ended: make(chan struct{})}
	l.more = sync.NewCond(&l.mu)
	context.AfterFunc(ctx, func() {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		l.more.Broadcast()
	})
	go func() {
		defer close(l.ended)
		l.run(ctx)
	}()
	return l
}

func (l *lane) wait() {
	<-l.ended
	l.resume() // a pause outlives the assignment
}

func (l *lane) push(rs []*kgo.Record) {
	l.mu.Lock()
	l.queue = append(l.queue, rs...)
	full := len(l.queue) > l.g.w.Buffer && !l.paused && !l.closed
	if full {
		l.paused = true
		l.g.cl.PauseFetchPartitions(l.set())
	}
	l.mu.Unlock()
	l.more.Signal()
}

func (l *lane) run(ctx context.Context) {
	for {
		r := l.pull()
		if r == nil || ctx.Err() != nil {
			return
		}
		l.offsets.Add(l.key, r.Offset)
		l.g.w.Handle(ctx, r, func() { l.done(r.Offset) })
	}
}

// pull returns the next record, or nil when the lane is closed.
func (l *lane) pull() *kgo.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.more.Wait()
	}
	if l.closed {
		return nil
	}
	r := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	if l.paused && len(l.queue) <= l.g.w.Buffer/2 {
		l.paused = false
		l.g.cl.ResumeFetchPartitions(l.set())
	}
	return r
}

func (l *lane) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused {
		l.paused = false
		l.g.cl.ResumeFetchPartitions(l.set())
	}
}

func (l *lane) set() map[string][]int32 {
	return map[string][]int32{l.key.Topic: {l.key.Partition}}
}

func (l *lane) done(offset int64) {
	l.offsetMu.Lock()
	defer l.offsetMu.Unlock()
	if next, moved := l.offsets.Done(l.key, offset); moved {
		l.next, l.dirty, l.committed = next, true, true
	}
}

func (l *lane) committable() (next int64, ok bool) {
	l.offsetMu.Lock()
	defer l.offsetMu.Unlock()
	ok = l.dirty
	l.dirty = false
	return l.next, ok
}

func (l *lane) uncommitted() {
	l.offsetMu.Lock()
	defer l.offsetMu.Unlock()
	l.dirty = l.committed
}

// commitSync commits and returns the first error of the request or of a partition.
func commitSync(ctx context.Context, cl *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) (err error) {
	cl.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, e error) {
		if err = e; err != nil || resp == nil {
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if e := kerr.ErrorForCode(p.ErrorCode); e != nil && err == nil {
					err = e
				}
			}
		}
	})
	return err
}
