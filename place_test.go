package leadroute_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
)

func drawPlaces(t *rapid.T) []leadroute.Place {
	t.Helper()
	order := map[leadroute.QueueID]int{}
	var ps []leadroute.Place
	for i := range rapid.IntRange(0, 12).Draw(t, "leads") {
		q := leadroute.QueueID(fmt.Sprint("q", rapid.IntRange(0, 3).Draw(t, "queue")))
		if _, ok := order[q]; !ok {
			order[q] = rapid.IntRange(0, 2).Draw(t, "order")
		}
		p := leadroute.Place{Lead: leadroute.LeadID(fmt.Sprint("L", i)), Queue: q, Deadline: leadroute.Millis(1 + rapid.IntRange(0, 9).Draw(t, "deadline"))}
		switch order[q] {
		case 1:
			p.Rank = rapid.IntRange(0, 2).Draw(t, "rank")
		case 2:
			p.Order = leadroute.Millis(1 + rapid.IntRange(0, 9).Draw(t, "arrival"))
		}
		ps = append(ps, p)
	}
	return ps
}

// TestLineIsFair: in the line each queue goes by its own order, and whoever is next has the
// earliest deadline of all that are then the first of their queues. Whom it puts first does
// not depend on who else stands behind.
func TestLineIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := drawPlaces(t)
		line := rapid.Permutation(ps).Draw(t, "as they come")
		leadroute.Line(line)
		for i := range line {
			heads := map[leadroute.QueueID]leadroute.Place{}
			for _, p := range line[i:] {
				if h, ok := heads[p.Queue]; !ok || p.Compare(h) < 0 {
					heads[p.Queue] = p
				}
			}
			for _, h := range heads {
				if h.Sooner(line[i]) < 0 {
					t.Fatalf("Line(%v) = %v, want %v at %d", ps, line, h, i)
				}
			}
			if heads[line[i].Queue] != line[i] {
				t.Fatalf("Line(%v) = %v: %v is not the first of its queue", ps, line, line[i])
			}
		}
		if len(ps) > 1 {
			fewer := slices.Clone(line[:len(line)-1])
			leadroute.Line(fewer)
			if !slices.Equal(fewer, line[:len(line)-1]) {
				t.Fatalf("Line without %v = %v, want %v", line[len(line)-1], fewer, line[:len(line)-1])
			}
		}
	})
}

// TestNoQueueStarvesAnother: as many leads come as are served, to all queues. The head of a
// queue whose deadline has passed is served before as many others as wait.
func TestNoQueueStarvesAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := drawPlaces(t)
		if len(ps) == 0 {
			return
		}
		passed := map[leadroute.LeadID]int{} // of the heads: how many leads of other queues were served since their deadline
		for n := range 300 {
			now := leadroute.Millis(10 + n)
			leadroute.Line(ps)
			served, heads := ps[0], map[leadroute.QueueID]bool{}
			for _, p := range ps[1:] {
				if heads[p.Queue] || p.Queue == served.Queue {
					continue
				}
				heads[p.Queue] = true
				if p.Deadline < now {
					passed[p.Lead]++
				}
				if passed[p.Lead] > len(ps) {
					t.Fatalf("at %d %v waits for the %dth time behind a lead of another queue: %v", now, p, passed[p.Lead], ps)
				}
			}
			ps = append(ps[1:], leadroute.Place{
				Lead: leadroute.LeadID(fmt.Sprint("N", n)), Queue: leadroute.QueueID(fmt.Sprint("q", rapid.IntRange(0, 3).Draw(t, "queue"))),
				Deadline: now + leadroute.Millis(rapid.IntRange(1, 20).Draw(t, "within")),
			})
		}
	})
}
