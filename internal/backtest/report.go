package backtest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Report is what came of a run.
type Report struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	Leads int       `json:"leads"`
	// Unreadable lines are no leads; Refused leads would not pass the policy's door;
	// Duplicates repeat an id. Only the others are played. Dropped are of a person who came
	// before, and count nowhere else.
	Unreadable    int    `json:"unreadable,omitempty"`
	UnreadableWhy string `json:"unreadable_why,omitempty"`
	Refused       int    `json:"refused,omitempty"`
	RefusedWhy    string `json:"refused_why,omitempty"`
	Duplicates    int    `json:"duplicates,omitempty"`
	Dropped       int    `json:"dropped,omitempty"`

	AtOnce     int `json:"assigned_at_once"`
	Waited     int `json:"assigned_after_wait"`
	Unassigned int `json:"unassigned"`
	NoRule     int `json:"no_rule"`
	Reassigned int `json:"reassigned"`
	SLAMissed  int `json:"sla_missed"`

	Moved   *Moved   `json:"moved,omitempty"`
	Classes []Class  `json:"priorities"`
	Pools   []Pool   `json:"pools"`
	Reps    []Rep    `json:"reps"` // most leads first
	Samples []Sample `json:"samples"`

	byRep  map[leadroute.RepID]int
	byPool map[leadroute.PoolID]map[leadroute.RepID]int
}

// Class is how a priority class fared. Waits are from the lead's emit, or receipt, to its
// first owner, in milliseconds, of the leads that found one.
type Class struct {
	Class    leadroute.Class `json:"priority"`
	Leads    int             `json:"leads"`
	Assigned int             `json:"assigned"`
	Within   int64           `json:"deliver_within_ms,omitempty"`
	Missed   int             `json:"sla_missed"`
	P50      int64           `json:"wait_p50_ms"`
	P95      int64           `json:"wait_p95_ms"`
	P99      int64           `json:"wait_p99_ms"`
	waits    []int64
}

// Pool is how evenly a pool gave its leads out.
type Pool struct {
	Pool     leadroute.PoolID `json:"pool"`
	Strategy plan.Strategy    `json:"strategy"`
	Members  int              `json:"members"`
	Assigned int              `json:"assigned"`
	Least    int              `json:"least"`
	Most     int              `json:"most"`
	// Spread is the most less the least, for a weighted pool per unit of weight.
	Spread float64 `json:"spread"`
	// Busy is the share of its members' time on shift with at least one lead on the desk,
	// Open how many leads a member on shift has there on average.
	Busy float64 `json:"busy"`
	Open float64 `json:"open"`
}

// Rep is a rep's load.
type Rep struct {
	Rep      leadroute.RepID `json:"rep"`
	Assigned int             `json:"assigned"`
	Peak     int             `json:"peak_open"`
	Busy     float64         `json:"busy"`
}

// Sample is the floor at one time.
type Sample struct {
	At      time.Time `json:"at"`
	Waiting int       `json:"waiting"`
	Busy    int       `json:"busy"` // reps on shift with a lead on the desk
	OnShift int       `json:"on_shift"`
}

// samples is how many are taken while leads come, at most.
const samples = 480

func (r *Report) take(rep leadroute.RepID, pool leadroute.PoolID) {
	if r.byRep == nil {
		r.byRep, r.byPool = map[leadroute.RepID]int{}, map[leadroute.PoolID]map[leadroute.RepID]int{}
	}
	r.byRep[rep]++
	if pool != "" {
		if r.byPool[pool] == nil {
			r.byPool[pool] = map[leadroute.RepID]int{}
		}
		r.byPool[pool][rep]++
	}
}

