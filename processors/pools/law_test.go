package pools

import (
	"fmt"
	"hash/fnv"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/internal/transcript"
)

// floor is a pool with its reps, for Apply: nobody declines and no claim stays open.
type floor struct {
	env  Env
	pool *plan.Pool
	row  []byte
	n    int
}

func newFloor(t *rapid.T, strategy plan.Strategy, weights []float64) *floor {
	t.Helper()
	f := &floor{pool: &plan.Pool{Name: "emea", Strategy: strategy}}
	p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"emea": f.pool}}
	f.env = Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }, Roster: NewRoster()}
	for i, w := range weights {
		id := repID(i)
		f.pool.Members = append(f.pool.Members, id)
		f.set(i, desk.State{Profile: leadroute.Rep{ID: id, Weight: w}, Status: leadroute.StatusAvailable, Version: 1})
	}
	return f
}

func repID(i int) leadroute.RepID { return leadroute.RepID(fmt.Sprintf("r%02d", i)) }

func (f *floor) set(i int, s desk.State) { f.env.Roster.Update(repID(i), &s) }

// offer is one lead; it returns who was asked, "" if nobody. The pick counts no more.
func (f *floor) offer(t *rapid.T, o leadroute.Offer) leadroute.RepID {
	t.Helper()
	f.n++
	o.Lead, o.Rev, o.Try, o.Pool = leadroute.LeadID(fmt.Sprint("L", f.n)), 1, 1, "emea"
	var s *State
	if f.row != nil {
		var err error
		if s, err = leadroute.Decode[State](f.row); err != nil {
			t.Fatal(err)
		}
	}
	at := transcript.Start.Add(time.Duration(f.n) * 10 * time.Second) // beyond the time that a pick is remembered for
	s, out := Apply(f.env, "emea", s, &leadroute.PoolMessage{Offer: &o}, at)
	b, err := leadroute.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	if f.row = b; len(b) > 2<<10 {
		t.Fatalf("the row of a pool of %d has %d bytes, want at most 2 kB: %s", len(f.pool.Members), len(b), b)
	}
	if len(out) != 1 {
		t.Fatalf("Apply(%+v) = %v, want one message", o, out)
	}
	if m, ok := out[0].Value.(*leadroute.RepMessage); ok {
		return m.Claim.ID.Rep
	}
	return ""
}

// reference is the rotation by its definition, in exact numbers: every rep is a clock
// that ticks weight times per unit of time, first at its phase, a part of that; the
// earliest tick after the last one has the lead.
type reference struct {
	at  *big.Rat
	who int
}

func (r *reference) next(weights []float64, phase func(int) *big.Rat, free func(int) bool) int {
	best, when := -1, new(big.Rat)
	for i, w := range weights {
		if !free(i) {
			continue
		}
		if w == 0 {
			w = 1
		}
		step := new(big.Rat).Inv(new(big.Rat).SetInt64(int64(w*1000 + 0.5)))
		tick := new(big.Rat).Mul(step, phase(i))
		// Whole steps to shortly before the last turn, and from there the first tick that lies after it.
		if gap := new(big.Rat).Sub(r.at, tick); gap.Sign() > 0 {
			gap.Quo(gap, step)
			k := new(big.Int).Div(gap.Num(), gap.Denom())
			tick.Add(tick, new(big.Rat).Mul(step, new(big.Rat).SetInt(k)))
		}
		for tick.Cmp(r.at) < 0 || tick.Cmp(r.at) == 0 && i <= r.who {
			tick.Add(tick, step)
		}
		if best < 0 || tick.Cmp(when) < 0 {
			best, when = i, tick
		}
	}
	r.at, r.who = when, best
	return best
}

