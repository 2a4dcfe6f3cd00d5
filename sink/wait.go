package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Flush has the batch that is being filled written now instead of when it is full or old
// enough. It does not wait for it.
func (s *Sink) Flush() {
	select {
	case s.flush <- struct{}{}:
	default: // asked for already
	}
}

// WaitFor returns when every event before the given offsets, per partition of the events
// topic, is in ClickHouse, whichever member of the group wrote it. A batch that reaches
// such an offset does not linger.
func (s *Sink) WaitFor(ctx context.Context, ends map[int32]int64) error {
	s.mu.Lock()
	for p, end := range ends {
		s.wanted[p] = max(s.wanted[p], end)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}: // the batch that is being filled may have reached them
	default:
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		committed, err := s.committed(ctx)
		if err != nil {
			return fmt.Errorf("wait for the sink: %w", err)
		}
		n := behind(committed, s.topic, ends)
		if n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the sink: %d events to go: %w", n, ctx.Err())
		case <-tick.C:
		}
	}
}

// awaited is true when somebody waits for an offset that b reaches.
func (s *Sink) awaited(b *batch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	for p, end := range s.wanted {
		if next, ok := b.next[p]; ok && next.Offset >= end {
			delete(s.wanted, p)
			found = true
		}
	}
	return found
}

// CaughtUp is WaitFor with the offsets at which the events topic ends now.
func (s *Sink) CaughtUp(ctx context.Context) error {
	ends, err := s.ends(ctx)
	if err != nil {
		return err
	}
	return s.WaitFor(ctx, ends)
}

// Lag is how many events are in the topic and not yet in ClickHouse.
func (s *Sink) Lag(ctx context.Context) (int64, error) {
	ends, err := s.ends(ctx)
	if err != nil {
		return 0, err
	}
	committed, err := s.committed(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the sink's offsets: %w", err)
	}
	return behind(committed, s.topic, ends), nil
}

// committed is what the group has committed; nothing while it does not exist.
func (s *Sink) committed(ctx context.Context) (kadm.OffsetResponses, error) {
	offsets, err := kadm.NewClient(s.client).FetchOffsets(ctx, s.cfg.Namespace.Group(groupName))
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	return offsets, err
}

func (s *Sink) ends(ctx context.Context) (map[int32]int64, error) {
	listed, err := kadm.NewClient(s.client).ListEndOffsets(ctx, s.topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("read the end of the events topic: %w", err)
	}
	ends := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

// behind counts the offsets between what was committed and ends.
func behind(committed kadm.OffsetResponses, topic string, ends map[int32]int64) (n int64) {
	for p, end := range ends {
		var at int64
		if o, ok := committed.Lookup(topic, p); ok && o.At > 0 {
			at = o.At
		}
		n += max(end-at, 0)
	}
	return n
}
