package plan

import "github.com/leadroute/leadroute"

// Cond is a compiled condition over a lead. True and False report "definitely true"
// and "definitely false"; with a missing field both may be false (undecided). The zero
// Cond always holds.
type Cond struct {
	True, False func(*Record) bool
	Source      string // as the author wrote it
}

// Holds reports whether the condition is definitely true.
func (c Cond) Holds(r *Record) bool { return c.True == nil || c.True(r) }

// RepCond is a compiled members_where: definitely true for this rep. Nil: nobody.
type RepCond func(*leadroute.Rep) bool

// RuleTarget is a target as a rule names it: fixed, or computed from the lead
// (territory.of_lead.pool, rep_by_id(...)). Of yields ok=false when it names nothing for this lead.
type RuleTarget struct {
	Of     func(*Record) (Target, bool)
	When   Cond
	Source string
}

// Live is what a condition may read of the live tables. It is a hint, never a guarantee.
type Live interface {
	// Available counts the pool's members who could take a lead now.
	Available(leadroute.PoolID) int
}
