package deliver

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/deliver/connector"
)

// answer sends the outcome to the ledger; when the log has it, the item's records are done.
func (s *scheduler) answer(it *item, a connector.Attempt) {
	s.cfg.Metrics.attempts.WithLabelValues(string(s.cfg.Destination.Name), string(a.Result)).Inc()
	s.send(leadroute.TopicLedger, []byte(it.d.Lead), &leadroute.LedgerMessage{Outcome: &leadroute.Outcome{
		Rev: it.d.Rev, Destination: it.d.Destination, Attempt: it.d.Attempt,
		Result: a.Result, Status: a.Status, Reason: a.Reason, RetryAfter: a.RetryAfter, At: leadroute.At(s.now()),
	}}, it.records)
}

// bury sends a record that is no delivery of ours to the dead letters, under its own key.
func (s *scheduler) bury(a arrival) {
	r := a.raw
	s.cfg.Metrics.bad.WithLabelValues(string(s.cfg.Destination.Name)).Inc()
	s.log.Warn("not a delivery, sent to the dead letters", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset)
	s.send(leadroute.TopicDeadLetters, r.Key, &leadroute.DeadLetter{
		ID: fmt.Sprintf("%s-%d-%d", r.Topic, r.Partition, r.Offset), Kind: leadroute.DeadMessage,
		Stage: "deliver", Destination: s.cfg.Destination.Name, Class: s.cfg.Classes[a.rec.class],
		Reason: "not a delivery to this destination", At: leadroute.At(s.now()),
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Payload: r.Value,
	}, []record{a.rec})
}

func (s *scheduler) send(t leadroute.Topic, key []byte, v any, answered []record) {
	b, err := leadroute.Encode(v)
	if err != nil {
		s.fail(err)
		return
	}
	for _, r := range answered {
		s.answering[r.part]++
	}
	rec := &kgo.Record{Topic: s.cfg.Stream.Namespace.Topic(t), Key: key, Value: b}
	// Not the Run's context: an answer under way survives the stop for as long as Drain.
	s.cl.Produce(context.Background(), rec, func(_ *kgo.Record, err error) { s.acks.add(ack{answered, err}) })
}

func (s *scheduler) acknowledge() {
	for _, a := range s.acks.take() {
		for _, r := range a.answered {
			s.answering[r.part]--
			<-s.room[r.class]
			if a.err == nil {
				r.done()
			}
		}
		if a.err != nil {
			s.fail(fmt.Errorf("the log refused an outcome: %w", a.err))
		}
	}
}

// fail stops the Run; the first error is its result.
func (s *scheduler) fail(err error) {
	if s.err == nil {
		s.err = err
		s.stop()
	}
}

// ack is the log's word on the answer of some records.
type ack struct {
	answered []record
	err      error
}

// acks carries acks from the client to the loop. Adding never blocks: the client calls
// back from the goroutine that a full buffer in Produce waits for.
type acks struct {
	more chan struct{}
	mu   sync.Mutex
	list []ack
}

func newAcks() *acks { return &acks{more: make(chan struct{}, 1)} }

func (a *acks) add(x ack) {
	a.mu.Lock()
	a.list = append(a.list, x)
	a.mu.Unlock()
	select {
	case a.more <- struct{}{}:
	default:
	}
}

func (a *acks) take() []ack {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.list
	a.list = nil
	return taken
}
