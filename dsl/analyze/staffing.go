package analyze

import (
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// The hours are looked at as they fall over a whole year in their own zones, so that the
// weeks in which one country has changed its clocks and another has not are among them.

// shift is a time during which somebody is there: [from, until).
type shift struct{ from, until time.Time }

// shifts are in order, and neither touch nor overlap.
type shifts []shift

// staffing says when leads of a class wait for longer than the class allows, because
// nobody is there.
func (a *analysis) staffing() {
	year := &calendar{a: a, from: time.Date(a.opts.Year, 1, 1, 0, 0, 0, 0, a.plan.Zone), of: map[string]shifts{}}
	year.until = year.from.AddDate(1, 0, 0)
	for _, name := range sortedPools(a.plan) {
		p := a.plan.Pools[name]
		if when, known := year.pool(p); known && len(when) == 0 && (len(p.Members) > 0 || p.Where != nil) {
			a.say(dsl.NeverOpen, dsl.Part{Block: "pool", Name: string(name)}, "In the whole of %d there is no time at which the pool and one of its members are there.", a.opts.Year)
		}
	}
	said := map[string]bool{} // one hole is told once, of the class that it hurts most
	for i := range a.plan.Classes {
		a.class(&a.plan.Classes[i], year, said)
	}
}

func sortedPools(p *plan.Plan) []leadroute.PoolID {
	names := make([]leadroute.PoolID, 0, len(p.Pools))
	for n := range p.Pools {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// uncovered is the worst that a class's leads meet.
type uncovered struct {
	hole    shift
	witness *Witness
	rule    string
	total   time.Duration
}

func (a *analysis) class(c *plan.Class, year *calendar, said map[string]bool) {
	deliver, respond := c.DeliverWithin, c.RespondWithin
	if c.PoolHours {
		respond = 0
	}
	if deliver == 0 && respond == 0 {
		return
	}
	worst := a.worst(c, year)
	if worst == nil {
		return
	}
	long := worst.hole.until.Sub(worst.hole.from)
	within, f, attr := deliver, dsl.NobodyThere, "deliver_within"
	if deliver == 0 || long <= deliver {
		within, f, attr = respond, dsl.ClockRunsOn, "respond_within"
	}
	if within == 0 || long <= within {
		return
	}
	key := f.ID + worst.hole.from.String() + worst.hole.until.String()
	if said[key] {
		return
	}
	said[key] = true
	const layout = "Mon 2006-01-02 15:04"
	from, until := worst.hole.from.In(a.plan.Zone), worst.hole.until.In(a.plan.Zone)
	a.show(worst.witness, f, dsl.Part{Block: "priority", Name: string(c.Name), Attr: attr},
		"Nobody is there for rule.%s from %s to %s (%s), and for %.0f hours of %d in all; %s is %s. The lead %s would wait all the while. End the targets with somebody who is there, or let %s be longer.",
		worst.rule, from.Format(layout), until.Format(layout+" MST"), spoken(long), worst.total.Hours(), a.opts.Year, attr, spoken(within), string(worst.witness.Lead), attr)
}

// spoken is a duration without needless zeros.
func spoken(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// worst looks for the longest hole that a lead of the class can fall into. Each rule is
// asked once per set of targets: where a lead goes decides when somebody is there.
func (a *analysis) worst(c *plan.Class, year *calendar) *uncovered {
	var worst *uncovered
	asked := map[string]bool{}
	left := 2000 // searches: a table has a rule per row, but few different targets
	for i := range a.rules {
		r := &a.rules[i]
		key := string(r.Priority) + targetsKey(r.Rule)
		if !r.counts || r.covered || asked[key] || left == 0 || !a.mayWait(r.Rule, year) {
			continue
		}
		for _, t := range a.territoriesOf(r.Rule) {
			left = max(0, left-1)
			w, d := a.leadOf(c, r, t)
			if w == nil {
				continue
			}
			asked[key] = true
			when, known := year.targets(d.Targets)
			if !known || len(when) == 0 {
				continue // a queue that keeps its leads is meant so
			}
			hole, total := when.hole(year.from, year.until)
			if worst == nil || hole.until.Sub(hole.from) > worst.hole.until.Sub(worst.hole.from) {
				worst = &uncovered{hole: hole, witness: w, rule: r.Name, total: total}
			}
		}
	}
	return worst
}

func targetsKey(r *plan.Rule) string {
	var b strings.Builder
	for _, t := range r.Ways() {
		b.WriteString("\x00" + t.Source + "\x00" + t.When.Source)
	}
	return b.String()
}

// mayWait tells whether the rule has no target that is always there.
func (a *analysis) mayWait(r *plan.Rule, year *calendar) bool {
	return !slices.ContainsFunc(r.Targets, func(t plan.RuleTarget) bool {
		if t.Fixed == nil || !t.When.Always() {
			return false
		}
		when, known := year.target(*t.Fixed)
		return !known || len(when) == 1 && !when[0].from.After(year.from) && !when[0].until.Before(year.until)
	})
}

// territoriesOf lists the territories that a rule's targets tell apart; nil stands for any.
func (a *analysis) territoriesOf(r *plan.Rule) []*plan.Territory {
	if r.Territory != nil || !slices.ContainsFunc(r.Ways(), func(t plan.RuleTarget) bool { return t.Fixed == nil }) {
		return []*plan.Territory{nil}
	}
	all := make([]*plan.Territory, 0, len(a.plan.Territories)+1)
	for i := range a.plan.Territories {
		all = append(all, &a.plan.Territories[i])
	}
	return append(all, nil)
}

// leadOf finds a lead of the class that the rule takes, in the territory if one is named.
func (a *analysis) leadOf(c *plan.Class, r *rule, t *plan.Territory) (*Witness, plan.Decision) {
	within := r.boxes
	var others []cover
	other := func(u boxes) {
		for _, b := range u.list {
			others = append(others, cover{b, nobody})
		}
	}
	if r.Priority == "" {
		within = product(within, a.of(c.When, holds))
		for i := range a.plan.Classes {
			if a.plan.Classes[i].Name == c.Name {
				break
			}
			other(a.of(a.plan.Classes[i].When, holds))
		}
	} else if r.Priority != c.Name {
		return nil, plan.Decision{}
	}
	if t != nil {
		within = product(within, a.of(t.When, holds))
		for i := range a.plan.Territories {
			if &a.plan.Territories[i] == t {
				break
			}
			other(a.of(a.plan.Territories[i].When, holds))
		}
	}
	q := a.search()
	var got plan.Decision
	for _, b := range within.list {
		covers := append(a.before(r, b), overlapping(others, b)...)
		w, _ := a.witness(q, b, covers, func(_ *Witness, d plan.Decision) bool {
			got = d
			return d.Rule == r.Name && d.Class == c.Name && (t == nil || d.Territory == t.Name)
		})
		if w != nil {
			return w, got
		}
	}
	return nil, plan.Decision{}
}

// before lists the covers in front of a rule that overlap a box.
func (a *analysis) before(r *rule, b box) []cover {
	all := a.table.overlapping(a.covers, b)
	return slices.DeleteFunc(all, func(c cover) bool { return c.owner >= r.index })
}

// calendar knows when pools and reps are there, over a year.
type calendar struct {
	a           *analysis
	from, until time.Time
	of          map[string]shifts // by name of the hours or of the rep
}

// targets are the times at which one of the targets could take a lead; known is false
// when a target's hours are not the policy's to know.
func (y *calendar) targets(ts []plan.Target) (when shifts, known bool) {
	for _, t := range ts {
		w, known := y.target(t)
		if !known {
			return nil, false
		}
		when = when.or(w)
	}
	return when, true
}

func (y *calendar) target(t plan.Target) (shifts, bool) {
	switch {
	case t.Pool != "":
		if p := y.a.plan.Pools[t.Pool]; p != nil {
			return y.pool(p)
		}
	case t.Rep != "":
		return y.rep(t.Rep)
	case t.Queue != "":
		var when shifts
		if q := y.a.plan.Queues[t.Queue]; q != nil {
			for _, name := range q.DrainTo {
				w, known := y.target(plan.Target{Pool: name})
				if !known {
					return nil, false
				}
				when = when.or(w)
			}
		}
		return when, true
	}
	return nil, false
}

func (y *calendar) rep(id leadroute.RepID) (shifts, bool) {
	i := slices.IndexFunc(y.a.plan.Reps, func(r leadroute.Rep) bool { return r.ID == id })
	if i < 0 {
		return nil, false
	}
	r := &y.a.plan.Reps[i]
	h := y.a.plan.Hours[r.Hours]
	switch {
	case r.Hours != "" && h == nil:
		return nil, false
	case !r.Shifts.IsZero(), len(r.Holidays) > 0, len(r.Away) > 0:
		duty := y.a.plan.Duty(r)
		return y.open("rep."+string(r.ID), &duty), true
	case h != nil:
		return y.hours(h), true
	}
	return y.always(), true
}

// pool is there while its hours are and one of its members is. Who the members of a
// members_where are is the live table's to know: they are taken to be there.
func (y *calendar) pool(p *plan.Pool) (shifts, bool) {
	when := y.always()
	if p.Hours != nil {
		when = y.hours(p.Hours)
	}
	if p.Where != nil {
		return when, true
	}
	var members shifts
	for _, m := range p.Members {
		w, known := y.rep(m)
		if !known {
			return nil, false
		}
		members = members.or(w)
	}
	return when.and(members), true
}

func (y *calendar) always() shifts { return shifts{{y.from, y.until}} }

// hours are those times of the year at which the hours are open.
func (y *calendar) hours(h *plan.Hours) shifts { return y.open("hours."+h.Name, h) }

// open goes over the year from one opening to the next.
func (y *calendar) open(name string, h interface {
	Next(at time.Time, open bool) time.Time
},
) shifts {
	if s, ok := y.of[name]; ok {
		return s
	}
	var all shifts
	for at := y.from; at.Before(y.until); {
		from := h.Next(at, true)
		if from.IsZero() || !from.Before(y.until) {
			break
		}
		until := h.Next(from, false)
		if until.IsZero() {
			until = y.until
		}
		all, at = append(all, shift{from, earlier(until, y.until)}), until
	}
	y.of[name] = all
	return all
}

// or joins what touches or overlaps.
func (s shifts) or(o shifts) shifts {
	all := slices.SortedFunc(slices.Values(slices.Concat(s, o)), func(a, b shift) int { return a.from.Compare(b.from) })
	var out shifts
	for _, x := range all {
		if n := len(out); n > 0 && !out[n-1].until.Before(x.from) {
			if x.until.After(out[n-1].until) {
				out[n-1].until = x.until
			}
			continue
		}
		out = append(out, x)
	}
	return out
}

func (s shifts) and(o shifts) shifts {
	var out shifts
	for i, j := 0, 0; i < len(s) && j < len(o); {
		from, until := later(s[i].from, o[j].from), earlier(s[i].until, o[j].until)
		if from.Before(until) {
			out = append(out, shift{from, until})
		}
		if s[i].until.Before(o[j].until) {
			i++
		} else {
			j++
		}
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// hole is the longest time without a shift, and how long all of them are together. What
// touches the year's ends is cut there.
func (s shifts) hole(from, until time.Time) (longest shift, total time.Duration) {
	longest = shift{from, from}
	at := from
	for _, x := range append(slices.Clone(s), shift{until, until}) {
		gap := x.from.Sub(at)
		if total += gap; gap > longest.until.Sub(longest.from) {
			longest = shift{at, x.from}
		}
		at = x.until
	}
	return longest, total
}
