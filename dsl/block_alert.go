package dsl

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute/dsl/plan"
)

// alert "P0 at risk" { ... } tells people, and acts, when live figures say so.
func alertBlock() *blockSpec {
	return &blockSpec{
		name: "alert", labels: 1, freeName: true,
		attrs: words("when for by notify do"), required: words("when"),
		build: (*compiler).alert,
	}
}

func (c *compiler) alert(b *block) {
	a := plan.Alert{Name: b.name, For: c.duration(b.body, "for"), By: c.alertBy(b.body), Notify: c.refs(b.body, "notify", "channel")}
	s := &scope{c: c, layout: plan.NewLayout(), root: "figure", facts: facts{
		"sla": (*scope).figure, "backlog": (*scope).figure, "dead_letters": (*scope).figure, "lead": (*scope).noLead,
	}}
	a = a.Over(s.layout)
	if w := b.attr("when"); w != nil {
		t := s.truth(w.Expr)
		if t.kind == truth && len(a.Figures()) == 0 {
			c.report(invalidValue, w.Expr.Range(), "The condition reads no figure. Write sla.P0.p95, backlog.P0.oldest, dead_letters.rate or dead_letters.count.")
		}
		a.When = t.cond
	}
	if d := b.attr("do"); d != nil {
		a.Do = c.actions(d.Expr, a.By)
	}
	if len(a.Notify) == 0 && len(a.Do) == 0 && !c.hasWithin(b.full) {
		c.report(missingAttribute, b.rng, "The alert does nothing. Say notify = [channel.name], or do = [hold(priority.P2)].")
	}
	c.plan.Alerts = append(c.plan.Alerts, a)
}

// alertBy reads by = lead.source: one watch for each of its values.
func (c *compiler) alertBy(b body) string {
	k, ok := c.value(b, "by")
	if !ok {
		return ""
	}
	r, isRef := k.v.(ref)
	if !isRef || len(r.path) < 2 || r.path[0] != "lead" {
		c.report(wrongType, k.rng, "by is a field of the lead: by = lead.source.")
		return ""
	}
	s := &scope{c: c, layout: plan.NewLayout(), root: "lead"}
	if t := s.leadField(r); t.kind != text && t.kind != bad {
		c.report(wrongType, k.rng, "by is a text field, such as lead.source; %s is %s.", r, t.kind)
		return ""
	}
	return r.String()[len("lead."):]
}

// The figures of a class, and of the dead letters, with what they count.
var (
	slaFigures     = map[string]unit{"p50": seconds, "p95": seconds, "p99": seconds, "missed": share}
	backlogFigures = map[string]unit{"oldest": seconds, "count": plain}
	deadFigures    = map[string]unit{"rate": share, "count": plain}
)

// figure is sla.P0.p95, backlog.P0.oldest, dead_letters.rate.
func (s *scope) figure(r ref) typed {
	root, rest := r.path[0], r.path[1:]
	known, form := deadFigures, "dead_letters.rate"
	switch root {
	case "sla":
		known, form = slaFigures, "sla.P0.p95"
	case "backlog":
		known, form = backlogFigures, "backlog.P0.oldest"
	}
	if root != "dead_letters" && len(rest) > 0 {
		if !s.c.exists("priority", rest[0], r.rng) {
			return typed{rng: r.rng}
		}
		rest = rest[1:]
	}
	if len(rest) != 1 {
		s.c.report(unknownFigure, r.rng, "A figure is written %s.", form)
		return typed{rng: r.rng}
	}
	u, ok := known[rest[0]]
	if !ok {
		var names []string
		for n := range known {
			names = append(names, n)
		}
		slices.Sort(names)
		s.c.report(unknownFigure, r.rng, "There is no figure %s. There is %s.", r, enumerate(names, "and"))
		return typed{rng: r.rng}
	}
	t := s.fact(r.String(), plan.TypeNumber, r.rng)
	t.unit = u
	return t
}

func (s *scope) noLead(r ref) typed {
	s.c.report(notAllowedHere, r.rng, "An alert is about live figures, not about one lead. To watch each value by itself, write by = %s.", r)
	return typed{rng: r.rng}
}

// actions reads do = [hold(priority.P2), pause(source)].
func (c *compiler) actions(e hclsyntax.Expression, by string) []plan.Action {
	list := []hclsyntax.Expression{e}
	if l, ok := e.(*hclsyntax.TupleConsExpr); ok {
		list = l.Exprs
	}
	kinds := map[string]string{"hold": "priority", "overflow": "pool", "pause": "source", "widen": "destination"}
	var actions []plan.Action
	for _, x := range list {
		call, ok := x.(*hclsyntax.FunctionCallExpr)
		if !ok {
			c.report(wrongType, x.Range(), "An action is hold(priority.name), overflow(pool.name), pause(source) or widen(destination.name).")
			continue
		}
		typ, ok := kinds[call.Name]
		if !ok {
			c.report(unknownFunction, call.NameRange, "There is no action %q.%s", call.Name, didYouMean(call.Name, []string{"hold", "overflow", "pause", "widen"}, inQuotes))
			continue
		}
		if len(call.Args) != 1 {
			c.report(wrongArguments, call.Range(), "%s takes one argument: %s.", call.Name, actionForm(call.Name, typ))
			continue
		}
		if on, ok := c.actionOn(call, typ, by); ok {
			actions = append(actions, plan.Action{Do: call.Name, On: on})
		}
	}
	return actions
}

func actionForm(name, typ string) string {
	if name == "pause" {
		return "pause(source)"
	}
	return name + "(" + typ + ".name)"
}

func (c *compiler) actionOn(call *hclsyntax.FunctionCallExpr, typ, by string) (string, bool) {
	k, ok := c.constant(call.Args[0])
	if !ok {
		return "", false
	}
	if typ != "source" {
		return c.blockNamed(k, typ)
	}
	if r, isRef := k.v.(ref); !isRef || r.String() != "source" {
		c.report(wrongArguments, k.rng, "pause takes the source that the alert is by: pause(source).")
		return "", false
	}
	if by != "source" {
		c.report(missingAttribute, call.Range(), "Which source? Add by = lead.source to the alert.")
		return "", false
	}
	return "", true
}
