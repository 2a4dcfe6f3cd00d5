package plan

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
)

// changes are instants at which the clocks change, also around midnight: forwards, so that
// the day has no 00:00, and back.
var changes = []struct{ zone, at string }{
	{"Europe/Berlin", "2026-03-29T01:00:00Z"},
	{"Europe/Berlin", "2026-10-25T01:00:00Z"},
	{"America/New_York", "2026-03-08T07:00:00Z"},
	{"America/New_York", "2026-11-01T06:00:00Z"},
	{"America/Santiago", "2025-09-07T04:00:00Z"},
	{"America/Santiago", "2025-04-06T03:00:00Z"},
	{"America/Havana", "2026-03-08T05:00:00Z"},
	{"America/Havana", "2025-11-02T05:00:00Z"},
	{"Asia/Beirut", "2026-03-28T22:00:00Z"},
	{"Africa/Cairo", "2026-04-23T22:00:00Z"},
	{"Africa/Cairo", "2026-10-29T21:00:00Z"},
	{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
	{"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
	{"Pacific/Apia", "2011-12-30T10:00:00Z"}, // a whole day is left out
	{"Asia/Kathmandu", "2026-01-04T18:15:00Z"},
}

func drawShifts(t *rapid.T) (w leadroute.Shifts) {
	for day := range w {
		for range rapid.IntRange(0, 2).Draw(t, "spans") {
			from := rapid.IntRange(0, 24*60-15).Draw(t, "from") / 15 * 15
			until := rapid.IntRange(from+15, 24*60).Draw(t, "until")
			w.Add(time.Weekday(day), leadroute.Span{From: from, Until: until})
		}
	}
	return w
}

// drawMoment draws an instant or a day around a time, sometimes neither.
func drawMoment(t *rapid.T, near time.Time) leadroute.Moment {
	at := near.Add(time.Duration(rapid.IntRange(-4*24*60, 4*24*60).Draw(t, "minutes")) * time.Minute)
	switch rapid.IntRange(0, 4).Draw(t, "moment") {
	case 0:
		return leadroute.Moment{}
	case 1, 2:
		m, err := leadroute.ParseMoment(at.Format(time.DateOnly))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	return leadroute.Moment{At: leadroute.At(at)}
}

// TestDutyMinuteByMinute: what the duty says of an instant is what a wall clock in the rep's
// zone says, and Next and After find what looking at every minute finds, around every
// change of the clocks.
func TestDutyMinuteByMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(changes).Draw(t, "change")
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		near, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		near = near.In(zone)
		p := &Plan{Zone: time.UTC, Hours: map[string]*Hours{}, Calendars: map[string]*Calendar{"off": {Days: map[Date]string{}}}}
		r := &leadroute.Rep{ID: "ana", Timezone: c.zone}
		if rapid.Bool().Draw(t, "named hours") {
			r.Hours = "office"
			p.Hours["office"] = &Hours{Name: "office", Zone: rapid.SampledFrom([]*time.Location{zone, time.UTC}).Draw(t, "their zone"), Week: drawShifts(t)}
		}
		if rapid.Bool().Draw(t, "shifts") {
			r.Shifts = drawShifts(t)
		}
		if rapid.Bool().Draw(t, "holiday") {
			r.Holidays = []string{"off", "unknown"}
			p.Calendars["off"].Days[DateOf(near.AddDate(0, 0, rapid.IntRange(-1, 1).Draw(t, "day")))] = ""
		}
		d := p.Duty(r)
		for range rapid.IntRange(0, 2).Draw(t, "times away") {
			a := leadroute.Away{From: drawMoment(t, near), Until: drawMoment(t, near)}
			if rapid.Bool().Draw(t, "of the profile") {
				r.Away = append(r.Away, a)
			} else {
				d.Away = append(d.Away, a)
			}
		}
		from := near.Add(-time.Duration(rapid.IntRange(0, 36*60).Draw(t, "minutes before")) * time.Minute)
		end := from.Add(72 * time.Hour)
		span := time.Duration(rapid.IntRange(1, 12*60).Draw(t, "span")) * time.Minute
		working := rapid.Bool().Draw(t, "working")
		var found, after time.Time
		worked := time.Duration(0)
		for at := from; at.Before(end); at = at.Add(time.Minute) {
			want := clockSays(p, r, d.Away, zone, at)
			if got := d.Off(at) == ""; got != want {
				t.Fatalf("%+v away %v at %v (%v): at work %v (%s), want %v", r, d.Away, at, at.UTC(), got, d.Off(at), want)
			}
			if want == working && found.IsZero() {
				found = at
			}
			if want {
				if worked += time.Minute; worked == span && after.IsZero() {
					after = at.Add(time.Minute)
				}
			}
		}
		if got := d.Next(from, working); !found.IsZero() && !got.Equal(found) || found.IsZero() && !got.IsZero() && got.Before(end) {
			t.Fatalf("%+v away %v: Next(%v, %v) = %v, want %v", r, d.Away, from, working, got, found)
		}
		if got := d.After(from, span); !after.IsZero() && !got.Equal(after) || after.IsZero() && !got.IsZero() && got.Before(end) {
			t.Fatalf("%+v away %v: After(%v, %v) = %v, want %v", r, d.Away, from, span, got, after)
		}
	})
}

