package plan

import "time"

// Coverage counts what was asked of a plan, and how it came out. It is filled by the
// closures' watcher: an index that skips rules would skip counting them.
type Coverage struct {
	plan     *Plan
	taken    map[part]int
	branches map[place]int
	atoms    map[*Atom]*Seen
}

// part is a rule, priority or territory.
type part struct{ kind, name string }

// place is a target of a rule by its place.
type place struct {
	rule  string
	index int
}

// Seen is how often an atom came out each way.
type Seen struct {
	True      int `json:"true"`
	False     int `json:"false"`
	Undecided int `json:"undecided,omitempty"`
}

// NewCoverage counts nothing yet.
func NewCoverage(p *Plan) *Coverage {
	return &Coverage{plan: p, taken: map[part]int{}, branches: map[place]int{}, atoms: map[*Atom]*Seen{}}
}

// Explain is the plan's, counted.
func (c *Coverage) Explain(p *Plan, r *Record, live Live, at time.Time) Explanation {
	w := &counter{explainer: explainer{r: r}, c: c}
	w.out.Decision = p.decide(r, live, at, w)
	return w.out
}

// counter is a watcher that explains, and counts.
type counter struct {
	explainer
	c    *Coverage
	rule string // the rule whose targets are being asked
	next int    // its next target
}

func (w *counter) asked(kind, name string, cond Cond, v Verdict) {
	w.explainer.asked(kind, name, cond, v)
	if v == Disabled {
		return
	}
	w.c.see(cond, w.r)
	if v == Matched {
		w.c.taken[part{kind, name}]++
		w.rule, w.next = name, 0
	}
}

func (w *counter) target(t RuleTarget, to Target, v Verdict) {
	w.explainer.target(t, to, v)
	w.c.see(t.When, w.r)
	if v == Matched {
		w.c.branches[place{w.rule, w.next}]++
	}
	w.next++
}

// See counts a condition that is asked outside of a decision: an invariant's.
func (c *Coverage) See(cond Cond, r *Record) { c.see(cond, r) }

// see counts the atoms that were reached, from the left: behind the one that settled an &&
// or || none was.
func (c *Coverage) see(cond Cond, r *Record) {
	switch cond.Op {
	case OpAtom:
		s := c.atoms[cond.Atom]
		if s == nil {
			s = &Seen{}
			c.atoms[cond.Atom] = s
		}
		switch verdictOf(cond, r) {
		case Matched:
			s.True++
		case False:
			s.False++
		default:
			s.Undecided++
		}
	case OpAnd, OpOr:
		for _, a := range cond.Args {
			c.see(a, r)
			if cond.Op == OpAnd && a.Fails(r) || cond.Op == OpOr && a.Holds(r) {
				return
			}
		}
	case OpNot:
		c.see(cond.Args[0], r)
	case OpAlways, OpNever:
	}
}

// CoverageReport is what the tests of a policy asked of it.
type CoverageReport struct {
	Rules    Tally         `json:"rules"`
	Atoms    Tally         `json:"atoms"`
	Branches Tally         `json:"branches"`
	Parts    []CoveredPart `json:"parts"`
}

// Tally is how many of something there are, and how many were covered.
type Tally struct {
	Covered int `json:"covered"`
	Of      int `json:"of"`
}

func (t *Tally) add(covered bool) bool {
	t.Of++
	if covered {
		t.Covered++
	}
	return covered
}

// Percent is the covered part; all of nothing is 100.
func (t Tally) Percent() float64 {
	if t.Of == 0 {
		return 100
	}
	return 100 * float64(t.Covered) / float64(t.Of)
}

// CoveredPart is a rule, priority or territory: how often it was taken, and what became
// of its conditions and targets.
type CoveredPart struct {
	Kind     string          `json:"kind"`
	Name     string          `json:"name"`
	Taken    int             `json:"taken"`
	Disabled bool            `json:"disabled,omitempty"`
	Covered  bool            `json:"covered"` // taken, and everything in it seen
	Atoms    []CoveredAtom   `json:"atoms,omitempty"`
	Branches []CoveredBranch `json:"branches,omitempty"`
}

// CoveredAtom is one comparison or function of a condition.
type CoveredAtom struct {
	Test string `json:"test"` // as the author wrote it
	Seen
}

// Both tells whether the atom was seen true and false.
func (a CoveredAtom) Both() bool { return a.True > 0 && a.False > 0 }

// CoveredBranch is one target of a rule.
type CoveredBranch struct {
	To    string `json:"to"` // as the author wrote it
	Taken int    `json:"taken"`
}

// Report says what was covered of the plan, in its order. A disabled rule does not count.
func (c *Coverage) Report() CoverageReport {
	var out CoverageReport
	for i := range c.plan.Classes {
		v := &c.plan.Classes[i]
		out.part(c, "priority", string(v.Name), v.When)
	}
	for i := range c.plan.Territories {
		v := &c.plan.Territories[i]
		out.part(c, "territory", v.Name, v.When)
	}
	for i := range c.plan.Rules {
		rule := &c.plan.Rules[i]
		if rule.Disabled {
			out.Parts = append(out.Parts, CoveredPart{Kind: "rule", Name: rule.Name, Disabled: true, Covered: true})
			continue
		}
		p := out.part(c, "rule", rule.Name, rule.When)
		out.Rules.add(p.Taken > 0)
		for j, t := range rule.Targets {
			n := c.branches[place{rule.Name, j}]
			p.Branches = append(p.Branches, CoveredBranch{To: t.Source, Taken: n})
			p.Covered = out.Branches.add(n > 0) && p.Covered
			out.atoms(c, p, t.When)
		}
	}
	return out
}

func (out *CoverageReport) part(c *Coverage, kind, name string, when Cond) *CoveredPart {
	n := c.taken[part{kind, name}]
	out.Parts = append(out.Parts, CoveredPart{Kind: kind, Name: name, Taken: n, Covered: n > 0})
	p := &out.Parts[len(out.Parts)-1]
	out.atoms(c, p, when)
	return p
}

func (out *CoverageReport) atoms(c *Coverage, p *CoveredPart, cond Cond) {
	if cond.Op == OpAtom {
		a := CoveredAtom{Test: cond.Source}
		if s := c.atoms[cond.Atom]; s != nil {
			a.Seen = *s
		}
		p.Atoms = append(p.Atoms, a)
		p.Covered = out.Atoms.add(a.Both()) && p.Covered
	}
	for _, arg := range cond.Args {
		out.atoms(c, p, arg)
	}
}
