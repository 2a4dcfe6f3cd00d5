// Package leadroute holds the nouns that cross a Kafka topic, the topics they
// cross, and their codec. It imports the standard library and the JSON codec,
// nothing else: every other package may import it, it knows none of them.
package leadroute

import (
	"encoding/json"
	"fmt"
	"strconv"
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

// RepStatus is what a rep says of themselves.
type RepStatus string

// The rep statuses; only StatusAvailable takes leads.
const (
	StatusAvailable RepStatus = "available"
	StatusBusy      RepStatus = "busy"
	StatusAway      RepStatus = "away"
	StatusOff       RepStatus = "off"
)

// DefaultOpenCap is the open cap of a rep without any cap, so that the table value stays bounded.
const DefaultOpenCap = 200

// Caps bound what one rep holds; 0 is "no such cap" (but see DefaultOpenCap).
type Caps struct {
	Open    int `json:"open,omitempty"`     // held claims at once
	PerHour int `json:"per_hour,omitempty"` // rolling
	PerDay  int `json:"per_day,omitempty"`  // calendar day in the rep's time zone
	PerWeek int `json:"per_week,omitempty"` // ISO week in the rep's time zone
}

// Rep is a rep's profile: what the HR feed or the policy says, not what the rep holds now.
type Rep struct {
	ID        RepID    `json:"id"`
	Email     string   `json:"email,omitempty"`
	CRMID     string   `json:"crm_id,omitempty"` // the owner id in the CRM; empty: the rep id is sent
	Name      string   `json:"name,omitempty"`
	Team      string   `json:"team,omitempty"`
	Region    string   `json:"region,omitempty"`
	Timezone  string   `json:"timezone,omitempty"` // IANA; empty: that of Hours, else UTC
	Hours     string   `json:"hours,omitempty"`    // name of an hours block; empty: always
	Skills    []string `json:"skills,omitempty"`
	Languages []string `json:"languages,omitempty"`
	Weight    float64  `json:"weight,omitempty"` // for strategy weighted; 0 is 1
	// StartedOn is the day on which the rep joined, "2026-01-14": a pool's ramp counts from it.
	// Empty: long ago.
	StartedOn string `json:"started_on,omitempty"`
	Caps      Caps   `json:"caps,omitzero"`
	// Cost is how many of the places of Caps.Open one lead of a class takes; a class that is not
	// named takes one.
	Cost map[Class]int `json:"cost,omitempty"`
	// Shifts are the rep's own working hours in the rep's own time zone, beside Hours: where both
	// are there, both must be open. Empty: always.
	Shifts   Shifts   `json:"shifts,omitzero"`
	Holidays []string `json:"holidays,omitempty"` // names of the policy's calendars: days off, in the rep's own time zone
	Away     []Away   `json:"away,omitempty"`     // times out of the office; events may add others
	// Attrs are the further columns of the rep table that members_where may read:
	// strings, numbers, booleans, lists of strings.
	Attrs map[string]any `json:"attrs,omitempty"`
}

// CostOf is how many of the rep's own places a lead of the class takes.
func (r *Rep) CostOf(c Class) int { return max(r.Cost[c], 1) }

// Account is one row of the account-ownership table, keyed by Domain.
type Account struct {
	Domain string         `json:"domain"` // lower case, no leading "www."
	Name   string         `json:"name,omitempty"`
	Owner  RepID          `json:"owner,omitempty"`
	Attrs  map[string]any `json:"attrs,omitempty"` // tier, customer, open_deal, country, ...
	// Parent is the domain of the account whose subsidiary this one is.
	Parent string `json:"parent,omitempty"`
	// Aliases are other names of the company.
	Aliases []string `json:"aliases,omitempty"`
	// Claim says how Owner came to be it where a lead's assignment made them; nil: somebody
	// said so, or nobody is.
	Claim *Ownership `json:"claim,omitempty"`
}

// Claimed tells whether nothing is known of the account but the owner that a lead made.
func (a *Account) Claimed() bool {
	return a.Claim != nil && a.Name == "" && a.Parent == "" && len(a.Attrs)+len(a.Aliases) == 0
}

// Ownership is who owns a person or a company by the assignment of a lead.
type Ownership struct {
	Rep RepID `json:"rep"`
	// Lead made it, by its claim (Rev, Try). It makes another when it moves on.
	Lead LeadID `json:"lead"`
	Rev  int    `json:"rev"`
	Try  int    `json:"try"`
	At   Millis `json:"at"`
	// Instead is the owner before, who is no rep any more.
	Instead RepID `json:"instead,omitempty"`
}

// Own asks a person's identity, or a company, whether the rep who accepted a lead may have
// it; who is the first becomes the owner.
type Own struct {
	Claim ClaimID `json:"claim"`
	N     int     `json:"n"` // the how-manieth of the lead's it is; Owned repeats it
	// Passed are owners who have just declined the lead, or lost it; Gone those of them who are no reps.
	Passed []RepID `json:"passed,omitempty"`
	Gone   []RepID `json:"gone,omitempty"`
	// Yield: the rep was named by one that counts for more.
	Yield bool `json:"yield,omitempty"`
	// Within is how long an identity is remembered, in ms.
	Within int64 `json:"within_ms,omitempty"`
	// Bid is the key under which the rep waits to hear what became of a bid; Owned repeats it.
	Bid string `json:"bid,omitempty"`
}

// Owned answers Own.
type Owned struct {
	Claim ClaimID `json:"claim"`
	N     int     `json:"n"`
	Yes   bool    `json:"yes,omitempty"`
	Made  bool    `json:"made,omitempty"`  // it made the rep the owner
	Owner RepID   `json:"owner,omitempty"` // who is to be asked instead
	Bid   string  `json:"bid,omitempty"`
}

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

// Delivery asks a destination's worker for one attempt.
type Delivery struct {
	Lead        LeadID        `json:"lead"`
	Rev         int           `json:"rev"`
	Destination DestinationID `json:"destination"`
	Attempt     int           `json:"attempt"` // from 1
	Owner       RepID         `json:"owner,omitempty"`
	OwnerCRM    string        `json:"owner_crm,omitempty"`
	Queue       QueueID       `json:"queue,omitempty"`
	Class       Class         `json:"class"`
	Territory   string        `json:"territory,omitempty"`
	Rule        string        `json:"rule,omitempty"`
	Pool        PoolID        `json:"pool,omitempty"`
	Plan        PlanID        `json:"plan"`
	Source      SourceID      `json:"source"`
	EmittedAt   Millis        `json:"emitted_at,omitempty"`
	ReceivedAt  Millis        `json:"received_at"`
	Deadline    Millis        `json:"deadline,omitempty"` // of the class's deliver_within
	// AssignedAt is when this revision's owner was committed.
	AssignedAt Millis          `json:"assigned_at"`
	Fields     json.RawMessage `json:"fields"`
	// Again is how often the revision is brought anew, since an older one has reached the
	// destination after it.
	Again int `json:"again,omitempty"`
}

// Key is the idempotency key of the delivery, the same on every attempt: "lead/rev". Where the
// revision is brought anew it is another one, "lead/rev/again", or the destination would take it
// for what it has seen and keep the older revision.
func (d *Delivery) Key() string {
	key := string(d.Lead) + "/" + strconv.Itoa(d.Rev)
	if d.Again > 0 {
		key += "/" + strconv.Itoa(d.Again)
	}
	return key
}

// ReasonResolved is the reason of a Notification that ends what others began.
const ReasonResolved = "resolved"

// Notification asks for a channel to be told that an SLA step fired for a lead.
type Notification struct {
	// ID is that of the step's event: one that comes twice has one id.
	ID      string `json:"id"`
	Channel string `json:"channel"`
	Reason  string `json:"reason"` // sla:P0/nudge
	At      Millis `json:"at"`
	// Only is the way by which it is told; empty: by every one of the channel.
	Only string `json:"only,omitempty"`
	// Resolve: nobody need be told any more; it is for the ways that end what they began.
	Resolve bool `json:"resolve,omitempty"`
	// By is who has the lead that the owner below was asked to claim.
	By RepID `json:"by,omitempty"`
	// Delivery is the lead with its owner of then, or the rep who is asked to claim it, as a
	// destination would get it. Of a queue it is the lead that has waited longest, without what
	// it says.
	Delivery Delivery `json:"delivery"`
	// Queue is set where a queue has kept its leads waiting for too long.
	Queue *QueueAlert `json:"queue,omitempty"`
}

// QueueAlert says how a queue stood when its oldest lead had waited for too long.
type QueueAlert struct {
	Queue   QueueID `json:"queue"`
	Waiting int     `json:"waiting"`
	Since   Millis  `json:"since"` // when the oldest lead began to wait
	// After is how long that may be, in milliseconds.
	After int64 `json:"after_ms"`
}

// Result is how an attempt ended, as far as it matters to what happens next.
type Result string

// The results of an attempt.
const (
	ResultDelivered Result = "delivered" // the destination acknowledged
	ResultRetry     Result = "retry"     // may succeed later: 429, 5xx, timeout, connection refused
	ResultRejected  Result = "rejected"  // will never succeed: 4xx, 3xx, 410, a secret that is missing
	// ResultSuperseded: no attempt was made, a newer revision of the lead had reached the worker.
	ResultSuperseded Result = "superseded"
)

// Outcome is what a destination's worker says of one attempt.
type Outcome struct {
	Rev         int           `json:"rev"`
	Destination DestinationID `json:"destination"`
	Attempt     int           `json:"attempt"`
	Result      Result        `json:"result"`
	Status      int           `json:"status,omitempty"` // HTTP status, 0 if none came
	Reason      string        `json:"reason,omitempty"` // no personal data, no secret
	// RetryAfter is the instant before which the destination wants no further attempt; 0: it did not say.
	RetryAfter Millis `json:"retry_after,omitempty"`
	At         Millis `json:"at"` // the attempt's end
}

// TimerKind says what a timer is for.
type TimerKind string

// The timers of a lead.
const (
	TimerRetry  TimerKind = "retry"  // Name is the destination, N the attempt that is due
	TimerWake   TimerKind = "wake"   // Name is the queue; has no due time: the clock offers a queue's head at every tick
	TimerStep   TimerKind = "step"   // Name is the SLA step, N counts its firings
	TimerExpire TimerKind = "expire" // the lead's maximum age
	TimerAccept TimerKind = "accept" // the target's accept: the rep has not responded
	TimerAnswer TimerKind = "answer" // the class's respond_within
	TimerClaim  TimerKind = "claim"  // Name is the pool in which the lead is open to claim until Due, N the try
	TimerHold   TimerKind = "hold"   // an operator's hold is over
)

// Timer is a row of the compacted timers topic, keyed by Key; a tombstone cancels it.
// A due timer fires again and again (with back-off) until it is cancelled or replaced.
type Timer struct {
	Lead LeadID    `json:"lead"`
	Kind TimerKind `json:"kind"`
	Name string    `json:"name,omitempty"`
	Rev  int       `json:"rev"`
	N    int       `json:"n,omitempty"`
	Due  Millis    `json:"due,omitempty"`
	// Deadline orders the leads that wait in one queue, earliest first; Rank, and Order in its
	// stead, where the queue goes by priority or arrival: see Place.
	Deadline Millis `json:"deadline,omitempty"`
	Rank     int    `json:"rank,omitempty"`
	Order    Millis `json:"order,omitempty"`
	// Since is when the lead began to wait in the queue.
	Since Millis `json:"since,omitempty"`
}

// Place is where a waiting lead stands.
func (t *Timer) Place() Place {
	return Place{Lead: t.Lead, Queue: QueueID(t.Name), Rank: t.Rank, Order: t.Order, Deadline: t.Deadline}
}

// Key is "lead/kind/name": one lead has at most one timer of a kind and name.
func (t *Timer) Key() string { return string(t.Lead) + "/" + string(t.Kind) + "/" + t.Name }

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

// PoolMessage is one message in the pools' inbox, keyed by pool. Exactly one member is set.
type PoolMessage struct {
	Offer *Offer   `json:"offer,omitempty"`
	Bid   *PoolBid `json:"bid,omitempty"`
}

// RepMessage is one message in the reps' inbox, keyed by rep id. Exactly one member is set.
type RepMessage struct {
	Claim   *Claim     `json:"claim,omitempty"`
	Release *Release   `json:"release,omitempty"`
	Confirm *Confirm   `json:"confirm,omitempty"`
	Profile *Rep       `json:"profile,omitempty"`
	Status  *RepStatus `json:"status,omitempty"`
	// Until goes with a Status: from then on the rep is available again; 0: until told otherwise.
	Until  Millis      `json:"until,omitempty"`
	Remove *RepRemoval `json:"remove,omitempty"`
	Check  *Check      `json:"check,omitempty"`
	Pause  *Pause      `json:"pause,omitempty"`
	// SaidAt, of a Status, is when the rep had it by the clock of who says so: a status of
	// before the one in the row changes nothing. 0: when the message came.
	SaidAt Millis   `json:"said_at,omitempty"`
	Away   *RepAway `json:"away,omitempty"`
}

// RepAway changes when a rep is out of the office.
type RepAway struct {
	// Add are times that are new, or take the place of those that began at the same moment.
	Add []Away `json:"add,omitempty"`
	// Back ends what began by then, those of the profile included; 0: nothing ends.
	Back Millis `json:"back,omitempty"`
	// All takes what comes later back, too, as far as events said it.
	All bool `json:"all,omitempty"`
}

// Pause keeps leads from a rep for a while: an SLA step took one away.
type Pause struct {
	Until Millis `json:"until"`
}

// Release gives a claim back. Counted is true when the CRM had acknowledged the
// claim's revision, so that it still counts against per_hour, per_day and per_week.
type Release struct {
	Claim   ClaimID `json:"claim"`
	Counted bool    `json:"counted,omitempty"`
}

// Confirm is the ledger's word that it has committed this claim: a rep that does not
// hold it (a zombie's late write lost it) holds it again.
type Confirm struct {
	Claim Claim `json:"claim"`
}

// RepRemoval takes a rep out of the table; the leads on the desk move on.
type RepRemoval struct {
	Reason string `json:"reason,omitempty"`
	// Keep lets the rep finish what is on the desk: no lead comes, none moves on, and the row goes
	// with the last one.
	Keep bool `json:"keep,omitempty"`
	// At names the removal in the events; 0: none is told.
	At Millis `json:"at,omitempty"`
}

// AccountMessage is one message in the accounts' inbox, keyed by domain.
type AccountMessage struct {
	Set    *Account  `json:"set,omitempty"`
	Remove *struct{} `json:"remove,omitempty"`
	Own    *Own      `json:"own,omitempty"`
}

// IdentityMessage is one message in the identities' inbox, keyed by identity. Exactly one
// member is set.
type IdentityMessage struct {
	Ask    *Ask    `json:"ask,omitempty"`
	Settle *Settle `json:"settle,omitempty"`
	Own    *Own    `json:"own,omitempty"`
	Check  *Check  `json:"check,omitempty"`
}

// Ask asks an identity which lead came with it first, and notes this one if none did. A
// lead asks its identities one after the other, in their order, and no further than to the
// first that knows another lead: so no two leads can each be the other's duplicate.
type Ask struct {
	Lead LeadID `json:"lead"`
	// Receipt is a hash of the posting's: a lead that is posted again under an id of before,
	// which the ledger has forgotten, is another lead.
	Receipt uint64 `json:"receipt"`
	N       int    `json:"n"`              // counts the lead's asks; Met repeats it
	Last    bool   `json:"last,omitempty"` // it asks no other: if it is the first, it stands
	// Instead is a lead that is finished: where it came first, this one takes its place.
	Instead LeadID `json:"instead,omitempty"`
	// Within is how long the identity is remembered, in ms; Slide: from this lead on, else from the first one.
	Within int64 `json:"within_ms"`
	Slide  bool  `json:"slide,omitempty"`
}

// Join asks a lead to take in another one of the same person.
type Join struct {
	Lead   LeadID          `json:"lead"`
	N      int             `json:"n"` // counts the lead's asks; Joined repeats it
	Fields json.RawMessage `json:"fields"`
}

// Joined answers Join. It was taken in, or is to ask Root, or (neither) is to go its own way.
type Joined struct {
	N     int    `json:"n"`
	Taken bool   `json:"taken,omitempty"`
	Root  LeadID `json:"root,omitempty"`
}

// Met is an identity's answer to an Ask.
type Met struct {
	N     int    `json:"n"`
	First bool   `json:"first,omitempty"` // nobody came before
	Lead  LeadID `json:"lead,omitempty"`  // who did
	// Stands: that lead is nobody's duplicate, for good.
	Stands bool `json:"stands,omitempty"`
	// Owner is the rep who got the person's first lead.
	Owner RepID `json:"owner,omitempty"`
}

// Settle tells an identity what a lead that asked it, or another identity of its own, turned
// out to be: the first (Root is Lead), or the duplicate of Root, to be noted in its place.
type Settle struct {
	Lead   LeadID `json:"lead"`
	Root   LeadID `json:"root"`
	Stands bool   `json:"stands,omitempty"` // Root is nobody's duplicate, for good
	Within int64  `json:"within_ms"`
}

// QueueMessage is one message in the queues' inbox, keyed by queue.
type QueueMessage struct {
	Seen *QueueSeen `json:"seen,omitempty"`
}

// QueueSeen is what the clock of one partition sees of a queue, said again and again while
// leads wait there, and once when none does any more.
type QueueSeen struct {
	Partition int32  `json:"partition"`
	Waiting   int    `json:"waiting"`
	Since     Millis `json:"since,omitempty"` // when the oldest lead began to wait
	Oldest    LeadID `json:"oldest,omitempty"`
	Rev       int    `json:"rev,omitempty"`  // of the oldest
	Next      *Place `json:"next,omitempty"` // who is offered first
	At        Millis `json:"at,omitempty"`   // by the clock that saw it
}

// Departure tells admit that a lead has left the middle: it has an owner, waits, or is dead.
type Departure struct {
	Lead LeadID `json:"lead"`
}

// DeadLetter is one record of the dead-letters topic, keyed by lead id (or by the raw
// record's key), with everything needed to understand and replay it.
type DeadLetter struct {
	ID          string        `json:"id"`    // lead/rev/destination for deliveries, lead for leads, topic-partition-offset for messages
	Kind        string        `json:"kind"`  // delivery, lead, message, notification
	Stage       string        `json:"stage"` // where it was given up
	Lead        LeadID        `json:"lead,omitempty"`
	Rev         int           `json:"rev,omitempty"`
	Destination DestinationID `json:"destination,omitempty"`
	Class       Class         `json:"class,omitempty"`
	Attempts    int           `json:"attempts,omitempty"`
	Reason      string        `json:"reason"`
	At          Millis        `json:"at"`
	Topic       string        `json:"topic,omitempty"` // of a message that could not be read or handled
	Partition   int32         `json:"partition,omitempty"`
	Offset      int64         `json:"offset,omitempty"`
	Payload     []byte        `json:"payload,omitempty"` // base64 on the wire
	// ReplayedAt is set on the copy that a replay appends; the last record of an id counts.
	ReplayedAt Millis `json:"replayed_at,omitempty"`
}

// The kinds of a DeadLetter.
const (
	DeadDelivery = "delivery"
	DeadLead     = "lead"
	DeadMessage  = "message"
	// DeadNotification is one that a channel's way did not take; Destination is channel/way.
	DeadNotification = "notification"
)

// PolicyRecord is one record of the policies topic, which is kept for ever and read in
// order: its one partition says which of two changes came first. Key "plan/ID" brings a
// policy's source; key "current" puts a plan into force; key "candidate" has one tried
// beside it, or (ID empty) takes that back.
type PolicyRecord struct {
	ID     PlanID            `json:"id"`
	Name   string            `json:"name,omitempty"`
	At     Millis            `json:"at"`
	Source map[string][]byte `json:"source,omitempty"` // file name to content
	// Prev is the plan in force from which the change goes on; where another one is in force
	// by then, the record changes nothing. Empty: from whatever is in force.
	Prev PlanID `json:"prev,omitempty"`
	// Candidate is the same for the plan that is tried.
	Candidate PlanID `json:"candidate,omitempty"`
	By        string `json:"by,omitempty"`     // run, apply, rollback, rollout
	Reason    string `json:"reason,omitempty"` // why it was put into force or taken back
}

// The keys of a PolicyRecord, and the prefix of those that bring a source.
const (
	PolicyCurrent   = "current"
	PolicyCandidate = "candidate"
	PolicyPlan      = "plan/"
)

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
