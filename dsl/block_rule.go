package dsl

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// rule "enterprise" { ... } sends the leads that match it to its targets.
func ruleBlock() *blockSpec {
	return &blockSpec{
		name: "rule", labels: 1,
		attrs:  words("when to priority enabled from until tags deliver_to"),
		nested: []*blockSpec{assignBlock(), splitBlock()},
		build:  (*compiler).rule,
	}
}

func assignBlock() *blockSpec {
	return &blockSpec{name: "assign", attrs: words("to when accept even_if_full strategy"), required: words("to")}
}

func (c *compiler) rule(b *block) {
	r := plan.Rule{
		Name: b.name, Priority: leadroute.Class(c.ref(b.body, "priority", "priority")),
		File: b.rng.Filename, Line: b.rng.Start.Line,
	}
	r.Tags, _ = c.texts(b.body, "tags")
	r.Description, _ = c.text(b.body, "description")
	if b.attr("enabled") != nil {
		r.Disabled = !c.flag(b.body, "enabled")
	}
	r.From, r.Until = c.window(b.body)
	for _, d := range c.refs(b.body, "deliver_to", "destination") {
		r.DeliverTo = append(r.DeliverTo, leadroute.DestinationID(d))
	}
	s := c.leadScope(decided{priority: true, territory: true})
	if a := b.attr("when"); a != nil {
		r.When = s.condition(a.Expr)
	}
	if in := b.only("split"); in != nil {
		r.Split = s.split(in, b.name)
	}
	to, assigns := b.attr("to"), b.blocks("assign")
	switch {
	case to != nil && len(assigns) > 0:
		c.report(invalidValue, to.NameRange, "A rule has to = [...] or assign blocks, not both. The targets of an assign block are tried in its place.")
	case to != nil:
		r.Targets = s.targets(to.Expr)
	case len(assigns) == 0 && b.only("split") == nil && !c.brokenWithin(b.full):
		c.report(missingAttribute, b.rng, "A rule needs the attribute \"to\": to = [pool.name, queue.name].")
	}
	for _, a := range assigns {
		r.Targets = append(r.Targets, s.assign(a)...)
	}
	c.addRule(r, b)
}

// assign { to when accept even_if_full strategy } is the form of a target with options.
func (s *scope) assign(b *block) []plan.RuleTarget {
	a := b.attr("to")
	if a == nil {
		return nil
	}
	targets := s.targets(a.Expr)
	full, accept := s.c.flag(b.body, "even_if_full"), s.c.duration(b.body, "accept")
	strategy := plan.Strategy(s.c.word(b.body, "strategy", "round_robin", "weighted", "least_loaded", "best_fit", "claim"))
	var when plan.Cond
	if w := b.attr("when"); w != nil {
		when = s.condition(w.Expr)
	}
	for i, t := range targets {
		if strategy != "" && t.Fixed != nil && t.Fixed.Pool == "" {
			s.c.report(invalidValue, b.attr("strategy").NameRange, "A strategy picks among the reps of a pool; %s is none.", t.Source)
		}
		if full || accept > 0 || strategy != "" {
			t = plan.With(t, func(to *plan.Target) {
				to.EvenIfFull, to.Accept = full, accept
				if to.Pool != "" {
					to.Strategy = strategy
				}
			})
		}
		t.When = when
		targets[i] = t
	}
	return targets
}

// targets compiles one target or a list of them.
func (s *scope) targets(e hclsyntax.Expression) []plan.RuleTarget {
	list := []hclsyntax.Expression{e}
	if l, ok := e.(*hclsyntax.TupleConsExpr); ok {
		list = l.Exprs
		if len(list) == 0 {
			s.c.report(invalidValue, e.Range(), "The list is empty: no lead of this rule would reach anybody.")
		}
	}
	var targets []plan.RuleTarget
	queued := false
	for _, x := range list {
		if queued {
			s.c.report(unreachablePart, x.Range(), "A queue always takes the lead; what stands behind it is never tried.")
		}
		t, isQueue, ok := s.target(x)
		if !ok {
			continue
		}
		queued = queued || isQueue
		targets = append(targets, t)
	}
	return targets
}

