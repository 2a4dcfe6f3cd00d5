package leadroute

import (
	"encoding/json"
	"fmt"
)

// ClaimID names one attempt to put one lead on one rep's desk.
type ClaimID struct {
	Lead   LeadID `json:"lead"`
	Rev    int    `json:"rev"`    // revision of the lead's assignment, from 1
	Target int    `json:"target"` // index into the revision's targets
	Try    int    `json:"try"`    // from 1, raised by every offer of the revision, so that (Lead, Rev, Try) is never used twice
	Rep    RepID  `json:"rep"`
}

// String is "lead/rev/target/try/rep".
func (c ClaimID) String() string {
	return fmt.Sprintf("%s/%d/%d/%d/%s", c.Lead, c.Rev, c.Target, c.Try, c.Rep)
}

// Offer asks a pool for a rep.
type Offer struct {
	Lead     LeadID `json:"lead"`
	Rev      int    `json:"rev"`
	Target   int    `json:"target"`
	Try      int    `json:"try"`
	Pool     PoolID `json:"pool"`
	Class    Class  `json:"class,omitempty"`
	Plan     PlanID `json:"plan"`
	Deadline Millis `json:"deadline,omitempty"`
	// Avoid is the rep from whom the lead was just taken; picked only if nobody else is free.
	Avoid RepID `json:"avoid,omitempty"`
	// Strict: Avoid is not picked even if nobody else is free.
	Strict bool `json:"strict,omitempty"`
	// Declined is the answer that the try before this one met; the pool lays its rep
	// state over its own, older view and refunds the turn.
	Declined *Answer `json:"declined,omitempty"`
	// Strategy is the target's own; empty: the pool's.
	Strategy string `json:"strategy,omitempty"`
	// About is what the pool's conditions read of the lead; nil: they read nothing.
	About *About `json:"about,omitempty"`
	// Place is where the lead stands among those that wait for the pool; nil: a router of
	// before does not say. Waits: it is in the queue.
	Place *Place `json:"place,omitempty"`
	Waits bool   `json:"waits,omitempty"`
}

// About is a part of a lead, for those who compare it with a rep.
type About struct {
	Source     SourceID        `json:"source,omitempty"`
	EmittedAt  Millis          `json:"emitted_at,omitempty"`
	ReceivedAt Millis          `json:"received_at,omitempty"`
	Territory  string          `json:"territory,omitempty"`
	Account    *Account        `json:"account,omitempty"`
	Fields     json.RawMessage `json:"fields,omitempty"` // of the lead's, those that are read
}

// NoCandidate is a pool's answer to an Offer when nobody can take the lead now.
type NoCandidate struct {
	Rev    int    `json:"rev"`
	Target int    `json:"target"`
	Try    int    `json:"try"`
	Pool   PoolID `json:"pool"`
	Reason string `json:"reason"` // unknown_pool, no_members, nobody_available, nobody_fits, too_few_present, others_wait
}

// Opened is a pool's answer to an Offer by the strategy claim: the lead is open to whoever
// of its members claims it first.
type Opened struct {
	Rev    int    `json:"rev"`
	Target int    `json:"target"`
	Try    int    `json:"try"`
	Pool   PoolID `json:"pool"`
	// Reps are those who could take it now, where the pool wants them told.
	Reps []RepID `json:"reps,omitempty"`
}

// Bid is a rep's wish to have a lead that is open to claim.
type Bid struct {
	Rep RepID  `json:"rep"`
	At  Millis `json:"at"`
	// Reply is the key under which the bid is answered.
	Reply string `json:"reply"`
}

// PoolBid asks a pool whether the rep may claim the lead of that offer.
type PoolBid struct {
	Offer Offer `json:"offer"`
	Bid   Bid   `json:"bid"`
}

// Claim asks a rep to take a lead.
type Claim struct {
	ID    ClaimID `json:"id"`
	Pool  PoolID  `json:"pool,omitempty"` // empty: a direct target
	Class Class   `json:"class,omitempty"`
	Plan  PlanID  `json:"plan"`
	// EvenIfFull waives the caps (not the status and hours); such claims are counted apart.
	EvenIfFull bool `json:"even_if_full,omitempty"`
	// Bid is the reply key of the rep's bid; empty: the rep was picked.
	Bid string `json:"bid,omitempty"`
}

// Answer is a rep's answer to a Claim, or (Asserted) its reminder that it still holds one.
type Answer struct {
	Claim    ClaimID `json:"claim"`
	Pool     PoolID  `json:"pool,omitempty"`
	Accepted bool    `json:"accepted"`
	Reason   string  `json:"reason,omitempty"` // why declined: unknown_rep, off, closed, full, pool_full, per_day, ...
	// Version, Status, Open and OpenInPool are the rep's state after the answer: they
	// overlay any view with a lower version.
	Version    int64     `json:"version"`
	Status     RepStatus `json:"status,omitempty"`
	Open       int       `json:"open"`
	OpenInPool int       `json:"open_in_pool,omitempty"`
	CRMID      string    `json:"crm_id,omitempty"`
	At         Millis    `json:"at"`
	Asserted   bool      `json:"asserted,omitempty"`
	Bid        string    `json:"bid,omitempty"` // of the Claim
	// EvenIfFull: it was accepted so, and takes no place.
	EvenIfFull bool `json:"even_if_full,omitempty"`
}

// PoolMessage is one message in the pools' inbox, keyed by pool. Exactly one member is set.
type PoolMessage struct {
	Offer *Offer   `json:"offer,omitempty"`
	Bid   *PoolBid `json:"bid,omitempty"`
}
