package leadroute

import (
	"encoding/json"
	"strconv"
	"time"
)

// Step is one step of a lead's way.
type Step string

// The steps, in the order in which a lead usually takes them.
const (
	StepReceived      Step = "received"
	StepRejected      Step = "rejected"
	StepDuplicate     Step = "duplicate"
	StepEnriched      Step = "enriched"
	StepDecided       Step = "decided"
	StepOffered       Step = "offered"
	StepClaimed       Step = "claimed"
	StepDeclined      Step = "declined"
	StepAssigned      Step = "assigned"
	StepQueued        Step = "queued"
	StepReleased      Step = "released"
	StepDelivered     Step = "delivered"
	StepAttemptFailed Step = "attempt_failed"
	StepSuperseded    Step = "superseded"
	StepDeadLettered  Step = "dead_lettered"
	StepResponded     Step = "responded"
	StepReassigned    Step = "reassigned"
	StepBreached      Step = "breached"
	StepClosed        Step = "closed"
	StepNotified      Step = "notified" // a channel is to be told: Outcome names it, Reason says why
	StepRefused       Step = "refused"  // what a rep said of the lead did not stand: Outcome is the action, Reason who has it
	// The lead's assignment made the rep the owner of its company.
	StepClaimedAccount Step = "claimed_account"
	// Another lead of the same person was merged into this one: Outcome names it.
	StepMerged Step = "merged"
	StepParked Step = "parked" // the CRM holds the lead for its queue
	StepHeld   Step = "held"   // an operator, Outcome, holds the lead; Reason says why
	StepUnheld Step = "unheld" // the hold is over: Outcome is who ended it, or "until"
	// StepRepRemoved is of a rep, not of a lead: Outcome is reassign or keep, Reason who says so.
	StepRepRemoved Step = "rep_removed"
)

// Steps lists every step; the sink's Enum8 numbers them by position, from 1, so new
// ones are appended. The sink tells its table at every start.
var Steps = []Step{
	StepReceived, StepRejected, StepDuplicate, StepEnriched, StepDecided, StepOffered, StepClaimed, StepDeclined,
	StepAssigned, StepQueued, StepReleased, StepDelivered, StepAttemptFailed, StepSuperseded, StepDeadLettered,
	StepResponded, StepReassigned, StepBreached, StepClosed, StepNotified, StepRefused,
	StepClaimedAccount, StepMerged, StepParked, StepHeld, StepUnheld, StepRepRemoved,
}

// LatencyEvent is one step of one lead. Its identity is (Lead, Rev, Step, N): the same
// step decided again by a replay has the same identity and the same content, so that
// the table that keeps it may be written any number of times.
type LatencyEvent struct {
	Lead LeadID `json:"lead"`
	Rev  int    `json:"rev"`
	Step Step   `json:"step"`
	// N tells steps of one revision apart: the attempt, the try, or a hash of what caused it.
	N uint64 `json:"n,omitempty"`

	Class       Class         `json:"class,omitempty"`
	Source      SourceID      `json:"source,omitempty"`
	Rule        string        `json:"rule,omitempty"`
	Territory   string        `json:"territory,omitempty"`
	Pool        PoolID        `json:"pool,omitempty"`
	Queue       QueueID       `json:"queue,omitempty"`
	Rep         RepID         `json:"rep,omitempty"`
	Destination DestinationID `json:"destination,omitempty"`
	Attempt     int           `json:"attempt,omitempty"`
	Outcome     string        `json:"outcome,omitempty"` // HTTP status, result word, or the channel told
	Reason      string        `json:"reason,omitempty"`
	Plan        PlanID        `json:"plan,omitempty"`

	EmittedAt  Millis `json:"emitted_at,omitempty"`
	ReceivedAt Millis `json:"received_at,omitempty"`
	At         Millis `json:"at"` // of the step, from the record that caused it
	// SinceEmit is At minus the lead's Since, SincePrev At minus the step before; both in
	// milliseconds, never negative.
	SinceEmit int64 `json:"since_emit_ms"`
	SincePrev int64 `json:"since_prev_ms"`
	// SLA is the class's deliver_within in milliseconds, 0 if it has none, and on the events
	// of a destination other than the primary one, whose acknowledgement it does not count.
	SLA int64 `json:"sla_ms,omitempty"`
	// Cost is in millionths of the policy's currency unit.
	Cost int64 `json:"cost_micros,omitempty"`
	// Decision is set on StepDecided alone.
	Decision *Decision `json:"decision,omitempty"`
}

// Decision is all that makes a decision again: with the plan and the time of the event it
// says what was said, byte for byte. It holds the lead's fields, which may be personal.
type Decision struct {
	Fields json.RawMessage `json:"fields"`         // of the lead, as the ledger had them
	Seen   json.RawMessage `json:"seen,omitempty"` // what the tables showed: a plan.Snapshot; nothing where nothing was read
	Said   json.RawMessage `json:"said"`           // the plan.Decision
}

// ID is "lead/rev/step/n": the row's identity in the analytics table.
func (e *LatencyEvent) ID() string {
	return string(e.Lead) + "/" + strconv.Itoa(e.Rev) + "/" + string(e.Step) + "/" + strconv.FormatUint(e.N, 36)
}

// Elapsed is b-a in whole milliseconds, 0 when b lies before a or a is not known.
func Elapsed(a, b Millis) int64 {
	if a == 0 || b < a {
		return 0
	}
	return int64(b.Sub(a) / time.Millisecond)
}
