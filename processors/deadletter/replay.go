package deadletter

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// Replay sends the dead letter back to where it was given up: a delivery and a lead
// through the ledger, which decides whether there still is something to do; a notification
// by the way that did not take it; a message, as it was, into the topic that it came from. It returns when the log has it. The error
// wraps ErrNotFound or ErrNotReplayed where the caller asked for what cannot be.
//
// Replaying twice is harmless: every stage knows what it has done.
func (s *Store) Replay(ctx context.Context, id string) (*Letter, error) {
	l, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	now := leadroute.At(s.now())
	rec, err := s.back(l, now)
	if err != nil {
		return nil, err
	}
	// The note comes second: a crash between the two leaves a letter that can be replayed.
	l.ReplayedAt = max(now, l.At+1)
	note, err := s.record(leadroute.TopicDeadLetters, l.Key, &l.DeadLetter)
	if err != nil {
		return nil, err
	}
	for _, r := range []*kgo.Record{rec, note} {
		if err := s.cl.ProduceSync(ctx, r).FirstErr(); err != nil {
			return nil, fmt.Errorf("replay %s: %w", id, err)
		}
	}
	return l, nil
}

// back is the record that replays the letter.
func (s *Store) back(l *Letter, now leadroute.Millis) (*kgo.Record, error) {
	switch l.Kind {
	case leadroute.DeadDelivery, leadroute.DeadLead:
		if l.Lead == "" {
			return nil, fmt.Errorf("%s names no lead: %w", l.ID, ErrNotReplayed)
		}
		m := &leadroute.Redeliver{Rev: l.Rev, DeadLetter: l.ID, At: now}
		if l.Kind == leadroute.DeadDelivery {
			m.Destination = l.Destination
		}
		return s.record(leadroute.TopicLedger, []byte(l.Lead), &leadroute.LedgerMessage{Redeliver: m})
	case leadroute.DeadNotification:
		n, err := leadroute.Decode[leadroute.Notification](l.Payload)
		if err != nil || n.ID == "" {
			return nil, fmt.Errorf("%s does not hold the notification: %w", l.ID, ErrNotReplayed)
		}
		_, n.Only, _ = strings.Cut(string(l.Destination), "/") // the others have taken it
		return s.record(leadroute.TopicNotifications, l.Key, n)
	case leadroute.DeadMessage:
		topic := leadroute.Topic(l.Topic)
		if t, ok := s.cfg.Namespace.Logical(l.Topic); ok {
			topic = t
		}
		if topic == "" || len(l.Payload) == 0 {
			return nil, fmt.Errorf("%s does not hold the message or its topic: %w", l.ID, ErrNotReplayed)
		}
		return &kgo.Record{Topic: s.cfg.Namespace.Topic(topic), Key: l.Key, Value: l.Payload}, nil
	}
	return nil, fmt.Errorf("%s is of unknown kind %q: %w", l.ID, l.Kind, ErrNotReplayed)
}

func (s *Store) record(t leadroute.Topic, key []byte, v any) (*kgo.Record, error) {
	b, err := leadroute.Encode(v)
	if err != nil {
		return nil, err
	}
	return &kgo.Record{Topic: s.cfg.Namespace.Topic(t), Key: key, Value: b}, nil
}
