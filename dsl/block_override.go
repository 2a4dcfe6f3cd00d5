package dsl

import (
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// override "quarter_end" { ... } changes for a time what priorities and rules say.
func overrideBlock() *blockSpec {
	return &blockSpec{
		name: "override", labels: 1, attrs: words("from until when priority to"),
		build: (*compiler).override,
	}
}

func (c *compiler) override(b *block) {
	o := plan.Override{
		Name: b.name, Priority: leadroute.Class(c.ref(b.body, "priority", "priority")),
		File: b.rng.Filename, Line: b.rng.Start.Line,
	}
	o.Description, _ = c.text(b.body, "description")
	o.From, o.Until = c.window(b.body)
	if a := b.attr("when"); a != nil {
		o.When = c.leadScope(decided{priority: true}).condition(a.Expr)
	}
	if a := b.attr("to"); a != nil {
		o.Targets = c.leadScope(decided{priority: true, territory: true}).targets(a.Expr)
	}
	if b.attr("priority") == nil && b.attr("to") == nil && !c.brokenWithin(b.full) {
		c.report(missingAttribute, b.rng, "An override says what it changes: priority = priority.P0, or to = [pool.name, queue.name].")
	}
	c.plan.Overrides = append(c.plan.Overrides, o)
}

// window reads from and until, zero where they are not there.
func (c *compiler) window(b body) (from, until time.Time) {
	from, _ = c.instant(b, "from")
	until, _ = c.instant(b, "until")
	if !from.IsZero() && !until.IsZero() && !from.Before(until) {
		c.report(deadWindow, b.attr("until").Expr.Range(), "until does not lie behind from: this is never in force.")
	}
	return from, until
}

// instant reads a moment: a time with its zone, or a day, which begins at midnight in the
// policy's zone.
func (c *compiler) instant(b body, name string) (time.Time, bool) {
	s, ok := c.text(b, name)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err == nil {
		return t, true
	}
	day, dayErr := time.ParseInLocation(time.DateOnly, s, c.plan.Zone)
	if dayErr == nil {
		return day, true
	}
	rng := b.attr(name).Expr.Range()
	if strings.Contains(err.Error(), "out of range") || strings.Contains(dayErr.Error(), "out of range") {
		c.report(noSuchDate, rng, "There is no such day or time as %q.", s)
	} else {
		c.report(invalidValue, rng, `%q is no time. Write "2026-03-03T09:15:00+01:00" (RFC 3339), or a day alone: "2026-03-03".`, s)
	}
	return time.Time{}, false
}
