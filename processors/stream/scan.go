package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// stuck is how long a scan waits for the rest of the table: compaction may have taken its
// last record.
const stuck = 2 * time.Second

// Scan reads a stage's table, of all instances, as the log has it now, and calls yield for
// each write of a row, in order per key, so that the last one counts; s is nil where the row
// was deleted. It keeps nothing of it: the caller remembers what it looks for. A write of an
// owner that had lost its partition may be among them.
func Scan[S any](ctx context.Context, cfg Config, stage leadroute.Topic, yield func(key string, s *S) error) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	table := cfg.Namespace.Table(stage)
	cl, err := kgo.NewClient(append(cfg.Options(), kgo.ClientID("leadroute-scan"), kgo.FetchMaxWait(250*time.Millisecond))...)
	if err != nil {
		return fmt.Errorf("scan %s: %w", table, err)
	}
	defer cl.Close()
	from, left, err := bounds(ctx, kadm.NewClient(cl), table)
	if err != nil {
		return fmt.Errorf("scan %s: %w", table, err)
	}
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{table: from})
	for len(left) > 0 {
		wait, cancel := context.WithTimeout(ctx, stuck)
		fetches := cl.PollFetches(wait)
		cancel()
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("scan %s: %w", table, err)
		}
		if fetches.Empty() && wait.Err() != nil {
			return reached(ctx, cl, table) // then what is left is not there any more
		}
		var failed error
		fetches.EachError(func(_ string, _ int32, err error) {
			if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
				failed = err
			}
		})
		fetches.EachRecord(func(r *kgo.Record) {
			if end, ok := left[r.Partition]; !ok || failed != nil || r.Offset >= end {
				return
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			failed = scanned(r, yield)
		})
		if failed != nil {
			return fmt.Errorf("scan %s: %w", table, failed)
		}
	}
	return nil
}

// reached is an error where no broker answers, so that silence is not taken for the end.
func reached(ctx context.Context, cl *kgo.Client, table string) error {
	ctx, cancel := context.WithTimeout(ctx, stuck)
	defer cancel()
	if err := cl.Ping(ctx); err != nil {
		return fmt.Errorf("scan %s: the brokers do not answer: %w", table, err)
	}
	return nil
}

// scanned hands one record on; a row that cannot be read is none.
func scanned[S any](r *kgo.Record, yield func(string, *S) error) error {
	key := string(r.Key)
	switch {
	case isBarrier(key):
		return nil
	case r.Value == nil:
		return yield(key, nil)
	}
	s, err := leadroute.Decode[S](r.Value)
	if err != nil {
		return nil //nolint:nilerr // its owner finds out, and buries it
	}
	return yield(key, s)
}

// bounds are where each partition of a topic begins, and the ends of those that are not empty.
func bounds(ctx context.Context, adm *kadm.Client, topic string) (from map[int32]kgo.Offset, ends map[int32]int64, err error) {
	first, err := adm.ListStartOffsets(ctx, topic)
	if err == nil {
		err = first.Error()
	}
	if err != nil {
		return nil, nil, err
	}
	last, err := adm.ListEndOffsets(ctx, topic)
	if err == nil {
		err = last.Error()
	}
	if err != nil {
		return nil, nil, err
	}
	from, ends = map[int32]kgo.Offset{}, map[int32]int64{}
	last.Each(func(o kadm.ListedOffset) {
		begin, _ := first.Lookup(o.Topic, o.Partition)
		if begin.Offset < o.Offset {
			from[o.Partition], ends[o.Partition] = kgo.NewOffset().At(begin.Offset), o.Offset
		}
	})
	return from, ends, nil
}
