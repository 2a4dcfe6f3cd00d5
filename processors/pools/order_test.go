package pools

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/internal/transcript"
)

// shared is some pools that share their reps, at any of which anything may happen.
type shared struct {
	p       *plan.Plan
	r       *Roster
	rows    map[leadroute.PoolID]*State
	desks   map[leadroute.RepID]*desk.State
	names   []leadroute.PoolID
	now     leadroute.Millis
	version int64
	leads   int
}

func drawShared(t *rapid.T) *shared {
	t.Helper()
	s := &shared{
		r: NewRoster(), rows: map[leadroute.PoolID]*State{}, desks: map[leadroute.RepID]*desk.State{}, now: transcript.Start,
		p: &plan.Plan{
			ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{}, Hours: map[string]*plan.Hours{}, Classes: []plan.Class{{Name: "P0"}, {Name: "P1"}},
		},
	}
	office := &plan.Hours{Name: "office", Zone: time.UTC}
	for d := range office.Week {
		office.Week[d] = []plan.Span{{From: 9 * 60, Until: 10*60 + 30}, {From: 10*60 + 40, Until: 17 * 60}}
	}
	s.p.Hours["office"] = office
	reps := rapid.IntRange(1, 24).Draw(t, "reps")
	for i := range rapid.IntRange(1, 3).Draw(t, "pools") {
		pool := &plan.Pool{
			Name:     leadroute.PoolID(fmt.Sprint("pool", i)),
			Strategy: rapid.SampledFrom([]plan.Strategy{plan.RoundRobin, plan.Weighted, plan.LeastLoaded}).Draw(t, "strategy"),
			Where:    func(r *leadroute.Rep) bool { return r.Team == "" || r.Team == fmt.Sprint("pool", i) },
			Caps:     leadroute.Caps{Open: rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "pool's cap"), PerHour: rapid.SampledFrom([]int{0, 0, 2}).Draw(t, "an hour")},
		}
		pool.CatchUp = rapid.SampledFrom([]plan.CatchUp{plan.CatchUpNone, plan.CatchUpAverage, plan.CatchUpFull}).Draw(t, "catch_up")
		pool.MinPresent = rapid.SampledFrom([]int{0, 0, 2}).Draw(t, "min_present")
		if rapid.IntRange(0, 2).Draw(t, "ramp") == 0 {
			pool.Ramp = plan.Ramp{Weeks: 1, From: 0.2}
		}
		if rapid.IntRange(0, 3).Draw(t, "hours") == 0 {
			pool.Hours = office
		}
		if rapid.IntRange(0, 2).Draw(t, "cost") == 0 {
			pool.Cost = map[leadroute.Class]int{"P0": 2}
		}
		if rapid.IntRange(0, 2).Draw(t, "require") == 0 {
			pool.Require = regionIs("EMEA")
		}
		if rapid.IntRange(0, 2).Draw(t, "prefer") == 0 {
			pool.Prefer = regionIs("APAC")
		}
		s.p.Pools[pool.Name] = pool
		s.names = append(s.names, pool.Name)
	}
	for i := range reps {
		s.hire(t, i)
	}
	return s
}

// regionIs is a condition on the rep alone: rep.region is another region than that.
func regionIs(not string) *plan.PairCond {
	l := plan.NewLayout()
	slot := l.Fact("rep.region", plan.TypeString)
	field := plan.TextField(slot, "rep.region")
	return plan.Pair(l, plan.Cond{
		Op:    plan.OpAtom,
		True:  func(r *plan.Record) bool { return field.Of(r) != not },
		False: func(r *plan.Record) bool { return field.Of(r) == not },
	})
}

