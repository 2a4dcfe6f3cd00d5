package dsl

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadroute/leadroute/dsl/plan"
)

// lastYear is as far as a day that comes every year is written out.
const lastYear = 2199

// parseICS reads the whole-day events of an iCalendar file (RFC 5545): those that last
// some days, and those that come every year. Events with a time of day are no holidays.
func parseICS(src []byte) (map[plan.Date]string, error) {
	text := strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(string(bytes.TrimPrefix(src, []byte("\ufeff"))))
	if !strings.HasPrefix(strings.TrimSpace(text), "BEGIN:VCALENDAR") {
		return nil, errors.New("it is no iCalendar file: that begins with BEGIN:VCALENDAR")
	}
	days := map[plan.Date]string{}
	var e *icsEvent
	ended := false
	n := 0
	for line := range strings.Lines(text) {
		n++
		head, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		name, params, _ := strings.Cut(strings.ToUpper(head), ";")
		switch {
		case !ok:
		case name == "BEGIN" && value == "VEVENT":
			e = &icsEvent{}
		case name == "END" && value == "VCALENDAR":
			ended = true
		case e == nil:
		case name == "END" && value == "VEVENT":
			if err := e.days(days); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			e = nil
		default:
			if err := e.set(name, params, value); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	switch {
	case e != nil || !ended:
		return nil, errors.New("it ends in the middle: END:VCALENDAR is missing")
	case len(days) == 0:
		return nil, errors.New("it has no event that lasts a whole day")
	}
	return days, nil
}

type icsEvent struct {
	summary   string
	from, end time.Time // end: the first day after; zero: one day
	rule      string
	except    []plan.Date
	timed     bool
	cancelled bool
}

func (e *icsEvent) set(name, params, value string) (err error) {
	switch name {
	case "SUMMARY":
		e.summary = strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(value)
	case "STATUS":
		e.cancelled = value == "CANCELLED"
	case "RRULE":
		e.rule = value
	case "DTSTART":
		if strings.Contains(value, "T") || strings.Contains(params, "VALUE=DATE-TIME") {
			e.timed = true
			return nil
		}
		e.from, err = icsDay(value)
	case "DTEND":
		if !e.timed && !strings.Contains(value, "T") {
			e.end, err = icsDay(value)
		}
	case "DURATION":
		if !e.timed && !e.from.IsZero() {
			var n int
			n, err = icsDays(value)
			e.end = e.from.AddDate(0, 0, n)
		}
	case "EXDATE":
		for s := range strings.SplitSeq(value, ",") {
			day, _, _ := strings.Cut(s, "T")
			t, err := icsDay(day)
			if err != nil {
				return err
			}
			e.except = append(e.except, plan.DateOf(t))
		}
	}
	return err
}

func icsDay(s string) (time.Time, error) {
	t, err := time.Parse("20060102", s)
	if err != nil {
		return t, fmt.Errorf("%q is no day", s)
	}
	return t, nil
}

// icsDays reads P1D and P2W.
func icsDays(s string) (int, error) {
	digits, unit := strings.TrimLeft(s, "+P"), 1
	if d, ok := strings.CutSuffix(digits, "W"); ok {
		digits, unit = d, 7
	}
	n, err := strconv.Atoi(strings.TrimSuffix(digits, "D"))
	if err != nil || n < 1 || n > 366 {
		return 0, fmt.Errorf("%q is no number of days", s)
	}
	return n * unit, nil
}

// days adds the event's days.
func (e *icsEvent) days(to map[plan.Date]string) error {
	if e.timed || e.cancelled {
		return nil
	}
	if e.from.IsZero() {
		return errors.New("an event has no DTSTART")
	}
	length := 1
	if !e.end.IsZero() {
		if length = int(e.end.Sub(e.from) / (24 * time.Hour)); length < 0 || length > 366 {
			return fmt.Errorf("the event %q ends before it begins, or lasts more than a year", e.summary)
		}
		length = max(length, 1)
	}
	starts, err := e.starts()
	if err != nil {
		return err
	}
	for _, s := range starts {
		if slices.Contains(e.except, plan.DateOf(s)) {
			continue
		}
		for i := range length {
			to[plan.DateOf(s.AddDate(0, 0, i))] = e.summary
		}
	}
	return nil
}

// starts are the days on which the event begins: one, or one a year.
func (e *icsEvent) starts() ([]time.Time, error) {
	if e.rule == "" {
		return []time.Time{e.from}, nil
	}
	until, most, every, yearly := time.Date(lastYear, 12, 31, 0, 0, 0, 0, time.UTC), lastYear, 1, false
	for part := range strings.SplitSeq(e.rule, ";") {
		key, v, _ := strings.Cut(part, "=")
		n, err := strconv.Atoi(v)
		good := err == nil && n > 0
		switch key {
		case "FREQ":
			yearly, good = v == "YEARLY", v == "YEARLY"
		case "COUNT":
			most = n
		case "INTERVAL":
			every = n
		case "BYMONTH":
			good = n == int(e.from.Month())
		case "BYMONTHDAY":
			good = n == e.from.Day()
		case "WKST":
			good = true
		case "UNTIL":
			day, _, _ := strings.Cut(v, "T")
			until, err = icsDay(day)
			good = err == nil
		default:
			good = false
		}
		if !good {
			return nil, fmt.Errorf("the event %q comes again by the rule %s, and only FREQ=YEARLY on the same day is read; write its days out one by one", e.summary, e.rule)
		}
	}
	var starts []time.Time
	for y := e.from.Year(); yearly && y <= until.Year() && len(starts) < most; y += every {
		t := time.Date(y, e.from.Month(), e.from.Day(), 0, 0, 0, 0, time.UTC)
		if t.Day() == e.from.Day() && !t.After(until) {
			starts = append(starts, t)
		}
	}
	return starts, nil
}
