package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// tableReader keeps a copy of another stage's whole table, on franz-go: it outlives broker
// restarts by itself, where Goka's lookups end with one connection.
type tableReader struct {
	cfg       Config
	table     string
	onRow     func(key string, value []byte) // nil value: deleted; one call at a time
	recovered chan struct{}                  // closed once the copy has what the table had at the start
	parts     map[int32]*tableStore          // one per partition, made at the first look
	mu        sync.RWMutex
}

func newTableReader(cfg Config, stage leadroute.Topic, onRow func(key string, value []byte)) *tableReader {
	return &tableReader{
		cfg: cfg, table: cfg.Namespace.Table(stage), onRow: onRow,
		recovered: make(chan struct{}), parts: map[int32]*tableStore{},
	}
}

// run reads until ctx ends.
func (t *tableReader) run(ctx context.Context) {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 100*time.Millisecond, 5*time.Second
	for {
		err := t.read(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := b.NextBackOff()
		t.cfg.Log.Warn("table reader stopped, will restart", "table", t.table, "cause", err, "after", wait)
		if !pause(ctx, wait) {
			return
		}
	}
}

func (t *tableReader) read(ctx context.Context) error {
	cl, err := kgo.NewClient(append(t.cfg.Options(), kgo.FetchMaxWait(250*time.Millisecond))...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.table, err)
	}
	defer cl.Close()
	missing, from, err := t.start(ctx, kadm.NewClient(cl))
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		t.markRecovered()
	}
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{t.table: from})
	for {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var failed error
		fetches.EachError(func(_ string, _ int32, err error) {
			if !errors.Is(err, context.Canceled) {
				failed = err
			}
		})
		if failed != nil {
			return fmt.Errorf("read %s: %w", t.table, failed)
		}
		fetches.EachRecord(t.take)
		for p, end := range missing {
			if s := t.part(p); s.next() >= end {
				delete(missing, p)
			}
		}
		if len(missing) == 0 {
			t.markRecovered()
		}
	}
}

// start makes sure that the table exists and returns where to read each partition from,
// and the ends of those that are not yet read up to what they hold now.
func (t *tableReader) start(ctx context.Context, adm *kadm.Client) (missing map[int32]int64, from map[int32]kgo.Offset, err error) {
	err = EnsureTopics(ctx, adm, []TopicSpec{{
		Name: t.table, Partitions: t.cfg.Partitions, Compact: true, Replication: int16(t.cfg.Replication), //nolint:gosec // a small number
	}})
	if err != nil {
		return nil, nil, err
	}
	begin, err := adm.ListStartOffsets(ctx, t.table)
	if err == nil {
		err = begin.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list offsets of %s: %w", t.table, err)
	}
	ends, err := adm.ListEndOffsets(ctx, t.table)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list offsets of %s: %w", t.table, err)
	}
	missing, from = map[int32]int64{}, map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		first, _ := begin.Lookup(o.Topic, o.Partition)
		at := max(t.part(o.Partition).next(), first.Offset)
		from[o.Partition] = kgo.NewOffset().At(at)
		if at < o.Offset {
			missing[o.Partition] = o.Offset
		}
	})
	return missing, from, nil
}

func (t *tableReader) take(r *kgo.Record) {
	s := t.part(r.Partition)
	key := string(r.Key)
	if s.apply(key, r.Value, recordStamp(r)) && t.onRow != nil {
		t.onRow(key, r.Value)
	}
	_ = s.SetOffset(r.Offset)
}

func (t *tableReader) markRecovered() {
	select {
	case <-t.recovered:
	default:
		close(t.recovered)
	}
}

func (t *tableReader) part(p int32) *tableStore {
	t.mu.RLock()
	s := t.parts[p]
	t.mu.RUnlock()
	if s != nil {
		return s
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.parts[p] == nil {
		t.parts[p] = newTableStore()
	}
	return t.parts[p]
}

func (t *tableReader) get(key string) []byte {
	return t.part(PartitionOf(key, t.cfg.Partitions)).get(key).value
}

// next is the offset after the last record taken, 0 if none was.
func (s *tableStore) next() int64 {
	last, _ := s.GetOffset(-1)
	return last + 1
}
