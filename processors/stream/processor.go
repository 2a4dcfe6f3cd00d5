package stream

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"sync"
	"sync/atomic"

	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"

	"github.com/leadroute/leadroute"
)

// ErrNotLocal says that a key's row is owned by another instance, or by nobody just now
// (the partition is moving or recovering).
var ErrNotLocal = errors.New("the row's partition is not owned by this instance")

// Processor runs a stage on Goka and keeps it running.
type Processor[S any] struct{ core *core }

// core is what of a processor does not depend on the stage's types.
type core struct {
	cfg        Config
	name       leadroute.Topic
	inbox      string // on the broker, as is table
	table      string
	barriers   []string // by partition
	metrics    *stageMetrics
	epochFloor atomic.Int64
	ready      chan struct{}
	readyOnce  sync.Once

	decide func(ctx Ctx, key string, state, message []byte, at leadroute.Millis) outcome
	sweeps sweep

	updateMu sync.Mutex
	onUpdate func(key string, next any, raw []byte) // next, or else raw, or neither: deleted

	mu  sync.Mutex
	cur *run
}

// run is one life of the Goka processor, from a start to the next failure or stop.
type run struct {
	core     *core
	cancel   context.CancelFunc
	producer *producer
	send     func(topic, key string, value []byte, done func(error))
	offsets  Offsets
	epoch    atomic.Int64
	live     atomic.Bool // the tables are recovered

	mu     sync.RWMutex
	stores map[int32]*tableStore
	ends   map[int32]int64 // of the inbox's partitions when they became ours
	cause  error
}

// replayUntil is the offset below which a message of the partition may be a replay.
func (r *run) replayUntil(partition int32) int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.ends[partition]
}

// New checks the stage and its configuration. Nothing is connected before Run.
func New[S, M any](cfg Config, stage Stage[S, M]) (*Processor[S], error) {
	c, err := newCore(cfg, &stage)
	if err != nil {
		return nil, err
	}
	return &Processor[S]{c}, nil
}

func newCore[S, M any](cfg Config, st *Stage[S, M]) (*core, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := st.check(); err != nil {
		return nil, err
	}
	routeSaramaLog()
	c := &core{
		cfg: cfg, name: st.Name,
		inbox: cfg.Namespace.Topic(st.Name), table: cfg.Namespace.Table(st.Name),
		barriers: barrierKeys(cfg.Partitions),
		ready:    make(chan struct{}),
	}
	c.metrics = newStageMetrics(cfg.Metrics, string(st.Name), c.rows)
	c.decide = func(ctx Ctx, key string, state, message []byte, at leadroute.Millis) outcome {
		return st.decide(c.panicked, ctx, key, state, message, at)
	}
	if st.OnUpdate != nil {
		c.onUpdate = func(key string, next any, raw []byte) {
			s, _ := next.(*S)
			if s == nil && raw != nil {
				var err error
				if s, err = leadroute.Decode[S](raw); err != nil {
					return // Apply will say so, if the row is ever touched
				}
			}
			st.OnUpdate(key, s)
		}
	}
	if st.Sweep != nil {
		c.sweeps = sweep{every: st.SweepEvery, row: func(key string, raw []byte, now leadroute.Millis) ([]encoded, error) {
			s, err := leadroute.Decode[S](raw)
			if err != nil {
				return nil, fmt.Errorf("the row is not a %T", *new(S))
			}
			return encodeEffects(st.Sweep(key, s, now))
		}}
	}
	return c, nil
}

// Ready is closed when the stage has joined its group and recovered its tables for the
// first time.
func (p *Processor[S]) Ready() <-chan struct{} { return p.core.ready }

// Recovered reports whether the stage is consuming now. It is false while it starts,
// rebalances and recovers.
func (p *Processor[S]) Recovered() bool {
	r := p.core.current()
	return r != nil && r.live.Load()
}

// Get reads the row of key. ok is false if there is none. The error is ErrNotLocal if this
// instance does not own the key's partition.
func (p *Processor[S]) Get(key string) (s *S, ok bool, err error) {
	r := p.core.current()
	if r == nil || !r.live.Load() {
		return nil, false, ErrNotLocal
	}
	store := r.store(PartitionOf(key, p.core.cfg.Partitions))
	if store == nil {
		return nil, false, ErrNotLocal
	}
	raw := store.get(key).value
	if raw == nil {
		return nil, false, nil
	}
	if s, err = leadroute.Decode[S](raw); err != nil {
		return nil, false, fmt.Errorf("read row of %s: %w", p.core.name, err)
	}
	return s, true, nil
}

// Rows calls yield for each row that this instance owns, in no order, until it returns
// false. Rows that cannot be read are left out.
func (p *Processor[S]) Rows(yield func(key string, s *S) bool) {
	r := p.core.current()
	if r == nil || !r.live.Load() {
		return
	}
	for _, store := range r.owned() {
		for _, key := range store.keys() {
			raw := store.get(key).value
			if raw == nil {
				continue
			}
			if s, err := leadroute.Decode[S](raw); err == nil && !yield(key, s) {
				return
			}
		}
	}
}

