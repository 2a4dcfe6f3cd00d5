package dsl

import (
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// priority "P0" { ... } is a class of leads and how fast they are served.
func priorityBlock() *blockSpec {
	step := &blockSpec{
		name: "step", labels: 1,
		attrs: words("after every reassign pause at_most notify"),
	}
	return &blockSpec{
		name: "priority", labels: 1,
		attrs:  words("when deliver_within respond_within clock"),
		nested: []*blockSpec{step},
		build:  (*compiler).priority,
		after:  (*compiler).checkPriorities,
	}
}

func (c *compiler) priority(b *block) {
	class := plan.Class{
		Name:          leadroute.Class(b.name),
		DeliverWithin: c.duration(b.body, "deliver_within"),
		RespondWithin: c.duration(b.body, "respond_within"),
	}
	if a := b.attr("when"); a != nil {
		class.When = c.leadScope(decided{}).condition(a.Expr)
	}
	class.PoolHours = c.word(b.body, "clock", "always", "pool_hours") == "pool_hours"
	for _, s := range b.blocks("step") {
		class.Steps = append(class.Steps, c.step(s))
	}
	c.plan.Classes = append(c.plan.Classes, class)
}

func (c *compiler) step(b *block) plan.Step {
	s := plan.Step{
		Name: b.name, After: c.duration(b.body, "after"), Every: c.atLeast(b.body, "every", time.Second),
		Pause: c.duration(b.body, "pause"), AtMost: c.whole(b.body, "at_most", 1), Notify: c.refs(b.body, "notify", "channel"),
	}
	after, every := b.attr("after"), b.attr("every")
	switch {
	case after != nil && every != nil:
		c.report(twoKinds, every.NameRange, "A step has after or every, not both: after counts once from the lead's first acknowledged assignment, every from each. Write two steps.")
	case after == nil && every == nil && !c.brokenWithin(b.full):
		c.report(missingAttribute, b.rng, `A step needs the attribute "after" or "every": after = "30s".`)
	}
	c.reassign(b, &s)
	if a := b.attr("pause"); a != nil && !s.Reassign && !c.hasWithin(b.full) {
		c.report(invalidValue, a.NameRange, `pause is for the rep who loses the lead: add reassign = "next".`)
	}
	if !s.Reassign && len(s.Notify) == 0 && !c.hasWithin(b.full) {
		c.report(missingAttribute, b.rng, `The step does nothing. Say reassign = "next", or notify = [channel.name].`)
	}
	return s
}

// reassign reads "next", pool.x, queue.x or rep.x.
func (c *compiler) reassign(b *block, s *plan.Step) {
	k, ok := c.value(b.body, "reassign")
	if !ok {
		return
	}
	switch v := k.v.(type) {
	case string:
		s.Reassign = v == "next"
		if !s.Reassign {
			c.report(invalidValue, k.rng, `reassign is "next", or a pool or queue without quotes: pool.name, not %q.`, v)
		}
	case ref:
		if t, ok := c.fixedTarget(k); ok {
			s.Reassign, s.To = true, &t
		}
	default:
		c.mistyped(k, b.body, "reassign", `"next", pool.name or queue.name`)
	}
}

// checkPriorities wants a class for every lead.
func (c *compiler) checkPriorities() {
	blocks := c.blocks["priority"]
	if len(blocks) == 0 {
		if policy := c.blocks["policy"]; len(policy) > 0 {
			c.report(noDefaultPriority, policy[0].rng, `The policy has no priority. Add at least one: priority "P2" { deliver_within = "30m" }`)
		} else {
			c.report(noDefaultPriority, c.anywhere(), `The policy has no priority. Add at least one: priority "P2" { deliver_within = "30m" }`)
		}
		return
	}
	for i, class := range c.plan.Classes {
		if !class.When.Always() {
			continue
		}
		for _, b := range blocks[i+1:] {
			c.report(unreachablePart, b.nameRange, "No lead gets this priority: %s, before it, takes every lead.", class.Name)
		}
		return
	}
	last := blocks[len(blocks)-1]
	c.report(noDefaultPriority, last.nameRange, "A lead that matches no priority has no SLA. Take the when out of the last one.")
}

// leadScope reads a lead.
func (c *compiler) leadScope(d decided) *scope {
	return &scope{c: c, layout: c.plan.Layout, root: "lead", decided: d}
}
