package desk

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// TestARefusalStandsUntilThen: before the instant that RefusedUntil says no rep who was
// refused could take the lead, while the row is as it is.
func TestARefusalStandsUntilThen(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		office := &plan.Hours{Name: "office", Zone: berlin}
		for d := 1; d < 6; d++ {
			office.Week[d] = []plan.Span{{From: 9 * 60, Until: 12 * 60}, {From: 13*60 + 15, Until: 17 * 60}}
		}
		p := &plan.Plan{ID: "p", Zone: time.UTC, Hours: map[string]*plan.Hours{"office": office}}
		pool := &plan.Pool{Name: "a", Caps: leadroute.Caps{
			Open: rapid.SampledFrom([]int{0, 2}).Draw(t, "pool's places"), PerHour: rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "pool's hour"), PerWeek: rapid.SampledFrom([]int{0, 3}).Draw(t, "pool's week"),
		}}
		if rapid.IntRange(0, 4).Draw(t, "pool's hours") == 0 {
			pool.Hours = office
		}
		// Around the end of March the clocks change.
		at := leadroute.At(time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC)) + leadroute.Millis(rapid.Int64Range(0, 5*24*3600*1000).Draw(t, "at"))
		s := &State{
			Status: rapid.SampledFrom([]leadroute.RepStatus{leadroute.StatusAvailable, leadroute.StatusAvailable, leadroute.StatusAvailable, leadroute.StatusAway}).Draw(t, "status"),
			Paused: at + leadroute.Millis(rapid.Int64Range(-36_000_000, 3600_000).Draw(t, "paused")),
			Profile: leadroute.Rep{
				ID: "ana", Hours: rapid.SampledFrom([]string{"", "", "", "office"}).Draw(t, "hours"), Timezone: rapid.SampledFrom([]string{"", "America/New_York"}).Draw(t, "zone"),
				Caps: leadroute.Caps{Open: rapid.SampledFrom([]int{0, 2}).Draw(t, "places"), PerHour: rapid.SampledFrom([]int{0, 2}).Draw(t, "hour"), PerDay: rapid.SampledFrom([]int{0, 2}).Draw(t, "day")},
			},
		}
		if rapid.Bool().Draw(t, "until") {
			s.StatusUntil = at + leadroute.Millis(rapid.Int64Range(-3600_000, 36_000_000).Draw(t, "status until"))
		}
		s.Leaving = rapid.IntRange(0, 9).Draw(t, "leaving") == 0
		if rapid.Bool().Draw(t, "priced") {
			s.Profile.Cost = map[leadroute.Class]int{"P0": 2}
		}
		if rapid.IntRange(0, 4).Draw(t, "out") == 0 {
			s.Away = []leadroute.Away{{From: leadroute.Moment{Day: 20260328}, Until: leadroute.Moment{Day: 20260329}}}
		}
		if rapid.IntRange(0, 4).Draw(t, "shifts") == 0 {
			for d := range s.Profile.Shifts {
				s.Profile.Shifts[d] = []plan.Span{{From: 8 * 60, Until: 14 * 60}}
			}
		}
		for i := range rapid.IntRange(0, 5).Draw(t, "taken") {
			k := Took{Key: uint64(i), Pool: rapid.SampledFrom([]leadroute.PoolID{"a", "b"}).Draw(t, "pool"), At: at - leadroute.Millis(rapid.Int64Range(0, 30*3600*1000).Draw(t, "ago"))}
			s.Taken = append(s.Taken, k)
			if rapid.Bool().Draw(t, "held") {
				s.Held = append(s.Held, Claim{Lead: "x", Rev: 1, Try: i, Pool: k.Pool})
			}
		}
		no := Refuse(s, p, pool, "P0", at, false)
		if no == "" {
			return
		}
		refused[no]++
		until := RefusedUntil(s, p, pool, no, at)
		if until <= at {
			t.Fatalf("refused for %q at %d until %d", no, at, until)
		}
		span := int64(min(until, at+leadroute.Millis(40*24*3600*1000)) - at)
		for _, then := range []leadroute.Millis{
			at + leadroute.Millis(span) - 1, at + leadroute.Millis(rapid.Int64Range(0, span-1).Draw(t, "then")), at + leadroute.Millis(rapid.Int64Range(0, min(span, 3600_000)-1).Draw(t, "soon")),
		} {
			if Refuse(s, p, pool, "P0", then, false) == "" {
				t.Fatalf("refused for %q at %s, until %s at least, and free at %s: %+v", no, at.Time(), until.Time(), then.Time(), s)
			}
		}
	})
	if len(refused) < 5 {
		t.Errorf("refused for %v only", refused)
	}
}
