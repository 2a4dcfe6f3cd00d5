package plan

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
)

// pairing lays out a lead and a rep together.
type pairing struct {
	layout *Layout
	facts  []fact   // of the rep
	reads  []string // members of the lead's fields
}

type fact struct {
	name string
	slot Slot
}

// newPairing is over a layout of lead fields and of facts named rep.x; the layout is complete.
func newPairing(l *Layout) pairing {
	p := pairing{layout: l}
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

// lead lays the offered lead out. One that cannot be read has no field.
func (p *pairing) lead(o *leadroute.Offer) *Record {
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
	return r
}

// rep lays a rep out beside the lead.
func (p *pairing) rep(r *Record, rep *leadroute.Rep, held int) {
	for i := range p.facts {
		f := &p.facts[i]
		switch {
		case f.name == FactHeld && f.slot.Type == TypeNumber:
			r.nums[f.slot.index] = float64(held)
		default:
			r.ofRep(f.slot, rep, f.name)
		}
	}
}

// ofRep sets a field of a rep; those of the profile without making a value of them, which would be garbage.
func (r *Record) ofRep(s Slot, rep *leadroute.Rep, name string) {
	r.unset(s)
	if s.Type == TypeString {
		if v, ok := repText(rep, name); ok {
			r.strs[s.index] = Normal(v)
			return
		}
	}
	if s.Type == TypeList {
		if v, ok := repList(rep, name); ok {
			if v == nil {
				return
			}
			l := r.spare[s.index][:0]
			for _, e := range v {
				l = append(l, Normal(e))
			}
			r.list(s, l)
			return
		}
	}
	r.set(s, repField(rep, name))
}

// PairCond is a condition over a lead and a rep together.
type PairCond struct {
	Cond
	pairing
}

// Pair makes a PairCond of a condition over a layout of lead fields and of facts named
// rep.x; the layout is complete.
func Pair(l *Layout, c Cond) *PairCond { return &PairCond{c, newPairing(l)} }

// Of lays the offered lead out, to ask for one rep after the other.
func (p *PairCond) Of(o *leadroute.Offer) *Asked { return &Asked{p, p.lead(o)} }

// Asked is a PairCond with its lead.
type Asked struct {
	cond *PairCond
	r    *Record
}

// Holds tells whether the condition is definitely true of the lead and this rep.
func (a *Asked) Holds(rep *leadroute.Rep) bool {
	a.cond.rep(a.r, rep, 0)
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
	if p.Model != nil {
		names = append(names, p.Model.reads...)
	}
	if p.Require == nil && p.Prefer == nil && p.Model == nil {
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

// CostOf is how many of the pool's open places of a rep one lead of the class takes.
func (p *Pool) CostOf(c leadroute.Class) int {
	if n := p.Cost[c]; n > 0 {
		return n
	}
	return 1
}
