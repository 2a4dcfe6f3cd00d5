package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kadm"
)

// orderedGroup is a consumer group that commits in order and re-joins at once. Goka marks
// each input when its own outputs are acknowledged, and the group commits the highest mark:
// an input behind it whose outputs failed is lost with a crash. And between two sessions
// Goka sleeps five seconds; here it never sees the first one end.
type orderedGroup struct {
	sarama.ConsumerGroup
	run *run
}

// groupBuilder builds an orderedGroup for Goka.
func groupBuilder(r *run, c *sarama.Config) goka.ConsumerGroupBuilder {
	return func(brokers []string, group, clientID string) (sarama.ConsumerGroup, error) {
		c.ClientID = clientID
		g, err := sarama.NewConsumerGroup(brokers, group, c)
		if err != nil {
			return nil, err
		}
		return orderedGroup{g, r}, nil
	}
}

// Consume joins, consumes and joins again until ctx ends or a session fails.
func (g orderedGroup) Consume(ctx context.Context, topics []string, h sarama.ConsumerGroupHandler) error {
	for {
		if err := g.ConsumerGroup.Consume(ctx, topics, orderedHandler{h, g.run}); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

type orderedHandler struct {
	sarama.ConsumerGroupHandler
	run *run
}

// Setup takes ownership of the partitions, recovers them and repairs what a zombie hid.
func (h orderedHandler) Setup(s sarama.ConsumerGroupSession) error {
	r := h.run
	context.AfterFunc(s.Context(), func() {
		if !lostSession(context.Cause(s.Context())) {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), r.core.cfg.SessionTimeout)
		defer cancel()
		r.producer.abort(ctx)
	})
	partitions := s.Claims()[r.core.inbox]
	if err := r.own(s.Context(), partitions); err != nil {
		return r.fail(err)
	}
	if err := h.ConsumerGroupHandler.Setup(orderedSession{s, r}); err != nil {
		return err
	}
	if s.Context().Err() != nil {
		return nil // the session is over before it began: nothing is consumed in it
	}
	if err := r.repair(s.Context(), partitions); err != nil {
		return r.fail(err)
	}
	r.recovered(len(partitions))
	return nil
}

func (h orderedHandler) Cleanup(s sarama.ConsumerGroupSession) error {
	h.run.live.Store(false)
	return h.ConsumerGroupHandler.Cleanup(orderedSession{s, h.run})
}

func (h orderedHandler) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	return h.ConsumerGroupHandler.ConsumeClaim(orderedSession{s, h.run}, c)
}

// orderedSession marks only what every earlier input of the partition is done with. The
// inputs are noted as they reach the decision, which Goka calls in order.
type orderedSession struct {
	sarama.ConsumerGroupSession
	run *run
}

func (s orderedSession) MarkOffset(topic string, partition int32, offset int64, metadata string) {
	if next, moved := s.run.offsets.Done(Partition{topic, partition}, offset-1); moved {
		s.ConsumerGroupSession.MarkOffset(topic, partition, next, metadata)
	}
}

// lostSession tells a session that others have ended, or that may have ended without our
// knowing, from one that we end: until we re-join, the partitions of the latter are ours.
func lostSession(cause error) bool {
	for _, ours := range []error{
		context.Canceled, sarama.ErrRebalanceInProgress, sarama.ErrSessionPartitionCountChanged, sarama.ErrSessionConsumeClaimExited,
	} {
		if errors.Is(cause, ours) {
			return false
		}
	}
	return cause != nil
}

// own makes this run the owner of the table's partitions (see fence.go).
func (r *run) own(ctx context.Context, partitions []int32) error {
	for _, p := range partitions {
		r.offsets.Forget(Partition{r.core.inbox, p})
	}
	epoch := max(time.Now().UnixMilli(), r.core.epochFloor.Load())
	r.core.epochFloor.Store(epoch + 1)
	r.epoch.Store(epoch)
	if err := r.producer.own(ctx, partitions, r.core.barriers, epoch); err != nil {
		return err
	}
	listed, err := kadm.NewClient(r.producer.cl).ListEndOffsets(ctx, r.core.inbox)
	if err = errors.Join(err, listed.Error()); err != nil {
		return fmt.Errorf("end of %s: %w", r.core.inbox, err)
	}
	ends := make(map[int32]int64, len(partitions))
	for _, p := range partitions {
		if o, ok := listed.Lookup(r.core.inbox, p); ok {
			ends[p] = o.Offset
		}
	}
	r.mu.Lock()
	r.ends = ends
	r.mu.Unlock()
	return nil
}

// Why a member takes ownership again.
var (
	// With a higher epoch.
	errClockBehind = errors.New("this machine's clock is behind the last owner's")
	// A reader that the broker turned away (the log's start had moved past it, as when the embedded
	// log compacts) closes without a word, and Goka takes the end of what it read for the table's.
	errBrokenOff = errors.New("the table was not read to its end")
)

// repair writes again what zombies' records hide, and waits until that is safe.
func (r *run) repair(ctx context.Context, partitions []int32) error {
	var errs []error
	acks := make(chan error)
	n := 0
	for _, p := range partitions {
		s := r.store(p)
		if s == nil {
			continue
		}
		switch last, ours := s.lastEpoch(), r.epoch.Load(); {
		case last > ours:
			r.core.epochFloor.Store(last + 1)
			return fmt.Errorf("partition %d of %s: %w", p, r.core.table, errClockBehind)
		case last < ours: // our barrier was not seen, which lay there before the reading began
			return fmt.Errorf("partition %d of %s: %w", p, r.core.table, errBrokenOff)
		}
		r.core.metrics.fenced.Add(float64(s.fencedRecords()))
		for key, row := range s.repairs() {
			n++
			st := stamp{r.epoch.Load(), row.at}
			r.producer.EmitWithHeaders(r.core.table, key, row.value, st.goka()).Then(func(err error) { go func() { acks <- err }() })
		}
	}
	for range n {
		select {
		case err := <-acks:
			errs = append(errs, err)
		case <-ctx.Done():
			return fmt.Errorf("repair %s: %w", r.core.table, ctx.Err())
		}
	}
	if n > 0 {
		r.core.cfg.Log.Warn("rows hidden by a stalled member were written again", "stage", r.core.name, "rows", n)
	}
	return errors.Join(errs...)
}
