// Package leadroute holds the nouns that cross a Kafka topic, the topics they
// cross, and their codec. It imports the standard library and the JSON codec,
// nothing else: every other package may import it, it knows none of them.
package leadroute

import (
	"encoding/json"
	"time"
)

// IDs have types, so that a rep is never taken for a pool. All are non-empty and
// hold no "/" unless said otherwise.
type (
	LeadID        string // characters [A-Za-z0-9_-], at most 64; carries no personal data
	RepID         string
	PoolID        string
	QueueID       string
	DestinationID string
	Class         string // priority class, e.g. "P0"; the policy names and orders them
	PlanID        string // hash of the policy's source
	SourceID      string // the authenticated sender of a lead
)

// Valid tells whether an id can be one of a lead.
func (id LeadID) Valid() bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// Millis is an instant: milliseconds since the Unix epoch, UTC. Zero is "not known".
type Millis int64

// At converts a time.Time, truncating to the millisecond; the zero time becomes 0.
func At(t time.Time) Millis {
	if t.IsZero() {
		return 0
	}
	return Millis(t.UnixMilli())
}

// Time returns the instant in UTC; 0 becomes the zero time.
func (m Millis) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// Add returns the instant d later, in whole milliseconds.
func (m Millis) Add(d time.Duration) Millis { return m + Millis(d.Milliseconds()) }

// Sub returns m-u.
func (m Millis) Sub(u Millis) time.Duration { return time.Duration(m-u) * time.Millisecond }

// Lead is one lead as the door let it in. Envelope facts that the router itself
// acts on are members; everything the sender said stays in Fields.
type Lead struct {
	ID     LeadID   `json:"id"`
	Source SourceID `json:"source"`
	// Receipt names one posting of one record. Two messages with one receipt are a
	// replay; the same lead id under another receipt is a duplicate.
	Receipt string `json:"receipt"`
	// EmittedAt is the sender's clock (0 if it did not say), ReceivedAt the door's.
	EmittedAt  Millis `json:"emitted_at,omitempty"`
	ReceivedAt Millis `json:"received_at"`
	// Fields is one JSON object: the lead as sent, checked against the schema, with
	// blanks removed and defaults set. Nested objects keep their shape.
	Fields json.RawMessage `json:"fields"`
	// Identities are keyed hashes of what tells a person, such as the e-mail and the phone,
	// sorted; they say nothing about the person. None: the policy does not ask who came before.
	Identities []string `json:"identities,omitempty"`
}

// Since is the instant from which the lead's SLA runs: the sender's emit time, or
// ours of receipt where the sender gave none or one that lies in our future.
func (l *Lead) Since() Millis {
	if l.EmittedAt == 0 || l.EmittedAt > l.ReceivedAt {
		return l.ReceivedAt
	}
	return l.EmittedAt
}

// RepAction is what a rep, or the CRM on the rep's behalf, says about a lead on the desk.
type RepAction struct {
	Action string `json:"action"` // responded or closed
	Rep    RepID  `json:"rep"`
	At     Millis `json:"at"`
	// Reply is the key under which the ledger answers; empty: nobody waits for it.
	Reply string `json:"reply,omitempty"`
}

// Hold asks the ledger to let a lead rest: it is offered to nobody, no clock takes it from
// its owner or out of its queue, until the hold is over.
type Hold struct {
	ID     string `json:"id"`              // of the request: a copy of it changes nothing
	Over   bool   `json:"over,omitempty"`  // the hold that stands is to end
	Until  Millis `json:"until,omitempty"` // when it ends by itself; 0: when it is released
	Reason string `json:"reason,omitempty"`
	By     string `json:"by,omitempty"` // who asks: the name of the API key
	// Reply is the key under which the ledger answers; empty: nobody waits for it.
	Reply string `json:"reply,omitempty"`
}

