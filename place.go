package leadroute

import (
	"cmp"
	"slices"
)

// Place is where a lead stands among those that wait for the same.
type Place struct {
	Lead LeadID `json:"lead"`
	// Queue is where the lead waits, or would wait if nobody takes it.
	Queue QueueID `json:"queue,omitempty"`
	// Rank is the class's place in the policy, in a queue that goes by priority; else 0.
	Rank int `json:"rank,omitempty"`
	// Order comes before Deadline, in a queue that goes by arrival: when the lead came in.
	Order Millis `json:"order,omitempty"`
	// Deadline is that of the class's deliver_within or, where there is none, when the lead came in.
	Deadline Millis `json:"deadline,omitempty"`
}

// Compare is the order within one queue: who is offered first is the lower one.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Rank, q.Rank), cmp.Compare(cmp.Or(p.Order, p.Deadline), cmp.Or(q.Order, q.Deadline)), cmp.Compare(p.Lead, q.Lead))
}

// Sooner is the order between the heads of two queues: the earlier deadline goes first. A
// deadline does not move and those of leads to come lie ever later, so that the head of each
// queue is the first of all at some time, and no queue starves another.
func (p Place) Sooner(q Place) int {
	return cmp.Or(cmp.Compare(p.Deadline, q.Deadline), cmp.Compare(p.Lead, q.Lead))
}

// Line sorts leads that wait for the same into the order in which they are served: again and
// again the head whose deadline is earliest of all queues, each of which goes by its own order.
func Line(ps []Place) {
	slices.SortFunc(ps, func(a, b Place) int { return cmp.Or(cmp.Compare(a.Queue, b.Queue), a.Compare(b)) })
	var queues [][]Place
	for i := 0; i < len(ps); {
		end := i + 1
		for end < len(ps) && ps[end].Queue == ps[i].Queue {
			end++
		}
		queues = append(queues, ps[i:end])
		i = end
	}
	if len(queues) < 2 {
		return
	}
	line := make([]Place, 0, len(ps))
	for len(line) < len(ps) {
		next := -1
		for i, q := range queues {
			if len(q) > 0 && (next < 0 || q[0].Sooner(queues[next][0]) < 0) {
				next = i
			}
		}
		line = append(line, queues[next][0])
		queues[next] = queues[next][1:]
	}
	copy(ps, line)
}
