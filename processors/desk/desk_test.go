package desk

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
)

// drawCost draws what is written: 1 is left out.
func drawCost(t *rapid.T) int { return rapid.SampledFrom([]int{0, 2, 7}).Draw(t, "cost") }

func drawHeld() *rapid.Generator[Held] {
	id := rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`)
	return rapid.Custom(func(t *rapid.T) Held {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Claim {
			return Claim{
				Lead: leadroute.LeadID(id.Draw(t, "lead")), Rev: rapid.IntRange(1, 1<<40).Draw(t, "rev"), Target: rapid.IntRange(0, 99).Draw(t, "target"),
				Try: rapid.IntRange(1, 1<<40).Draw(t, "try"), Pool: leadroute.PoolID(rapid.StringMatching(`[A-Za-z0-9_-]{0,64}`).Draw(t, "pool")),
				At: leadroute.Millis(rapid.Int64Range(0, 1<<45).Draw(t, "at")), Exempt: rapid.Bool().Draw(t, "exempt"), Cost: drawCost(t), Own: drawCost(t),
			}
		}), 0, 20).Draw(t, "held")
	})
}

// TestHeldComesBack: the compact form gives back what went in, through either JSON codec.
func TestHeldComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := State{Profile: leadroute.Rep{ID: "ana"}, Held: drawHeld().Draw(t, "h")}
		b, err := leadroute.Encode(&s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := leadroute.Decode[State](b)
		if err != nil || !slices.Equal(got.Held, s.Held) {
			t.Fatalf("Decode(%s) = %v, %v, want %v", b, got, err, s.Held)
		}
		var std State
		if err := json.Unmarshal(b, &std); err != nil || !slices.Equal(std.Held, s.Held) {
			t.Fatalf("json.Unmarshal(%s) = %v, %v, want %v", b, std.Held, err, s.Held)
		}
	})
}

// FuzzHeld: whatever the table holds is read or refused, and what is read means the same
// once it is written.
func FuzzHeld(f *testing.F) {
	for _, s := range []string{`""`, `"L1 1 0 1 emea 1768384800000"`, `"L1 1 0 1  5 x;L2 2 1 3 apac 6"`, `"L1 1 0"`, `";"`, `null`, `[]`, `"L1 one 0 1 emea 5"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h, again Held
		if h.UnmarshalJSON(b) != nil {
			return
		}
		out, err := h.MarshalJSON()
		if err != nil {
			t.Fatalf("%q was read as %v, writing it: %v", b, h, err)
		}
		for _, c := range h {
			for _, s := range []string{string(c.Lead), string(c.Pool)} {
				if q, err := json.Marshal(s); err != nil || string(q) != `"`+s+`"` {
					return // no id: ids hold nothing that JSON would have to quote
				}
			}
		}
		if err := again.UnmarshalJSON(out); err != nil || !slices.Equal(again, h) {
			t.Errorf("%q was read as %v, written as %s, and read as %v, %v", b, h, out, again, err)
		}
	})
}

// TestDayStart: the start of a day is its first instant, found the slow way, around every
// change of the clocks.
func TestDayStart(t *testing.T) {
	for _, name := range []string{
		"UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "America/Havana", "America/Asuncion", "Asia/Beirut", "Africa/Cairo",
		"Asia/Gaza", "Asia/Amman", "Atlantic/Azores", "Australia/Lord_Howe",
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		first, date := time.Time{}, ""
		for at := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2027; at = at.Add(30 * time.Minute) {
			local := at.In(zone)
			y, m, d := local.Date()
			if s := local.Format(time.DateOnly); s > date { // the clocks may go back over midnight: the day has begun all the same
				first, date = at, s
			}
			if since := at.Sub(first); at.YearDay() < 3 || since > 3*time.Hour && since < 22*time.Hour || local.Format(time.DateOnly) != date {
				continue
			}
			if got := leadroute.DayStart(y, m, d, zone); !got.Equal(first) {
				t.Fatalf("DayStart(%s, %s) = %v, want %v", date, name, got, first)
			}
		}
	}
}

// TestTakenKeepsWhatAnyCapCounts: a claim through one pool leaves in the log what the caps
// of the rep and of another pool still count, and the log holds no more than that.
func TestTakenKeepsWhatAnyCapCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := func(label string) int { return rapid.IntRange(0, 1).Draw(t, label) }
		caps := func(label string) leadroute.Caps {
			return leadroute.Caps{PerHour: limit(label + " hour"), PerDay: limit(label + " day"), PerWeek: limit(label + " week")}
		}
		own, pools := caps("own"), map[leadroute.PoolID]leadroute.Caps{"a": caps("a"), "b": caps("b")}
		of := func(p leadroute.PoolID) leadroute.Caps { return pools[p] }
		now, all := leadroute.Millis(1768384800000), []Took{}
		var log Taken
		for i := range rapid.IntRange(1, 40).Draw(t, "claims") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30, 60, 600, 2000}).Draw(t, "minutes")) * time.Minute)
			k := Took{Key: uint64(i), Pool: rapid.SampledFrom([]leadroute.PoolID{"a", "b", ""}).Draw(t, "pool"), At: now}
			all = append(all, k)
			log = log.Log(k, own, of, time.UTC)
			var want Taken
			for _, k := range all {
				c := pools[k.Pool]
				then, at := k.At.Time(), now.Time()
				y1, w1 := then.ISOWeek()
				y2, w2 := at.ISOWeek()
				if own.PerHour+c.PerHour > 0 && at.Sub(then) < time.Hour || own.PerDay+c.PerDay > 0 && then.YearDay() == at.YearDay() && y1 == y2 ||
					own.PerWeek+c.PerWeek > 0 && y1 == y2 && w1 == w2 {
					want = append(want, k)
				}
			}
			if !slices.Equal(log, want) {
				t.Fatalf("after %d claims (own %+v, pools %+v): Log = %v, want %v", i+1, own, pools, log, want)
			}
		}
	})
}
