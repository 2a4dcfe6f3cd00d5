package dsl

import (
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/country"
	"github.com/leadroute/leadroute/dsl/plan"
)

// calendar "de" { ... } are the days on which offices are closed.
func calendarBlock() *blockSpec {
	return &blockSpec{name: "calendar", labels: 1, attrs: words("dates source country"), build: (*compiler).calendar}
}

func (c *compiler) calendar(b *block) {
	cal := &plan.Calendar{Name: b.name, Days: map[plan.Date]string{}}
	c.plan.Calendars[b.name] = cal
	kinds := []struct {
		name string
		read func(body, *plan.Calendar)
	}{{"dates", c.dates}, {"source", c.calendarSource}, {"country", c.holidays}}
	said := ""
	for _, k := range kinds {
		switch a := b.attr(k.name); {
		case a == nil:
		case said != "":
			c.report(twoKinds, a.NameRange, "A calendar has dates, a source or a country: one of them. Name two calendars in the hours: holidays = [calendar.a, calendar.b].")
		default:
			said = k.name
			k.read(b.body, cal)
		}
	}
	switch {
	case said != "":
	case !c.brokenWithin(b.full):
		c.report(missingAttribute, b.rng, `A calendar needs its days: dates = ["2026-12-25"], source = "calendars/de.ics", or country = "DE".`)
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

// holidays takes the public holidays of a country, or of a part of it.
func (c *compiler) holidays(b body, cal *plan.Calendar) {
	code, ok := c.text(b, "country")
	if !ok {
		return
	}
	days, ok := country.Holidays(strings.ToUpper(code))
	if !ok {
		c.report(invalidValue, b.attr("country").Expr.Range(), "The public holidays of %q are not known. Write %s, or bring the days as dates or as an ICS file.", code, country.Near(strings.ToUpper(code)))
		return
	}
	cal.Days = days
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
