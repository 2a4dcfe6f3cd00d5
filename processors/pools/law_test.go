package pools

import (
	"fmt"
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
// that ticks weight times per unit of time, the earliest tick after the last one has the lead.
type reference struct {
	at  *big.Rat
	who int
}

func (r *reference) next(weights []float64, free func(int) bool) int {
	best, when := -1, new(big.Rat)
	for i, w := range weights {
		if !free(i) {
			continue
		}
		if w == 0 {
			w = 1
		}
		rate := new(big.Rat).SetInt64(int64(w*1000 + 0.5))
		step := new(big.Rat).Inv(rate)
		// The tick at or before the last turn, and from there the first one that lies after it.
		k := new(big.Int).Div(new(big.Rat).Mul(r.at, rate).Num(), new(big.Rat).Mul(r.at, rate).Denom())
		tick := new(big.Rat).Mul(new(big.Rat).SetInt(k), step)
		for tick.Cmp(r.at) < 0 || tick.Cmp(r.at) == 0 && (i <= r.who || tick.Sign() == 0) {
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
			want := repID(ref.next(weights, free))
			i, next := strategy.Pick(turn, among)
			if among[i].Rep != want {
				t.Fatalf("turn %d: %s.Pick(%+v, %v) = %s, want %s", n, strategy.Name(), turn, among, among[i].Rep, want)
			}
			if turn = next; turn.Num <= 0 || turn.Num > turn.Den || turn.Den > 1e6 {
				t.Fatalf("turn %d: %+v, want a time within one unit", n, turn)
			}
		}
	})
}

// TestRoundRobinIsFair: over any window of turns the leads of reps who are always free
// differ by at most one, whoever else comes and goes; and one who comes back gets no more
// than they do, plus one.
func TestRoundRobinIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		always, others := rapid.IntRange(1, 6).Draw(t, "always free"), rapid.IntRange(0, 4).Draw(t, "others")
		f := newFloor(t, plan.RoundRobin, make([]float64, always+others))
		perm := rapid.Permutation(seq(always+others)).Draw(t, "who")
		var picks []int
		back := make([]int, always+others) // since which turn the rep has been free
		away := map[int]bool{}
		for n := range rapid.IntRange(20, 80).Draw(t, "turns") {
			for _, i := range perm[always:] {
				if rapid.IntRange(0, 5).Draw(t, "changes") > 0 {
					continue
				}
				status := leadroute.StatusAvailable
				if away[i] = !away[i]; away[i] {
					status = leadroute.StatusAway
				}
				back[i] = n
				f.set(i, desk.State{Profile: leadroute.Rep{ID: repID(i)}, Status: status, Version: int64(n + 2)})
			}
			who := f.offer(t, leadroute.Offer{})
			picks = append(picks, slices.IndexFunc(f.pool.Members, func(r leadroute.RepID) bool { return r == who }))
			// Every window that ends here.
			counts := make([]int, always+others)
			for from := n; from >= 0; from-- {
				counts[picks[from]]++
				for _, i := range perm[:always] {
					for _, j := range perm {
						steady := back[j] <= from && !away[j]
						if slices.Contains(perm[:always], j) {
							steady = true
						}
						if steady && (counts[i]-counts[j] > 1 || counts[j]-counts[i] > 1) || counts[j]-counts[i] > 1 {
							t.Fatalf("turns %d to %d: %s had %d leads and %s %d: %v", from, n, repID(i), counts[i], repID(j), counts[j], picks[from:])
						}
					}
				}
			}
		}
	})
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// TestWeightedIsFair: over any window of turns each rep is within one lead of its due,
// weight times one span of time that is the same for all.
func TestWeightedIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.SampledFrom([]float64{0.5, 1, 2, 3, 4.5, 10}), 1, 6).Draw(t, "weights")
		f := newFloor(t, plan.Weighted, weights)
		var picks []int
		for n := range 60 {
			who := f.offer(t, leadroute.Offer{})
			picks = append(picks, slices.Index(f.pool.Members, who))
			counts := make([]float64, len(weights))
			for from := n; from >= 0; from-- {
				counts[picks[from]]++
				// |n_i - w_i*T| <= 1 for one T: the spans that each rep allows must meet.
				lo, hi := 0.0, 1e18
				for i, w := range weights {
					lo, hi = max(lo, (counts[i]-1)/w), min(hi, (counts[i]+1)/w)
				}
				if lo > hi+1e-9 {
					t.Fatalf("turns %d to %d, weights %v: leads %v are further than one from what is due: %v", from, n, weights, counts, picks[from:])
				}
			}
		}
		// Over whole rounds the shares are exact.
		total, counts := 0.0, make([]float64, len(weights))
		for _, w := range weights {
			total += w
		}
		for range int(total * 2) {
			counts[slices.Index(f.pool.Members, f.offer(t, leadroute.Offer{}))]++
		}
		for i, w := range weights {
			if d := counts[i] - 2*w; d < -1 || d > 1 {
				t.Fatalf("weights %v: in %v leads rep %d had %v, want %v within one", weights, total*2, i, counts[i], 2*w)
			}
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
