package pools

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/reps"
)

// BenchmarkAssign is assignments: the pool picks, the rep takes it, the view shows it, and
// the rep is done with an older one. Two partitions of pools work side by side over one view of
// the reps, as on two cores of one instance; each rep is a member of up to twenty pools.
//
// For each strategy and number of pools it reports assignments/s with 10, 60 and 500 reps a
// pool; how much longer an assignment takes with 500 than with 10 (growth), and the power of
// the pool's size that this is (exponent: 1 is linear, 0 is none); the same growth where every
// member is looked at (scan-growth), and how many times as many assignments the order makes
// with 500 (x-scan). The variants take turns in rounds, so that a busy machine is busy for all
// of them; ratios are medians of the rounds. It runs for some seconds whatever b.N is.
func BenchmarkAssign(b *testing.B) {
	for _, strategy := range []plan.Strategy{plan.RoundRobin, plan.Weighted, plan.LeastLoaded, plan.BestFit} {
		for _, pools := range []int{1, 10, 1000} {
			b.Run(fmt.Sprintf("%s/pools=%d", strategy, pools), func(b *testing.B) { benchmarkGrowth(b, strategy, pools, 20) })
		}
	}
	// The worst there is: a thousand pools of the same five hundred reps.
	b.Run("least_loaded/shared-pools=1000", func(b *testing.B) { benchmarkGrowth(b, plan.LeastLoaded, 1000, 1000) })
}

// BenchmarkAssignUnderWishes is the same in one pool that prefers what one in ten reps has.
func BenchmarkAssignUnderWishes(b *testing.B) {
	for _, size := range []int{10, 60, 500} {
		b.Run(fmt.Sprintf("reps=%d", size), func(b *testing.B) {
			h := newHall(plan.RoundRobin, 1, size, 20)
			h.p.Pools["pool0"].Prefer = regionIs("EMEA") // those of any other region
			for b.Loop() {
				h.work(0, 1, 1)
			}
			b.ReportMetric(float64(h.done[0])/b.Elapsed().Seconds(), "assignments/s")
		})
	}
}

func benchmarkGrowth(b *testing.B, strategy plan.Strategy, pools, sharing int) {
	b.Helper()
	sizes := []int{10, 60, 500}
	const rounds, share, fewer = 5, 3000, 10
	var order, scan []*hall
	for _, size := range sizes {
		for _, scans := range []bool{false, true} {
			h := newHall(strategy, pools, size, sharing)
			h.both(share)
			if h.env.Roster.scan = scans; scans {
				scan = append(scan, h)
			} else {
				order = append(order, h)
			}
		}
	}
	took := map[*hall][]float64{}
	for range rounds {
		for i := range sizes {
			for _, h := range []*hall{order[i], scan[i]} {
				n := share
				if h.env.Roster.scan {
					n /= fewer
				}
				begun := time.Now()
				h.both(n)
				took[h] = append(took[h], float64(time.Since(begun).Nanoseconds())/float64(2*n))
			}
		}
	}
	ratio := func(a, b *hall) float64 {
		var all []float64
		for i := range rounds {
			all = append(all, took[a][i]/took[b][i])
		}
		slices.Sort(all)
		return all[rounds/2]
	}
	for i, size := range sizes {
		all := slices.Sorted(slices.Values(took[order[i]]))
		b.ReportMetric(1e9/all[rounds/2], fmt.Sprintf("%d-reps/s", size))
	}
	growth := ratio(order[2], order[0])
	b.ReportMetric(growth, "growth")
	b.ReportMetric(math.Log(growth)/math.Log(float64(sizes[2])/float64(sizes[0])), "exponent")
	b.ReportMetric(ratio(scan[2], scan[0]), "scan-growth")
	b.ReportMetric(ratio(scan[2], order[2]), "x-scan")
	b.ReportMetric(0, "ns/op")
	order[2].sizes(b)
}

// hall is a floor of pools on two partitions.
type hall struct {
	p     *plan.Plan
	env   Env
	reps  reps.Env
	names []leadroute.PoolID
	rows  []*State
	desks map[leadroute.RepID]*station
	done  [2]int
	held  [2][]leadroute.ClaimID
}

// station is a rep's desk with its owner's lock: the reps' partitions are not the pools'.
type station struct {
	sync.Mutex
	state *desk.State
}

