package leadroute

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Away is a time out of the office: [From, Until), in instants or in whole days of the
// rep's own zone, the last one included.
type Away struct {
	From  Moment `json:"from,omitzero"`  // zero: since ever
	Until Moment `json:"until,omitzero"` // zero: until further notice
	// Reason is a word, such as vacation; it leaves the rep table for nobody but who asks for it.
	Reason string `json:"reason,omitempty"`
}

// MaxAway bounds the spans of one rep that come from one side, so that the row stays small.
const MaxAway = 16

// Covers tells whether the span holds at a local time.
func (a *Away) Covers(local time.Time) bool {
	return a.From.begun(local) && (a.Until == Moment{} || !a.Until.over(local))
}

// Over tells whether the span ended before a time, wherever its days are counted.
func (a *Away) Over(at Millis) bool {
	switch {
	case a.Until == Moment{}:
		return false
	case a.Until.Day != 0:
		return dayOf(at.Time().Add(-dayAbroad)) > a.Until.Day
	}
	return at >= a.Until.At
}

// Never tells that the span ends before it begins, wherever its days are counted.
func (a *Away) Never() bool {
	from, until := a.From, a.Until
	switch {
	case from == Moment{}, until == Moment{}:
		return false
	case from.Day != 0 && until.Day != 0:
		return until.Day < from.Day
	case from.Day == 0 && until.Day == 0:
		return until.At <= from.At
	case from.Day != 0:
		return !from.Start(time.UTC).Add(-dayAbroad).Before(until.At.Time())
	}
	return !until.End(time.UTC).Add(dayAbroad).After(from.At.Time())
}

// BadReason tells that a text is no word that says why a rep is out of the office.
func BadReason(s string) bool {
	const longest = 32
	return len(s) > longest || strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' && c != '-' })
}

// dayAbroad is as long as a day of UTC may still last somewhere.
const dayAbroad = 12*time.Hour + 1

// Moment is an instant, or a day, which is where somebody's own clock says that it is. The
// zero value is neither. On the wire it is "2026-12-24T12:00:00Z" or "2026-12-24".
type Moment struct {
	At  Millis
	Day int // 20261224
}

// ParseMoment reads an instant with its zone, or a day.
func ParseMoment(s string) (Moment, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return Moment{At: At(t)}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Moment{}, fmt.Errorf("%q is neither a day nor an instant%s", s, DayHint(s))
	}
	return Moment{Day: dayOf(t)}, nil
}

// DayHint says that a day is written well and does not exist: " (February 2026 has 28 days)".
func DayHint(s string) string {
	var y, m, d int
	if n, _ := fmt.Sscanf(s, "%4d-%2d-%2d", &y, &m, &d); n != 3 || m < 1 || m > 12 || d < 1 || d > 31 {
		return ""
	}
	last := time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC)
	if d <= last.Day() {
		return ""
	}
	return fmt.Sprintf(" (%s has %d days)", last.Format("January 2006"), last.Day())
}

// String is what ParseMoment reads, "" for the zero value.
func (m Moment) String() string {
	switch {
	case m.Day != 0:
		return fmt.Sprintf("%04d-%02d-%02d", m.Day/10000, m.Day/100%100, m.Day%100)
	case m.At != 0:
		return m.At.Time().Format(time.RFC3339Nano)
	}
	return ""
}

// Start is the moment's first instant in a zone, End the first one after it; of an instant
// both are itself.
func (m Moment) Start(zone *time.Location) time.Time { return m.day(zone, 0) }

// End is described at Start.
func (m Moment) End(zone *time.Location) time.Time { return m.day(zone, 1) }

func (m Moment) day(zone *time.Location, later int) time.Time {
	if m.Day == 0 {
		return m.At.Time()
	}
	return DayStart(m.Day/10000, time.Month(m.Day/100%100), m.Day%100+later, zone)
}

func (m Moment) begun(local time.Time) bool {
	if m.Day != 0 {
		return dayOf(local) >= m.Day
	}
	return At(local) >= m.At
}

// over tells whether the moment lies behind as an end: a day is over when it has passed.
func (m Moment) over(local time.Time) bool {
	if m.Day != 0 {
		return dayOf(local) > m.Day
	}
	return At(local) >= m.At
}

// MarshalJSON writes a text.
func (m Moment) MarshalJSON() ([]byte, error) { return []byte(`"` + m.String() + `"`), nil }

// UnmarshalJSON reads it; "" is the zero value.
func (m *Moment) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("moment: %w", err)
	}
	*m = Moment{}
	if s == "" {
		return nil
	}
	read, err := ParseMoment(s)
	*m = read
	return err
}

func dayOf(t time.Time) int {
	y, m, d := t.Date()
	return y*10000 + int(m)*100 + d
}

// DayStart is the first instant of a calendar day, also of one outside of the month. Where
// the clocks change around midnight a day may have no 00:00, or two: time.Date then
// answers with an hour of the day before, or with the second one.
func DayStart(y int, m time.Month, d int, zone *time.Location) time.Time {
	day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).YearDay()
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	from, until := t.ZoneBounds()
	if t.YearDay() != day {
		return until
	}
	if before := from.Add(-1); !from.IsZero() && t.Sub(before) < 24*time.Hour && before.YearDay() == day {
		h, mi, sec := before.Clock()
		return from.Add(-time.Duration(h)*time.Hour - time.Duration(mi)*time.Minute - time.Duration(sec+1)*time.Second)
	}
	return t
}
