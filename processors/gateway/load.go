package gateway

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
)

// load says when the door is too full. The more urgent a class, the more it may use,
// so that a flood of the least urgent one never shuts the others out.
type load struct {
	maxInFlight int
	maxBacklog  int64
	inFlight    atomic.Int64 // leads, of all classes together
	slots       atomic.Pointer[slots]
}

// slots are the classes that have an inbox. A class keeps its index for as long as the
// process lives, also when the policy has it no more: leads may be on their way there.
type slots struct {
	classes  []leadroute.Class
	limit    []int64         // leads in flight, of all classes together
	backlogs []*atomic.Int64 // leads that admit has not taken
	most     []int64         // the backlog above which the class is refused
	last     int             // the least urgent class of the policy
}

func newLoad(classes []leadroute.Class, maxInFlight int, maxBacklog int64) *load {
	l := &load{maxInFlight: maxInFlight, maxBacklog: maxBacklog}
	l.slots.Store(&slots{})
	l.set(classes)
	return l
}

// set makes these the classes, most urgent first; others that had an inbox come last.
func (l *load) set(classes []leadroute.Class) {
	old := l.slots.Load()
	s := &slots{classes: slices.Clone(old.classes), backlogs: slices.Clone(old.backlogs)}
	for _, c := range classes {
		if !slices.Contains(s.classes, c) {
			s.classes, s.backlogs = append(s.classes, c), append(s.backlogs, new(atomic.Int64))
		}
	}
	n := len(classes)
	for i, c := range s.classes {
		rank := slices.Index(classes, c)
		if rank == n-1 {
			s.last = i
		}
		if rank < 0 {
			rank = n - 1
		}
		s.limit = append(s.limit, inFlightLimit(l.maxInFlight, rank, n))
		s.most = append(s.most, l.maxBacklog*int64(n-rank))
	}
	l.slots.Store(s)
}

// inFlightLimit is how full the door may be for class i of n to enter: all of it for
// the first, two thirds for the last.
func inFlightLimit(maxInFlight, i, n int) int64 {
	if n == 1 {
		return int64(maxInFlight)
	}
	return int64(maxInFlight - maxInFlight*i/(3*(n-1)))
}

// slot is a class's index; a class without an inbox has the least urgent one's.
func (l *load) slot(c leadroute.Class) int {
	s := l.slots.Load()
	if i := slices.Index(s.classes, c); i >= 0 {
		return i
	}
	return s.last
}

func (l *load) class(slot int) leadroute.Class { return l.slots.Load().classes[slot] }

// enter reserves places for n leads, all or none; waiting tells which classes are among
// them. Each place is given back by leave.
func (l *load) enter(n int64, waiting func(slot int) bool) *problem {
	s := l.slots.Load()
	limit := int64(l.maxInFlight)
	for i := range s.classes {
		if !waiting(i) {
			continue
		}
		limit = min(limit, s.limit[i])
		if b := s.backlogs[i].Load(); b > s.most[i] {
			return errBacklog(s.classes[i], b, s.most[i])
		}
	}
	if l.inFlight.Add(n) > limit {
		l.inFlight.Add(-n)
		return errInFlight
	}
	return nil
}

func (l *load) leave(n int64) { l.inFlight.Add(-n) }

// measureBacklog reads admit's lag every BacklogEvery until ctx ends. While the log is
// away the last figures stand: produce errors shut the door then.
func (g *Gateway) measureBacklog(ctx context.Context, cl *kgo.Client) {
	adm := kadm.NewClient(cl)
	tick := time.NewTicker(g.cfg.BacklogEvery)
	defer tick.Stop()
	failing := false
	for {
		err := g.measureOnce(ctx, adm)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			g.cfg.Stream.Log.Warn("backlog not measured", "error", err)
		}
		failing = err != nil
		if g.cfg.backlogChanged != nil {
			g.cfg.backlogChanged()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (g *Gateway) measureOnce(ctx context.Context, adm *kadm.Client) error {
	ctx, cancel := context.WithTimeout(ctx, max(g.cfg.BacklogEvery, time.Second))
	defer cancel()
	slots := g.load.slots.Load()
	topics := make([]string, len(slots.classes))
	for i, c := range slots.classes {
		topics[i] = g.cfg.Stream.Namespace.Topic(leadroute.Inbox(c))
	}
	starts, err := adm.ListStartOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	ends, err := adm.ListEndOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	commits, err := adm.FetchOffsets(ctx, g.cfg.Stream.Namespace.Group(g.cfg.AdmitGroup))
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // admit has never run
		return err
	}
	for i, topic := range topics {
		var lag int64
		for p, end := range ends[topic] {
			if end.Err != nil {
				return end.Err
			}
			at := starts[topic][p].Offset
			if c, ok := commits.Lookup(topic, p); ok && c.At > at {
				at = c.At
			}
			lag += max(0, end.Offset-at)
		}
		slots.backlogs[i].Store(lag)
		g.metrics.backlog.WithLabelValues(string(slots.classes[i])).Set(float64(lag))
	}
	return nil
}
