package pools

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
)

// absence is a pool of which the first rep is away for a while; the others are always free.
type absence struct {
	f      *floor
	reps   int
	away   int // leads meanwhile
	missed int // turns that passed
}

func drawAbsence(t *rapid.T, catchUp plan.CatchUp) *absence {
	t.Helper()
	a := &absence{reps: rapid.IntRange(3, 8).Draw(t, "reps")}
	a.f = newFloor(t, plan.RoundRobin, make([]float64, a.reps))
	a.f.pool.CatchUp = catchUp
	for range rapid.IntRange(0, 2*a.reps).Draw(t, "turns before") {
		a.f.offer(t, leadroute.Offer{})
	}
	return a
}

// leave takes the first rep away for some leads, in one of the ways in which one can be.
func (a *absence) leave(t *rapid.T) {
	t.Helper()
	gone := desk.State{Profile: leadroute.Rep{ID: repID(0)}, Status: leadroute.StatusAway, Version: 2}
	if rapid.Bool().Draw(t, "full") {
		gone.Status, gone.Profile.Caps.Open = leadroute.StatusAvailable, 1
		gone.Held = desk.Held{{Lead: "x", Rev: 1, Try: 1}}
	}
	a.f.set(0, gone)
	a.away = rapid.IntRange(0, 12*a.reps).Draw(t, "turns away")
	before := a.turn(t)
	for range a.away {
		a.f.offer(t, leadroute.Offer{})
	}
	// The others are one tick apart each: with the rep's own a round has so many turns.
	a.missed = (a.away + before) / (a.reps - 1)
	a.f.set(0, desk.State{Profile: leadroute.Rep{ID: repID(0)}, Status: leadroute.StatusAvailable, Version: 3})
}

// turn is how many of the others have had theirs since the rep's last turn.
func (a *absence) turn(t *rapid.T) int {
	t.Helper()
	if a.f.row == nil {
		return a.reps - 1
	}
	s, err := leadroute.Decode[State](a.f.row)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Index(a.f.pool.Members, s.Turn.Rep)
}

// TestCatchUp: none loses the turns that were missed, average keeps one, full up to ten,
// and they are all that the rep gets beyond the others, one lead of difference aside.
func TestCatchUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		catchUp := rapid.SampledFrom([]plan.CatchUp{plan.CatchUpNone, plan.CatchUpAverage, plan.CatchUpFull}).Draw(t, "catch_up")
		a := drawAbsence(t, catchUp)
		a.leave(t)
		owed := min(max(a.missed-1, 0), missable(catchUp)) // one of difference either way: the round under way
		most := min(a.missed+1, missable(catchUp))
		had := make([]int, a.reps)
		for range 12*a.reps + 4*fullMax {
			had[slices.Index(a.f.pool.Members, a.f.offer(t, leadroute.Offer{}))]++
		}
		for i := 1; i < a.reps; i++ {
			if more := had[0] - had[i]; more < owed-1 || more > most+1 {
				t.Fatalf("%s: away for %d turns of %d reps, %d missed: then %v, want the first between %d and %d above the others", catchUp, a.away, a.reps, a.missed, had, owed-1, most+1)
			}
		}
	})
}

// TestCatchUpMakesEven: counted from the first turn that is made up for, the rep has in the
// end as many leads as the others, within one, as if nobody had been away.
func TestCatchUpMakesEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		catchUp := rapid.SampledFrom([]plan.CatchUp{plan.CatchUpAverage, plan.CatchUpFull}).Draw(t, "catch_up")
		a := drawAbsence(t, catchUp)
		a.f.set(0, desk.State{Profile: leadroute.Rep{ID: repID(0)}, Status: leadroute.StatusBusy, Version: 2})
		rounds := rapid.IntRange(0, missable(catchUp)).Draw(t, "rounds away")
		had := make([]int, a.reps)
		take := func() { had[slices.Index(a.f.pool.Members, a.f.offer(t, leadroute.Offer{}))]++ }
		for range rounds * (a.reps - 1) {
			take()
		}
		a.f.set(0, desk.State{Profile: leadroute.Rep{ID: repID(0)}, Status: leadroute.StatusAvailable, Version: 3})
		for range 4*fullMax + 2*a.reps {
			take()
		}
		if slices.Max(had)-slices.Min(had) > 1 {
			t.Fatalf("%s: away for %d rounds of %d reps: %v in all, want all alike within one", catchUp, rounds, a.reps, had)
		}
	})
}

// TestNobodyIsFloodedByCatchingUp: of any leads in a row a rep who comes back gets no more
// than every second one, rounded up, and in all no more than ten beyond the fair share.
func TestNobodyIsFloodedByCatchingUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAbsence(t, plan.CatchUpFull)
		a.leave(t)
		var mine []int
		for n := range 60 {
			mine = append(mine, 0)
			if a.f.offer(t, leadroute.Offer{}) == repID(0) {
				mine[n] = 1
			}
			had := 0
			for from := n; from >= 0; from-- {
				had += mine[from]
				leads := n - from + 1
				if had > (leads+1)/2 {
					t.Fatalf("leads %d to %d after %d missed turns: %d of %d, want no more than every second one", from, n, a.missed, had, leads)
				}
				if fair := (leads + a.reps - 1) / a.reps; had > fair+fullMax {
					t.Fatalf("leads %d to %d after %d missed turns: %d of %d, want no more than %d beyond %d", from, n, a.missed, had, leads, fullMax, fair)
				}
			}
		}
	})
}

// TestManyComeBack: when all of a big shift come back at once no two leads in a row make up
// for a turn, the row stays bounded, and all that it remembers is made up for in the end.
func TestManyComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reps := rapid.IntRange(40, 120).Draw(t, "reps")
		strategy := rapid.SampledFrom([]plan.Strategy{plan.RoundRobin, plan.Weighted}).Draw(t, "strategy")
		f := newFloor(t, strategy, make([]float64, reps))
		f.pool.CatchUp = plan.CatchUpFull
		for i := 2; i < reps; i++ {
			f.set(i, desk.State{Profile: leadroute.Rep{ID: repID(i)}, Status: leadroute.StatusOff, Version: 2})
		}
		for range 8 {
			f.offer(t, leadroute.Offer{})
		}
		gone := map[leadroute.RepID]bool{}
		for i := 2; i < reps; i++ {
			if i%3 == 0 {
				gone[repID(i)] = true
				f.env.Roster.Update(repID(i), nil)
				continue
			}
			f.set(i, desk.State{Profile: leadroute.Rep{ID: repID(i)}, Status: leadroute.StatusAvailable, Version: 3})
		}
		made := false
		for n := range 400 {
			if who := f.offer(t, leadroute.Offer{}); gone[who] {
				t.Fatalf("lead %d went to %s, who has left", n, who)
			}
			s, err := leadroute.Decode[State](f.row)
			if err != nil {
				t.Fatal(err)
			}
			if s.Made && made {
				t.Fatalf("lead %d: two in a row made up for a turn: %s", n, f.row)
			}
			if made = s.Made; len(s.Missed) > missedMax {
				t.Fatalf("lead %d: missed turns of %d reps, want %d at most", n, len(s.Missed), missedMax)
			}
			if n == 399 && slices.ContainsFunc(s.Missed, func(m Missed) bool { return !gone[m.Rep] }) {
				t.Fatalf("after %d leads some turn is not made up for: %s", n, f.row)
			}
		}
	})
}
