// Package deadletter lets an operator see what was given up, and why, and send it back.
// It reads the dead-letters topic when asked and keeps nothing; who gives up what is
// decided by the stages, and what a replay does by the ledger.
package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// Bounds of one question.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
	// maxScan is how many records one question reads at most.
	maxScan = 200_000
	// chunk is how many offsets of each partition are read at once, from the end backwards.
	chunk = 2000
)

// Errors of Get and Replay.
var (
	ErrNotFound    = errors.New("no such dead letter")
	ErrNotReplayed = errors.New("the dead letter cannot be replayed")
)

// Store reads and replays the dead letters of one deployment. Its methods are safe for
// concurrent use.
type Store struct {
	cfg stream.Config
	now func() time.Time
	cl  *kgo.Client // for producing
}

// New makes a Store; Close ends it.
func New(cfg stream.Config) (*Store, error) {
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("dead letters: no brokers given")
	}
	cl, err := kgo.NewClient(cfg.Options()...)
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	s := &Store{cfg: cfg, now: cfg.Clock, cl: cl}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Close closes the connections.
func (s *Store) Close() { s.cl.Close() }

// Letter is a dead letter and the key of the record that it stands for.
type Letter struct {
	leadroute.DeadLetter
	Key []byte
}

// Filter chooses dead letters; a zero member chooses all.
type Filter struct {
	ID          string
	Kind        string
	Destination leadroute.DestinationID
	Since       leadroute.Millis
	// Replayed also shows those that were replayed and not given up again since.
	Replayed bool
	Limit    int // DefaultLimit if zero, at most MaxLimit
}

func (f *Filter) wants(l *Letter) bool {
	return (f.ID == "" || f.ID == l.ID) && (f.Kind == "" || f.Kind == l.Kind) &&
		(f.Destination == "" || f.Destination == l.Destination) && l.At >= f.Since &&
		(f.Replayed || l.ReplayedAt == 0)
}

// List returns the letters that the filter chooses, newest first; of one id the last
// counts. More is true when there are, or may be, further ones beyond the limit or
// beyond what one question reads.
func (s *Store) List(ctx context.Context, f Filter) (letters []Letter, more bool, err error) {
	if f.Limit <= 0 {
		f.Limit = DefaultLimit
	}
	f.Limit = min(f.Limit, MaxLimit)
	all := map[string]Letter{} // the newest of each id, chosen or not
	complete, err := s.scan(ctx, func(ls []Letter, unread leadroute.Millis) bool {
		for _, l := range ls {
			if old, ok := all[l.ID]; ok && old.newness() >= l.newness() {
				continue
			}
			if !f.wants(&l) {
				l.Payload = nil // kept for its id alone
			}
			all[l.ID] = l
		}
		n := 0
		for _, l := range all {
			if f.wants(&l) && l.At >= unread {
				n++
			}
		}
		return n <= f.Limit
	})
	if err != nil {
		return nil, false, fmt.Errorf("read the dead letters: %w", err)
	}
	for _, l := range all {
		if f.wants(&l) {
			letters = append(letters, l)
		}
	}
	slices.SortFunc(letters, func(a, b Letter) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.ID, b.ID))
	})
	more = !complete
	if len(letters) > f.Limit {
		letters, more = letters[:f.Limit], true
	}
	return letters, more, nil
}

// newness orders the records of one id: given up, replayed, given up again.
func (l *Letter) newness() leadroute.Millis { return max(l.At, l.ReplayedAt) }

// Get returns the dead letter of that id, or ErrNotFound.
func (s *Store) Get(ctx context.Context, id string) (*Letter, error) {
	ls, _, err := s.List(ctx, Filter{ID: id, Replayed: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(ls) == 0 {
		return nil, fmt.Errorf("%q: %w", id, ErrNotFound)
	}
	return &ls[0], nil
}

// scan reads the topic backwards, a chunk of every partition at a time, until there is
// no more, the budget is spent, or more returns false; unread is the time before which
// all that has not been read lies. complete is true in the first case.
func (s *Store) scan(ctx context.Context, more func(ls []Letter, unread leadroute.Millis) bool) (complete bool, err error) {
	topic := s.cfg.Namespace.Topic(leadroute.TopicDeadLetters)
	left, err := s.extent(ctx, topic)
	if err != nil {
		return false, err
	}
	for read := 0; len(left) > 0; {
		if read >= maxScan {
			return false, nil
		}
		part := map[int32]span{}
		for p, r := range left {
			part[p] = span{max(r.from, r.until-chunk), r.until}
			read += int(r.until - part[p].from)
			r.until = part[p].from
			left[p] = r
		}
		letters, oldest, err := s.read(ctx, topic, part)
		if err != nil {
			return false, err
		}
		unread := leadroute.Millis(0)
		for p, r := range left {
			if r.until == r.from {
				delete(left, p)
			} else {
				unread = max(unread, oldest[p])
			}
		}
		if !more(letters, unread) {
			return len(left) == 0, nil
		}
	}
	return true, nil
}

// extent is what each partition of the topic holds; empty ones are absent.
func (s *Store) extent(ctx context.Context, topic string) (map[int32]span, error) {
	adm := kadm.NewClient(s.cl)
	starts, err := adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends, err := adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(starts.Error(), ends.Error()); err != nil {
		return nil, err
	}
	spans := map[int32]span{}
	ends.Each(func(o kadm.ListedOffset) {
		if from, ok := starts.Lookup(topic, o.Partition); ok && from.Offset < o.Offset {
			spans[o.Partition] = span{from.Offset, o.Offset}
		}
	})
	return spans, nil
}

// span is a half-open range of offsets.
type span struct{ from, until int64 }

// read returns the letters in the spans and each partition's oldest record time there.
// What is no dead letter is passed over.
func (s *Store) read(ctx context.Context, topic string, spans map[int32]span) (letters []Letter, oldest map[int32]leadroute.Millis, err error) {
	at := map[int32]kgo.Offset{}
	for p, r := range spans {
		at[p] = kgo.NewOffset().At(r.from)
	}
	cl, err := kgo.NewClient(append(s.cfg.Options(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: at}), kgo.FetchMaxWait(250*time.Millisecond))...)
	if err != nil {
		return nil, nil, err
	}
	defer cl.Close()
	oldest = map[int32]leadroute.Millis{}
	for len(spans) > 0 {
		// Retention may have taken what was there: a topic that yields nothing more is over.
		poll, cancel := context.WithTimeout(ctx, 2*time.Second)
		fs := cl.PollFetches(poll)
		idle := poll.Err() != nil
		cancel()
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if idle {
			return letters, oldest, nil
		}
		for _, e := range fs.Errors() {
			return nil, nil, e.Err
		}
		fs.EachRecord(func(r *kgo.Record) {
			sp, ok := spans[r.Partition]
			if !ok {
				return
			}
			if r.Offset+1 >= sp.until {
				delete(spans, r.Partition)
			}
			if r.Offset >= sp.until {
				return
			}
			if t := leadroute.At(r.Timestamp); oldest[r.Partition] == 0 || t < oldest[r.Partition] {
				oldest[r.Partition] = t
			}
			if d, err := leadroute.Decode[leadroute.DeadLetter](r.Value); err == nil && d.ID != "" {
				letters = append(letters, Letter{*d, r.Key})
			}
		})
	}
	return letters, oldest, nil
}