func (s *shared) hire(t *rapid.T, i int) {
	t.Helper()
	s.version++
	id := repID(i)
	st := &desk.State{Status: leadroute.StatusAvailable, Version: s.version, Profile: leadroute.Rep{
		ID: id, Weight: rapid.SampledFrom([]float64{0, 1, 1, 2, 0.5}).Draw(t, "weight"), Region: rapid.SampledFrom([]string{"EMEA", "APAC", "AMER"}).Draw(t, "region"),
		Caps:      leadroute.Caps{Open: rapid.SampledFrom([]int{0, 1, 3, 5}).Draw(t, "cap"), PerHour: rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "an hour"), PerDay: rapid.SampledFrom([]int{0, 0, 0, 4}).Draw(t, "a day")},
		Hours:     rapid.SampledFrom([]string{"", "", "office"}).Draw(t, "hours"),
		Team:      rapid.SampledFrom([]string{"", "", "pool0"}).Draw(t, "team"),
		StartedOn: rapid.SampledFrom([]string{"", "", "2026-01-12"}).Draw(t, "started"),
		Cost:      rapid.SampledFrom([]map[leadroute.Class]int{nil, nil, {"P0": 2, "P1": 3}}).Draw(t, "own cost"),
	}}
	if rapid.IntRange(0, 5).Draw(t, "busy") == 0 {
		st.Status, st.StatusUntil = leadroute.StatusBusy, s.now+leadroute.Millis(rapid.Int64Range(1, 3_600_000).Draw(t, "until"))
	}
	if old := s.desks[id]; old != nil {
		st.Held, st.Taken = old.Held, old.Taken
	}
	s.desks[id] = st
	s.show(id)
}

// show lets the view know a row, as it comes: decoded anew.
func (s *shared) show(id leadroute.RepID) {
	b, err := leadroute.Encode(s.desks[id])
	if err != nil {
		panic(err)
	}
	st, err := leadroute.Decode[desk.State](b)
	if err != nil {
		panic(err)
	}
	s.r.Update(id, st)
}

// happen is something that happens to a rep, or to the time.
func (s *shared) happen(t *rapid.T) {
	t.Helper()
	i := rapid.IntRange(0, len(s.desks)-1).Draw(t, "whom")
	id := repID(i)
	st := s.desks[id]
	s.version++
	shown := true
	switch rapid.IntRange(0, 11).Draw(t, "what") {
	case 0:
		st.Status = rapid.SampledFrom([]leadroute.RepStatus{leadroute.StatusAvailable, leadroute.StatusAvailable, leadroute.StatusAway, leadroute.StatusOff}).Draw(t, "status")
	case 1:
		st.Paused = s.now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "pause")) * time.Second)
	case 2, 3:
		if len(st.Held) > 0 {
			st.Held = st.Held[1:]
		}
	case 4:
		s.hire(t, i)
		return
	case 5:
		s.r.Update(id, nil)
		return
	case 6: // says something before the view knows
		s.r.Said(&leadroute.Answer{
			Claim: leadroute.ClaimID{Lead: "x", Rep: id}, Version: s.version, Open: rapid.IntRange(0, 4).Draw(t, "open"), At: s.now,
			Pool: s.names[0], OpenInPool: rapid.IntRange(0, 2).Draw(t, "open in the pool"),
			Status: rapid.SampledFrom([]leadroute.RepStatus{leadroute.StatusAvailable, leadroute.StatusAway}).Draw(t, "status"),
		})
		shown = false
	case 7:
		s.now = s.now.Add(time.Duration(rapid.SampledFrom([]int{1, 6, 61, 601, 3601, 86400}).Draw(t, "seconds")) * time.Second)
		return
	case 8:
		s.now = s.now.Add(-time.Duration(rapid.SampledFrom([]int{1, 30, 700}).Draw(t, "back")) * time.Second) // a replay
		return
	default:
		shown = false
	}
	if shown {
		st.Version = s.version
		s.show(id)
	}
}

