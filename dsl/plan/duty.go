package plan

import (
	"slices"
	"time"

	"github.com/leadroute/leadroute"
)

// Why a rep is not at work.
const (
	OutOfOffice = "out_of_office"
	OnHoliday   = "holiday"
	OffHours    = "closed"    // the named hours, of the rep or of the pool
	OffShift    = "off_shift" // the rep's own
)

// Duty is when a rep is at work: within the hours that the profile names and within the
// rep's own shifts, where there are such, on no holiday, and in the office.
type Duty struct {
	plan *Plan
	rep  *leadroute.Rep
	// Away are times out of the office beside those of the profile.
	Away []leadroute.Away
	// Back is when the rep came back: the profile's times out of the office that had begun by
	// then hold no more.
	Back leadroute.Millis
}

// Duty is a rep's, by the profile alone.
func (p *Plan) Duty(r *leadroute.Rep) Duty { return Duty{plan: p, rep: r} }

// Off says why the rep is not at work at that instant, or "".
func (d *Duty) Off(at time.Time) string {
	if d.away(at) != nil {
		return OutOfOffice
	}
	r := d.rep
	h := d.plan.Hours[r.Hours]
	switch {
	case d.holiday(at), h != nil && h.Off(at):
		return OnHoliday
	case !h.Open(at):
		return OffHours
	case !r.Shifts.IsZero() && !within(&r.Shifts, at.In(d.plan.RepZone(r))):
		return OffShift
	}
	return ""
}

// AwayAt is the time out of the office that holds at that instant and ends last, or nil.
func (d *Duty) AwayAt(at time.Time) *leadroute.Away { return d.away(at) }

func (d *Duty) away(at time.Time) (last *leadroute.Away) {
	if len(d.rep.Away)+len(d.Away) == 0 {
		return nil
	}
	zone := d.plan.RepZone(d.rep)
	local := at.In(zone)
	take := func(a *leadroute.Away) {
		if a.Covers(local) && (last == nil || last.Until != leadroute.Moment{} && (a.Until == leadroute.Moment{} || a.Until.End(zone).After(last.Until.End(zone)))) {
			last = a
		}
	}
	for i := range d.rep.Away {
		if a := &d.rep.Away[i]; d.Back == 0 || a.From.Start(zone).After(d.Back.Time()) {
			take(a)
		}
	}
	for i := range d.Away {
		take(&d.Away[i])
	}
	return last
}

func (d *Duty) holiday(at time.Time) bool {
	if len(d.rep.Holidays) == 0 {
		return false
	}
	day := DateOf(at.In(d.plan.RepZone(d.rep)))
	return slices.ContainsFunc(d.rep.Holidays, func(name string) bool {
		c := d.plan.Calendars[name] // nil: one of an earlier policy
		return c != nil && c.Off(day)
	})
}

// Change is the first instant after at at which Off may change.
func (d *Duty) Change(at time.Time) time.Time { return d.next(at) }

// next is the first instant after at at which Off may change.
func (d *Duty) next(at time.Time) time.Time {
	zone := d.plan.RepZone(d.rep)
	first := next(&d.rep.Shifts, zone, at)
	if h := d.plan.Hours[d.rep.Hours]; h != nil {
		first = earlier(first, h.next(at))
	}
	for _, list := range [2][]leadroute.Away{d.rep.Away, d.Away} {
		for i := range list {
			for _, t := range [2]time.Time{list[i].From.Start(zone), list[i].Until.End(zone)} {
				if t.After(at) {
					first = earlier(first, t)
				}
			}
		}
	}
	return first
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (d *Duty) on(at time.Time) bool { return d.Off(at) == "" }

// Next is the first instant, from at on, at which the rep is at work, or is not; the zero
// time if that never comes.
func (d *Duty) Next(at time.Time, working bool) time.Time { return search(at, working, d.on, d.next) }

// After is the instant at which the rep has worked for so long since from; the zero time if
// that never comes.
func (d *Duty) After(from time.Time, span time.Duration) time.Time {
	return after(from, span, d.on, d.next)
}
