// Package processors builds the pipeline of a plan: the stateful stages and the workers,
// wired to one log. What they decide is in their packages; what they run on and who
// watches them is cmd's business.
package processors

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/gateway"
)

// keptPlans is how many plans before the current one are kept, so that leads in flight
// end under the plan that decided them.
const keptPlans = 8

// Plans are the plan in force and the last few before it. It is safe for concurrent use.
type Plans struct {
	mu    sync.RWMutex
	kept  map[leadroute.PlanID]*plan.Plan
	order []leadroute.PlanID // oldest first; the last is the current one
}

// NewPlans returns the plans with one in force.
func NewPlans(current *plan.Plan) *Plans {
	p := &Plans{kept: map[leadroute.PlanID]*plan.Plan{}}
	p.Set(current)
	return p
}

// Set puts a plan into force.
func (p *Plans) Set(current *plan.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(current)
}

// Keep keeps a plan of before, for the leads that it decided, without putting it into force.
func (p *Plans) Keep(old *plan.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept[old.ID] == nil {
		current := p.order[len(p.order)-1]
		p.add(old)
		p.add(p.kept[current])
	}
}

// add puts a plan at the end of the order.
func (p *Plans) add(v *plan.Plan) {
	for i, id := range p.order {
		if id == v.ID {
			p.order = append(p.order[:i], p.order[i+1:]...)
			break
		}
	}
	p.kept[v.ID] = v
	p.order = append(p.order, v.ID)
	if len(p.order) > keptPlans {
		delete(p.kept, p.order[0])
		p.order = p.order[1:]
	}
}

// Current is the plan in force.
func (p *Plans) Current() *plan.Plan {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.kept[p.order[len(p.order)-1]]
}

// Of is the plan of that id, or the current one where that is no longer kept.
func (p *Plans) Of(id leadroute.PlanID) *plan.Plan {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if v := p.kept[id]; v != nil {
		return v
	}
	return p.kept[p.order[len(p.order)-1]]
}

// door is a plan as the gateway and admit ask it. Neither sees accounts or live tables:
// a class that depends on them is the ledger's to decide.
type door struct{ *plan.Plan }

// PlanID is the plan's id.
func (d door) PlanID() leadroute.PlanID { return d.ID }

// Check holds a lead's fields against the schema.
func (d door) Check(fields json.RawMessage) (json.RawMessage, []gateway.Problem, error) {
	normal, found, err := d.Plan.Check(fields)
	if err != nil || len(found) == 0 {
		return normal, nil, err
	}
	problems := make([]gateway.Problem, len(found))
	for i, f := range found {
		problems[i] = gateway.Problem{Code: f.Code, Pointer: f.Pointer, Message: f.Message, Remedy: f.Remedy}
	}
	return normal, problems, nil
}

// ClassOf is the lead's class by what the lead alone says, the last class for a lead that cannot be read.
func (d door) ClassOf(l *leadroute.Lead, at time.Time) (leadroute.Class, time.Duration) {
	c := &d.Classes[len(d.Classes)-1]
	if r, err := d.Record(l, nil); err == nil {
		if found := d.Plan.ClassOf(r, nobody{}, at); found != nil {
			c = found
		}
	}
	return c.Name, c.DeliverWithin
}

// nobody is a live table without reps.
type nobody struct{}

func (nobody) Available(leadroute.PoolID) int { return 0 }
