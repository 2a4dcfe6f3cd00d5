package plan

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
)

// PairCond is a condition over a lead and a rep together.
type PairCond struct {
	Cond
	layout *Layout
	facts  []fact   // of the rep
	reads  []string // members of the lead's fields
}

type fact struct {
	name string
	slot Slot
}

// Pair makes a PairCond of a condition over a layout of lead fields and of facts named
// rep.x; the layout is complete.
func Pair(l *Layout, c Cond) *PairCond {
	p := &PairCond{Cond: c, layout: l}
	for name, s := range l.slots {
		if f, ok := strings.CutPrefix(name, factMark); ok {
			p.facts = append(p.facts, fact{strings.TrimPrefix(f, "rep."), s})
			continue
		}
		head, _, _ := strings.Cut(name, ".")
		p.reads = append(p.reads, head)
	}
	slices.Sort(p.reads)
	p.reads = slices.Compact(p.reads)
	return p
}

// Of lays the offered lead out, to ask for one rep after the other. A lead that cannot be
// read has no field.
func (p *PairCond) Of(o *leadroute.Offer) *Asked {
	about := o.About
	if about == nil {
		about = &leadroute.About{}
	}
	lead := leadroute.Lead{ID: o.Lead, Source: about.Source, EmittedAt: about.EmittedAt, ReceivedAt: about.ReceivedAt, Fields: about.Fields}
	r, err := p.layout.Lead(&lead, about.Account)
	if err != nil {
		r = p.layout.New()
	}
	r.decided(DecidedPriority, string(o.Class))
	r.decided(DecidedTerritory, about.Territory)
	return &Asked{p, r}
}

// Asked is a PairCond with its lead.
type Asked struct {
	cond *PairCond
	r    *Record
}

// Holds tells whether the condition is definitely true of the lead and this rep.
func (a *Asked) Holds(rep *leadroute.Rep) bool {
	for _, f := range a.cond.facts {
		a.r.unset(f.slot)
		a.r.set(f.slot, repField(rep, f.name))
	}
	return a.cond.Holds(a.r)
}

// Free gives the record back.
func (a *Asked) Free() { a.r.Free() }

// About is what the pool's conditions read of a lead, nil where they read nothing. An offer
// carries it.
func (p *Pool) About(l *leadroute.Lead, account *leadroute.Account, territory string) *leadroute.About {
	var names []string
	for _, c := range []*PairCond{p.Require, p.Prefer} {
		if c != nil {
			names = append(names, c.reads...)
		}
	}
	if p.Require == nil && p.Prefer == nil {
		return nil
	}
	about := &leadroute.About{Source: l.Source, EmittedAt: l.EmittedAt, ReceivedAt: l.ReceivedAt, Territory: territory}
	if slices.Contains(names, "account") {
		about.Account = account
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(l.Fields, &all) != nil { // the ledger decided it: it is an object
		return about
	}
	some := map[string]json.RawMessage{}
	for _, name := range names {
		if v, ok := all[name]; ok {
			some[name] = v
		}
	}
	if len(some) > 0 {
		about.Fields, _ = json.Marshal(some) // raw values: nothing that could fail
	}
	return about
}

// CostOf is how many of a rep's open places one lead of the class takes.
func (p *Pool) CostOf(c leadroute.Class) int {
	if n := p.Cost[c]; n > 0 {
		return n
	}
	return 1
}