func newHall(strategy plan.Strategy, pools, size, sharing int) *hall {
	h := &hall{p: &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{}, Classes: []plan.Class{{Name: "P0"}}}, rows: make([]*State, pools), desks: map[leadroute.RepID]*station{}}
	planOf := func(leadroute.PlanID) *plan.Plan { return h.p }
	h.env, h.reps = Env{Plan: planOf, Roster: NewRoster()}, reps.Env{Plan: planOf}
	all := max(size, pools*size/sharing)
	for i := range pools {
		pool := &plan.Pool{Name: leadroute.PoolID(fmt.Sprint("pool", i)), Strategy: strategy, Caps: leadroute.Caps{Open: 20}}
		if strategy == plan.Weighted || strategy == plan.RoundRobin {
			pool.CatchUp = plan.CatchUpAverage
		}
		for r := range size {
			id := leadroute.RepID(fmt.Sprintf("rep%05d", (i*size/min(sharing, pools)+r)%all))
			pool.Members = append(pool.Members, id)
			if h.desks[id] == nil {
				region := "EMEA"
				if r%10 == 0 {
					region = "AMER"
				}
				h.desks[id] = &station{state: &desk.State{Status: leadroute.StatusAvailable, Profile: leadroute.Rep{ID: id, Region: region, Weight: float64(1 + r%4), Caps: leadroute.Caps{Open: 60}}}}
				h.show(h.desks[id])
			}
		}
		h.p.Pools[pool.Name] = pool
		h.names = append(h.names, pool.Name)
	}
	return h
}

func (h *hall) show(s *station) {
	view := *s.state
	view.Held = slices.Clone(view.Held)
	h.env.Roster.Update(view.Profile.ID, &view)
}

// both makes so many assignments on each of the two partitions. One pool is of one partition.
func (h *hall) both(n int) {
	if len(h.names) == 1 {
		h.work(0, 1, 2*n)
		return
	}
	var wg sync.WaitGroup
	for part := range 2 {
		wg.Go(func() { h.work(part, 2, n) })
	}
	wg.Wait()
}

func (h *hall) work(part, parts, n int) {
	for range n {
		i := (h.done[part]*parts + part) % len(h.names)
		h.done[part]++
		name := h.names[i]
		at := noon + leadroute.Millis(h.done[part])
		lead := leadroute.LeadID(fmt.Sprint("l", part, "-", h.done[part]))
		var out []leadroute.Effect
		h.rows[i], out = Apply(h.env, name, h.rows[i], &leadroute.PoolMessage{Offer: &leadroute.Offer{Lead: lead, Rev: 1, Try: 1, Pool: name, Class: "P0"}}, at)
		m, ok := out[0].Value.(*leadroute.RepMessage)
		if !ok {
			panic(fmt.Sprintf("nobody for %s in %s: %+v", lead, name, out[0].Value))
		}
		h.tell(m.Claim.ID.Rep, m, at)
		// As many are done as are given, soon, however many reps there are.
		if h.held[part] = append(h.held[part], m.Claim.ID); len(h.held[part]) > min(2*len(h.desks)/parts, 1000) {
			old := h.held[part][0]
			h.held[part] = h.held[part][1:]
			h.tell(old.Rep, &leadroute.RepMessage{Release: &leadroute.Release{Claim: old}}, at)
		}
	}
}

func (h *hall) tell(id leadroute.RepID, m *leadroute.RepMessage, at leadroute.Millis) {
	s := h.desks[id]
	s.Lock()
	defer s.Unlock()
	s.state, _ = reps.Apply(h.reps, id, s.state, m, at)
	h.show(s)
}

// sizes reports how large the rows have become, as they are written.
func (h *hall) sizes(b *testing.B) {
	b.Helper()
	report := func(name string, all []int) {
		if len(all) == 0 {
			return
		}
		slices.Sort(all)
		for _, q := range []struct {
			name string
			i    int
		}{{"p50", len(all) / 2}, {"p99", len(all) * 99 / 100}, {"max", len(all) - 1}} {
			b.ReportMetric(float64(all[q.i]), name+"-B-"+q.name)
		}
	}
	size := func(v any) int {
		row, err := leadroute.Encode(v)
		if err != nil {
			b.Fatal(err)
		}
		return len(row)
	}
	var rows, desks []int
	for _, s := range h.rows {
		if s != nil {
			rows = append(rows, size(s))
		}
	}
	for _, s := range h.desks {
		desks = append(desks, size(s.state))
	}
	report("pool", rows)
	report("rep", desks)
}
