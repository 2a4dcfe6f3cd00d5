package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// Read reads the topics of a run from their start to what is their end now. The options name
// the brokers and how to log in.
func Read(ctx context.Context, ns leadroute.Namespace, opts ...kgo.Opt) (*Log, error) {
	l := New()
	for _, t := range inboxes {
		trimmed, err := ReadTopic(ctx, ns.Topic(t), opts, func(r *kgo.Record) error {
			return l.Add(t, string(r.Key), r.Value, leadroute.At(r.Timestamp))
		})
		if err != nil {
			return nil, err
		}
		l.Trimmed += trimmed
	}
	for _, t := range tables {
		if _, err := ReadTopic(ctx, ns.Table(t), opts, func(r *kgo.Record) error {
			return l.AddRow(t, string(r.Key), r.Value)
		}); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// ReadTopic hands every record of a topic to f, those of one partition in order, up to what
// is the topic's end now. It returns how many lay before the start of the topic.
func ReadTopic(ctx context.Context, topic string, opts []kgo.Opt, f func(*kgo.Record) error) (trimmed int64, err error) {
	admin, err := kgo.NewClient(opts...)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", topic, err)
	}
	defer admin.Close()
	starts, err := kadm.NewClient(admin).ListStartOffsets(ctx, topic)
	if err = errors.Join(err, starts.Error()); err != nil {
		return 0, fmt.Errorf("read %s: %w", topic, err)
	}
	ends, err := kadm.NewClient(admin).ListEndOffsets(ctx, topic)
	if err = errors.Join(err, ends.Error()); err != nil {
		return 0, fmt.Errorf("read %s: %w", topic, err)
	}
	left := make(map[int32]int64) // partition to the offset at which it ends
	from := make(map[int32]kgo.Offset)
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(topic, end.Partition)
		trimmed += start.Offset
		if end.Offset > start.Offset {
			left[end.Partition] = end.Offset
			from[end.Partition] = kgo.NewOffset().At(start.Offset)
		}
	})
	if len(left) == 0 {
		return trimmed, nil
	}
	client, err := kgo.NewClient(append(slices.Clip(opts), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))...)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", topic, err)
	}
	defer client.Close()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("read %s: %d partitions not read to their end: %w", topic, len(left), err)
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			end, ok := left[rec.Partition]
			if !ok || rec.Offset >= end {
				delete(left, rec.Partition)
				return
			}
			if e := f(rec); e != nil && err == nil {
				err = fmt.Errorf("read %s, partition %d, offset %d: %w", topic, rec.Partition, rec.Offset, e)
			}
			if rec.Offset+1 >= end {
				delete(left, rec.Partition)
			}
		})
		if err != nil {
			return 0, err
		}
	}
	return trimmed, nil
}
