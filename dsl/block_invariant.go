package dsl

import (
	"github.com/leadroute/leadroute/dsl/plan"
)

// invariant "..." { ... } is what must stay true, whatever the rules become.
func invariantBlock() *blockSpec {
	return &blockSpec{
		name: "invariant", labels: 1, freeName: true, attrs: words("when expect enforce"), required: words("expect"),
		build: (*compiler).invariant,
	}
}

func (c *compiler) invariant(b *block) {
	v := plan.Invariant{Name: b.name, Block: c.word(b.body, "enforce", "warn", "block") == "block", File: b.rng.Filename, Line: b.rng.Start.Line}
	v.Description, _ = c.text(b.body, "description")
	if a := b.attr("when"); a != nil {
		v.When = c.leadScope(decided{priority: true, territory: true}).condition(a.Expr)
	}
	a := b.attr("expect")
	if a == nil {
		return
	}
	t := c.leadScope(decided{priority: true, territory: true, assigned: true}).truth(a.Expr)
	if t.kind == truth {
		v.Expect = t.cond
		c.plan.Invariants = append(c.plan.Invariants, v)
	}
}

// assignedField is assigned.pool, assigned.queue and assigned.rep: where the decision
// put the lead, as the name of such a block.
func (s *scope) assignedField(r ref) typed {
	fields := map[string]string{"pool": plan.AssignedPool, "queue": plan.AssignedQueue, "rep": plan.AssignedRep}
	if len(r.path) != 2 || fields[r.path[1]] == "" {
		s.c.report(unknownReference, r.rng, "Of where a lead is assigned, assigned.pool, assigned.queue and assigned.rep can be read.%s", nearHint(r.path[len(r.path)-1], []string{"pool", "queue", "rep"}))
		return typed{rng: r.rng}
	}
	slot := s.layout.AssignedSlot(fields[r.path[1]])
	return typed{kind: text, rng: r.rng, block: r.path[1], none: plan.NoneAssigned, text: plan.TextField(slot, r.String())}
}

// hasAssigned asks whether the lead is assigned to one of the kind, which is always decided.
func (s *scope) hasAssigned(t typed) plan.Cond {
	c := plan.Same(t.text, plan.Literal(t.none, "null"), true)
	c.Source = "has(" + t.text.Source + ")"
	return c
}
