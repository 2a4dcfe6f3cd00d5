package pools

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/reps"
)

// BenchmarkAssign is an assignment: the pool picks, the rep takes it, the view shows it, and
// the rep is done with an older one. assignments/s is on one core; row-B are the sizes of
// the pools' rows.
func BenchmarkAssign(b *testing.B) {
	for _, strategy := range []plan.Strategy{plan.RoundRobin, plan.LeastLoaded} {
		for _, pools := range []int{1, 10, 1000} {
			for _, size := range []int{10, 60, 500} {
				b.Run(fmt.Sprintf("%s/pools=%d/reps=%d", strategy, pools, size), func(b *testing.B) { benchmarkAssign(b, strategy, pools, size) })
			}
		}
	}
}

func benchmarkAssign(b *testing.B, strategy plan.Strategy, count, size int) {
	b.Helper()
	p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{}}
	roster, desks, rows := NewRoster(), map[leadroute.RepID]*desk.State{}, make([]*State, count)
	for i := range count {
		pool := &plan.Pool{Name: leadroute.PoolID(fmt.Sprint("pool", i)), Strategy: strategy, Caps: leadroute.Caps{Open: 20}}
		for r := range size {
			id := leadroute.RepID(fmt.Sprintf("rep%d", (i*7+r)%max(size, 500))) // pools share their reps
			pool.Members = append(pool.Members, id)
			if desks[id] == nil {
				desks[id] = &desk.State{Profile: leadroute.Rep{ID: id}, Status: leadroute.StatusAvailable}
				roster.Update(id, desks[id])
			}
		}
		p.Pools[pool.Name] = pool
	}
	planOf := func(leadroute.PlanID) *plan.Plan { return p }
	env, repsEnv := Env{Plan: planOf, Roster: roster}, reps.Env{Plan: planOf}
	var held []leadroute.ClaimID
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		i := n % count
		name := leadroute.PoolID(fmt.Sprint("pool", i))
		n++
		at := noon + leadroute.Millis(n)
		var out []leadroute.Effect
		rows[i], out = Apply(env, name, rows[i], &leadroute.PoolMessage{Offer: &leadroute.Offer{Lead: leadroute.LeadID(fmt.Sprint("l", n)), Rev: 1, Try: 1, Pool: name}}, at)
		m, ok := out[0].Value.(*leadroute.RepMessage)
		if !ok {
			b.Fatalf("assignment %d: %+v", n, out[0].Value)
		}
		id := m.Claim.ID.Rep
		desks[id], _ = reps.Apply(repsEnv, id, desks[id], m, at)
		roster.Update(id, desks[id])
		if held = append(held, m.Claim.ID); len(held) > 2*size {
			old := held[0]
			held = held[1:]
			desks[old.Rep], _ = reps.Apply(repsEnv, old.Rep, desks[old.Rep], &leadroute.RepMessage{Release: &leadroute.Release{Claim: old}}, at)
			roster.Update(old.Rep, desks[old.Rep])
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "assignments/s")
	var sizes []int
	for _, s := range rows {
		if row, err := json.Marshal(s); err == nil && s != nil {
			sizes = append(sizes, len(row))
		}
	}
	slices.Sort(sizes)
	b.ReportMetric(float64(sizes[len(sizes)/2]), "row-B-p50")
	b.ReportMetric(float64(sizes[len(sizes)-1]), "row-B-max")
}