// TestTheOrderIsTheScan: whatever happens to reps that pools share, the order picks whom a
// look at every member picks, and leaves the same row.
func TestTheOrderIsTheScan(t *testing.T) {
	picked, nobody := 0, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		s := drawShared(t)
		for n := range rapid.IntRange(10, 120).Draw(t, "offers") {
			for range rapid.IntRange(0, 2).Draw(t, "happens") {
				s.happen(t)
			}
			s.now += leadroute.Millis(rapid.IntRange(0, 3000).Draw(t, "ms"))
			name := rapid.SampledFrom(s.names).Draw(t, "pool")
			pool := s.p.Pools[name]
			by := strategyOf(pool, &leadroute.Offer{Strategy: rapid.SampledFrom([]string{"", "", "", "least_loaded", "weighted"}).Draw(t, "target's strategy")})
			s.leads++
			o := &leadroute.Offer{Lead: leadroute.LeadID(fmt.Sprint("L", s.leads)), Rev: 1, Try: 1, Pool: name, Class: rapid.SampledFrom([]leadroute.Class{"P0", "P1", "old"}).Draw(t, "class")}
			if rapid.IntRange(0, 4).Draw(t, "avoid") == 0 {
				o.Avoid, o.Strict = repID(rapid.IntRange(0, len(s.desks)-1).Draw(t, "whom")), rapid.Bool().Draw(t, "strict")
			}
			if rapid.IntRange(0, 6).Draw(t, "declined") == 0 {
				o.Declined = &leadroute.Answer{Claim: leadroute.ClaimID{Rep: repID(rapid.IntRange(0, len(s.desks)-1).Draw(t, "by"))}}
			}
			row := s.rows[name]
			if row == nil {
				row = &State{}
			}
			if rapid.IntRange(0, 9).Draw(t, "owed") == 0 {
				row.refund(&leadroute.Answer{Claim: leadroute.ClaimID{Rep: repID(rapid.IntRange(0, len(s.desks)-1).Draw(t, "whom"))}})
			}
			ref := clone(t, row)
			want, wantNo := ref.byScan(s.r, s.p, pool, by, o, s.now)
			got, no := row.byOrder(s.r, s.p, pool, by, o, s.now)
			if got != want || no != wantNo || !reflect.DeepEqual(clone(t, row), clone(t, ref)) {
				t.Fatalf("offer %d of %s by %s at %s: order %q %q, row %+v; scan %q %q, row %+v", n, name, by.Name(), transcript.Clock(s.now), got, no, row, want, wantNo, ref)
			}
			s.rows[name] = row
			if got == "" {
				nobody[no]++
				continue
			}
			picked++
			row.Recent = append(row.Recent[max(0, len(row.Recent)-recentMax+1):], Pick{Offer: offerKey(o), Rep: got})
			s.take(t, o, got, pool)
		}
	})
	if picked < 500 || len(nobody) < 3 {
		t.Errorf("%d picks, and nobody for %v: the worlds are too poor", picked, nobody)
	}
}

// take lets the rep take the lead, or not, and the view know of it, or not.
func (s *shared) take(t *rapid.T, o *leadroute.Offer, id leadroute.RepID, pool *plan.Pool) {
	t.Helper()
	claim := claimID(o, id)
	s.r.Picked(claim, pool, o.Class, s.now)
	fate := rapid.IntRange(0, 5).Draw(t, "fate")
	if fate == 0 {
		return // lost, or on its way
	}
	st := s.desks[id]
	s.version++
	st.Version = s.version
	st.Held = append(st.Held, desk.Claim{Lead: o.Lead, Rev: 1, Try: 1, Pool: pool.Name, At: s.now, Cost: pool.CostOf(o.Class), Own: st.Profile.CostOf(o.Class)})
	st.Taken = append(st.Taken, desk.Took{Key: offerKey(o), Pool: pool.Name, At: s.now})
	if fate > 1 {
		s.show(id)
	}
}

func clone(t *rapid.T, s *State) *State {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var c State
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// TestSameRep: every field of a profile counts.
func TestSameRep(t *testing.T) {
	full := func() *leadroute.Rep {
		return &leadroute.Rep{
			ID: "a", Email: "e", CRMID: "c", Name: "n", Team: "t", Region: "r", Timezone: "z", Hours: "h", Skills: []string{"s"}, Languages: []string{"l"}, Weight: 2,
			StartedOn: "2026-01-14", Caps: leadroute.Caps{Open: 1}, Cost: map[leadroute.Class]int{"P0": 2}, Shifts: leadroute.Shifts{{{From: 1, Until: 2}}},
			Holidays: []string{"de"}, Away: make([]leadroute.Away, 1), Attrs: map[string]any{"x": []any{"y"}},
		}
	}
	if !sameRep(full(), full()) {
		t.Error("equal profiles differ")
	}
	v := reflect.ValueOf(full()).Elem()
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not set here", v.Type().Field(i).Name)
		}
		one := full()
		reflect.ValueOf(one).Elem().Field(i).SetZero()
		if sameRep(one, full()) {
			t.Errorf("profiles of which one lacks %s are the same", v.Type().Field(i).Name)
		}
	}
}
