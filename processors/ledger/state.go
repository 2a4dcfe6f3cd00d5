// Package ledger owns the truth about each lead: that it was accepted once, its
// current revision and the one owner committed to it, whether it waits, and what each
// destination acknowledged. It decides; pools, reps, destinations and the clock answer.
package ledger

import (
	"encoding/json"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Phase is where a lead stands.
type Phase string

// The phases of a lead. A lead is open until it is Closed, Dead or a Duplicate.
const (
	Asking     Phase = "asking"     // its identities are asked who came before
	Offering   Phase = "offering"   // an offer is out; its try is State.Try
	Waiting    Phase = "waiting"    // nobody was free; the clock offers it again at every tick
	Confirming Phase = "confirming" // Pending accepted it; who shares it is asked whether that rep may have it
	Owned      Phase = "owned"      // committed to Claim.Rep
	Closed     Phase = "closed"     // the rep closed it
	Dead       Phase = "dead"       // given up with a reason, in the dead letters
	// Duplicate: Person.Root came before, and the policy wants one lead of a person.
	Duplicate Phase = "duplicate"
)

// State is a lead's row: some 1 kB while it is open, a stub of some 100 bytes once it is finished.
type State struct {
	Phase   Phase  `json:"p"`
	Receipt uint64 `json:"k"` // hash of the accepted posting's receipt: tells a replay from a duplicate
	Rev     int    `json:"r"`
	Try     int    `json:"t,omitempty"` // of the last offer; never used twice within a revision

	Class     leadroute.Class    `json:"c,omitempty"`
	Plan      leadroute.PlanID   `json:"pl,omitempty"`
	Source    leadroute.SourceID `json:"s,omitempty"`
	Emitted   leadroute.Millis   `json:"em,omitempty"`
	Received  leadroute.Millis   `json:"re,omitempty"`
	SLA       int64              `json:"sla,omitempty"` // deliver_within, ms
	Territory string             `json:"te,omitempty"`
	Rule      string             `json:"ru,omitempty"`
	Fields    json.RawMessage    `json:"f,omitempty"`

	// Person is who sent the lead, as far as the policy asks.
	Person *Person `json:"ps,omitempty"`
	// Merged are leads of the same person that were merged into this one, and Also what they
	// say, in the end of one another.
	Merged []leadroute.LeadID `json:"mg,omitempty"`
	Also   json.RawMessage    `json:"al,omitempty"`
	// Shared is what the lead shares with others, nil if nothing whose owner matters.
	Shared *Shared `json:"sh,omitempty"`

	Targets []plan.Target `json:"tg,omitempty"` // of the rule
	// Named are the targets that the plan named, where Targets have become others since.
	Named []plan.Target `json:"td,omitempty"`
	Arm   string        `json:"ar,omitempty"` // of the rule's split
	// Seen is what the decision read besides the lead, so that its log can be written again.
	Seen *plan.Snapshot `json:"sn,omitempty"`
	// Target is an index into list() while offering; while owned into Targets, -1 where the
	// claim came by none of them.
	Target int               `json:"ti,omitempty"`
	Queue  leadroute.QueueID `json:"q,omitempty"` // set from queueing until an owner is committed
	Queued leadroute.Millis  `json:"qt,omitempty"`
	// Parked is the revision under which the CRM holds the lead for that queue; 0: it does not.
	Parked int `json:"pk,omitempty"`
	// Prev is the claim that the last revision gave back; its rep is avoided.
	Prev *leadroute.Release `json:"pv,omitempty"`
	// Paused is until when that rep gets no lead; 0: not at all.
	Paused leadroute.Millis `json:"pu,omitempty"`
	// Next: the lead was taken from a rep who did not respond, so that this revision goes on
	// to the next one and does not turn back before it has waited.
	Next     bool `json:"nx,omitempty"`
	Declines int  `json:"dn,omitempty"` // by the current target
	// Declined is the answer that the current offer carries, kept so that a replay can send it again.
	Declined *leadroute.Answer `json:"dc,omitempty"`
	// OpenUntil is until when the pool's reps may claim the lead; 0: it is not open to claim.
	OpenUntil leadroute.Millis `json:"ou,omitempty"`
	OpenIn    leadroute.PoolID `json:"oi,omitempty"`
	Calls     []Call           `json:"ca,omitempty"` // who was told that it is

	// Pending is the acceptance that is being confirmed.
	Pending *leadroute.Answer `json:"pe,omitempty"`

	Claim    *leadroute.Claim `json:"cl,omitempty"` // the committed claim of revision Rev
	OwnerCRM string           `json:"oc,omitempty"`
	Dests    []Dest           `json:"d,omitempty"`

	// Asked is when the primary destination first acknowledged an owner: what respond_within
	// and the steps' after count from. 0: not yet.
	Asked leadroute.Millis `json:"ak,omitempty"`
	Fired []Fired          `json:"fi,omitempty"` // the SLA steps that fired

	// Held: the lead rests. Rests are the holds before, oldest first, Asks the last requests
	// for one or for its end, hashed.
	Held  *Held    `json:"hd,omitempty"`
	Rests []Rest   `json:"hr,omitempty"`
	Asks  []uint64 `json:"ha,omitempty"`

	Responded bool `json:"rs,omitempty"` // to revision Rev
	// Refused is what reps said of a revision that did not stand, and was told.
	Refused  *Refused `json:"rf,omitempty"`
	Late     bool     `json:"lt,omitempty"` // respond_within was missed, and said so
	Breached bool     `json:"br,omitempty"` // deliver_within was missed, and said so
	Left     bool     `json:"l,omitempty"`  // admit was told that the lead left the middle

	Trail []TrailStep `json:"tr,omitempty"` // the last 16 steps
	// Before is how the lead was decided before an operator moved it, oldest first.
	Before []Before         `json:"bf,omitempty"`
	Last   leadroute.Millis `json:"la,omitempty"` // of the last message that changed the row
	Heard  int64            `json:"he,omitempty"` // the inbox offset behind that message
	Done   leadroute.Millis `json:"do,omitempty"` // when the lead was finished
	// Revived is when an operator took the lead out of the dead letters: it ages from there.
	Revived leadroute.Millis `json:"rv,omitempty"`
}

// Fired is how often an SLA step fired, and when it last did.
type Fired struct {
	Step string           `json:"s"`
	N    int              `json:"n"`
	At   leadroute.Millis `json:"a"`
}

// Refused are hashes of who said what of a revision, a few.
type Refused struct {
	Rev  int      `json:"r"`
	Said []uint64 `json:"s"`
}

// Dest is the book of one destination. At most one attempt is in flight.
type Dest struct {
	Name     leadroute.DestinationID `json:"n"`
	Rev      int                     `json:"r"`            // of the attempt below
	Attempt  int                     `json:"a"`            // last attempt sent, from 1
	Limit    int                     `json:"m"`            // attempts allowed for Rev
	InFlight bool                    `json:"i,omitempty"`  // Attempt was sent and its outcome is not known
	Retry    leadroute.Millis        `json:"x,omitempty"`  // when Attempt+1 is due; 0: none is planned
	Acked    int                     `json:"k,omitempty"`  // highest revision acknowledged
	AckedAt  leadroute.Millis        `json:"ka,omitempty"` // when Acked was first acknowledged
	Dead     bool                    `json:"de,omitempty"` // Rev was given up
	Again    int                     `json:"g,omitempty"`  // how often Rev was brought anew, after an older one
	ForQueue bool                    `json:"fq,omitempty"` // what was acknowledged so far was a queue's, and no rep's
	// Owner, OwnerCRM and Pool are Rev's, so that its attempt can be sent again after the
	// lead has moved on: until its outcome is known nothing newer is sent.
	Owner    leadroute.RepID  `json:"o,omitempty"`
	OwnerCRM string           `json:"oc,omitempty"`
	Pool     leadroute.PoolID `json:"p,omitempty"`
	// Queue: Rev is no rep's, the CRM is to hold the lead for the queue.
	Queue    leadroute.QueueID `json:"q,omitempty"`
	Assigned leadroute.Millis  `json:"as,omitempty"`
}

// settled tells whether nothing more is to be sent or heard for revision rev.
func (d *Dest) settled(rev int) bool {
	return !d.InFlight && d.Retry == 0 && (d.Acked >= rev || d.Dead)
}

// owned tells whether the destination has acknowledged a rep as the owner.
func (d *Dest) owned() bool { return d.Acked > 0 && !d.ForQueue }

// wanted is the revision that the CRM is to have now: the owner's or, while the lead waits, its
// queue's; 0: none.
func (s *State) wanted() int {
	if s.Claim != nil {
		return s.Rev
	}
	return s.Parked
}

// Open tells whether the lead is not finished.
func (s *State) Open() bool {
	switch s.Phase {
	case Asking, Offering, Waiting, Confirming, Owned:
		return true
	case Closed, Dead, Duplicate:
	}
	return false
}

// Owner is the committed owner's id, empty if there is none.
func (s *State) Owner() leadroute.RepID {
	if s.Claim == nil {
		return ""
	}
	return s.Claim.ID.Rep
}

// avoid is the rep from whom the lead was taken last.
func (s *State) avoid() leadroute.RepID {
	if s.Prev == nil {
		return ""
	}
	return s.Prev.Claim.Rep
}

func (s *State) since() leadroute.Millis {
	l := leadroute.Lead{EmittedAt: s.Emitted, ReceivedAt: s.Received}
	return l.Since()
}

func (s *State) deadline() leadroute.Millis {
	if s.SLA == 0 {
		return 0
	}
	return s.since() + leadroute.Millis(s.SLA)
}

func (s *State) dest(name leadroute.DestinationID) *Dest {
	for i := range s.Dests {
		if s.Dests[i].Name == name {
			return &s.Dests[i]
		}
	}
	return nil
}

// Env is what a decision may read besides the row and the message.
type Env struct {
	// Plan returns the plan of that id, or the current one where that is no longer kept; never nil.
	Plan func(leadroute.PlanID) *plan.Plan
	// Decide runs the plan on a lead with the account that the table shows now.
	Decide func(*plan.Plan, *leadroute.Lead, leadroute.Millis) (plan.Decision, error)
}
