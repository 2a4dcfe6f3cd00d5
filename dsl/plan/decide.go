package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
)

// The names under which rules read what the plan decided before them.
const (
	DecidedPriority  = "priority"
	DecidedTerritory = "territory"
)

// Decide says where the lead goes at that time. It reads nothing but its arguments; it
// writes the class and the territory into the record, where the rules read them. With
// live nil, conditions on live figures are undecided.
func (p *Plan) Decide(r *Record, live Live, at time.Time) Decision {
	return p.decide(r, live, at, nil)
}

// ClassOf says the lead's class before any rule: what the door and admit go by. It is
// nil only for a plan without classes.
func (p *Plan) ClassOf(r *Record, live Live, at time.Time) *Class {
	r.live, r.at = live, at
	c, _ := p.class(r, nil)
	return c
}

// watcher is told of every condition that was asked on the way, in order; Explain is
// the one who wants to know.
type watcher interface {
	asked(kind, name string, c Cond, verdict Verdict)
	target(t RuleTarget, to Target, verdict Verdict)
}

func (p *Plan) decide(r *Record, live Live, at time.Time, w watcher) Decision {
	r.live, r.at, r.territory = live, at, nil
	var d Decision
	class, over := p.class(r, w)
	d.classify(r, class)
	if t := p.territoryOf(r, w); t != nil {
		d.Territory, r.territory = t.Name, t
		r.decided(DecidedTerritory, t.Name)
	}
	if r.territory == nil {
		r.decided(DecidedTerritory, "") // the record may have been decided before
	}
	if over != nil && len(over.Targets) > 0 {
		d.Rule, d.Targets = OverridePrefix+over.Name, resolve(over.Targets, r, w)
		return d
	}
	if rule := p.ruleOf(r, w); rule != nil {
		p.take(rule, r, &d, w)
	}
	return d
}

// territoryOf is the lead's territory, nil if it has none.
func (p *Plan) territoryOf(r *Record, w watcher) *Territory {
	if w == nil && p.territories != nil {
		if i := p.territories.first(r); i >= 0 {
			return &p.Territories[i]
		}
		return nil
	}
	for i := range p.Territories {
		if t := &p.Territories[i]; ask(w, "territory", t.Name, t.When, r) {
			return t
		}
	}
	return nil
}

// ruleOf is the rule that takes the lead, nil if none does.
func (p *Plan) ruleOf(r *Record, w watcher) *Rule {
	if w == nil && p.rules != nil {
		if i := p.rules.first(r); i >= 0 {
			return &p.Rules[i]
		}
		return nil
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		if !rule.InForce(r.at) {
			if w != nil {
				w.asked("rule", rule.Name, rule.When, rule.asleep())
			}
			continue
		}
		if ask(w, "rule", rule.Name, rule.When, r) {
			return rule
		}
	}
	return nil
}

// take is what the rule that matched says of the lead.
func (p *Plan) take(rule *Rule, r *Record, d *Decision, w watcher) {
	d.Rule = rule.Name
	if rule.Priority != "" {
		d.classify(r, p.Class(rule.Priority))
	}
	if t := rule.Territory; t != nil {
		d.Territory, r.territory = t.Name, t
		r.decided(DecidedTerritory, t.Name)
	}
	if rule.fixed != nil && w == nil {
		d.Targets = rule.fixed
		return
	}
	targets := rule.Targets
	if rule.Split != nil {
		if arm := rule.Split.Arm(r); arm != nil {
			d.Arm = arm.Name
			targets = slices.Concat(arm.Targets, targets)
		}
	}
	d.Targets = resolve(targets, r, w)
}

func (rule *Rule) asleep() Verdict {
	if rule.Disabled {
		return Disabled
	}
	return NotInForce
}

// classify gives the lead its class, which the rules read.
func (d *Decision) classify(r *Record, c *Class) {
	if c != nil {
		d.Class, d.DeliverWithin = c.Name, c.DeliverWithin
		r.decided(DecidedPriority, string(c.Name))
	}
}

// class is the lead's class, and the override that holds for it if any.
func (p *Plan) class(r *Record, w watcher) (*Class, *Override) {
	var class *Class
	for i := range p.Classes {
		c := &p.Classes[i]
		if ask(w, "priority", string(c.Name), c.When, r) {
			class = c
			r.decided(DecidedPriority, string(c.Name))
			break
		}
	}
	over := p.override(r, w)
	if over != nil && over.Priority != "" {
		if c := p.Class(over.Priority); c != nil {
			class = c
		}
	}
	return class, over
}

// fix resolves the targets once where no lead changes them.
func (rule *Rule) fix() {
	rule.fixed = nil
	if rule.Split != nil {
		return
	}
	for _, t := range rule.Targets {
		if t.Fixed == nil || !t.When.Always() {
			return
		}
	}
	rule.fixed = slices.Clip(resolve(rule.Targets, nil, nil))
}

// resolve resolves a rule's targets for this lead. The last one is always a queue, so
// that a lead whose targets are all exhausted waits somewhere.
func resolve(targets []RuleTarget, r *Record, w watcher) []Target {
	to := make([]Target, 0, len(targets)+1)
	for _, t := range targets {
		if !t.When.Holds(r) {
			tell(w, t, Target{}, verdictOf(t.When, r))
			continue
		}
		target, ok := t.Of(r)
		switch {
		case !ok:
			tell(w, t, target, Nobody)
		case slices.Contains(to, target):
			tell(w, t, target, Repeated)
		default:
			tell(w, t, target, Matched)
			to = append(to, target)
		}
		if target.Queue != "" {
			return to // a queue always takes the lead: what stands behind it is never tried
		}
	}
	return append(to, Target{Queue: UnassignedQueue})
}

