// Package plan is what a policy compiles to: an immutable value that decides. It
// knows neither HCL nor Kafka. A plan is never changed; a new one is swapped in.
package plan

import (
	"slices"
	"sync"
	"time"

	"github.com/leadroute/leadroute"
)

// Plan is one compiled policy. Its parts are read-only; every method is safe for
// concurrent use.
type Plan struct {
	ID   leadroute.PlanID // hash of the source
	Name string
	Zone *time.Location // the policy's time zone, never nil

	Fields      []Field     // the lead's declared and envelope fields
	Layout      *Layout     // of the fields that conditions read
	Classes     []Class     // in order: the first whose When holds is the lead's class; the last holds always
	Territories []Territory // in order
	Rules       []Rule      // in order: the first whose When holds is taken
	Pools       map[leadroute.PoolID]*Pool
	Queues      map[leadroute.QueueID]*Queue
	Hours       map[string]*Hours
	Calendars   map[string]*Calendar
	Reps        []leadroute.Rep // rep blocks: written to the rep table at start
	// Destinations in order of declaration; exactly one is Primary unless there are none.
	Destinations []Destination
	Accounts     *AccountMatch // nil: no account lookup
	Channels     []Channel
	Overrides    []Override // in order: the first in force whose When holds is taken
	Invariants   []Invariant
	Tables       map[string]*Table
	Derives      []Derive // in an order in which each stands behind what it reads
	Derived      *Layout  // of what the derives read
	Enrichments  []Enrich
	Sources      []Source
	Dedupe       *Dedupe    // nil: the same id alone is the same lead
	Rollout      *Rollout   // nil: a change holds for all leads at once
	Retention    *Retention // nil: the product's own
	Alerts       []Alert
	// OnMissing is what the author wants of a condition that a missing field leaves undecided.
	OnMissing OnMissing
	Limits    Limits
	// LiveReads are the pools whose live figures conditions read, by name.
	LiveReads []leadroute.PoolID
	// InfraCostPerHour is what the machines cost, in the policy's currency unit; 0: not said.
	InfraCostPerHour float64
	// MaxAge is the age at which an open lead is given up to the dead letters.
	MaxAge time.Duration
	// DedupeWindow is how long a finished lead's id is remembered.
	DedupeWindow time.Duration

	rules, territories *index // see Seal
}

// Defaults of the bounds that a policy need not name.
const (
	DefaultMaxAge       = 30 * 24 * time.Hour
	DefaultDedupeWindow = 24 * time.Hour
)

// Class is a priority class.
type Class struct {
	Name          leadroute.Class
	When          Cond
	DeliverWithin time.Duration // emitted or received until the primary destination acknowledged; 0: no SLA
	RespondWithin time.Duration // from the acknowledgement; 0: none
	// PoolHours lets RespondWithin and the steps' clocks run only while the hours of the
	// pool that has the lead are open.
	PoolHours bool
	Steps     []Step
}

// Step is an SLA step: it fires while the rep has not responded, After the lead's first
// acknowledged assignment, or Every so often from each. Exactly one of the two is set.
type Step struct {
	Name     string
	After    time.Duration
	Every    time.Duration
	Reassign bool          // take the lead away and offer it again
	To       *Target       // where it is offered then; nil: to the next of its own targets
	Pause    time.Duration // how long the rep that lost the lead gets none; 0: not at all
	AtMost   int           // firings in the lead's life; 0: once for After, without bound for Every
	Notify   []string      // channels
}

// Territory is a named part of the world with the pool that serves it.
type Territory struct {
	Name string
	When Cond
	Pool leadroute.PoolID // empty: none
}

// Rule sends the leads that match it to its targets.
type Rule struct {
	Name     string
	When     Cond
	Targets  []RuleTarget // in order: the first with somebody free takes the lead
	Priority leadroute.Class
	Disabled bool
	// From inclusive and Until exclusive bound the time of the decision; zero: open.
	From, Until time.Time
	fixed       []Target // Targets resolved, where they are the same for every lead; set by Seal
	Split       *Split   // its arm's targets are tried before Targets; nil: none
	// Territory replaces the one decided before (a table row's set); nil: it stays.
	Territory   *Territory
	DeliverTo   []leadroute.DestinationID // instead of all destinations
	Tags        []string
	Description string
	// File and Line are where it stands; those of a table's row are the table's.
	File string
	Line int
}

// Decision is what a plan says of one lead at one time.
type Decision struct {
	Class         leadroute.Class `json:"class"`
	DeliverWithin time.Duration   `json:"deliver_within,omitempty"` // nanoseconds
	Territory     string          `json:"territory,omitempty"`      // empty: none
	// Rule is empty when no rule matched: Targets is empty too, the lead goes to the dead letters.
	Rule string `json:"rule,omitempty"`
	// The last one is a queue. They may be the plan's own: nobody changes them.
	Targets []Target `json:"targets,omitempty"`
	// Arm is the arm of the rule's split that the lead fell into.
	Arm string `json:"arm,omitempty"`
	// Seen is what the decision read besides the lead and the time, where whoever decided
	// took it down.
	Seen *Snapshot `json:"-"`
	// Company is the key in the account table at which the lead's first assignment makes its
	// rep the owner; empty: nowhere. Whoever decided took it down.
	Company string `json:"-"`
	// Compared says, while a change of the policy is tried, whether the plan beside would have
	// sent the lead elsewhere; empty: nobody asked.
	Compared string `json:"-"`
}

