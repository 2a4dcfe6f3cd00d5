package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// drawPlan draws a policy: two classes, two or three pools with tight caps over
// overlapping reps, a queue that drains and bounds its wait, one or two destinations.
func (w *World) drawPlan(version int) *plan.Plan {
	p := &plan.Plan{
		ID: leadroute.PlanID(fmt.Sprint("plan-", version)), Name: "sim", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{}, Queues: map[leadroute.QueueID]*plan.Queue{},
		MaxAge: 1000 * time.Hour, DedupeWindow: 2000 * time.Hour,
		Classes: []plan.Class{{Name: "P0", DeliverWithin: time.Minute}, {Name: "P1", DeliverWithin: 5 * time.Minute}},
		Destinations: []plan.Destination{{
			Name: "crm", Primary: true, Attempts: 2 + w.rng.IntN(5), BackoffMin: 100 * time.Millisecond, BackoffMax: 5 * time.Second,
		}},
	}
	if w.chance(2) {
		p.Classes[0].Steps = append(p.Classes[0].Steps, plan.Step{
			Name: "take_away", Every: time.Minute, Reassign: true, AtMost: w.rng.IntN(3), Pause: time.Duration(w.rng.IntN(3)) * time.Minute, Notify: []string{"managers"},
		})
	}
	if w.chance(3) {
		p.Classes[0].Steps = append(p.Classes[0].Steps, plan.Step{
			Name: "hand_over", After: time.Duration(1+w.rng.IntN(60)) * time.Second, Reassign: true, Pause: 2 * time.Minute, Notify: []string{"owner", "managers"},
		})
	}
	if w.chance(3) {
		to := []plan.Target{{Pool: "a"}, {Rep: "r0"}, {Queue: "backlog"}}[w.rng.IntN(3)]
		p.Classes[1].Steps = append(p.Classes[1].Steps, plan.Step{Name: "page", After: 90 * time.Second, Reassign: true, To: &to, Notify: []string{"duty"}})
	}
	if w.chance(2) {
		p.Classes[0].RespondWithin = 30 * time.Second
	}
	for _, name := range []string{"managers", "duty"} {
		p.Channels = append(p.Channels, plan.Channel{Name: name, Ways: []plan.Way{{Kind: plan.WayPager, Resolve: w.chance(2)}}})
	}
	if w.chance(3) {
		w.accept = 20 * time.Second
	}
	if w.chance(3) {
		p.Destinations = append(p.Destinations, plan.Destination{Name: "warehouse", Attempts: 3, BackoffMin: time.Second, BackoffMax: time.Second})
	}
	strategies := []plan.Strategy{plan.RoundRobin, plan.Weighted, plan.LeastLoaded, plan.Claim, plan.BestFit}
	names := []leadroute.PoolID{"a", "b", "c"}[:2+w.rng.IntN(2)]
	for i, name := range names {
		pool := &plan.Pool{Name: name, Strategy: strategies[w.rng.IntN(len(strategies))]}
		if w.chance(2) {
			pool.Notify = []string{"floor"}
		}
		if pool.Strategy == plan.BestFit {
			pool.Model, pool.Explore = w.drawModel(), float64(w.rng.IntN(3))/2
		}
		for r := range w.opt.Reps {
			if r%len(names) == i || w.chance(2) {
				pool.Members = append(pool.Members, leadroute.RepID(repName(r)))
			}
		}
		if len(pool.Members) == 0 {
			pool.Members = []leadroute.RepID{leadroute.RepID(repName(0))} // else its leads could wait for ever
		}
		if w.chance(2) {
			pool.Caps.Open = 1 + w.rng.IntN(2)
		}
		if w.chance(4) {
			pool.Caps.PerHour = 2 + w.rng.IntN(3)
		}
		roomy := slices.ContainsFunc(pool.Members, func(r leadroute.RepID) bool { return r != "r0" && r != "r3" }) // a cap of 2 or more
		if roomy && pool.Caps.Open != 1 && w.chance(3) {
			pool.Cost = map[leadroute.Class]int{"P0": 2}
		}
		if w.chance(4) {
			pool.MinPresent = 1 + w.rng.IntN(len(pool.Members))
		}
		pool.CatchUp = []plan.CatchUp{plan.CatchUpNone, plan.CatchUpAverage, plan.CatchUpFull}[w.rng.IntN(3)]
		p.Pools[name] = pool
	}
	if then := []plan.DedupeThen{"", plan.Drop, plan.SameOwner, plan.MergeEvent}[w.rng.IntN(4)]; then != "" {
		p.Dedupe = plan.NewDedupe([]string{"email", "phone"}, day, then)
		p.Dedupe.Notify = []string{"managers"}
	}
	if w.chance(2) {
		p.Accounts = w.drawAccounts()
	}
	w.drawQueues(p, names)
	return p
}

