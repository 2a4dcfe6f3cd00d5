package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// lists looks at the priorities and the territories, which are lists like the rules but
// short: each is compared with all before it.
func (a *analysis) lists() {
	var before []cover
	for i := range a.plan.Classes {
		c := &a.plan.Classes[i]
		before = a.part(before, i, dsl.Part{Block: "priority", Name: string(c.Name)}, c.When, "No lead gets this priority")
	}
	before = nil
	for i := range a.plan.Territories {
		t := &a.plan.Territories[i]
		before = a.part(before, i, dsl.Part{Block: "territory", Name: t.Name}, t.When, "No lead is in this territory")
	}
}

func (a *analysis) part(before []cover, i int, at dsl.Part, when plan.Cond, none string) []cover {
	u := a.of(when, holds)
	if !u.ok || when.Always() && i == 0 {
		return before
	}
	switch by, covered := a.coveredBy(u, a.axiomsAnd(before)); {
	case a.impossible(u):
		at.Attr = "when"
		a.say(dsl.ImpossibleCondition, at, "%s: %s", none, a.why(when))
	case covered && !a.formal(at.Block, by):
		a.say(dsl.UnreachablePart, at, "%s: %s, before it, %s every lead that it could.", none, a.names(at.Block, by), takes(by))
	}
	for _, b := range u.list {
		before = append(before, cover{b, i})
	}
	return before
}

// formal tells that the compiler has said it: one of the earlier ones has no condition.
func (a *analysis) formal(block string, by []int) bool {
	return slices.ContainsFunc(by, func(i int) bool {
		if block == "priority" {
			return a.plan.Classes[i].When.Always()
		}
		return a.plan.Territories[i].When.Always()
	})
}

func (a *analysis) axiomsAnd(more []cover) []cover {
	all := make([]cover, 0, len(a.axioms)+len(more))
	for _, b := range a.axioms {
		all = append(all, cover{b, nobody})
	}
	return append(all, more...)
}

// impossible tells whether the schema and the axioms leave a union no point.
func (a *analysis) impossible(u boxes) bool {
	if len(u.list) == 0 {
		return true
	}
	axioms := a.axiomsAnd(nil)
	if len(axioms) == 0 {
		return false
	}
	q := a.search()
	return !slices.ContainsFunc(u.list, func(b box) bool { return q.point(b, overlapping(axioms, b)) != none })
}

func overlapping(covers []cover, b box) []cover {
	var some []cover
	for _, c := range covers {
		if c.overlaps(b) {
			some = append(some, c)
		}
	}
	return some
}

// coveredBy tells whether covers leave a union nothing, and names owners that are enough
// for it.
func (a *analysis) coveredBy(u boxes, covers []cover) (by []int, covered bool) {
	q := a.search()
	for _, b := range u.list {
		if q.point(b, overlapping(covers, b)) != none {
			return nil, false
		}
		for owner := range q.used {
			by = append(by, owner)
		}
	}
	return a.fewest(u, covers, by), true
}

// fewest takes owners away as long as the rest still covers the union.
func (a *analysis) fewest(u boxes, covers []cover, by []int) []int {
	slices.Sort(by)
	by = slices.Compact(by)
	by = slices.DeleteFunc(by, func(i int) bool { return i == nobody })
	const most = 40
	if len(by) > most {
		return by
	}
	q := a.search()
	for i := len(by) - 1; i >= 0 && len(by) > 1; i-- {
		fewer := slices.Delete(slices.Clone(by), i, i+1)
		some := slices.Clone(covers)
		some = slices.DeleteFunc(some, func(c cover) bool { return c.owner != nobody && !slices.Contains(fewer, c.owner) })
		if !slices.ContainsFunc(u.list, func(b box) bool { return q.point(b, overlapping(some, b)) != none }) {
			by = fewer
		}
	}
	return by
}

func takes(by []int) string {
	if len(by) == 1 {
		return "takes"
	}
	return "take"
}