// The outcomes of a comparison of two plans' decisions.
const (
	SendsSame  = "same"
	SendsMoved = "moved"
)

// Compare tells whether the other decision sends the lead to the same targets in the same class.
func (d *Decision) Compare(o *Decision) string {
	if d.Class == o.Class && slices.Equal(d.Targets, o.Targets) {
		return SendsSame
	}
	return SendsMoved
}

// Target is one place to which a decided lead is offered. Exactly one of Pool, Rep and Queue is set.
type Target struct {
	Pool       leadroute.PoolID  `json:"pool,omitempty"`
	Rep        leadroute.RepID   `json:"rep,omitempty"`
	Queue      leadroute.QueueID `json:"queue,omitempty"`
	EvenIfFull bool              `json:"even_if_full,omitempty"`
	// Accept is how long the rep has to respond before the lead goes to the next target, from
	// the acknowledgement; 0: the class's steps alone rule.
	Accept time.Duration `json:"accept,omitempty"` // nanoseconds
	// Strategy overrides the pool's; empty: the pool's own.
	Strategy Strategy `json:"strategy,omitempty"`
}

// UnassignedQueue is where a lead waits when its rule's targets are exhausted and name no queue.
const UnassignedQueue leadroute.QueueID = "unassigned"

// Strategy names how a pool picks among its candidates.
type Strategy string

// The strategies that a plan may name; processors/pools has one implementation each.
const (
	RoundRobin  Strategy = "round_robin"
	Weighted    Strategy = "weighted"
	LeastLoaded Strategy = "least_loaded"
	BestFit     Strategy = "best_fit"
	Claim       Strategy = "claim"
)

// DefaultClaimOpen is how long a lead is open to claim before it goes to the next target,
// where the target's accept does not say.
const DefaultClaimOpen = 2 * time.Minute

// Pool is a named set of reps.
type Pool struct {
	Name     leadroute.PoolID
	Members  []leadroute.RepID // static membership, in order; nil when Where is set
	Where    RepCond           // members_where
	Strategy Strategy
	// WeightBy reads a rep's weight; nil: the rep's own Weight.
	WeightBy func(*leadroute.Rep) float64
	Hours    *Hours         // nil: always
	Caps     leadroute.Caps // per rep within this pool
	PoolTaste
	// Description is the author's.
	Description string
}

// Queue holds leads for which nobody is free.
type Queue struct {
	Name leadroute.QueueID
	// DrainTo are offered, in order, when the queue wakes its head; empty: the targets of
	// the lead's own rule.
	DrainTo []leadroute.PoolID
	MaxWait time.Duration // 0: for ever (the plan's MaxAge rules)
	// Then takes the lead after MaxWait; nil: it stays.
	Then *Target
	// Order is deadline (the default), priority or arrival.
	Order QueueOrder
	// AlertAfter is how long the oldest lead waits until Alert is told; 0: never.
	AlertAfter  time.Duration
	Alert       []string // channels
	CRMID       string   // the CRM's owner while the lead waits; empty: none
	Description string
}

// QueueOrder says which of the waiting leads is offered first.
type QueueOrder string

// The orders of a queue.
const (
	ByDeadline QueueOrder = "deadline"
	ByPriority QueueOrder = "priority"
	ByArrival  QueueOrder = "arrival"
)

// Secret is a text that may come from the environment; it is resolved by `run` alone
// and never printed.
type Secret struct {
	Name    string // of the secret; empty: Literal is the text itself
	Literal string
}

// String never shows the text.
func (s Secret) String() string {
	if s.Name != "" {
		return `secret("` + s.Name + `")`
	}
	return "(literal)"
}

// Primary returns the destination whose acknowledgement the SLA counts; nil if the plan has none.
func (p *Plan) Primary() *Destination {
	for i := range p.Destinations {
		if p.Destinations[i].Primary {
			return &p.Destinations[i]
		}
	}
	return nil
}

// Destination returns the destination of that name, or nil.
func (p *Plan) Destination(name leadroute.DestinationID) *Destination {
	for i := range p.Destinations {
		if p.Destinations[i].Name == name {
			return &p.Destinations[i]
		}
	}
	return nil
}

// Class returns the class of that name, or nil.
func (p *Plan) Class(name leadroute.Class) *Class {
	for i := range p.Classes {
		if p.Classes[i].Name == name {
			return &p.Classes[i]
		}
	}
	return nil
}

// Rank is a class's place in the policy's order, 0 the first; one that it does not have is last.
func (p *Plan) Rank(name leadroute.Class) int {
	for i := range p.Classes {
		if p.Classes[i].Name == name {
			return i
		}
	}
	return len(p.Classes)
}

// Zone of hours h (nil: the plan's).
func (p *Plan) zone(h *Hours) *time.Location {
	if h != nil && h.Zone != nil {
		return h.Zone
	}
	return p.Zone
}

// RepZone is the time zone whose calendar days and ISO weeks rep r's caps count.
func (p *Plan) RepZone(r *leadroute.Rep) *time.Location {
	if r.Timezone != "" {
		if z := zoneOf(r.Timezone); z != nil {
			return z
		}
	}
	return p.zone(p.Hours[r.Hours])
}

// zones keeps the time zones of reps, which time.LoadLocation reads from disk each time.
var zones sync.Map // name to *time.Location, nil for a name that is none

func zoneOf(name string) *time.Location {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location) //nolint:forcetypeassert // nothing else is stored
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		z = nil
	}
	zones.Store(name, z)
	return z
}