// clockSays is the reference: whether the rep is at work by what a wall clock shows.
func clockSays(p *Plan, r *leadroute.Rep, more []leadroute.Away, zone *time.Location, at time.Time) bool {
	shows := func(w leadroute.Shifts, zone *time.Location) bool {
		local := at.In(zone)
		for _, s := range w[local.Weekday()] {
			if c := local.Format("15:04"); c >= s.String()[:5] && (c < s.String()[6:] || s.Until == 24*60) {
				return true
			}
		}
		return false
	}
	day := at.In(zone).Format(time.DateOnly)
	for _, a := range append(append([]leadroute.Away{}, r.Away...), more...) {
		from := a.From == leadroute.Moment{} || a.From.Day != 0 && day >= a.From.String() || a.From.Day == 0 && !at.Before(a.From.At.Time())
		until := a.Until == leadroute.Moment{} || a.Until.Day != 0 && day <= a.Until.String() || a.Until.Day == 0 && at.Before(a.Until.At.Time())
		if from && until {
			return false
		}
	}
	for _, name := range r.Holidays {
		if c := p.Calendars[name]; c != nil {
			for d := range c.Days {
				if fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) == day {
					return false
				}
			}
		}
	}
	if h := p.Hours[r.Hours]; h != nil && !shows(h.Week, h.Zone) {
		return false
	}
	none := true
	for _, spans := range r.Shifts {
		none = none && len(spans) == 0
	}
	return none || shows(r.Shifts, zone)
}

// TestDutySays: the reason names what keeps the rep away.
func TestDutySays(t *testing.T) {
	p := &Plan{
		Zone: time.UTC, Hours: map[string]*Hours{"office": {Name: "office", Zone: time.UTC, Holidays: []*Calendar{{Days: map[Date]string{{2026, 1, 16}: ""}}}}},
		Calendars: map[string]*Calendar{"de": {Days: map[Date]string{{2026, 1, 15}: ""}}},
	}
	week := leadroute.Shifts{time.Wednesday: {{From: 9 * 60, Until: 12 * 60}}, time.Thursday: {{From: 9 * 60, Until: 12 * 60}}}
	p.Hours["office"].Week = leadroute.Shifts{time.Wednesday: {{From: 8 * 60, Until: 18 * 60}}, time.Thursday: {{From: 8 * 60, Until: 18 * 60}}, time.Friday: {{From: 8 * 60, Until: 18 * 60}}}
	vacation := leadroute.Away{From: leadroute.Moment{Day: 20260114}, Until: leadroute.Moment{Day: 20260114}, Reason: "vacation"}
	for _, c := range []struct {
		rep        leadroute.Rep
		back       leadroute.Millis
		at, want   string
		backAtWork string
	}{
		{leadroute.Rep{}, 0, "2026-01-14T03:00:00Z", "", "2026-01-14T03:00:00Z"},
		{leadroute.Rep{Hours: "office"}, 0, "2026-01-14T03:00:00Z", OffHours, "2026-01-14T08:00:00Z"},
		{leadroute.Rep{Hours: "office", Shifts: week}, 0, "2026-01-14T08:30:00Z", OffShift, "2026-01-14T09:00:00Z"},
		{leadroute.Rep{Shifts: week, Timezone: "Asia/Kathmandu"}, 0, "2026-01-14T03:00:00Z", OffShift, "2026-01-14T03:15:00Z"},
		{leadroute.Rep{Hours: "office", Holidays: []string{"de"}}, 0, "2026-01-15T10:00:00Z", OnHoliday, ""},
		{leadroute.Rep{Hours: "office"}, 0, "2026-01-16T10:00:00Z", OnHoliday, "2026-01-21T08:00:00Z"},
		{leadroute.Rep{Away: []leadroute.Away{vacation}}, 0, "2026-01-14T10:00:00Z", OutOfOffice, "2026-01-15T00:00:00Z"},
		{leadroute.Rep{Away: []leadroute.Away{vacation}}, 1768381200000, "2026-01-14T10:00:00Z", "", "2026-01-14T10:00:00Z"},
		{leadroute.Rep{Away: []leadroute.Away{vacation}, Timezone: "America/Los_Angeles"}, 0, "2026-01-15T07:00:00Z", OutOfOffice, "2026-01-15T08:00:00Z"},
		{leadroute.Rep{Away: []leadroute.Away{{From: leadroute.Moment{Day: 20260101}}}}, 0, "2026-01-14T10:00:00Z", OutOfOffice, ""},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		d := p.Duty(&c.rep)
		d.Back = c.back
		if got := d.Off(at); got != c.want {
			t.Errorf("%+v back %d: Off(%s) = %q, want %q", c.rep, c.back, c.at, got, c.want)
		}
		got := d.Next(at, true)
		if text := got.UTC().Format(time.RFC3339); c.backAtWork != "" && text != c.backAtWork || c.backAtWork == "" && !got.IsZero() && c.want == OutOfOffice {
			t.Errorf("%+v: Next(%s, true) = %s, want %s", c.rep, c.at, text, c.backAtWork)
		}
	}
}