// Reply is the answer to a RepAction, a Bid or a Hold.
type Reply struct {
	Lead LeadID `json:"lead"`
	// Agreed: the rep has the lead, or had it when it was closed, and the action stands.
	Agreed bool `json:"agreed"`
	// Known: the ledger has the lead. Owner is who has it now; empty: nobody.
	Known bool  `json:"known"`
	Owner RepID `json:"owner,omitempty"`
	// Rev is the revision that the rep has, if the answer agrees with a bid.
	Rev int `json:"rev,omitempty"`
	// Refused is why a rep may not claim the lead: not_open, not_a_member, unfit, had_it,
	// too_few_present, or why the rep declined. Of a hold or its end: held, not_held, too_often,
	// or the phase of a lead that is not open.
	Refused string `json:"refused,omitempty"`
}

// The actions of a RepAction.
const (
	ActionResponded = "responded"
	ActionClosed    = "closed"
)

// Admission is a lead that admit lets into the middle.
type Admission struct {
	Lead     Lead   `json:"lead"`
	Class    Class  `json:"class"`
	Deadline Millis `json:"deadline,omitempty"`
	Plan     PlanID `json:"plan"`
}

// Revise asks the ledger to take the lead from its owner, or out of its queue, and offer it again.
type Revise struct {
	Rev    int    `json:"rev"`    // the revision to be replaced; a later one ignores the message
	Reason string `json:"reason"` // rep_removed, operator, or what an operator said
	// By is the operator who asks: the name of the API key. A lead that is held is not moved then.
	By string `json:"by,omitempty"`
	// Plan decides the lead again, and it goes on under it: the one that was in force when that
	// was asked for. To: it goes there.
	Plan PlanID `json:"plan,omitempty"`
	To   *Goal  `json:"to,omitempty"`
}

// Goal is where a lead is to go; exactly one member is set.
type Goal struct {
	Pool  PoolID  `json:"pool,omitempty"`
	Queue QueueID `json:"queue,omitempty"`
	Rep   RepID   `json:"rep,omitempty"`
}

// Redeliver replays a dead-lettered delivery, or (Destination empty) the lead itself.
type Redeliver struct {
	Rev         int           `json:"rev"`
	Destination DestinationID `json:"destination,omitempty"`
	DeadLetter  string        `json:"dead_letter"` // its id
	At          Millis        `json:"at"`
}

// LedgerMessage is one message in the ledger's inbox, keyed by lead id. Exactly one
// member is set; the member's name is the message's tag on the wire.
type LedgerMessage struct {
	Admitted    *Admission   `json:"admitted,omitempty"`
	Answer      *Answer      `json:"answer,omitempty"`
	NoCandidate *NoCandidate `json:"no_candidate,omitempty"`
	Outcome     *Outcome     `json:"outcome,omitempty"`
	Due         *Timer       `json:"due,omitempty"`
	Action      *RepAction   `json:"action,omitempty"`
	Revise      *Revise      `json:"revise,omitempty"`
	Redeliver   *Redeliver   `json:"redeliver,omitempty"`
	Hold        *Hold        `json:"hold,omitempty"`
	Check       *Check       `json:"check,omitempty"`
	Met         *Met         `json:"met,omitempty"`
	Opened      *Opened      `json:"opened,omitempty"`
	Bid         *Bid         `json:"bid,omitempty"`
	Owned       *Owned       `json:"owned,omitempty"`
	Join        *Join        `json:"join,omitempty"`
	Joined      *Joined      `json:"joined,omitempty"`
}

// Check is the anti-entropy sweep's nudge: re-assert what the row says is outstanding.
type Check struct {
	At Millis `json:"at"`
}

// Departure tells admit that a lead has left the middle: it has an owner, waits, or is dead.
type Departure struct {
	Lead LeadID `json:"lead"`
}

// From is where in its stage's inbox a message lies.
type From struct {
	Offset int64
	// Replay: the message lay there when this owner took the partition over. An owner before may
	// have heard it, and of what it then wrote and sent any part may have arrived.
	Replay bool
}

// Before tells whether a row has heard the message before, though its owner may not: the row was
// changed by one that lies behind it. heard is the offset behind that one.
func (f From) Before(heard int64) bool { return f.Replay && f.Offset < heard }

// Effect is one message that a decision wants sent. Value is a pointer to one of this
// package's messages; nil is a tombstone.
type Effect struct {
	Topic Topic
	Key   string
	Value any
}
