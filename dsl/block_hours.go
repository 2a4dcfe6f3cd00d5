package dsl

import (
	"errors"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// hours "us" { ... } are weekly office hours.
func hoursBlock() *blockSpec {
	return &blockSpec{
		name: "hours", labels: 1,
		attrs: words("timezone week holidays"), required: words("week"),
		build: (*compiler).hours,
	}
}

func (c *compiler) hours(b *block) {
	h := &plan.Hours{Name: b.name, Zone: c.zone(b.body, "timezone")}
	if h.Zone == nil {
		h.Zone = c.plan.Zone
		if h.Zone == nil {
			h.Zone = time.UTC
		}
	}
	c.plan.Hours[b.name] = h
	for _, name := range c.refs(b.body, "holidays", "calendar") {
		if cal := c.plan.Calendars[name]; cal != nil {
			h.Holidays = append(h.Holidays, cal)
		}
	}
	if k, ok := c.value(b.body, "week"); ok {
		h.Week = c.week(k, "week")
	}
}

// week reads { "mon-fri" = "09:00-18:00" }, and lists of days and of spans with commas.
func (c *compiler) week(k constant, name string) (w leadroute.Shifts) {
	week, ok := k.v.(*object)
	if !ok {
		c.report(wrongType, k.rng, `%s gives the hours by day: { "mon-fri" = "09:00-18:00" }.`, name)
		return w
	}
	for _, it := range week.items {
		c.hoursOf(&w, it)
	}
	if len(week.items) == 0 {
		c.report(invalidValue, k.rng, "A week without hours is never open.")
	}
	return w
}

func (c *compiler) hoursOf(w *leadroute.Shifts, it item) {
	days, err := leadroute.ParseDays(it.key)
	if err != nil {
		c.report(invalidValue, it.keyRng, `%q is no day. Write "mon", "mon-fri" or "mon,wed,fri".`, it.key)
		return
	}
	var texts []string
	switch v := it.v.(type) {
	case string:
		texts = strings.Split(v, ",")
	case []constant:
		texts, _ = c.textList(it.constant, "The hours of a day")
	default:
		c.report(wrongType, it.rng, `The hours of a day are a text: "09:00-18:00".`)
		return
	}
	for _, t := range texts {
		s, err := leadroute.ParseSpan(t)
		if bad, ok := errors.AsType[*leadroute.ShiftError](err); ok {
			c.report(invalidValue, it.rng, `%q are no hours: %s. Write "09:00-18:00"; over midnight, write two spans.`, strings.TrimSpace(t), bad.Why)
			return
		}
		for _, d := range days {
			if !w.Add(d, s) {
				c.report(invalidValue, it.rng, "The hours overlap with others of the same day.")
				return
			}
		}
	}
}
