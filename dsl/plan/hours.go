package plan

import "time"

// Hours are weekly office hours in one time zone.
type Hours struct {
	Name     string
	Zone     *time.Location
	Week     [7][]Span   // by time.Weekday
	Holidays []*Calendar // closed on their days, as the zone counts them
}

// Span is a half-open part of a local day, in minutes since its midnight: [From, Until).
type Span struct{ From, Until int }

// Open tells whether the hours include the instant; nil hours always do.
func (h *Hours) Open(at time.Time) bool {
	if h == nil {
		return true
	}
	t := at.In(h.Zone)
	if h.Off(t) {
		return false
	}
	m := t.Hour()*60 + t.Minute()
	for _, s := range h.Week[t.Weekday()] {
		if s.From <= m && m < s.Until {
			return true
		}
	}
	return false
}

// Off tells whether the instant, in the hours' own zone, falls on a holiday.
func (h *Hours) Off(at time.Time) bool {
	if len(h.Holidays) == 0 {
		return false
	}
	day := DateOf(at.In(h.Zone))
	for _, c := range h.Holidays {
		if c.Off(day) {
			return true
		}
	}
	return false
}

// horizon bounds the search for open hours.
const horizon = 400 // days

// After is the instant at which span has passed within the hours since from; the zero
// time if it never will. Nil hours are always open.
func (h *Hours) After(from time.Time, span time.Duration) time.Time {
	if h == nil {
		return from.Add(span)
	}
	local := from.In(h.Zone)
	y, m, d := local.Date()
	for i := range horizon {
		for _, s := range h.Week[(int(local.Weekday())+i)%7] {
			a := time.Date(y, m, d+i, 0, s.From, 0, 0, h.Zone)
			b := time.Date(y, m, d+i, 0, s.Until, 0, 0, h.Zone)
			if a.Before(from) {
				a = from
			}
			if !a.Before(b) || !h.Open(a) {
				continue
			}
			if left := b.Sub(a); left < span {
				span -= left
				continue
			}
			return a.Add(span).In(from.Location())
		}
	}
	return time.Time{}
}
