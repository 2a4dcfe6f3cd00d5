package plan

import (
	"math"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
)

// Invariant is what must stay true of every lead for which When holds.
type Invariant struct {
	Name         string
	When, Expect Cond
	// Block refuses a policy that breaks it; else it is told.
	Block       bool
	Description string
	File        string
	Line        int
}

// The fields in which an invariant reads where the lead was assigned. No sender can fill
// them, for the blank in their names.
const (
	AssignedPool  = "assigned pool"
	AssignedQueue = "assigned queue"
	AssignedRep   = "assigned rep"
)

// NoneAssigned is the value of an assigned field that is known to be none: a lead in a
// queue has no pool, so that assigned.pool != pool.x is true of it and not undecided.
const NoneAssigned = "-"

// AssignedSlot is the place of an assigned field.
func (l *Layout) AssignedSlot(field string) Slot { return l.Decided(field) }

// Assigned tells a decided record where its lead is assigned, for the invariants to read;
// the zero target says that it is nowhere. The rep whom a pool will pick is not known.
func (p *Plan) Assigned(r *Record, t Target) {
	r.assigned = t
	or := func(v string) string {
		if v == "" {
			return NoneAssigned
		}
		return v
	}
	r.decided(AssignedPool, or(string(t.Pool)))
	r.decided(AssignedQueue, or(string(t.Queue)))
	rep := or(string(t.Rep))
	if t.Pool != "" {
		rep = ""
	}
	r.decided(AssignedRep, rep)
}

// Broken returns the invariants that do not hold of a record that was decided and
// assigned. One whose expectation is undecided is broken, too.
func (p *Plan) Broken(r *Record) []*Invariant {
	var broken []*Invariant
	for i := range p.Invariants {
		if v := &p.Invariants[i]; v.When.Holds(r) && !v.Expect.Holds(r) {
			broken = append(broken, v)
		}
	}
	return broken
}

// Staffed is a Live that knows the hours: whether somebody at the target can take a lead
// within that time. Without one, staffed_within is undecided.
type Staffed interface {
	StaffedWithin(t Target, within time.Duration) (staffed, known bool)
}

// StaffedWithin holds when somebody can take the lead in time: at the pool, or, where
// that is empty, where the lead is assigned.
func StaffedWithin(pool leadroute.PoolID, within time.Duration) Cond {
	subject := "assigned"
	if pool != "" {
		subject = "pool." + string(pool)
	}
	asked := func(r *Record) tri {
		live, ok := r.live.(Staffed)
		if !ok {
			return 0
		}
		t := r.assigned
		if pool != "" {
			t = Target{Pool: pool}
		}
		staffed, known := live.StaffedWithin(t, within)
		if !known {
			return 0
		}
		return triOf(staffed)
	}
	return atom(Atom{
		Test: "staffed_within", Subject: subject, Needs: "to find somebody within " + strconv.Quote(within.String()),
		Numbers: []float64{math.Round(within.Seconds())}, Actual: func(r *Record) string { return asked(r).String() },
	}, func(r *Record) bool { return asked(r) == triTrue }, func(r *Record) bool { return asked(r) == triFalse })
}
