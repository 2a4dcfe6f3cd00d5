package leadroute

import (
	"encoding/json"
	"strconv"
)

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
