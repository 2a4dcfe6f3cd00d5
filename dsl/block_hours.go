package dsl

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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
		if cal := c.calendars[name]; cal != nil {
			h.Holidays = append(h.Holidays, cal)
		}
	}
	k, ok := c.value(b.body, "week")
	if !ok {
		return
	}
	week, ok := k.v.(*object)
	if !ok {
		c.report(wrongType, k.rng, `week gives the hours by day: { "mon-fri" = "09:00-18:00" }.`)
		return
	}
	for _, it := range week.items {
		c.hoursOf(h, it)
	}
	if len(week.items) == 0 {
		c.report(invalidValue, k.rng, "A week without hours is never open.")
	}
}

// hoursOf reads "mon-fri" = "09:00-18:00", and lists of days and of spans with commas.
func (c *compiler) hoursOf(h *plan.Hours, it item) {
	days, err := parseDays(it.key)
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
		s, err := parseSpan(strings.TrimSpace(t))
		if err != nil {
			c.report(invalidValue, it.rng, `%q are no hours: %s. Write "09:00-18:00"; over midnight, write two spans.`, t, err)
			return
		}
		for _, d := range days {
			for _, o := range h.Week[d] {
				if s.From < o.Until && o.From < s.Until {
					c.report(invalidValue, it.rng, "The hours overlap with others of the same day.")
					return
				}
			}
			h.Week[d] = append(h.Week[d], s)
			slices.SortFunc(h.Week[d], func(a, b plan.Span) int { return cmp.Compare(a.From, b.From) })
		}
	}
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func parseDays(s string) ([]time.Weekday, error) {
	var days []time.Weekday
	for part := range strings.SplitSeq(s, ",") {
		from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
		a := slices.Index(weekdays, strings.TrimSpace(from))
		b := a
		if ranged {
			b = slices.Index(weekdays, strings.TrimSpace(to))
		}
		if a < 0 || b < 0 {
			return nil, fmt.Errorf("no day: %q", part)
		}
		for d := a; ; d = (d + 1) % 7 {
			days = append(days, time.Weekday(d))
			if d == b {
				break
			}
		}
	}
	return days, nil
}

func parseSpan(s string) (plan.Span, error) {
	from, until, ok := strings.Cut(s, "-")
	if !ok {
		return plan.Span{}, fmt.Errorf("no dash")
	}
	a, err := parseClock(from)
	if err != nil {
		return plan.Span{}, err
	}
	b, err := parseClock(until)
	if err != nil {
		return plan.Span{}, err
	}
	if a >= b {
		return plan.Span{}, fmt.Errorf("they end before they begin")
	}
	return plan.Span{From: a, Until: b}, nil
}

// parseClock reads 09:00 as minutes; 24:00 is the day's end.
func parseClock(s string) (int, error) {
	hh, mm, ok := strings.Cut(strings.TrimSpace(s), ":")
	h, err1 := strconv.Atoi(hh)
	m, err2 := strconv.Atoi(mm)
	if !ok || err1 != nil || err2 != nil || len(mm) != 2 || h < 0 || m < 0 || m > 59 || h*60+m > 24*60 {
		return 0, fmt.Errorf("%q is no time of day", s)
	}
	return h*60 + m, nil
}
