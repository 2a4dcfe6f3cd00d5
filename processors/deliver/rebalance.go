package deliver

import (
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// departure is a partition that goes to another owner, or nowhere when the worker stops.
type departure struct {
	part stream.Partition
	done chan struct{}
}

// departures are those that wait for attempts in flight and their answers.
type departures struct {
	waiting []departure
	last    time.Time // when one last came or went
	until   time.Time // for all of one rebalance
}

func (s *scheduler) partition(t leadroute.Topic, n int32) stream.Partition {
	return stream.Partition{Topic: s.cfg.Stream.Namespace.Topic(t), Partition: n}
}

// assigned takes a partition in; it returns when the loop has.
func (s *scheduler) assigned(t leadroute.Topic, n int32) {
	select {
	case s.assign <- s.partition(t, n):
	case <-s.ended:
	}
}

// revoked gives a partition up: what has not started is dropped, what is in flight may
// end within Drain. It returns when nothing of the partition is in flight and every
// answer is acknowledged, or when time is up; what is done by then gets committed.
func (s *scheduler) revoked(t leadroute.Topic, n int32) {
	d := departure{s.partition(t, n), make(chan struct{})}
	select {
	case s.leave <- d:
	case <-s.ended:
		return
	}
	select {
	case <-d.done:
	case <-s.ended:
	}
}

func (s *scheduler) depart(d departure) {
	for _, r := range s.backlog.forget(d.part) {
		<-s.room[r.class]
	}
	s.owned--
	s.share()
	// Partitions go one after the other; those of one rebalance share one bound.
	if s.seen.Sub(s.departing.last) > time.Second {
		s.departing.until = s.seen.Add(s.cfg.Drain + 500*time.Millisecond)
	}
	s.departing.last = s.seen
	s.departing.waiting = append(s.departing.waiting, d)
}

// letGo ends the departures that nothing holds any more, and those whose time is up.
func (s *scheduler) letGo() {
	kept := s.departing.waiting[:0]
	for _, d := range s.departing.waiting {
		if s.busy(d.part) && time.Now().Before(s.departing.until) {
			kept = append(kept, d)
			continue
		}
		s.departing.last = time.Now()
		close(d.done)
	}
	s.departing.waiting = kept
}

// busy tells whether a record of the partition is being tried or answered.
func (s *scheduler) busy(p stream.Partition) bool {
	if s.answering[p] > 0 {
		return true
	}
	for it := range s.running {
		if it.touches(p) {
			return true
		}
	}
	return false
}