// drawQueues draws two queues, which may drain into the same pool and may be a chain.
func (w *World) drawQueues(p *plan.Plan, names []leadroute.PoolID) {
	orders := []plan.QueueOrder{plan.ByDeadline, plan.ByPriority, plan.ByArrival}
	q := &plan.Queue{Name: "backlog", Order: orders[w.rng.IntN(3)]}
	if w.chance(2) {
		q.DrainTo = []leadroute.PoolID{names[0]}
	}
	if w.chance(3) {
		q.MaxWait, q.Then = time.Minute, &plan.Target{Pool: names[1]}
	}
	p.Queues[q.Name] = q
	late := &plan.Queue{Name: "late", Order: orders[w.rng.IntN(3)]}
	switch w.rng.IntN(4) {
	case 0:
		late.DrainTo = []leadroute.PoolID{"nowhere", names[0]} // a pool that is gone
	case 1:
		late.DrainTo = []leadroute.PoolID{names[1], names[0]}
	case 2:
		late.MaxWait, late.Then = time.Minute, &plan.Target{Rep: "r0"}
	}
	if q.Then != nil && w.chance(2) {
		q.Then = &plan.Target{Queue: late.Name}
	}
	p.Queues[late.Name] = late
	for _, q := range []*plan.Queue{q, late} {
		if w.chance(2) {
			q.CRMID = "crm-" + string(q.Name)
		}
		if w.chance(2) {
			q.AlertAfter, q.Alert = time.Duration(1+w.rng.IntN(30))*time.Second, []string{"managers"}
		}
	}
}

var errBad = errors.New("a lead that no plan can read")

// decide is a policy that looks at the lead and, for some, at a table that changes between
// a decision and its replay.
func (w *World) decide(p *plan.Plan, l *leadroute.Lead, _ leadroute.Millis) (plan.Decision, error) {
	n := partitionOf(string(l.ID), 1<<16)
	d := plan.Decision{Class: p.Classes[n%2].Name, DeliverWithin: p.Classes[n%2].DeliverWithin, Rule: "r"}
	d.Seen, d.Company = w.findAccount(p, l)
	pool := func(i int) plan.Target { return plan.Target{Pool: []leadroute.PoolID{"a", "b", "c"}[i%len(p.Pools)]} }
	switch {
	case n%37 == 0:
		return plan.Decision{}, errBad
	case n%31 == 0:
		d.Rule = ""
		return d, nil
	case n%11 == 0 && d.Seen != nil && d.Seen.Account != nil && d.Seen.Account.Owner != "":
		d.Targets = []plan.Target{{Rep: d.Seen.Account.Owner}, pool(n)}
	case n%5 == 0: // the account's owner first; who that is may change
		rep := leadroute.RepID(repName((n/5 + w.epoch) % (w.opt.Reps + 1))) // one of them does not exist
		d.Targets = []plan.Target{{Rep: rep, EvenIfFull: n%10 == 0}, pool(n)}
	case n%7 == 0:
		d.Targets = []plan.Target{{Pool: "nowhere"}, pool(n)}
	default:
		d.Targets = []plan.Target{pool(n), pool(n + 1)}
	}
	if n%2 == 0 {
		d.Targets[0].Accept = w.accept
	}
	if last := len(d.Targets) - 1; n%11 == 0 {
		d.Targets[last].Strategy = plan.Claim
	}
	switch n % 6 {
	case 1, 2, 4:
		d.Targets = append(d.Targets, plan.Target{Queue: "backlog"})
	case 5:
		d.Targets = append(d.Targets, plan.Target{Queue: "late"})
	}
	return d, nil
}
