package desk

import (
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// BenchmarkRefuse: what it costs to ask a rep's row, by how much the profile says of when the
// rep is there.
func BenchmarkRefuse(b *testing.B) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	office := &plan.Hours{Name: "office", Zone: berlin}
	shifts := leadroute.Shifts{}
	for _, w := range []*leadroute.Shifts{&office.Week, &shifts} {
		if err := w.Put("mon-fri", "09:00-12:00,13:00-17:30"); err != nil {
			b.Fatal(err)
		}
	}
	p := &plan.Plan{
		ID: "p", Zone: time.UTC, Hours: map[string]*plan.Hours{"office": office},
		Calendars: map[string]*plan.Calendar{"de": {Days: map[plan.Date]string{{Year: 2026, Month: 1, Day: 1}: ""}}},
	}
	pool := &plan.Pool{Name: "a", Caps: leadroute.Caps{Open: 5}}
	vacation := leadroute.Away{From: leadroute.Moment{Day: 20260701}, Until: leadroute.Moment{Day: 20260714}}
	at := leadroute.At(time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		name string
		rep  leadroute.Rep
	}{
		{"always", leadroute.Rep{}},
		{"hours", leadroute.Rep{Hours: "office"}},
		{"shifts", leadroute.Rep{Timezone: "Europe/Berlin", Shifts: shifts}},
		{"all", leadroute.Rep{Timezone: "Europe/Berlin", Hours: "office", Shifts: shifts, Holidays: []string{"de"}, Away: []leadroute.Away{vacation, vacation}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := &State{Profile: c.rep, Status: leadroute.StatusAvailable}
			b.ReportAllocs()
			for b.Loop() {
				if no := Refuse(s, p, pool, "P0", at, false); no != "" {
					b.Fatal(no)
				}
			}
		})
	}
}
