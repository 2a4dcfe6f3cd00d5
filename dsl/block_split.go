package dsl

import (
	"math"

	"github.com/leadroute/leadroute/dsl/plan"
)

// split { by = lead.id  arm "a" { percent to } ... } sends shares of a rule's leads to
// different targets.
func splitBlock() *blockSpec {
	arm := &blockSpec{name: "arm", labels: 1, attrs: words("percent to"), required: words("percent to")}
	return &blockSpec{name: "split", once: true, attrs: words("by"), required: words("by"), nested: []*blockSpec{arm}}
}

func (s *scope) split(b *block, rule string) *plan.Split {
	out := &plan.Split{Salt: rule}
	if a := b.attr("by"); a != nil {
		by := s.check(a.Expr)
		if by.kind == number {
			by = typed{kind: text, text: plan.Format(by.num), rng: by.rng}
		}
		if by = s.as(text, by); by.kind != text {
			return nil
		}
		if by.text.Const {
			s.c.report(invalidValue, a.Expr.Range(), "The same for every lead: all would go one way. Split by a field: by = lead.id.")
		}
		out.By = by.text
	}
	sum, arms := 0.0, b.blocks("arm")
	for _, arm := range arms {
		percent, ok := s.c.number(arm.body, "percent")
		if ok && (percent <= 0 || percent > 100) {
			s.c.report(splitPercent, arm.attr("percent").Expr.Range(), "An arm has more than 0 and at most 100 per cent.")
		}
		if !ok {
			sum = math.NaN()
		}
		sum += percent
		in := plan.Arm{Name: arm.name, Percent: percent}
		if to := arm.attr("to"); to != nil {
			in.Targets = s.targets(to.Expr)
		}
		out.Arms = append(out.Arms, in)
	}
	switch {
	case len(arms) == 0 && !s.c.brokenWithin(b.full):
		s.c.report(missingAttribute, b.rng, `A split has arms: arm "a" { percent = 50, to = pool.name }, each on lines of its own.`)
	case math.Abs(sum-100) > 1e-9 && len(arms) > 0:
		s.c.report(splitPercent, b.rng, "The arms have %s per cent together; make it 100.", plan.FormatNumber(sum))
	}
	if len(out.Arms) == 0 || out.By.Of == nil {
		return nil
	}
	return out
}