func (a *analysis) names(block string, by []int) string {
	const most = 5
	names := make([]string, 0, most+1)
	for n, i := range by {
		if n == most && len(by) > most+1 {
			names = append(names, fmt.Sprintf("%d more", len(by)-most))
			break
		}
		var name string
		switch block {
		case "priority":
			name = string(a.plan.Classes[i].Name)
		case "territory":
			name = a.plan.Territories[i].Name
		default:
			name = a.plan.Rules[i].Name
		}
		names = append(names, block+"."+name)
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// reach finds the rules that no lead comes to, and collects the covers.
func (a *analysis) reach() {
	a.rules, a.prover = make([]rule, len(a.plan.Rules)), a.search()
	for _, b := range a.axioms {
		a.cover(b, nobody)
	}
	for i := range a.plan.Rules {
		r := &a.rules[i]
		r.Rule, r.index = &a.plan.Rules[i], i
		r.boxes = a.of(r.When, holds)
		r.counts = !r.Disabled && !r.Dated()
		if r.Disabled || !r.ok {
			continue
		}
		at := dsl.Part{Block: "rule", Name: r.Name}
		switch {
		case a.impossible(r.boxes):
			r.covered = true
			at.Attr = "when"
			a.say(dsl.ImpossibleCondition, at, "No lead comes here: %s", a.why(r.When))
		case a.covered(i):
			by := a.fewestBefore(i)
			a.say(dsl.UnreachableRule, at, "No lead comes here: %s, before it, %s.", a.names("rule", by), a.takesAll(by, r))
		}
		if r.counts && !r.covered {
			for _, b := range r.list {
				a.cover(b, i)
			}
		}
	}
}

func (a *analysis) takesAll(by []int, r *rule) string {
	switch {
	case len(by) == 1 && a.rules[by[0]].When.Always():
		return "takes every lead"
	case len(by) == 1 && a.rules[by[0]].When.Source == r.When.Source:
		return "has the same condition"
	default:
		return takes(by) + " every lead that it could"
	}
}

func (a *analysis) cover(b box, owner int) {
	a.table.add(b)
	a.covers = append(a.covers, cover{b, owner})
}

// covered tells whether the rules before i take all of its leads.
func (a *analysis) covered(i int) bool {
	r := &a.rules[i]
	for _, b := range r.list {
		if a.prover.point(b, a.table.overlapping(a.covers, b)) != none {
			return false
		}
		for owner := range a.prover.used {
			r.by = append(r.by, owner)
		}
	}
	r.covered = true
	return true
}

func (a *analysis) fewestBefore(i int) []int {
	r := &a.rules[i]
	var some []cover
	for _, c := range a.covers {
		if c.owner == nobody || slices.Contains(r.by, c.owner) {
			some = append(some, c)
		}
	}
	return a.fewest(r.boxes, some, r.by)
}

// why says what is impossible about a condition: the first part that is so by itself, or
// the first that contradicts what stands before it.
func (a *analysis) why(c plan.Cond) string {
	if c.Op == plan.OpNever {
		return "the condition is always false."
	}
	if c.Op != plan.OpAnd {
		return fmt.Sprintf("no lead can have %s.", c.Source)
	}
	so := everything
	for i, part := range c.Args {
		u := a.of(part, holds)
		if u.ok && a.impossible(u) {
			return fmt.Sprintf("no lead can have %s.", part.Source)
		}
		if so = product(so, u); so.ok && a.impossible(so) {
			for _, earlier := range c.Args[:i] {
				if both := product(a.of(earlier, holds), u); both.ok && a.impossible(both) {
					return fmt.Sprintf("%s contradicts %s.", part.Source, earlier.Source)
				}
			}
			return fmt.Sprintf("%s contradicts what stands before it.", part.Source)
		}
	}
	return "its parts contradict each other."
}

// gap looks for a lead that no rule takes, and says so at the last rule.
func (a *analysis) gap() {
	last := -1
	for i := range a.rules {
		r := &a.rules[i]
		if !r.counts {
			continue
		}
		if !r.ok {
			return // what this rule takes is not known
		}
		last = i
		if r.When.Always() {
			return
		}
	}
	if last < 0 {
		return
	}
	at := dsl.Part{Block: "rule", Name: a.rules[last].Name}
	good := func(w *Witness, _ plan.Decision) bool { return !a.takesForGood(w) }
	q, covers := a.search(), slices.Concat(a.covers, a.standing())
	w, got := a.witness(q, a.present(), covers, good)
	if w == nil {
		w, got = a.witness(q, nil, covers, good)
	}
	const todo = "It goes to the dead letters. Add a last rule without a when."
	switch {
	case w != nil:
		a.show(w, dsl.PossibleGap, at, "No rule takes the lead %s. %s", w, todo)
	case got == found:
		a.say(dsl.PossibleGap, at, "It is possible that a lead matches no rule: %s", "the conditions leave room for one. "+todo)
	}
}

// standing are the boxes of overrides without dates, which take leads as rules do.
func (a *analysis) standing() []cover {
	var all []cover
	for i := range a.plan.Overrides {
		o := &a.plan.Overrides[i]
		if len(o.Targets) == 0 || !o.From.IsZero() || !o.Until.IsZero() {
			continue
		}
		for _, b := range a.of(o.When, holds).list {
			all = append(all, cover{b, nobody})
		}
	}
	return all
}

// takesForGood tells whether a rule in force takes the lead of the witness.
func (a *analysis) takesForGood(w *Witness) bool {
	return slices.ContainsFunc(a.rules, func(r rule) bool { return r.counts && r.When.Holds(w.record) })
}

// present is the box of leads with nothing missing, of which a gap says most.
func (a *analysis) present() box {
	var b box
	for i := range a.dims {
		d := &a.dims[i]
		decided := d.name == plan.DecidedPriority || d.name == plan.DecidedTerritory
		if d.all.has(missing) && d.field != nil && !decided {
			b = append(b, side{i, d.all.minus(one(missing))})
		}
	}
	return b
}

// overlaps lists pairs of rules that want the same lead and send it to different targets.
func (a *analysis) overlaps() {
	q := a.search()
	for i := range a.rules {
		first := &a.rules[i]
		if !first.counts || first.covered {
			continue
		}
		for j := i + 1; j < len(a.rules); j++ {
			if len(a.out.Overlaps) >= a.opts.Overlaps {
				return
			}
			second := &a.rules[j]
			if !second.counts || second.When.Always() || sameTargets(first.Rule, second.Rule) {
				continue
			}
			if w := a.both(q, first, second); w != nil {
				a.out.Overlaps = append(a.out.Overlaps, Overlap{First: first.Name, Second: second.Name, Lead: *w})
			}
		}
	}
}

func (a *analysis) both(q *search, first, second *rule) *Witness {
	for _, x := range first.list {
		for _, y := range second.list {
			in, ok := x.and(y)
			if !ok {
				continue
			}
			var before []cover
			for _, c := range a.covers {
				if c.owner < first.index && c.overlaps(in) {
					before = append(before, c)
				}
			}
			w, _ := a.witness(q, in, before, func(w *Witness, d plan.Decision) bool {
				return d.Rule == first.Name && second.When.Holds(w.record)
			})
			if w != nil {
				return w
			}
		}
	}
	return nil
}

func sameTargets(a, b *plan.Rule) bool {
	return slices.EqualFunc(a.Ways(), b.Ways(), func(x, y plan.RuleTarget) bool {
		return x.Source == y.Source && x.When.Source == y.When.Source
	})
}