func (c *core) current() *run {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cur
}

func (c *core) rows() float64 {
	n := 0
	if r := c.current(); r != nil {
		for _, s := range r.owned() {
			n += s.size()
		}
	}
	return float64(n)
}

func (c *core) panicked(reason string, stack []byte) {
	c.cfg.Log.Error("decision panicked", "stage", c.name, "reason", reason, "stack", string(stack))
}

// updated tells OnUpdate of a row that is written (next) or gone (nil).
func (c *core) updated(key string, next any) {
	if c.onUpdate != nil {
		c.updateMu.Lock()
		defer c.updateMu.Unlock()
		c.onUpdate(key, next, nil)
	}
}

// rawCodec leaves the bytes alone: decoding belongs inside the recover of decide.
type rawCodec struct{}

func (rawCodec) Encode(v any) ([]byte, error) {
	b, _ := v.([]byte)
	return b, nil
}

func (rawCodec) Decode(b []byte) (any, error) { return b, nil }

func (c *core) graph(r *run) *goka.GroupGraph {
	return goka.DefineGroup(goka.Group(c.cfg.Namespace.Group(string(c.name))),
		goka.Input(goka.Stream(c.inbox), rawCodec{}, func(g goka.Context, m any) { c.handle(r, g, m) }),
		goka.Persist(rawCodec{}))
}

func hasher() hash.Hash32 { return fnv.New32a() }

// options are Goka's, for one run.
func (r *run) options(g *guard) []goka.ProcessorOption {
	cfg := r.core.cfg
	topics := goka.NewTopicManagerConfig()
	topics.NoCreate = true // EnsureTopics did
	return []goka.ProcessorOption{
		goka.WithClientID("leadroute-" + string(r.core.name)),
		goka.WithLogger(gokaLog{cfg.Log}),
		goka.WithHasher(hasher),
		goka.WithNilHandling(goka.NilProcess),
		goka.WithPartitionChannelSize(256), // as many as sarama holds: with few, each message costs a wake-up
		goka.WithTopicManagerBuilder(goka.TopicManagerBuilderWithConfig(saramaConfig(cfg, g), topics)),
		goka.WithConsumerGroupBuilder(groupBuilder(r, saramaConfig(cfg, g))),
		goka.WithConsumerSaramaBuilder(goka.SaramaConsumerBuilderWithConfig(tableConfig(cfg, g))),
		goka.WithProducerBuilder(func([]string, string, func() hash.Hash32) (goka.Producer, error) { return r.producer, nil }),
		goka.WithStorageBuilder(r.newStore),
		goka.WithUpdateCallback(r.recoverRow),
	}
}

func (r *run) newStore(_ string, partition int32) (storage.Storage, error) {
	s := newTableStore()
	s.onClose = func() {
		r.mu.Lock()
		if r.stores[partition] == s {
			delete(r.stores, partition)
		}
		r.mu.Unlock()
		if r.core.onUpdate != nil {
			for _, key := range s.keys() {
				r.core.updated(key, nil)
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stores[partition] = s
	return s, nil
}

// recoverRow takes one record of the changelog.
func (r *run) recoverRow(ctx goka.UpdateContext, s storage.Storage, key string, value []byte) error {
	store := r.store(ctx.Partition())
	if store == nil {
		return goka.DefaultUpdate(ctx, s, key, value)
	}
	if store.apply(key, value, parseStamp(ctx.Headers()[stampHeader])) && r.core.onUpdate != nil {
		r.core.updateMu.Lock()
		defer r.core.updateMu.Unlock()
		r.core.onUpdate(key, nil, value)
	}
	return nil
}

func (r *run) stamped(at leadroute.Millis) goka.ContextOption {
	return goka.WithCtxEmitHeaders(stamp{r.epoch.Load(), at}.goka())
}

// store is this run's store of a partition, nil if it has none.
func (r *run) store(partition int32) *tableStore {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.stores[partition]
}

func (r *run) owned() []*tableStore {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]*tableStore, 0, len(r.stores))
	for _, s := range r.stores {
		out = append(out, s)
	}
	return out
}

// fail ends the run; the first cause counts. It returns err.
func (r *run) fail(err error) error {
	r.mu.Lock()
	if r.cause == nil {
		r.cause = err
	}
	r.mu.Unlock()
	r.cancel()
	return err
}

func (r *run) failure() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.cause
}

func (r *run) recovered(partitions int) {
	r.live.Store(true)
	r.core.cfg.Log.Info("stage is ready", "stage", r.core.name, "partitions", partitions)
	r.core.readyOnce.Do(func() { close(r.core.ready) })
}
