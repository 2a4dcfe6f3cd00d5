package plan

import (
	"time"

	"github.com/leadroute/leadroute"
)

// Hours are weekly office hours in one time zone.
type Hours struct {
	Name     string
	Zone     *time.Location
	Week     leadroute.Shifts
	Holidays []*Calendar // closed on their days, as the zone counts them
}

// Span is a half-open part of a local day, in minutes since its midnight: [From, Until).
type Span = leadroute.Span

// Open tells whether the hours include the instant; nil hours always do.
func (h *Hours) Open(at time.Time) bool {
	if h == nil {
		return true
	}
	t := at.In(h.Zone)
	return !h.Off(t) && within(&h.Week, t)
}

// within tells whether the local time lies in one of the day's spans: by the wall clock, so
// that an hour which comes twice is in them twice, and one that is left out not at all.
func within(w *leadroute.Shifts, local time.Time) bool {
	m := local.Hour()*60 + local.Minute()
	for _, s := range w[local.Weekday()] {
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

// next is the first instant after at at which the wall clock of the zone comes to the bound
// of a span or to midnight, or is put forward or back: only there Open may change.
func next(w *leadroute.Shifts, zone *time.Location, at time.Time) time.Time {
	const day = 24 * time.Hour
	local := at.In(zone)
	h, m, s := local.Clock()
	clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(local.Nanosecond())
	bound := day
	for _, s := range w[local.Weekday()] {
		for _, minute := range [2]int{s.From, s.Until} {
			if b := time.Duration(minute) * time.Minute; b > clock && b < bound {
				bound = b
			}
		}
	}
	to := at.Add(bound - clock)
	if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(to) {
		return change
	}
	return to
}

// Next is the first instant, from at on, at which the hours are open, or are not; the zero
// time if that never comes. Nil hours are always open.
func (h *Hours) Next(at time.Time, open bool) time.Time {
	return search(at, open, h.Open, h.next)
}

// Change is the first instant after at at which Open may change.
func (h *Hours) Change(at time.Time) time.Time { return h.next(at) }

func (h *Hours) next(at time.Time) time.Time {
	if h == nil {
		return at.AddDate(0, 0, horizon)
	}
	return next(&h.Week, h.Zone, at)
}

// search goes from one possible change to the next.
func search(at time.Time, want bool, open func(time.Time) bool, next func(time.Time) time.Time) time.Time {
	for t, end := at, at.AddDate(0, 0, horizon); t.Before(end); t = next(t) {
		if open(t) == want {
			return t.In(at.Location())
		}
	}
	return time.Time{}
}

// After is the instant at which span has passed within the hours since from; the zero
// time if it never will. Nil hours are always open.
func (h *Hours) After(from time.Time, span time.Duration) time.Time {
	if h == nil {
		return from.Add(span)
	}
	return after(from, span, h.Open, h.next)
}

func after(from time.Time, span time.Duration, open func(time.Time) bool, next func(time.Time) time.Time) time.Time {
	for t, end := from, from.AddDate(0, 0, horizon); t.Before(end); {
		to := next(t)
		if open(t) {
			if left := to.Sub(t); left < span {
				span -= left
			} else {
				return t.Add(span).In(from.Location())
			}
		}
		t = to
	}
	return time.Time{}
}

// Between is how long the hours are open in [from, until). Nil hours are always open.
func (h *Hours) Between(from, until time.Time) (open time.Duration) {
	if h == nil {
		return max(0, until.Sub(from))
	}
	local := from.In(h.Zone)
	y, m, d := local.Date()
	for i := 0; ; i++ {
		if !time.Date(y, m, d+i, 0, 0, 0, 0, h.Zone).Before(until) {
			return open
		}
		for _, s := range h.Week[(int(local.Weekday())+i)%7] {
			a := time.Date(y, m, d+i, 0, s.From, 0, 0, h.Zone)
			b := time.Date(y, m, d+i, 0, s.Until, 0, 0, h.Zone)
			if a.Before(from) {
				a = from
			}
			if b.After(until) {
				b = until
			}
			if a.Before(b) && h.Open(a) {
				open += b.Sub(a)
			}
		}
	}
}