// figures adds up what became of the leads.
func (r *run) figures() {
	out := r.report
	classes := map[leadroute.Class]*Class{}
	for i := range r.o.Plan.Classes {
		c := &r.o.Plan.Classes[i]
		classes[c.Name] = &Class{Class: c.Name, Within: c.DeliverWithin.Milliseconds()}
	}
	for i := range r.leads {
		l := &r.leads[i]
		if l.dropped {
			continue
		}
		c := classes[l.class]
		if c == nil {
			c = &Class{Class: l.class}
			classes[l.class] = c
		}
		r.add(l, c)
	}
	for i := range r.o.Plan.Classes {
		c := classes[r.o.Plan.Classes[i].Name]
		slices.Sort(c.waits)
		c.P50, c.P95, c.P99 = quantile(c.waits, 50), quantile(c.waits, 95), quantile(c.waits, 99)
		out.SLAMissed += c.Missed
		out.Classes = append(out.Classes, *c)
	}
	out.Moved, out.Samples = r.moved.told(), r.floor.samples
	for _, name := range poolNames(r.o.Plan) {
		out.Pools = append(out.Pools, r.pool(r.o.Plan.Pools[name]))
	}
	out.Reps = []Rep{}
	for _, id := range r.floor.ids {
		d := r.floor.duty[id]
		out.Reps = append(out.Reps, Rep{Rep: id, Assigned: out.byRep[id], Peak: d.peak, Busy: share(d.busy, d.onShift)})
	}
	slices.SortFunc(out.Reps, func(a, b Rep) int {
		return cmp.Or(cmp.Compare(b.Assigned, a.Assigned), cmp.Compare(a.Rep, b.Rep))
	})
}

func (r *run) add(l *outcome, c *Class) {
	c.Leads++
	if l.reassigned {
		r.report.Reassigned++
	}
	if l.was != "" && l.rep != "" && l.was != l.rep {
		r.moved.sum.OtherRep++
	}
	switch {
	case l.noRule:
		r.report.NoRule++
		return
	case l.assigned == 0:
		r.report.Unassigned++
	case l.queued:
		r.report.Waited++
	default:
		r.report.AtOnce++
	}
	late := l.assigned
	if l.assigned == 0 {
		late = r.floor.now
	} else {
		c.Assigned++
		c.waits = append(c.waits, leadroute.Elapsed(l.since, l.assigned))
	}
	if l.sla > 0 && late > l.since.Add(l.sla) {
		c.Missed++
	}
}

func (r *run) pool(p *plan.Pool) Pool {
	out := Pool{Pool: p.Name, Strategy: p.Strategy}
	var busy, onShift, open int
	lowest, highest := 0.0, 0.0
	for _, id := range r.floor.ids {
		rep := &r.floor.reps[id].Profile
		if !p.Member(rep) {
			continue
		}
		n := r.report.byPool[p.Name][id]
		per := float64(n) / weight(p, rep)
		if out.Members == 0 || n < out.Least {
			out.Least = n
		}
		if out.Members == 0 || per < lowest {
			lowest = per
		}
		out.Most, highest = max(out.Most, n), max(highest, per)
		out.Members++
		out.Assigned += n
		d := r.floor.duty[id]
		busy, onShift, open = busy+d.busy, onShift+d.onShift, open+d.open
	}
	out.Spread, out.Busy = highest-lowest, share(busy, onShift)
	if onShift > 0 {
		out.Open = float64(open) / float64(onShift)
	}
	return out
}

// weight is the rep's in a weighted pool, else 1.
func weight(p *plan.Pool, rep *leadroute.Rep) float64 {
	if p.Strategy != plan.Weighted {
		return 1
	}
	w := rep.Weight
	if p.WeightBy != nil {
		w = p.WeightBy(rep)
	}
	if w <= 0 {
		return 1
	}
	return w
}

func poolNames(p *plan.Plan) []leadroute.PoolID { return slices.Sorted(maps.Keys(p.Pools)) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// quantile is the nearest rank in a sorted list.
func quantile(sorted []int64, percent int) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max((len(sorted)*percent+99)/100, 1)-1]
}
