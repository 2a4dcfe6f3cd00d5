package dsl

import (
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// calendar "de" { ... } are the days on which offices are closed.
func calendarBlock() *blockSpec {
	return &blockSpec{name: "calendar", labels: 1, attrs: words("dates source"), build: (*compiler).calendar}
}

func (c *compiler) calendar(b *block) {
	cal := &plan.Calendar{Name: b.name, Days: map[plan.Date]string{}}
	c.plan.Calendars[b.name] = cal
	dates, source := b.attr("dates"), b.attr("source")
	switch {
	case dates != nil && source != nil:
		c.report(twoKinds, source.NameRange, "A calendar has dates or a source, not both. Name two calendars in the hours: holidays = [calendar.a, calendar.b].")
	case dates != nil:
		c.dates(b.body, cal)
	case source != nil:
		c.calendarSource(b.body, cal)
	case !c.brokenWithin(b.full):
		c.report(missingAttribute, b.rng, `A calendar needs its days: dates = ["2026-12-25"], or source = "calendars/de.ics".`)
	}
}

func (c *compiler) dates(b body, cal *plan.Calendar) {
	k, ok := c.value(b, "dates")
	if !ok {
		return
	}
	texts, ok := c.textList(k, "dates")
	if ok && len(texts) == 0 {
		c.report(invalidValue, k.rng, "A calendar without days closes nothing.")
	}
	for i, s := range texts {
		rng := k.v.([]constant)[i].rng
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			c.report(invalidDate, rng, `%q is no day%s. Write year-month-day: "2026-12-25".`, s, leadroute.DayHint(s))
			continue
		}
		d := plan.DateOf(t)
		if cal.Off(d) {
			c.report(duplicateName, rng, "%s stands in the list twice.", s)
		}
		cal.Days[d] = ""
	}
}

// calendarSource reads an ICS file; one at an address is fetched when run starts.
func (c *compiler) calendarSource(b body, cal *plan.Calendar) {
	s, ok := c.text(b, "source")
	if !ok {
		return
	}
	rng := b.attr("source").Expr.Range()
	var src []byte
	if IsAddress(s) {
		if src, ok = c.fetched(s); !ok {
			cal.Unread = s
			return
		}
	} else if src, ok = c.data(s, rng); !ok {
		return
	}
	days, err := parseICS(src)
	if err != nil {
		c.report(badCalendar, rng, "%s: %s.", s, err)
		return
	}
	cal.Days = days
}