func ask(w watcher, kind, name string, c Cond, r *Record) bool {
	holds := c.Holds(r)
	if w != nil {
		w.asked(kind, name, c, verdictOf(c, r))
	}
	return holds
}

func tell(w watcher, t RuleTarget, to Target, v Verdict) {
	if w != nil {
		w.target(t, to, v)
	}
}

// decided stores a fact that the plan decided, if some condition reads it.
func (r *Record) decided(name, v string) {
	i := 0
	switch name { // these two are stored for every lead
	case DecidedPriority:
		i = r.layout.priority
	case DecidedTerritory:
		i = r.layout.territory
	default:
		if s, ok := r.layout.slots[name]; ok {
			i = s.index + 1
		}
	}
	if i > 0 {
		r.strs[i-1] = v
	}
}

// Fixed returns the target that is the same for every lead.
func Fixed(t Target, source string) RuleTarget {
	return RuleTarget{Source: source, Fixed: &t, Could: []Target{t}, Of: func(*Record) (Target, bool) { return t, true }}
}

// TerritoryPool is the pool of the lead's territory, one of those given; nothing where it has none.
func TerritoryPool(source string, territories []Territory) RuleTarget {
	var could []Target
	for _, t := range territories {
		if to := (Target{Pool: t.Pool}); t.Pool != "" && !slices.Contains(could, to) {
			could = append(could, to)
		}
	}
	return RuleTarget{Source: source, Could: could, Of: func(r *Record) (Target, bool) {
		if r.territory == nil || r.territory.Pool == "" {
			return Target{}, false
		}
		return Target{Pool: r.territory.Pool}, true
	}}
}

// RepByID is the rep whose id the text is; nothing where the text is missing or can be no id.
func RepByID(id Text, source string) RuleTarget {
	of := id.Of
	return RuleTarget{Source: source, Of: func(r *Record) (Target, bool) {
		rep := of(r)
		if rep == "" || strings.Contains(rep, "/") {
			return Target{}, false
		}
		return Target{Rep: leadroute.RepID(rep)}, true
	}}
}

// Either is a where the condition holds, b where it fails, and nothing where it is undecided.
func Either(c Cond, a, b RuleTarget, source string) RuleTarget {
	t, f := sides(c)
	could := slices.Clone(a.Could)
	for _, to := range b.Could {
		if !slices.Contains(could, to) {
			could = append(could, to)
		}
	}
	return RuleTarget{Source: source, Could: could, Of: func(r *Record) (Target, bool) {
		switch {
		case t(r):
			return a.Of(r)
		case f(r):
			return b.Of(r)
		default:
			return Target{}, false
		}
	}}
}

// With changes what the target says besides where it lies: EvenIfFull, Accept, Strategy.
// A queue has none of these.
func With(t RuleTarget, change func(*Target)) RuleTarget {
	of := t.Of
	apply := func(to Target) Target {
		if to.Queue == "" {
			change(&to)
		}
		return to
	}
	if t.Fixed != nil {
		t.Fixed = new(apply(*t.Fixed))
	}
	t.Could = slices.Clone(t.Could)
	for i := range t.Could {
		t.Could[i] = apply(t.Could[i])
	}
	t.Of = func(r *Record) (Target, bool) {
		to, ok := of(r)
		return apply(to), ok
	}
	return t
}

// WhereRep makes members_where of a condition over a layout of rep fields.
func WhereRep(l *Layout, c Cond) RepCond {
	return func(rep *leadroute.Rep) bool {
		r := l.rep(rep)
		defer r.Free()
		return c.Holds(r)
	}
}

// NumberOfRep makes weight_by of a number over a layout of rep fields; missing is 0.
func NumberOfRep(l *Layout, n Number) func(*leadroute.Rep) float64 {
	return func(rep *leadroute.Rep) float64 {
		r := l.rep(rep)
		defer r.Free()
		if f := n.Of(r); !missingNumber(f) {
			return f
		}
		return 0
	}
}

// rep lays a rep out: the profile's members by name, everything else from its attributes.
func (l *Layout) rep(rep *leadroute.Rep) *Record {
	r := l.New()
	for name, s := range l.slots {
		r.set(s, repField(rep, name))
	}
	return r
}

// RepFields are the members of a rep's profile that a condition may read, and their
// types; any other name is looked up among the rep's attributes.
var RepFields = map[string]string{
	"id": TypeString, "email": TypeString, "crm_id": TypeString, "name": TypeString, "team": TypeString,
	"region": TypeString, "hours": TypeString, "timezone": TypeString, "skills": TypeList, "languages": TypeList, "weight": TypeNumber,
}

// repText is a text of the profile; ok is false for a field that is none.
func repText(rep *leadroute.Rep, name string) (v string, ok bool) {
	switch name {
	case "id":
		return string(rep.ID), true
	case "email":
		return rep.Email, true
	case "crm_id":
		return rep.CRMID, true
	case "name":
		return rep.Name, true
	case "team":
		return rep.Team, true
	case "region":
		return rep.Region, true
	case "hours":
		return rep.Hours, true
	case "timezone":
		return rep.Timezone, true
	}
	return "", false
}

// repList is a list of the profile; ok is false for a field that is none.
func repList(rep *leadroute.Rep, name string) (v []string, ok bool) {
	switch name {
	case "skills":
		return rep.Skills, true
	case "languages":
		return rep.Languages, true
	}
	return nil, false
}

func repField(rep *leadroute.Rep, name string) any {
	if v, ok := repText(rep, name); ok {
		return v
	}
	if v, ok := repList(rep, name); ok {
		return v
	}
	switch name {
	case "weight":
		if rep.Weight == 0 {
			return 1.0
		}
		return rep.Weight
	default:
		return Attribute(rep.Attrs, name)
	}
}
