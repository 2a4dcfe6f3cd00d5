package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// Worker is a stateless stage: a consumer group whose records are handed out in order
// and may be finished in any order.
type Worker struct {
	Group  string // logical; the group on the broker is Namespace.Group(Group)
	Topics []leadroute.Topic
	// Handle takes one record. It is called for the records of one partition one at a time
	// and in order, for different partitions concurrently: where it blocks (back-pressure),
	// it holds up its own partition only. ctx ends when the partition is taken away or the
	// worker stops; Handle must then return soon.
	//
	// done says that the record needs no redelivery. It may be called from any goroutine, at
	// any time, in any order and more than once; what is not done when the partition is given
	// up is delivered again, here or elsewhere.
	Handle func(ctx context.Context, r *kgo.Record, done func())
	// Assigned and Revoked, if set, tell of partitions that come and go. Assigned is called
	// before the partition's first record, Revoked after its last Handle has returned and
	// before its offset is committed for the last time; both hold up the rebalance.
	Assigned func(t leadroute.Topic, partition int32)
	Revoked  func(t leadroute.Topic, partition int32)
	// Copartition gives a member the same partitions of all topics (which have the same
	// partition count), at the price of a full stop at each rebalance.
	Copartition bool
	// Buffer is how many records a partition may wait before its Handle, 256 if zero; beyond
	// it the partition is not fetched.
	Buffer int
	// CommitEvery is how long finished work may stay uncommitted, 200 ms if zero.
	CommitEvery time.Duration
	// Options are added to the client's.
	Options []kgo.Opt
}

// WorkerGroup is one member of a Worker's group.
type WorkerGroup struct {
	w   Worker
	cfg Config
	cl  *kgo.Client

	mu    sync.Mutex
	lanes map[Partition]*lane
	ctx   context.Context // of the lanes; set by Run
}

// NewWorker checks w and makes its client, which joins the group only when run. A
// WorkerGroup that is not run must be closed by closing its Client.
func NewWorker(cfg Config, w Worker) (*WorkerGroup, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if w.Group == "" || len(w.Topics) == 0 || w.Handle == nil {
		return nil, errors.New("stream: a worker needs a group, topics and a handler")
	}
	if w.Buffer == 0 {
		w.Buffer = 256
	}
	if w.CommitEvery == 0 {
		w.CommitEvery = commitInterval
	}
	g := &WorkerGroup{w: w, cfg: cfg, lanes: map[Partition]*lane{}}
	opts := append(cfg.Options(),
		kgo.ConsumerGroup(cfg.Namespace.Group(w.Group)),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.SessionTimeout(cfg.SessionTimeout),
		kgo.HeartbeatInterval(heartbeatInterval),
		kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(g.assigned),
		kgo.OnPartitionsRevoked(g.revoked),
		kgo.OnPartitionsLost(g.lost),
	)
	if cfg.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(cfg.InstanceID+"-"+w.Group))
	}
	if w.Copartition {
		opts = append(opts, kgo.Balancers(kgo.RangeBalancer()))
	}
	opts = append(opts, w.Options...)
	// The topics are added by Run: a client that knows them joins its group at once.
	if g.cl, err = kgo.NewClient(opts...); err != nil {
		return nil, fmt.Errorf("stream: worker %s: %w", w.Group, err)
	}
	return g, nil
}

// Client is the worker's client, for what it produces. It is closed when Run returns.
func (g *WorkerGroup) Client() *kgo.Client { return g.cl }

// Backlog is the number of records fetched and not yet handed to Handle.
func (g *WorkerGroup) Backlog() (n int) {
	for _, l := range g.current() {
		l.mu.Lock()
		n += len(l.queue)
		l.mu.Unlock()
	}
	return n
}

