package analyze

import (
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// invariants proves each invariant over every rule and every target that the rule names,
// or finds a lead that breaks it. A lead may end at any of its targets, for those before
// may be busy.
func (a *analysis) invariants() {
	for i := range a.plan.Invariants {
		v := &a.plan.Invariants[i]
		verdict := a.invariant(v)
		verdict.Name = v.Name
		a.out.Invariants = append(a.out.Invariants, verdict)
		if verdict.Status != Refuted {
			continue
		}
		f := dsl.InvariantRefuted
		if v.Block {
			f = dsl.InvariantBroken
		}
		a.show(verdict.Witness, f, dsl.Part{Block: "invariant", Name: v.Name, Attr: "expect"},
			"The lead %s breaks it: rule.%s may send it to %s.", verdict.Witness, verdict.Rule, verdict.Witness.to)
	}
}

func (a *analysis) invariant(v *plan.Invariant) Verdict {
	status := Proved
	when, not := a.of(v.When, holds), a.of(v.Expect, notHolds)
	if !when.ok || !not.ok || reads(v.Expect, "staffed_within") || reads(v.When, "staffed_within") || slices.ContainsFunc(a.plan.Overrides, func(o plan.Override) bool { return len(o.Targets) > 0 }) {
		return Verdict{Status: Open} // who is there is a question of the time, and what an override does is one of the date
	}
	for i := range a.rules {
		r := &a.rules[i]
		if r.Disabled || r.covered && !r.Dated() {
			continue
		}
		if !r.ok {
			status = Open
			continue
		}
		broken := product(r.asDecided(a, when), r.asDecided(a, not))
		for _, p := range a.placements(r) {
			within := product(product(r.boxes, p.when), p.pin(a, broken))
			if !within.ok {
				status = Open
			}
			w, got := a.breaks(v, r, within)
			if w != nil {
				return Verdict{Status: Refuted, Rule: r.Name, Witness: w}
			}
			if got != none {
				status = Open
			}
		}
	}
	return Verdict{Status: status}
}

// breaks looks for a lead that the rule takes and that breaks the invariant at one of its
// targets.
func (a *analysis) breaks(v *plan.Invariant, r *rule, within boxes) (*Witness, answer) {
	all := none
	for _, b := range within.list {
		w, got := a.witness(a.search(), b, a.before(r, b), func(w *Witness, d plan.Decision) bool {
			if d.Rule != r.Name {
				return false
			}
			for _, t := range d.Targets {
				a.plan.Assigned(w.record, t)
				if v.When.Holds(w.record) && !v.Expect.Holds(w.record) {
					w.to = targetName(t)
					return true
				}
			}
			return false
		})
		if w != nil {
			return w, found
		}
		if got != none {
			all = got
		}
	}
	return nil, all
}

func targetName(t plan.Target) string {
	switch {
	case t.Pool != "":
		return "pool." + string(t.Pool)
	case t.Rep != "":
		return "rep." + string(t.Rep)
	default:
		return "queue." + string(t.Queue)
	}
}

func reads(c plan.Cond, test string) bool {
	yes := false
	c.Atoms(func(a *plan.Atom, _ bool) { yes = yes || a.Test == test })
	return yes
}

// asDecided reads a condition as it is behind the rule, which may have replaced the
// priority and the territory: what it says of those is then known, and drops out.
func (r *rule) asDecided(a *analysis, u boxes) boxes {
	if r.Priority != "" {
		u = a.known(u, plan.DecidedPriority, string(r.Priority))
	}
	if r.Territory != nil {
		u = a.known(u, plan.DecidedTerritory, r.Territory.Name)
	}
	return u
}

// known keeps the boxes that have the text in the dimension, and takes that side out.
func (a *analysis) known(u boxes, key, text string) boxes {
	dim, ok := a.named[key]
	if !ok {
		return u
	}
	out := boxes{nil, u.ok}
	for _, b := range u.list {
		i := slices.IndexFunc(b, func(s side) bool { return s.dim == dim })
		switch {
		case i < 0:
			out.list = append(out.list, b)
		case b[i].in.has(a.dims[dim].cellOf(text)):
			out.list = append(out.list, slices.Delete(slices.Clone(b), i, i+1))
		}
	}
	return out
}

// cellOf is the cell of a text; "" is missing.
func (d *dimension) cellOf(text string) int32 {
	if text == "" {
		return missing
	}
	if c, ok := d.index[text]; ok {
		return c
	}
	return d.last()
}

// placement is one way in which a rule places leads: those of when at a target, which is
// nil where it is not the same for all of them.
type placement struct {
	when boxes
	to   *plan.Target
}

// pin reads what a condition says of where the lead is assigned.
func (p placement) pin(a *analysis, u boxes) boxes {
	if p.to == nil {
		return u
	}
	or := func(v string) string {
		if v == "" {
			return plan.NoneAssigned
		}
		return v
	}
	rep := or(string(p.to.Rep))
	if p.to.Pool != "" {
		rep = ""
	}
	u = a.known(u, "string assigned.pool", or(string(p.to.Pool)))
	u = a.known(u, "string assigned.queue", or(string(p.to.Queue)))
	return a.known(u, "string assigned.rep", rep)
}

// placements lists where a rule may send a lead.
func (a *analysis) placements(r *rule) []placement {
	var all []placement
	ends := false
	for _, t := range r.Ways() {
		when := a.of(t.When, holds)
		switch {
		case t.Fixed != nil:
			ends = ends || t.Fixed.Queue != "" && t.When.Always()
			all = append(all, placement{when, t.Fixed})
		case strings.HasPrefix(t.Source, "territory.of_lead"):
			all = append(all, a.territoryPools(r, when)...)
		default:
			all = append(all, placement{when, nil})
		}
	}
	if !ends {
		all = append(all, placement{everything, &plan.Target{Queue: plan.UnassignedQueue}})
	}
	return all
}

func (a *analysis) territoryPools(r *rule, when boxes) []placement {
	if r.Territory != nil {
		return []placement{{when, &plan.Target{Pool: r.Territory.Pool}}}
	}
	var all []placement
	rest := when
	for i := range a.plan.Territories {
		t := &a.plan.Territories[i]
		if t.Pool != leadroute.PoolID("") {
			all = append(all, placement{product(rest, a.of(t.When, holds)), &plan.Target{Pool: t.Pool}})
		}
		if next := product(rest, a.of(t.When, notHolds)); next.ok {
			rest = next // else this one's leads are looked at again, which proves less and is no less true
		}
	}
	return all
}
