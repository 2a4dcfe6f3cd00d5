package dsl

import "github.com/leadroute/leadroute/dsl/plan"

// rollout { ... } says how a change of the policy goes live.
func rolloutBlock() *blockSpec {
	abort := &blockSpec{name: "abort_when", once: true, attrs: words("sla_missed_above unassigned_above moved_leads_above")}
	return &blockSpec{
		name: "rollout", once: true, attrs: words("mode by percent hold"), required: words("mode"), nested: []*blockSpec{abort},
		build: (*compiler).rollout,
	}
}

func (c *compiler) rollout(b *block) {
	o := &plan.Rollout{
		Mode: plan.RolloutMode(c.word(b.body, "mode", string(plan.RolloutShadow), string(plan.RolloutCanary), string(plan.RolloutAll))),
		Hold: c.duration(b.body, "hold"), Percent: 100,
	}
	s := c.leadScope(decided{})
	o.By = plan.TextField(s.layout.Slot("id", plan.TypeString), "lead.id")
	if a := b.attr("by"); a != nil {
		if by := s.as(text, s.check(a.Expr)); by.kind == text {
			o.By = by.text
			if by.text.Const {
				c.report(invalidValue, a.Expr.Range(), "The same for every lead: all would go one way. Write by = lead.id.")
			}
		}
	}
	percent, hasPercent := c.number(b.body, "percent")
	switch {
	case hasPercent && (percent <= 0 || percent > 100):
		c.report(invalidValue, b.attr("percent").Expr.Range(), "percent lies above 0 and is at most 100.")
	case hasPercent && o.Mode != plan.RolloutCanary && o.Mode != "":
		c.report(invalidValue, b.attr("percent").NameRange, `percent is for mode = "canary"; with %q the change sees every lead.`, o.Mode)
	case !hasPercent && o.Mode == plan.RolloutCanary && b.attr("percent") == nil && !c.brokenWithin(b.full):
		c.report(missingAttribute, b.rng, "A canary decides a share of the leads: percent = 10.")
	case hasPercent:
		o.Percent = percent
	}
	if in := b.only("abort_when"); in != nil {
		o.Abort = plan.AbortWhen{
			SLAMissedAbove: c.share(in.body, "sla_missed_above"), UnassignedAbove: c.share(in.body, "unassigned_above"),
			MovedLeadsAbove: c.share(in.body, "moved_leads_above"),
		}
	}
	c.plan.Rollout = o
}

// share reads a part of the whole, from 0 to 1; nil when it is not there.
func (c *compiler) share(b body, name string) *float64 {
	v, ok := c.number(b, name)
	if !ok {
		return nil
	}
	if v < 0 || v > 1 {
		c.report(invalidValue, b.attr(name).Expr.Range(), "%s is a share from 0 to 1: 0.02 is two per cent.", name)
		return nil
	}
	return &v
}
