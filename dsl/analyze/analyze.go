// Package analyze says what all conditions of a policy together do to leads: rules that no
// lead reaches, leads that no rule takes, conditions that cannot hold, invariants that
// are broken, hours that leave a deadline uncovered.
//
// It cuts what a lead can be into finitely many cells and searches them. What it says of
// every lead is proved; what it says of some lead comes with that lead, which the plan
// itself has decided before it is shown. It judges by the plan and knows no HCL; where
// something stands in the source is the policy's to tell.
package analyze

import (
	"cmp"
	"slices"
	"time"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Options say how far the analysis goes. The zero value is what validate does.
type Options struct {
	// Year is the one over which hours are looked at; the current one if zero.
	Year int
	// Overlaps bounds how many overlaps are listed: none if zero.
	Overlaps int
}

// Result is what the analysis found.
type Result struct {
	Diagnostics dsl.Diagnostics
	Overlaps    []Overlap
	Invariants  []Verdict
}

// Verdict is what became of an invariant.
type Verdict struct {
	Name    string   `json:"name"`
	Status  Status   `json:"status"`
	Rule    string   `json:"rule,omitempty"` // the one that breaks it
	Witness *Witness `json:"witness,omitempty"`
}

// Status tells whether an invariant holds.
type Status string

// The states of an invariant.
const (
	Proved  Status = "proved"  // no lead breaks it, wherever its rule may send it
	Refuted Status = "refuted" // the witness breaks it
	Open    Status = "open"    // neither was shown
)

// Overlap is a pair of rules that both want a lead; the first one takes it. That is often
// meant so, and therefore no warning.
type Overlap struct {
	First  string  `json:"first"`
	Second string  `json:"second"`
	Lead   Witness `json:"witness"`
}

// analysis is one run.
type analysis struct {
	*space
	policy *dsl.Policy
	opts   Options
	at     time.Time // of a witness, where no hours are asked for
	rules  []rule
	covers []cover // the axioms, and the boxes of the rules in force that take leads
	table  prefilter
	prover *search
	out    Result
}

// rule is a rule of the plan with its points.
type rule struct {
	*plan.Rule
	boxes
	index   int
	by      []int // rules that cover it, if it is covered
	counts  bool  // it takes leads whenever it is asked: neither disabled nor dated
	covered bool  // by the rules before it
}

// axioms' owner: no rule.
const nobody = -1

// Run analyzes a policy that has a plan; of any other it says nothing.
func Run(policy *dsl.Policy, opts Options) Result {
	if policy.Plan == nil {
		return Result{}
	}
	a := start(policy, opts)
	a.lists()
	a.reach()
	a.gap()
	a.overlaps()
	a.staffing()
	a.queues()
	a.invariants()
	a.out.Diagnostics.Sort()
	return a.out
}

func start(policy *dsl.Policy, opts Options) *analysis {
	if opts.Year == 0 {
		opts.Year = time.Now().Year()
	}
	p := policy.Plan
	a := &analysis{policy: policy, opts: opts, space: newSpace(p, conditions(p))}
	a.at = time.Date(opts.Year, 1, 14, 10, 0, 0, 0, p.Zone)
	return a
}

// conditions lists every condition that is asked of a lead before its targets.
func conditions(p *plan.Plan) []plan.Cond {
	var all []plan.Cond
	for i := range p.Classes {
		all = append(all, p.Classes[i].When)
	}
	for i := range p.Territories {
		all = append(all, p.Territories[i].When)
	}
	for i := range p.Rules {
		all = append(all, p.Rules[i].When)
	}
	for i := range p.Overrides {
		all = append(all, p.Overrides[i].When)
	}
	for i := range p.Invariants {
		all = append(all, p.Invariants[i].When, p.Invariants[i].Expect)
	}
	return all
}

func (a *analysis) say(f dsl.Finding, at dsl.Part, format string, args ...any) {
	if d, ok := a.policy.Say(f, at, format, args...); ok {
		a.out.Diagnostics = append(a.out.Diagnostics, d)
	}
}

// show says a thing with the lead that shows it.
func (a *analysis) show(w *Witness, f dsl.Finding, at dsl.Part, format string, args ...any) {
	if d, ok := a.policy.Say(f, at, format, args...); ok {
		d.Lead = w.Lead
		a.out.Diagnostics = append(a.out.Diagnostics, d)
	}
}

// witness searches inside a box for a lead that no cover has and that good accepts when
// the plan has decided it. got is found without a lead when no lead could be made of the
// points, which are then no more than possible.
func (a *analysis) witness(q *search, in box, covers []cover, good func(*Witness, plan.Decision) bool) (w *Witness, got answer) {
	const tries = 12
	for try := range tries {
		switch got = q.point(in, covers); {
		case got == none && try > 0:
			return nil, found // of all that were tried none could be made a lead
		case got != found:
			return nil, got
		}
		for _, whole := range []bool{false, true} {
			if w := a.lead(q, whole); w != nil {
				if d, ok := a.replay(w); ok && good(w, d) {
					return w, found
				}
			}
		}
		// Not this one again: something that the cells do not know of is in the way.
		refused := q.narrowed(func(d *dimension) bool { return d.kind == opaqueKind || d.kind == tagKind })
		if len(refused) == 0 {
			refused = q.narrowed(func(*dimension) bool { return true })
		}
		if len(refused) == 0 {
			return nil, found
		}
		covers = append(slices.Clip(covers), cover{refused, nobody})
	}
	return nil, found
}

// narrowed is the box of what the search left of some dimensions.
func (q *search) narrowed(which func(*dimension) bool) box {
	var b box
	for i := range q.dom {
		if d := &q.space.dims[i]; which(d) && len(d.all.minus(q.dom[i])) > 0 {
			b = append(b, side{i, q.dom[i]})
		}
	}
	slices.SortFunc(b, func(x, y side) int { return cmp.Compare(x.dim, y.dim) })
	return b
}
