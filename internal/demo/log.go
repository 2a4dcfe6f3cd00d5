package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/goccy/go-json"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// Log is what the events and the dead-letters topic hold, read from their start to
// what was their end when the reading began.
type Log struct {
	Events  int   // distinct, by LatencyEvent.ID
	Records int64 // in the events topic, copies included
	Trimmed int64 // records that retention had dropped from the events topic before
	// Assigned is each lead's assignment of the highest revision.
	Assigned map[leadroute.LeadID]Assignment
	// DeadLetters are the reasons, by lead.
	DeadLetters map[leadroute.LeadID][]string
	// Unreadable are dead letters of messages that name no lead.
	Unreadable int
}

// Assignment is one revision's owner.
type Assignment struct {
	Revision int
	Rep      leadroute.RepID
}

// ReadLog reads both topics. The options name the brokers and how to log in. It fails
// if a topic does not exist or a record is not what the topic holds, and where ctx ends
// before the end is reached.
func ReadLog(ctx context.Context, ns leadroute.Namespace, opts ...kgo.Opt) (*Log, error) {
	l := &Log{
		Assigned:    make(map[leadroute.LeadID]Assignment),
		DeadLetters: make(map[leadroute.LeadID][]string),
	}
	// Hashes, not ids: two million ids would be 100 MB, and that two of them share 64 bits
	// is a matter of one run in ten million.
	seen := make(map[uint64]struct{})
	trimmed, err := readAll(ctx, ns.Topic(leadroute.TopicEvents), opts, func(b []byte) error {
		var e leadroute.LatencyEvent
		if err := json.Unmarshal(b, &e); err != nil {
			return err
		}
		l.Records++
		seen[xxhash.Sum64String(e.ID())] = struct{}{}
		if e.Step == leadroute.StepAssigned && e.Rev >= l.Assigned[e.Lead].Revision {
			l.Assigned[e.Lead] = Assignment{Revision: e.Rev, Rep: e.Rep}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.Events, l.Trimmed = len(seen), trimmed
	_, err = readAll(ctx, ns.Topic(leadroute.TopicDeadLetters), opts, func(b []byte) error {
		var d struct {
			Lead   leadroute.LeadID `json:"lead"`
			Reason string           `json:"reason"`
		}
		if err := json.Unmarshal(b, &d); err != nil {
			return err
		}
		if d.Lead == "" {
			l.Unreadable++
		} else {
			l.DeadLetters[d.Lead] = append(l.DeadLetters[d.Lead], d.Reason)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// readAll hands every record of a topic to f. It returns how many lay before the start
// of the topic.
func readAll(ctx context.Context, topic string, opts []kgo.Opt, f func([]byte) error) (trimmed int64, err error) {
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
			if e := f(rec.Value); e != nil && err == nil {
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