// TestRotationIsTheReference: round robin and weighted pick whom exact arithmetic picks,
// whoever is free, over any number of turns.
func TestRotationIsTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.5, 1, 1, 2, 3, 7, 0.333, 12.345, 100}), 1, 9).Draw(t, "weights")
		strategy := rapid.SampledFrom([]Strategy{roundRobin{}, weighted{}}).Draw(t, "strategy")
		if strategy.Name() == plan.RoundRobin {
			clear(weights)
		}
		ref, turn := &reference{at: new(big.Rat), who: -1}, Turn{}
		phase := func(i int) *big.Rat {
			if strategy.Name() == plan.RoundRobin {
				return big.NewRat(1, 1)
			}
			h := fnv.New32a()
			_, _ = h.Write([]byte(repID(i)))
			return big.NewRat(int64(h.Sum32()%1024)+1, 1024)
		}
		for n := range 300 {
			away := rapid.SliceOfN(rapid.IntRange(0, len(weights)-1), 0, 2).Draw(t, "away")
			free := func(i int) bool { return n%3 == 0 || !slices.Contains(away, i) }
			var among []Candidate
			for i, w := range weights {
				if free(i) {
					among = append(among, Candidate{Rep: repID(i), Weight: w})
				}
			}
			if len(among) == 0 {
				continue
			}
			want := repID(ref.next(weights, phase, free))
			i, next := strategy.Pick(turn, among)
			if among[i].Rep != want {
				t.Fatalf("turn %d: %s.Pick(%+v, %v) = %s, want %s", n, strategy.Name(), turn, among, among[i].Rep, want)
			}
			if turn = next.wrap(); turn.Num <= 0 || turn.Num > turn.Den || turn.Den > 1e6*1024 {
				t.Fatalf("turn %d: %+v, want a time within one unit", n, turn)
			}
		}
	})
}

// shift lets reps come and go between the turns of a floor: each change is a pause, a
// return, a leave or a join. It knows since which turn each rep has been there.
type shift struct {
	f       *floor
	weights []float64
	since   []int // the turn since which the rep is there; -1: not there
	version int64
}

func newShift(t *rapid.T, strategy plan.Strategy, weights []float64) *shift {
	t.Helper()
	return &shift{f: newFloor(t, strategy, weights), weights: weights, since: make([]int, len(weights)), version: 1}
}

// change lets rep i pause or leave, or come back, before turn n.
func (s *shift) change(t *rapid.T, i, n int) {
	t.Helper()
	s.version++
	st := desk.State{Profile: leadroute.Rep{ID: repID(i), Weight: s.weights[i]}, Status: leadroute.StatusAvailable, Version: s.version}
	switch {
	case s.since[i] < 0:
		s.since[i] = n
	case rapid.Bool().Draw(t, "leaves"):
		s.since[i] = -1
		s.f.env.Roster.Update(repID(i), nil)
		return
	default:
		s.since[i] = -1
		st.Status = rapid.SampledFrom([]leadroute.RepStatus{leadroute.StatusAway, leadroute.StatusBusy, leadroute.StatusOff}).Draw(t, "status")
	}
	s.f.set(i, st)
}

// play hands out a drawn number of leads while reps other than the first always come and
// go, and calls window for every window of turns with how many each rep had.
func (s *shift) play(t *rapid.T, always int, window func(from, until int, had []int)) {
	t.Helper()
	var picks []int
	for n := range rapid.IntRange(20, 80).Draw(t, "turns") {
		for i := always; i < len(s.weights); i++ {
			if rapid.IntRange(0, 5).Draw(t, "changes") == 0 {
				s.change(t, i, n)
			}
		}
		picks = append(picks, slices.Index(s.f.pool.Members, s.f.offer(t, leadroute.Offer{})))
		had := make([]int, len(s.weights))
		for from := n; from >= 0; from-- {
			had[picks[from]]++
			window(from, n, had)
		}
	}
}

// throughout tells whether rep i is there from that turn on, without a break.
func (s *shift) throughout(i, from int) bool { return s.since[i] >= 0 && s.since[i] <= from }

