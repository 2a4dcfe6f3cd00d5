package clock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// Claimable lists the leads that are open to claim, at whatever instance their rows are. It
// reads the timers topic whole, from when it is first asked until nobody has asked for a
// while, and keeps those that end such a time.
type Claimable struct {
	cfg stream.Config

	mu   sync.Mutex
	live *reading // nil: not reading
}

// reading is one reader of the topic.
type reading struct {
	cl      *kgo.Client
	open    map[string]*leadroute.Timer
	read    map[int32]int64 // offset of the next record, by partition
	changed chan struct{}   // closed and made anew when something was read
	asked   time.Time
	err     error // it ended
}

// idle is how long nobody need ask until the reading ends.
const idle = 10 * time.Minute

// NewClaimable starts nothing.
func NewClaimable(cfg stream.Config) *Claimable { return &Claimable{cfg: cfg} }

// List returns the timers of the leads that are open, the most urgent first, as the log has
// them now.
func (c *Claimable) List(ctx context.Context) ([]leadroute.Timer, error) {
	r, err := c.reader()
	if err != nil {
		return nil, err
	}
	topic := c.cfg.Namespace.Topic(leadroute.TopicTimers)
	ends, err := kadm.NewClient(r.cl).ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("find the end of %s: %w", topic, err)
	}
	for {
		c.mu.Lock()
		behind, changed := r.err, r.changed
		if behind == nil {
			ends.Each(func(o kadm.ListedOffset) {
				if r.read[o.Partition] < o.Offset {
					behind = errBehind
				}
			})
		}
		if behind == nil {
			defer c.mu.Unlock()
			return r.list(), nil
		}
		c.mu.Unlock()
		if !errors.Is(behind, errBehind) {
			return nil, behind
		}
		still := time.NewTimer(quiet)
		select {
		case <-changed:
			still.Stop()
		case <-still.C: // compaction may have taken the last record
			c.mu.Lock()
			defer c.mu.Unlock()
			return r.list(), r.err
		case <-ctx.Done():
			still.Stop()
			return nil, ctx.Err()
		}
	}
}

var errBehind = errors.New("the topic is not read to its end")

func (r *reading) list() []leadroute.Timer {
	all := make([]leadroute.Timer, 0, len(r.open))
	for _, t := range r.open {
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b leadroute.Timer) int {
		if c := int(min(max(a.Deadline-b.Deadline, -1), 1)); c != 0 {
			return c
		}
		return strings.Compare(string(a.Lead), string(b.Lead))
	})
	return all
}

// reader is the one that reads, or a new one.
func (c *Claimable) reader() (*reading, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live != nil {
		c.live.asked = time.Now()
		return c.live, nil
	}
	cl, err := kgo.NewClient(append(c.cfg.Options(),
		kgo.ClientID("leadroute-claimable"), kgo.ConsumeTopics(c.cfg.Namespace.Topic(leadroute.TopicTimers)),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("read the timers: %w", err)
	}
	r := &reading{cl: cl, open: map[string]*leadroute.Timer{}, read: map[int32]int64{}, changed: make(chan struct{}), asked: time.Now()}
	c.live = r
	go c.run(r)
	return r, nil
}

// run reads until nobody asks any more, or Close.
func (c *Claimable) run(r *reading) {
	defer r.cl.Close()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), idle/10)
		fetches := r.cl.PollFetches(ctx)
		cancel()
		c.mu.Lock()
		fetches.EachRecord(r.take)
		close(r.changed)
		r.changed = make(chan struct{})
		over := c.live != r || fetches.IsClientClosed() || time.Since(r.asked) > idle
		if over {
			r.err = errors.New("the reading of the timers has ended")
			close(r.changed)
			if c.live == r {
				c.live = nil
			}
		}
		c.mu.Unlock()
		if over {
			return
		}
	}
}

func (r *reading) take(rec *kgo.Record) {
	r.read[rec.Partition] = rec.Offset + 1
	key := string(rec.Key)
	if !strings.Contains(key, "/"+string(leadroute.TimerClaim)+"/") {
		return
	}
	if len(rec.Value) == 0 {
		delete(r.open, key)
		return
	}
	if t, err := leadroute.Decode[leadroute.Timer](rec.Value); err == nil && t.Kind == leadroute.TimerClaim {
		r.open[key] = t
	}
}

// Close ends the reading.
func (c *Claimable) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live != nil {
		c.live.cl.Close()
		c.live = nil
	}
}
