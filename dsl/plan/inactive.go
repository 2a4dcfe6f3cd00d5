package plan

import (
	"cmp"
	"fmt"
	"slices"
)

// Inactive is a part of the policy that this version reads and checks, and does not act on yet.
type Inactive struct {
	Block       string `json:"block"`       // alert "P0 at risk"
	What        string `json:"what"`        // the attribute or block inside; empty: all of it
	Consequence string `json:"consequence"` // what happens instead
}

func (i Inactive) String() string {
	if i.What == "" {
		return i.Block + ": " + i.Consequence
	}
	return i.Block + ", " + i.What + ": " + i.Consequence
}

// Inactive lists what the policy says and this version does not act on, in the order of
// the language.
func (p *Plan) Inactive() []Inactive {
	var l inactives
	l.policy(p)
	l.before(p)
	for _, c := range sorted(p.Calendars) {
		l.add(c.Unread != "", named("calendar", c.Name), "", "its days are known when leadroute run has fetched it at its start; until then nobody is off on them")
	}
	for i := range p.Classes {
		l.class(&p.Classes[i])
	}
	for i := range p.Rules {
		l.rule(&p.Rules[i])
	}
	for i := range p.Destinations {
		l.destination(&p.Destinations[i])
	}
	for i := range p.Alerts {
		l.add(true, named("alert", p.Alerts[i].Name), "", "alerts are not sent and do nothing yet")
	}
	l.after(p)
	return slices.Compact(l)
}

type inactives []Inactive

func (l *inactives) add(is bool, block, what, consequence string) {
	if is {
		*l = append(*l, Inactive{block, what, consequence})
	}
}

func named(typ, name string) string { return fmt.Sprintf("%s %q", typ, name) }

func (l *inactives) policy(p *Plan) {
	block := named("policy", p.Name)
	l.add(p.OnMissing == MissingFails, block, "on_missing", "a condition on a missing field does not match, as with no_match")
	l.add(p.InfraCostPerHour > 0, block, "infra_cost_per_hour", "it is in no cost figure yet")
	l.add(p.Limits.DecideSlow > 0, block, "decide_slow", "slow decisions are not told yet")
	l.add(p.Limits.MaxEnrich > 0, block, "max_enrich", "it does not bound enrichment yet")
}

func (l *inactives) class(c *Class) {
	block := named("priority", string(c.Name))
	l.cond(block, c.When)
}

// before is what happens to a lead before the rules.
func (l *inactives) before(p *Plan) {
	for _, s := range p.Sources {
		block := named("source", string(s.Name))
		l.add(len(s.Keys) > 0, block, "keys", "the keys of senders come from LEADROUTE_KEYS")
		l.add(s.RatePerSec > 0, block, "rate_limit", "the sender is not slowed down")
		l.add(len(s.Require) > 0, block, "require", "leads without these fields are let in")
		l.add(s.CostPerLead > 0, block, "cost_per_lead", "it is in no cost figure yet")
	}
	for _, e := range p.Enrichments {
		l.add(true, named("enrich", e.Name), "", "leads are not enriched yet: they are decided by what they bring")
	}
}

func (l *inactives) rule(r *Rule) {
	block := named("rule", r.Name)
	l.cond(block, r.When)
	l.add(len(r.DeliverTo) > 0, block, "deliver_to", "the lead is delivered to every destination")
	for _, t := range r.Ways() {
		l.cond(block, t.When)
	}
}

// after is what holds for the policy as a whole and in the long run.
func (l *inactives) after(p *Plan) {
	l.add(p.Retention != nil, "retention", "", "everything is kept as long as leadroute keeps it by itself")
	for _, v := range p.Invariants {
		l.cond(named("invariant", v.Name), v.Expect)
	}
}

// cond tells of the functions that no live table answers yet.
func (l *inactives) cond(block string, c Cond) {
	l.add(c.Atom != nil && c.Atom.Test == "staffed_within", block, "staffed_within", "it is undecided, so that it never holds")
	for _, arg := range c.Args {
		l.cond(block, arg)
	}
}

func (l *inactives) destination(d *Destination) {
	block := named("destination", string(d.Name))
	if d.Other != nil && d.Other.Kind != "kafka" {
		l.add(true, block, d.Other.Kind, fmt.Sprintf("this version has no connector for it: each lead goes to the dead letters, from where it can be sent again; run --destination %s=URL sends a webhook instead", d.Name))
		return
	}
	l.add(d.When.Op != OpAlways, block, "when", "every lead is delivered there")
	l.add(d.Batch != nil, block, "batch", "leads are delivered one by one")
	l.add(d.Breaker != nil, block, "breaker", "a destination that fails is tried on")
	l.add(d.Alternate != nil, block, "alternate", "the leads wait for the destination itself")
}

// sorted are a map's values in the order of its keys.
func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	values := make([]V, len(keys))
	for i, k := range keys {
		values[i] = m[k]
	}
	return values
}