// TestRoundRobinIsFair: over any window of turns the leads of reps who are free throughout
// differ by at most one, whoever else pauses, joins or leaves; and one who comes back gets
// no more than they do, plus one.
func TestRoundRobinIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		always, others := rapid.IntRange(1, 6).Draw(t, "always free"), rapid.IntRange(0, 4).Draw(t, "others")
		s := newShift(t, plan.RoundRobin, make([]float64, always+others))
		s.play(t, always, func(from, until int, had []int) {
			for i := range had {
				for j := range had {
					if s.throughout(i, from) && had[j]-had[i] > 1 {
						t.Fatalf("turns %d to %d: %s, who was there throughout, had %d leads and %s %d", from, until, repID(i), had[i], repID(j), had[j])
					}
				}
			}
		})
	})
}

// TestWeightedIsFair: over any window of turns there is one span of time, so that each rep
// who was free throughout is within one lead of its due, weight times that span, and nobody
// is more than one lead above it, whoever else pauses, joins or leaves.
func TestWeightedIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.SampledFrom([]float64{0.5, 1, 2, 3, 4.5, 10}), 1, 7).Draw(t, "weights")
		s := newShift(t, plan.Weighted, weights)
		always := rapid.IntRange(1, len(weights)).Draw(t, "always free")
		s.play(t, always, func(from, until int, had []int) {
			lo, hi := 0.0, 1e18 // the spans that each rep allows must meet
			for i, w := range weights {
				lo = max(lo, float64(had[i]-1)/w)
				if s.throughout(i, from) {
					hi = min(hi, float64(had[i]+1)/w)
				}
			}
			if lo > hi+1e-9 {
				t.Fatalf("turns %d to %d, weights %v: leads %v are further than one from what is due (there since %v)", from, until, weights, had, s.since)
			}
		})
	})
}

// TestWeightedSharesAreExact: over whole rounds each rep has as many leads as its weight
// says, wherever the rotation stood before.
func TestWeightedSharesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.SampledFrom([]float64{0.5, 1, 2, 3, 4.5, 10}), 1, 6).Draw(t, "weights")
		f := newFloor(t, plan.Weighted, weights)
		total, had := 0.0, make([]float64, len(weights))
		for _, w := range weights {
			total += w
		}
		for range rapid.IntRange(0, 40).Draw(t, "turns before") {
			f.offer(t, leadroute.Offer{})
		}
		for range int(total * 2) {
			had[slices.Index(f.pool.Members, f.offer(t, leadroute.Offer{}))]++
		}
		for i, w := range weights {
			if had[i] != 2*w {
				t.Fatalf("weights %v: in %v leads %v, want exactly twice the weights", weights, total*2, had)
			}
		}
	})
}

// TestWeightedDoesNotBunch: one rep of a weight beside as many reps of weight 1 does not
// have all leads in a row and then none, as with clocks that tick together.
func TestWeightedDoesNotBunch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(8, 40).Draw(t, "weight")
		weights := []float64{float64(n)}
		for range n {
			weights = append(weights, 1)
		}
		f := newFloor(t, plan.Weighted, weights)
		row, longest := 0, 0
		for range 4 * n {
			if row++; f.offer(t, leadroute.Offer{}) != repID(0) {
				row = 0
			}
			longest = max(longest, row)
		}
		if longest > n/2+1 {
			t.Fatalf("the rep of weight %d had %d leads in a row", n, longest)
		}
	})
}

// TestNobodyIsFlooded: a rep who was passed over for long gets no more than a fair share
// after coming back, and a refunded turn is one turn.
func TestNobodyIsFlooded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reps := rapid.IntRange(2, 6).Draw(t, "reps")
		weights := make([]float64, reps)
		strategy := rapid.SampledFrom([]plan.Strategy{plan.RoundRobin, plan.Weighted}).Draw(t, "strategy")
		f := newFloor(t, strategy, weights)
		f.set(0, desk.State{Profile: leadroute.Rep{ID: repID(0)}, Status: leadroute.StatusAway, Version: 2})
		for range rapid.IntRange(0, 50).Draw(t, "turns away") {
			f.offer(t, leadroute.Offer{})
		}
		refunds := rapid.IntRange(0, 3).Draw(t, "refunds")
		for range refunds { // it declines again and again what a stale view promised: it is owed one turn
			f.offer(t, leadroute.Offer{Declined: &leadroute.Answer{Claim: leadroute.ClaimID{Rep: repID(0)}, Reason: "away", Version: 2, Status: leadroute.StatusAway}})
		}
		f.set(0, desk.State{Profile: leadroute.Rep{ID: repID(0)}, Status: leadroute.StatusAvailable, Version: 3})
		had := 0
		for n := 1; n <= 4*reps; n++ {
			if f.offer(t, leadroute.Offer{}) == repID(0) {
				had++
			}
			if most := (n+reps-1)/reps + min(refunds, 1); had > most {
				t.Fatalf("back among %d reps: %d of %d leads, want at most %d", reps, had, n, most)
			}
		}
		if had < 4 {
			t.Fatalf("back among %d reps: %d of %d leads, want at least 4", reps, had, 4*reps)
		}
	})
}

