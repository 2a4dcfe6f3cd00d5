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
	"github.com/leadroute/leadroute/internal/person"
	"github.com/leadroute/leadroute/processors/gateway"
)

// keptPlans is how many plans are kept besides those in force, so that leads in flight end
// under the plan that decided them. One that was let go is loaded again when a lead needs it.
const keptPlans = 8

// Plans are the plan in force, the one that is tried beside it, and those of leads that
// were decided before. It is safe for concurrent use.
type Plans struct {
	// load gets a plan that is not kept; nil where nobody has it.
	load func(leadroute.PlanID) *plan.Plan

	mu        sync.RWMutex
	current   *plan.Plan
	candidate *plan.Plan // nil: none is tried
	kept      map[leadroute.PlanID]*plan.Plan
	order     []leadroute.PlanID        // of kept, oldest first
	unknown   map[leadroute.PlanID]bool // nobody has them
}

// NewPlans returns the plans with one in force. load gets a plan by its id, nil where
// nobody has it; it may take a while, and load itself may be nil.
func NewPlans(current *plan.Plan, load func(leadroute.PlanID) *plan.Plan) *Plans {
	if load == nil {
		load = func(leadroute.PlanID) *plan.Plan { return nil }
	}
	p := &Plans{load: load, kept: map[leadroute.PlanID]*plan.Plan{}, unknown: map[leadroute.PlanID]bool{}}
	p.Set(current, nil)
	return p
}

// Set puts a plan into force, and has another one tried beside it (nil: none).
func (p *Plans) Set(current, candidate *plan.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, v := range []*plan.Plan{p.current, p.candidate} {
		if v != nil && v != current && v != candidate {
			p.keep(v)
		}
	}
	p.current, p.candidate = current, candidate
}

func (p *Plans) keep(v *plan.Plan) {
	delete(p.unknown, v.ID)
	if p.kept[v.ID] != nil {
		return
	}
	p.kept[v.ID] = v
	if p.order = append(p.order, v.ID); len(p.order) > keptPlans {
		delete(p.kept, p.order[0])
		p.order = p.order[1:]
	}
}

// Current is the plan in force.
func (p *Plans) Current() *plan.Plan {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.current
}

// Have is the plan of that id if it is at hand, else nil.
func (p *Plans) Have(id leadroute.PlanID) *plan.Plan {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.have(id)
}

func (p *Plans) have(id leadroute.PlanID) *plan.Plan {
	switch {
	case p.current.ID == id:
		return p.current
	case p.candidate != nil && p.candidate.ID == id:
		return p.candidate
	}
	return p.kept[id]
}

// Of is the plan of that id, or the current one where nobody has that.
func (p *Plans) Of(id leadroute.PlanID) *plan.Plan {
	p.mu.RLock()
	v, current := p.have(id), p.current
	if v == nil && (id == "" || p.unknown[id]) {
		v = current
	}
	p.mu.RUnlock()
	if v != nil {
		return v
	}
	v = p.load(id)
	p.mu.Lock()
	defer p.mu.Unlock()
	if v == nil {
		p.unknown[id] = true
		return p.current
	}
	p.keep(v)
	return v
}

// For is the plan that decides a lead: the candidate of a canary for the leads that it
// picks, else the one in force.
func (p *Plans) For(l *leadroute.Lead) *plan.Plan {
	p.mu.RLock()
	current, candidate := p.current, p.candidate
	p.mu.RUnlock()
	if candidate == nil || candidate.Rollout == nil || candidate.Rollout.Mode != plan.RolloutCanary {
		return current
	}
	r, err := candidate.Record(l, nil)
	if err != nil {
		return current
	}
	defer r.Free()
	if candidate.Rollout.Picks(r, string(candidate.ID)) {
		return candidate
	}
	return current
}

// Beside is the plan whose decision about a lead is compared with that of the plan that
// decides it, while a change is tried; nil: none.
func (p *Plans) Beside(decides leadroute.PlanID) *plan.Plan {
	p.mu.RLock()
	defer p.mu.RUnlock()
	switch {
	case p.candidate == nil || p.candidate.Rollout == nil:
		return nil
	case p.candidate.ID == decides:
		return p.current
	case p.candidate.Rollout.Mode == plan.RolloutShadow && p.current.ID == decides:
		return p.candidate
	}
	return nil
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

// Identities are what tells the lead's person, where the policy asks who came before.
func (d door) Identities(key []byte, l *leadroute.Lead) []string {
	return person.Identities(d.Plan, key, l)
}

// nobody is a live table without reps.
type nobody struct{}

func (nobody) Available(leadroute.PoolID) int { return 0 }
