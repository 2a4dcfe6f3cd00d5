package backtest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Moved is which leads go another way than before. Before is what the other policy decides
// or, without one, the rule that is on record for the lead or, without that, the rep.
type Moved struct {
	Compared int `json:"compared"`
	Moved    int `json:"moved"`
	// OtherClass are those of another priority; known only against another policy.
	OtherClass int `json:"other_priority,omitempty"`
	// OtherRep are those with another rep than the one on record. A rotation that begins
	// elsewhere is enough for it, so it says little of the policy.
	OtherRep int       `json:"other_rep,omitempty"`
	Ways     []Way     `json:"ways"`
	Examples []Example `json:"examples"`
}

// Way is how many leads moved from one place to another.
type Way struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Leads int    `json:"leads"`
}

// Example is one lead that moved, explained.
type Example struct {
	ID   leadroute.LeadID `json:"id"`
	From string           `json:"from"`
	To   string           `json:"to"`
	plan.Explanation
	// Nearest says what would have sent the lead to a rule that passed it over.
	Nearest []plan.Nearest `json:"nearest,omitempty"`
}

// maxExamples is how many moved leads are explained.
const maxExamples = 10

type moves struct {
	sum  Moved
	ways map[[2]string]int
}

// compare holds a decision against what was before.
func (r *run) compare(p *prepared, d plan.Decision) {
	var from, to string
	var moved bool
	switch {
	case r.o.Against != nil:
		was := p.was.decide(r.o.Against, r.floor)
		from, to = place(was), place(d)
		moved = !slices.EqualFunc(was.Targets, d.Targets, samePlace) || was.Rule == "" != (d.Rule == "")
		if was.Class != d.Class {
			r.moved.sum.OtherClass++
		}
	case p.lead.Rule != "":
		from, to = "rule."+p.lead.Rule, place(d)
		moved = p.lead.Rule != d.Rule
	case p.lead.AssignedTo != "":
		from, to = "rep."+string(p.lead.AssignedTo), place(d)
		moved = !r.reaches(d, p.lead.AssignedTo)
	default:
		return
	}
	r.moved.sum.Compared++
	if !moved {
		return
	}
	r.moved.sum.Moved++
	if r.moved.ways == nil {
		r.moved.ways = map[[2]string]int{}
	}
	way := [2]string{from, to}
	r.moved.ways[way]++
	r.example(p, way)
}

func samePlace(a, b plan.Target) bool {
	return a.Pool == b.Pool && a.Rep == b.Rep && a.Queue == b.Queue
}

// place is the rule and where it sends the lead first.
func place(d plan.Decision) string {
	if d.Rule == "" {
		return "no rule"
	}
	return "rule." + d.Rule + " to " + dsl.TargetName(d.Targets[0])
}

// reaches tells whether the lead can come to the rep.
func (r *run) reaches(d plan.Decision, rep leadroute.RepID) bool {
	s := r.floor.reps[rep]
	in := func(name leadroute.PoolID) bool {
		pool := r.o.Plan.Pools[name]
		return pool != nil && s != nil && pool.Member(&s.Profile)
	}
	return slices.ContainsFunc(d.Targets, func(t plan.Target) bool {
		q := r.o.Plan.Queues[t.Queue]
		return t.Rep == rep || in(t.Pool) || q != nil && slices.ContainsFunc(q.DrainTo, in)
	})
}

// example keeps the lead if it is one of the first on its way, and ways without an example
// before those that have one.
func (r *run) example(p *prepared, way [2]string) {
	all := r.moved.sum.Examples
	if len(all) == maxExamples {
		if r.moved.ways[way] > 1 {
			return
		}
		known := map[[2]string]bool{}
		i := slices.IndexFunc(all, func(e Example) bool {
			w := [2]string{e.From, e.To}
			if known[w] {
				return true
			}
			known[w] = true
			return false
		})
		if i < 0 {
			return
		}
		r.moved.sum.Examples = slices.Delete(all, i, i+1)
	}
	record, err := r.o.Plan.Record(&p.lead.Lead, p.lead.Account)
	if err != nil {
		return
	}
	defer record.Free()
	live, at := r.floor.roster.Live(r.o.Plan, r.floor.now), r.floor.now.Time()
	e := Example{ID: p.lead.ID, From: way[0], To: way[1], Explanation: r.o.Plan.Explain(record, live, at)}
	e.Nearest = r.o.Plan.Nearest(record, live, at)
	r.moved.sum.Examples = append(r.moved.sum.Examples, e)
}

// told are the moves, the most frequent way first; nil where nothing could be compared.
func (m *moves) told() *Moved {
	if m.sum.Compared == 0 {
		return nil
	}
	m.sum.Ways, m.sum.Examples = []Way{}, append([]Example{}, m.sum.Examples...)
	for _, w := range slices.SortedFunc(maps.Keys(m.ways), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(m.ways[b], m.ways[a]), slices.Compare(a[:], b[:]))
	}) {
		m.sum.Ways = append(m.sum.Ways, Way{w[0], w[1], m.ways[w]})
	}
	return &m.sum
}