// TestLeastLoaded: nobody with more open leads than another free rep is ever picked, and
// equals have turns.
func TestLeastLoaded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reps := rapid.IntRange(1, 6).Draw(t, "reps")
		f := newFloor(t, plan.LeastLoaded, make([]float64, reps))
		loads := make([]int, reps)
		for n := range 60 {
			switch { // loads change as leads come and go; the policy may have had another strategy
			case rapid.IntRange(0, 3).Draw(t, "changes") == 0:
				i := rapid.IntRange(0, reps-1).Draw(t, "rep")
				loads[i] = rapid.IntRange(0, 5).Draw(t, "load")
				s := desk.State{Profile: leadroute.Rep{ID: repID(i)}, Status: leadroute.StatusAvailable, Version: int64(n + 2)}
				for k := range loads[i] {
					s.Held = append(s.Held, desk.Claim{Lead: leadroute.LeadID(fmt.Sprint("H", i, "_", k)), Rev: 1, Try: 1})
				}
				f.set(i, s)
			case rapid.IntRange(0, 9).Draw(t, "other strategy") == 0:
				f.pool.Strategy = plan.RoundRobin
				f.offer(t, leadroute.Offer{Declined: &leadroute.Answer{Claim: leadroute.ClaimID{Rep: repID(0)}, Reason: "full"}})
				f.pool.Strategy = plan.LeastLoaded
			}
			who := f.offer(t, leadroute.Offer{})
			i := slices.Index(f.pool.Members, who)
			if loads[i] > slices.Min(loads) {
				t.Fatalf("turn %d: %s with %d open leads was picked among %v", n, who, loads[i], loads)
			}
		}
		clear(loads)
		for i := range reps {
			f.set(i, desk.State{Profile: leadroute.Rep{ID: repID(i)}, Status: leadroute.StatusAvailable, Version: 1000})
		}
		for range 3 * reps {
			loads[slices.Index(f.pool.Members, f.offer(t, leadroute.Offer{}))]++
		}
		if slices.Max(loads)-slices.Min(loads) > 1 {
			t.Fatalf("equals had %v leads", loads)
		}
	})
}

// TestAvoidAndCopies: the rep from whom the lead was taken is asked only if nobody else is
// free, and a replayed offer meets the same rep and takes no turn.
func TestAvoidAndCopies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reps := rapid.IntRange(1, 4).Draw(t, "reps")
		f := newFloor(t, rapid.SampledFrom([]plan.Strategy{plan.RoundRobin, plan.Weighted, plan.LeastLoaded}).Draw(t, "strategy"), make([]float64, reps))
		for range 30 {
			avoid := repID(rapid.IntRange(0, reps-1).Draw(t, "avoid"))
			who := f.offer(t, leadroute.Offer{Avoid: avoid})
			if who == "" || who == avoid && reps > 1 {
				t.Fatalf("avoiding %s among %d: %q was asked", avoid, reps, who)
			}
			row := string(f.row)
			f.n--
			if again := f.offer(t, leadroute.Offer{Avoid: avoid}); again != who || string(f.row) != row {
				t.Fatalf("the same offer again asked %s, want %s; row %s, want %s", again, who, f.row, row)
			}
		}
	})
}
