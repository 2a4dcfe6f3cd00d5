package policytest

import (
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Invariants holds a policy's invariants against every lead that its tests and scenarios
// place. A nil one checks nothing.
type Invariants struct {
	plan    *plan.Plan
	cover   *plan.Coverage
	results []Result // in the order of the plan's
}

// NewInvariants checks the plan's invariants; cover, where there is one, counts them too.
func NewInvariants(p *plan.Plan, cover *plan.Coverage) *Invariants {
	v := &Invariants{plan: p, cover: cover}
	for i := range p.Invariants {
		in := &p.Invariants[i]
		v.results = append(v.results, Result{Kind: KindInvariant, Name: in.Name, File: in.File, Line: in.Line, Warning: !in.Block})
	}
	return v
}

// Check looks at a record that was decided, of the lead of a test or scenario, now that it
// is assigned to the target.
func (v *Invariants) Check(of string, r *plan.Record, to plan.Target, assigned string) {
	if v == nil || len(v.results) == 0 {
		return
	}
	v.plan.Assigned(r, to)
	for i := range v.plan.Invariants {
		in := &v.plan.Invariants[i]
		if !in.When.Holds(r) {
			continue
		}
		res := &v.results[i]
		res.Leads++
		if v.cover != nil {
			v.cover.See(in.Expect, r)
		}
		if !in.Expect.Holds(r) {
			res.Wrong = append(res.Wrong, Difference{What: "for " + of + ", in " + assigned + ", expect", Got: said(in.Expect, r), Want: in.Expect.Source})
		}
	}
}

func said(c plan.Cond, r *plan.Record) string {
	if c.Fails(r) {
		return "false"
	}
	return "undecided"
}

// Results is one result for each invariant.
func (v *Invariants) Results() []Result {
	if v == nil {
		return nil
	}
	return v.results
}

// StaffedWithin tells whether somebody at the target can take a lead in time: what is free
// now and within its hours by then.
func (s *Staffing) StaffedWithin(t plan.Target, within time.Duration) (staffed, known bool) {
	switch {
	case t.Rep != "":
		return s.free(t.Rep), true
	case t.Pool != "":
		return s.poolWithin(t.Pool, within), true
	case t.Queue != "":
		if q := s.plan.Queues[t.Queue]; q != nil {
			for _, pool := range q.DrainTo {
				if s.poolWithin(pool, within) {
					return true, true
				}
			}
		}
	}
	return false, true
}

func (s *Staffing) poolWithin(name leadroute.PoolID, within time.Duration) bool {
	pool := s.plan.Pools[name]
	return pool != nil && s.Available(name) > 0 && OpenWithin(pool.Hours, s.at, within)
}

// OpenWithin tells whether hours, or a rep's duty, are open at some time before that span is over.
func OpenWithin(h interface {
	Next(at time.Time, open bool) time.Time
}, at time.Time, within time.Duration,
) bool {
	first := h.Next(at, true)
	return !first.IsZero() && !first.After(at.Add(within))
}
