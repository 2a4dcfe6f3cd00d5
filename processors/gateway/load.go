package gateway

import (
	"context"
	"errors"
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
	classes  []leadroute.Class
	limit    []int64 // per class: leads in flight, of all classes together
	inFlight atomic.Int64
	backlogs []atomic.Int64 // per class: leads that admit has not taken
	most     []int64        // per class: the backlog above which the class is refused
}

func newLoad(classes []leadroute.Class, maxInFlight int, maxBacklog int64) *load {
	n := len(classes)
	l := &load{classes: classes, backlogs: make([]atomic.Int64, n)}
	for i := range n {
		l.limit = append(l.limit, inFlightLimit(maxInFlight, i, n))
		l.most = append(l.most, maxBacklog*int64(n-i))
	}
	return l
}

// inFlightLimit is how full the door may be for class i of n to enter: all of it for
// the first, two thirds for the last.
func inFlightLimit(maxInFlight, i, n int) int64 {
	if n == 1 {
		return int64(maxInFlight)
	}
	return int64(maxInFlight - maxInFlight*i/(3*(n-1)))
}

// slot is a class's index; a class without an inbox has the last one's.
func (l *load) slot(c leadroute.Class) int {
	for i, k := range l.classes {
		if k == c {
			return i
		}
	}
	return len(l.classes) - 1
}

// enter reserves places for n leads, all or none; lowest is the least urgent of their
// classes and waiting tells which classes are among them. Each place is given back by leave.
func (l *load) enter(n int64, waiting func(slot int) bool) *problem {
	lowest := 0
	for i := range l.classes {
		if !waiting(i) {
			continue
		}
		lowest = i
		if b := l.backlogs[i].Load(); b > l.most[i] {
			return errBacklog(l.classes[i], b, l.most[i])
		}
	}
	if l.inFlight.Add(n) > l.limit[lowest] {
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
	topics := make([]string, len(g.load.classes))
	for i, c := range g.load.classes {
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
		g.load.backlogs[i].Store(lag)
		g.metrics.backlog.WithLabelValues(string(g.load.classes[i])).Set(float64(lag))
	}
	return nil
}