// Run consumes until ctx ends, then commits what is done, leaves the group (a static
// member stays on its list, to take its partitions over when it is back) and closes the
// client. Brokers that are away are waited for. It returns an error only if the client
// was closed by somebody else.
func (g *WorkerGroup) Run(ctx context.Context) error {
	defer g.cl.Close()
	laneCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	g.ctx = laneCtx
	for _, t := range g.w.Topics {
		g.cl.AddConsumeTopics(g.cfg.Namespace.Topic(t))
	}
	var commits sync.WaitGroup
	commits.Go(func() {
		tick := time.NewTicker(g.w.CommitEvery)
		defer tick.Stop()
		for {
			select {
			case <-laneCtx.Done():
				return
			case <-tick.C:
				g.commit(laneCtx, g.current())
			}
		}
	})
	err := g.poll(ctx)
	cancel()
	commits.Wait()
	lanes := g.takeAll()
	g.stop(lanes)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	g.commit(last, lanes)
	if g.cfg.InstanceID == "" {
		_ = g.cl.LeaveGroupContext(last)
	}
	return err
}

func (g *WorkerGroup) poll(ctx context.Context) error {
	for {
		fetches := g.cl.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if fetches.IsClientClosed() {
			return errors.New("stream: the worker's client was closed")
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			g.cfg.Log.Log(ctx, retriedAt(err), "fetch failed, will retry", "topic", topic, "partition", partition, "error", err)
		})
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if len(p.Records) == 0 {
				return
			}
			g.mu.Lock()
			l := g.lanes[Partition{p.Topic, p.Partition}]
			g.mu.Unlock()
			if l != nil { // else it was taken away while these records waited in the client
				l.push(p.Records)
			}
		})
	}
}

func (g *WorkerGroup) assigned(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	for topic, ps := range parts {
		for _, p := range ps {
			key := Partition{topic, p}
			if g.w.Assigned != nil {
				t, _ := g.cfg.Namespace.Logical(topic)
				g.w.Assigned(t, p)
			}
			g.mu.Lock()
			g.lanes[key] = startLane(g, key)
			g.mu.Unlock()
		}
	}
}

func (g *WorkerGroup) revoked(ctx context.Context, _ *kgo.Client, parts map[string][]int32) {
	lanes := g.take(parts)
	g.stop(lanes)
	// Ours until this returns: what is finished is committed here, or done again there.
	ctx, cancel := context.WithTimeout(ctx, g.cfg.SessionTimeout/2)
	defer cancel()
	g.commit(ctx, lanes)
}

func (g *WorkerGroup) lost(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	g.stop(g.take(parts)) // somebody else's already: a commit would be refused
}

func (g *WorkerGroup) take(parts map[string][]int32) []*lane {
	g.mu.Lock()
	defer g.mu.Unlock()
	var lanes []*lane
	for topic, ps := range parts {
		for _, p := range ps {
			key := Partition{topic, p}
			if l := g.lanes[key]; l != nil {
				lanes = append(lanes, l)
				delete(g.lanes, key)
			}
		}
	}
	return lanes
}

func (g *WorkerGroup) current() []*lane {
	g.mu.Lock()
	defer g.mu.Unlock()
	lanes := make([]*lane, 0, len(g.lanes))
	for _, l := range g.lanes {
		lanes = append(lanes, l)
	}
	return lanes
}

func (g *WorkerGroup) takeAll() []*lane {
	lanes := g.current()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range lanes {
		delete(g.lanes, l.key)
	}
	return lanes
}

func (g *WorkerGroup) stop(lanes []*lane) {
	for _, l := range lanes {
		l.cancel()
	}
	for _, l := range lanes {
		l.wait()
		if g.w.Revoked != nil {
			t, _ := g.cfg.Namespace.Logical(l.key.Topic)
			g.w.Revoked(t, l.key.Partition)
		}
	}
}

// commit commits what the lanes have finished since they were last asked. After a
// failure it is asked for again with the next.
func (g *WorkerGroup) commit(ctx context.Context, lanes []*lane) {
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for _, l := range lanes {
		if next, ok := l.committable(); ok {
			if offsets[l.key.Topic] == nil {
				offsets[l.key.Topic] = map[int32]kgo.EpochOffset{}
			}
			offsets[l.key.Topic][l.key.Partition] = kgo.EpochOffset{Epoch: -1, Offset: next}
		}
	}
	if len(offsets) == 0 {
		return
	}
	if err := commitSync(ctx, g.cl, offsets); err != nil {
		for _, l := range lanes {
			l.uncommitted()
		}
		if ctx.Err() == nil {
			g.cfg.Log.Log(ctx, retriedAt(err), "commit failed, will retry", "group", g.w.Group, "error", err)
		}
	}
}
