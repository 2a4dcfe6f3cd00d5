package pools

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
)

func TestStandingsNameWhoIsNextAndWhyOthersAreNot(t *testing.T) {
	pool := &plan.Pool{Name: "emea", Strategy: plan.RoundRobin, Members: []leadroute.RepID{"ana", "ben", "cy", "dee", "fay", "gil"}, Caps: leadroute.Caps{Open: 1}}
	p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"emea": pool}}
	r := NewRoster()
	for id, s := range map[leadroute.RepID]*desk.State{
		"ana": {Status: leadroute.StatusAvailable},
		"ben": {Status: leadroute.StatusAway},
		"cy":  {Status: leadroute.StatusAvailable, Held: desk.Held{{Lead: "x", Pool: "emea"}}},
		"dee": {Status: leadroute.StatusAvailable},
		"fay": {Status: leadroute.StatusBusy, StatusUntil: 1_768_384_860_000},
		"gil": {Status: leadroute.StatusAvailable, Away: []leadroute.Away{{Until: leadroute.Moment{Day: 20260114}}}},
		"eve": {Status: leadroute.StatusAvailable}, // not a member
	} {
		s.Profile.ID = id
		r.Update(id, s)
	}
	turn := &State{Turn: Turn{Num: 1000, Den: 1000, Rep: "ana"}}
	before := *turn
	got := r.Standings(p, pool, turn, &leadroute.Offer{}, leadroute.Millis(1_768_384_800_000))
	want := []Standing{
		{Rep: "dee", Turn: 1},
		{Rep: "ana", Turn: 2},
		{Rep: "ben", Passed: "away"},
		{Rep: "cy", Open: 1, Passed: "pool_full"},
		{Rep: "fay", Passed: "busy", Until: 1_768_384_860_000},
		{Rep: "gil", Passed: "out_of_office", Until: 1_768_435_200_000},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got = r.Standings(p, pool, turn, &leadroute.Offer{Strategy: string(plan.Claim)}, leadroute.Millis(1_768_384_800_000))
	if d := cmp.Diff([]Standing{{Rep: "ana", Claims: true}, {Rep: "dee", Claims: true}, want[2], want[3], want[4], want[5]}, got); d != "" {
		t.Error("of a lead that is open to claim:", d)
	}
	if d := cmp.Diff(before, *turn); d != "" {
		t.Error("the pool's row was changed:", d)
	}
}
