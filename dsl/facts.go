package dsl

import (
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/leadroute/leadroute/dsl/plan"
)

// facts are what a scope reads besides its root, by the first name of the reference.
type facts map[string]func(*scope, ref) typed

// unit is what a number counts, where a plain number would not say it.
type unit uint8

const (
	plain   unit = iota
	seconds      // compared with a duration in quotes
	share        // from 0 to 1
)

// repSlot is the place of a rep's attribute: a field of the record where the scope reads
// a rep, a fact where it reads a lead and the rep besides.
func (s *scope) repSlot(name, typ string, rng hcl.Range) typed {
	if s.root == "rep" {
		return s.slot(s.layout.Slot(name, typ), rng)
	}
	return s.fact("rep."+name, typ, rng)
}

// fact reads a value that is not the lead's.
func (s *scope) fact(name, typ string, rng hcl.Range) typed {
	return s.read(s.layout.Fact(name, typ), name, rng)
}

// pairScope reads a lead and a rep: require and prefer of a pool.
func (c *compiler) pairScope() *scope {
	return &scope{
		c: c, layout: plan.NewLayout(), root: "lead", decided: decided{priority: true, territory: true},
		facts: facts{"rep": (*scope).repField},
	}
}

// shapeScope reads a lead, who has it and what was decided: what is written to the world.
func (c *compiler) shapeScope() *scope {
	return &scope{
		c: c, layout: plan.NewLayout(), root: "lead", decided: decided{priority: true, territory: true},
		facts: facts{"assigned": (*scope).shapeFact, "decision": (*scope).shapeFact},
	}
}

// wordScope reads what a shape reads, the rep who has the lead, and why somebody is told.
// Discreet, it refuses what the lead says of a person.
func (c *compiler) wordScope(discreet bool) *scope {
	s := c.shapeScope()
	s.discreet = discreet
	s.facts["rep"] = (*scope).repField
	s.facts["step"] = func(s *scope, r ref) typed {
		if typ, ok := plan.WordFacts[r.String()]; ok {
			return s.fact(r.String(), typ, r.rng)
		}
		s.c.report(unknownReference, r.rng, "Of the step a text can read step.name and step.reason.")
		return typed{rng: r.rng}
	}
	return s
}

func (s *scope) shapeFact(r ref) typed {
	name := r.String()
	if typ, ok := plan.ShapeFacts[name]; ok {
		return s.fact(name, typ, r.rng)
	}
	var names []string
	for n := range plan.ShapeFacts {
		if strings.HasPrefix(n, r.path[0]+".") {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	s.c.report(unknownReference, r.rng, "A delivery has no %s. There is %s.", name, enumerate(names, "and"))
	return typed{rng: r.rng}
}

// inUnits reads the constant that a figure is compared with: "45s" of a duration, 0.05 of a share.
func (s *scope) inUnits(a, b typed) (typed, typed) {
	switch {
	case a.unit != plain:
		return a, s.inUnit(a.unit, b)
	case b.unit != plain:
		return s.inUnit(b.unit, a), b
	default:
		return a, b
	}
}

func (s *scope) inUnit(u unit, t typed) typed {
	switch {
	case t.kind == bad || t.unit == u:
	case u == seconds:
		if t.kind == text && t.text.Const {
			if d, err := ParseDuration(t.text.Value()); err == nil && d >= 0 {
				t.kind, t.num = number, plan.Literal(d.Seconds(), t.text.Source)
				return t
			}
		}
		s.c.report(invalidDuration, t.rng, `This figure is a time; compare it with a duration in quotes, such as "45s" or "5m".`)
		t.kind = bad
	case t.kind == number && t.num.Const && (t.num.Value() < 0 || t.num.Value() > 1):
		s.c.report(outOfRange, t.rng, "This figure is a share between 0 and 1: 5 per cent is 0.05, and %s is never reached.", t.num.Source)
		t.kind = bad
	}
	return t
}

// shareOf reads a number above 0 and at most 1.
func (c *compiler) shareOf(b body, name string) float64 {
	f, ok := c.number(b, name)
	if !ok {
		return 0
	}
	if !(f > 0 && f <= 1) {
		c.report(outOfRange, b.attr(name).Expr.Range(), "%s is a share above 0 and at most 1: 5 per cent is 0.05.", name)
		return 0
	}
	return f
}

// atLeast reads a duration that must not be shorter than that.
func (c *compiler) atLeast(b body, name string, least time.Duration) time.Duration {
	d := c.duration(b, name)
	if d > 0 && d < least {
		c.report(outOfRange, b.attr(name).Expr.Range(), "%s is %s at least.", name, least)
		return 0
	}
	return d
}
