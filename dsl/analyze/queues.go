package analyze

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// queues finds those out of which nobody is ever offered a lead, although the author
// expects that: there is a longest wait or an alert. A queue that says neither is meant
// to keep its leads.
func (a *analysis) queues() {
	for _, name := range sortedQueues(a.plan) {
		q := a.plan.Queues[name]
		if len(q.DrainTo) > 0 || q.Then != nil || q.MaxWait == 0 && q.AlertAfter == 0 {
			continue
		}
		if users, offered := a.users(name); users > 0 && !offered {
			a.say(dsl.NeverDrained, dsl.Part{Block: "queue", Name: string(name)}, "The rules that end in queue.%s name nobody besides, so that its leads are never offered to anybody. Say who empties it: drain_to = [pool.name], or then = queue.name.", name)
		}
	}
}

// users counts the rules that send leads to the queue; offered tells whether one of them
// names a pool or a rep, to whom the queue offers the lead again.
func (a *analysis) users(name leadroute.QueueID) (users int, offered bool) {
	for i := range a.plan.Rules {
		r := &a.plan.Rules[i]
		if r.Disabled || !slices.ContainsFunc(r.Ways(), func(t plan.RuleTarget) bool { return t.Fixed == nil || t.Fixed.Queue == name }) {
			continue
		}
		users++
		offered = offered || slices.ContainsFunc(r.Ways(), func(t plan.RuleTarget) bool { return t.Fixed == nil || t.Fixed.Queue == "" })
	}
	return users, offered
}

func sortedQueues(p *plan.Plan) []leadroute.QueueID {
	names := make([]leadroute.QueueID, 0, len(p.Queues))
	for n := range p.Queues {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