func (s *scope) target(e hclsyntax.Expression) (t plan.RuleTarget, isQueue, ok bool) {
	src := s.c.source(e.Range())
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return s.target(e.Expression)
	case *hclsyntax.ConditionalExpr:
		c := s.truth(e.Condition)
		a, queueA, okA := s.target(e.TrueResult)
		b, queueB, okB := s.target(e.FalseResult)
		if c.kind != truth || !okA || !okB {
			return t, false, false
		}
		return plan.Either(c.cond, a, b, src), queueA && queueB, true
	case *hclsyntax.FunctionCallExpr:
		if e.Name != "rep_by_id" {
			s.c.report(unknownFunction, e.NameRange, "A target is pool.name, queue.name, rep.name, rep_by_id(lead.field) or territory.of_lead.pool.%s", nearHint(e.Name, []string{"rep_by_id"}))
			return t, false, false
		}
		if len(e.Args) != 1 {
			s.c.report(wrongArguments, e.Range(), "rep_by_id takes one argument: rep_by_id(lead.account.owner)")
			return t, false, false
		}
		id := s.as(text, s.check(e.Args[0]))
		return plan.RepByID(id.text, src), false, id.kind == text
	case *hclsyntax.ScopeTraversalExpr:
		r, ok := s.c.traversal(e.Traversal)
		if !ok {
			return t, false, false
		}
		if r.path[0] == "row" {
			return s.rowTarget(r)
		}
		if len(r.path) == 2 && (r.path[0] == "local" || r.path[0] == "var") {
			k, ok := s.c.constant(e)
			if !ok {
				return t, false, false
			}
			to, ok := s.c.fixedTarget(k)
			return plan.Fixed(to, src), to.Queue != "", ok
		}
		if slices.Equal(r.path, []string{"territory", "of_lead", "pool"}) {
			return s.territoryPool(src, r.rng)
		}
		if len(r.path) == 3 && r.path[0] == "territory" && r.path[2] == "pool" {
			return s.poolOf(r, src)
		}
		to, ok := s.c.fixedTarget(constant{v: r, rng: r.rng})
		return plan.Fixed(to, src), to.Queue != "", ok
	case *hclsyntax.ExprSyntaxError:
		return t, false, false
	default:
		s.c.report(wrongType, e.Range(), "A lead goes to a pool, a queue or a rep: pool.name, queue.name, rep.name.%s", s.c.quotedTarget(e))
		return t, false, false
	}
}

func (s *scope) territoryPool(src string, rng hcl.Range) (plan.RuleTarget, bool, bool) {
	if s.rowTerritory != nil {
		return plan.TerritoryPool(src, []plan.Territory{*s.rowTerritory}), false, true
	}
	if len(s.c.plan.Territories) == 0 {
		s.c.report(unknownReference, rng, "The policy declares no territory, so that a lead has none.")
		return plan.RuleTarget{}, false, false
	}
	return plan.TerritoryPool(src, s.c.plan.Territories), false, true
}

// poolOf is territory.dach.pool, the pool of a territory by name.
func (s *scope) poolOf(r ref, src string) (plan.RuleTarget, bool, bool) {
	if !s.c.exists("territory", r.path[1], r.rng) {
		return plan.RuleTarget{}, false, false
	}
	i := slices.IndexFunc(s.c.plan.Territories, func(t plan.Territory) bool { return t.Name == r.path[1] })
	if i < 0 || s.c.plan.Territories[i].Pool == "" {
		s.c.report(unknownReference, r.rng, "territory.%s has no pool.", r.path[1])
		return plan.RuleTarget{}, false, false
	}
	return plan.Fixed(plan.Target{Pool: s.c.plan.Territories[i].Pool}, src), false, true
}

// quotedTarget tells those who wrote "emea" how to name the pool.
func (c *compiler) quotedTarget(e hclsyntax.Expression) string {
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return ""
	}
	name, _ := c.plainTemplate(t)
	for _, typ := range []string{"pool", "queue", "rep"} {
		if c.declared[typ][name] != nil {
			return " Write " + typ + "." + name + ", without quotes."
		}
	}
	return ""
}
