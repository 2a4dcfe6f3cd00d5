package demo

import (
	"context"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/goccy/go-json"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/audit"
)

// Log is what the events and the dead-letters topic hold, read from their start to
// what was their end when the reading began, and how large the tables' rows are.
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
	// Tables are the sizes of the rows that each stage wrote.
	Tables map[leadroute.Topic]Sizes
}

// Sizes are those of all rows that were written to one table, in bytes.
type Sizes struct {
	Writes int `json:"writes"`
	P50    int `json:"p50"`
	P99    int `json:"p99"`
	Max    int `json:"max"`
}

// sizesOf sorts the sizes.
func sizesOf(bytes []int) Sizes {
	n := len(bytes)
	if n == 0 {
		return Sizes{}
	}
	slices.Sort(bytes)
	return Sizes{Writes: n, P50: bytes[n/2], P99: bytes[n*99/100], Max: bytes[n-1]}
}

// Assignment is one revision's owner.
type Assignment struct {
	Revision int
	Rep      leadroute.RepID
}

// ReadLog reads the topics. The options name the brokers and how to log in. It fails
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
	trimmed, err := audit.ReadTopic(ctx, ns.Topic(leadroute.TopicEvents), opts, func(r *kgo.Record) error {
		var e leadroute.LatencyEvent
		if err := json.Unmarshal(r.Value, &e); err != nil {
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
	_, err = audit.ReadTopic(ctx, ns.Topic(leadroute.TopicDeadLetters), opts, func(r *kgo.Record) error {
		var d struct {
			Lead   leadroute.LeadID `json:"lead"`
			Reason string           `json:"reason"`
		}
		if err := json.Unmarshal(r.Value, &d); err != nil {
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
	l.Tables = map[leadroute.Topic]Sizes{}
	for _, stage := range leadroute.Stages {
		var bytes []int
		if _, err := audit.ReadTopic(ctx, ns.Table(stage), opts, func(r *kgo.Record) error {
			if len(r.Key) > 0 && r.Key[0] != 0 && r.Value != nil { // neither a barrier between two owners nor the end of a row
				bytes = append(bytes, len(r.Value))
			}
			return nil
		}); err != nil {
			return nil, err
		}
		l.Tables[stage] = sizesOf(bytes)
	}
	return l, nil
}
