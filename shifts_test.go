package leadroute_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
)

// TestShiftsComeBack: shifts mean the same once they were written, as JSON and as a cell.
func TestShiftsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want leadroute.Shifts
		same := rapid.Bool().Draw(t, "alike")
		for day := range want {
			if same && day > 1 {
				want[day] = want[1]
				continue
			}
			for range rapid.IntRange(0, 3).Draw(t, "spans") {
				from := rapid.IntRange(0, 24*60-1).Draw(t, "from")
				want.Add(time.Weekday(day), leadroute.Span{From: from, Until: rapid.IntRange(from+1, 24*60).Draw(t, "until")})
			}
		}
		b, err := leadroute.Encode(&leadroute.Rep{ID: "ana", Shifts: want})
		if err != nil {
			t.Fatal(err)
		}
		rep, err := leadroute.Decode[leadroute.Rep](b)
		if err != nil || rep.Shifts.String() != want.String() || rep.Shifts.IsZero() != want.IsZero() {
			t.Fatalf("%s is read as %v, %v, want %v", b, rep, err, want)
		}
		var std leadroute.Rep
		if err := json.Unmarshal(b, &std); err != nil || std.Shifts.String() != want.String() {
			t.Fatalf("json.Unmarshal(%s) = %v, %v, want %v", b, std.Shifts, err, want)
		}
		var cell leadroute.Shifts
		for part := range strings.SplitSeq(want.String(), "; ") {
			if days, spans, ok := strings.Cut(part, " "); ok {
				if err := cell.Put(days, spans); err != nil {
					t.Fatalf("%q: %v", want.String(), err)
				}
			}
		}
		for day := range want {
			for minute := range 24 * 60 {
				in := func(w *leadroute.Shifts) bool {
					for _, s := range w[day] {
						if s.From <= minute && minute < s.Until {
							return true
						}
					}
					return false
				}
				if in(&cell) != in(&want) || in(&rep.Shifts) != in(&want) {
					t.Fatalf("%q and %s differ from %v on day %d at minute %d", want.String(), b, want, day, minute)
				}
			}
		}
	})
}

// TestOverIsNeverEarly: a time out of the office is forgotten after its end in every zone, and
// one that can never be is told.
func TestOverIsNeverEarly(t *testing.T) {
	zones := []string{"Pacific/Kiritimati", "Etc/GMT+12", "UTC", "America/Santiago", "Asia/Kathmandu"}
	rapid.Check(t, func(t *rapid.T) {
		base := time.Date(2026, 9, 4, 0, 0, 0, 0, time.UTC)
		moment := func(label string) leadroute.Moment {
			at := base.Add(time.Duration(rapid.IntRange(0, 6*24*60).Draw(t, label)) * time.Minute)
			if rapid.Bool().Draw(t, label+" day") {
				m, err := leadroute.ParseMoment(at.Format(time.DateOnly))
				if err != nil {
					t.Fatal(err)
				}
				return m
			}
			return leadroute.Moment{At: leadroute.At(at)}
		}
		a := leadroute.Away{From: moment("from"), Until: moment("until")}
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		at := base.Add(time.Duration(rapid.IntRange(-2*24*60, 9*24*60).Draw(t, "at")) * time.Minute)
		if a.Covers(at.In(zone)) && (a.Over(leadroute.At(at)) || a.Never()) {
			t.Fatalf("%s..%s covers %v, over %v, never %v", a.From, a.Until, at.In(zone), a.Over(leadroute.At(at)), a.Never())
		}
		if end := a.Until.End(zone); !at.Before(end.Add(48*time.Hour)) && !a.Over(leadroute.At(at)) {
			t.Fatalf("%s..%s is not over at %v", a.From, a.Until, at)
		}
	})
}
