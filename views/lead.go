package views

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/ledger"
	"github.com/leadroute/leadroute/processors/stream"
)

// Lead is what is known of one lead.
type Lead struct {
	ID leadroute.LeadID `json:"id"`
	// State is null where the row is not at hand, or no more: StateNote says why.
	State     *LeadState `json:"state"`
	StateNote string     `json:"state_note,omitempty"`
	// Trail is every step, oldest first.
	Trail     []leadroute.LatencyEvent `json:"trail"`
	TrailNote string                   `json:"trail_note,omitempty"` // why it may not be whole
}

// LeadState is a lead's row as the API shows it. Instants are milliseconds since 1970, as in the trail.
type LeadState struct {
	Phase        ledger.Phase       `json:"phase"` // asking, offering, waiting, confirming, owned, closed, dead, duplicate
	Rev          int                `json:"rev"`
	Class        leadroute.Class    `json:"class,omitempty"`
	Source       leadroute.SourceID `json:"source,omitempty"`
	EmittedAt    leadroute.Millis   `json:"emitted_at,omitempty"`
	ReceivedAt   leadroute.Millis   `json:"received_at,omitempty"`
	Deadline     leadroute.Millis   `json:"deadline,omitempty"` // of the class's deliver_within
	Breached     bool               `json:"breached,omitempty"` // it was missed
	Plan         leadroute.PlanID   `json:"plan,omitempty"`
	Rule         string             `json:"rule,omitempty"`
	Territory    string             `json:"territory,omitempty"`
	Targets      []plan.Target      `json:"targets,omitempty"`
	Identities   int                `json:"identities,omitempty"`   // by how many the lead's person is known
	DuplicateOf  leadroute.LeadID   `json:"duplicate_of,omitempty"` // the lead with which the person came first
	FirstLead    leadroute.LeadID   `json:"first_lead,omitempty"`   // the same, of a lead that goes its own way
	Merged       []leadroute.LeadID `json:"merged,omitempty"`       // the last leads that were merged into this one
	SharedOwner  leadroute.RepID    `json:"shared_owner,omitempty"` // who owns the person, or the company
	Owner        leadroute.RepID    `json:"owner,omitempty"`
	OwnerCRMID   string             `json:"owner_crm_id,omitempty"`
	Pool         leadroute.PoolID   `json:"pool,omitempty"`
	Queue        leadroute.QueueID  `json:"queue,omitempty"`
	QueuedAt     leadroute.Millis   `json:"queued_at,omitempty"`
	OpenIn       leadroute.PoolID   `json:"open_in,omitempty"` // the pool whose reps may claim it
	OpenUntil    leadroute.Millis   `json:"open_until,omitempty"`
	Held         *Held              `json:"held,omitempty"`
	Responded    bool               `json:"responded,omitempty"`
	Destinations []Destination      `json:"destinations,omitempty"`
	ChangedAt    leadroute.Millis   `json:"changed_at,omitempty"`
	DoneAt       leadroute.Millis   `json:"done_at,omitempty"`
	Fields       json.RawMessage    `json:"fields,omitempty"` // on request: they may be personal
}

// Held is a hold that stands.
type Held struct {
	Since  leadroute.Millis `json:"since"`
	Until  leadroute.Millis `json:"until,omitempty"` // 0: until it is released
	By     string           `json:"by,omitempty"`
	Reason string           `json:"reason,omitempty"`
}

// Destination is how far a lead has come with one destination.
type Destination struct {
	Name         leadroute.DestinationID `json:"name"`
	Rev          int                     `json:"rev"` // that the attempts are of
	Attempt      int                     `json:"attempt"`
	Limit        int                     `json:"limit"`
	InFlight     bool                    `json:"in_flight,omitempty"`
	RetryAt      leadroute.Millis        `json:"retry_at,omitempty"`
	Acknowledged int                     `json:"acknowledged,omitempty"` // highest revision
	Dead         bool                    `json:"dead,omitempty"`
}

func (a *API) lead(r *http.Request) answer {
	id := leadroute.LeadID(r.PathValue("id"))
	l := Lead{ID: id}
	s, ok, err := a.cfg.Lead(id)
	elsewhere := errors.Is(err, stream.ErrNotLocal)
	switch {
	case elsewhere:
		l.StateNote = "the row is at another instance, or nobody's just now"
	case err != nil:
		a.cfg.Log.Error("row of a lead not read", "lead_id", id, "error", err)
		l.StateNote = "the row could not be read: see the log of the router"
	case ok:
		l.State = state(s, r.URL.Query().Get("fields") == "true")
	default:
		l.StateNote = "there is no row: the lead is on its way in, or was finished long ago"
	}
	told, terr := a.cfg.Trail(r.Context(), id)
	if terr != nil {
		a.cfg.Log.Warn("trail of a lead not read", "lead_id", id, "error", terr)
		l.TrailNote = "ClickHouse does not answer: these are the steps that the row remembers"
	}
	var remembered []leadroute.LatencyEvent
	if s != nil {
		remembered = s.Events(id)
	}
	l.Trail = merge(told, remembered)
	switch {
	case l.State != nil || len(l.Trail) > 0 || elsewhere:
		return answer{http.StatusOK, &l}
	case err != nil || terr != nil:
		return away("what is known of the lead cannot be read now", "ask again in a moment, and see the log of the router")
	}
	return refuse(http.StatusNotFound, "", "no lead of this id is known", "check the id; of a lead that was sent just now, ask again in a moment")
}

// Decisions are the decisions about a lead, oldest first.
type Decisions struct {
	Lead      leadroute.LeadID         `json:"lead"`
	Decisions []leadroute.LatencyEvent `json:"decisions"`
	Note      string                   `json:"note,omitempty"` // why they may not be all
}

func (a *API) decisions(r *http.Request) answer {
	id := leadroute.LeadID(r.PathValue("id"))
	out := Decisions{Lead: id, Decisions: []leadroute.LatencyEvent{}}
	told, err := a.cfg.Decisions(r.Context(), id)
	if err != nil {
		a.cfg.Log.Warn("decisions about a lead not read", "lead_id", id, "error", err)
		out.Note = "ClickHouse does not answer: this is the decision that the row remembers"
	}
	var remembered []leadroute.LatencyEvent
	if s, ok, _ := a.cfg.Lead(id); ok { // else it is ClickHouse's to say
		if e := s.Decided(id); e != nil {
			remembered = append(remembered, *e)
		}
	}
	out.Decisions = merge(told, remembered)
	switch {
	case len(out.Decisions) > 0:
		return answer{http.StatusOK, &out}
	case err != nil:
		return away("what was decided of the lead cannot be read now", "ask again in a moment, and see the log of the router")
	}
	return refuse(http.StatusNotFound, "", "no decision about a lead of this id is known", "check the id; of a lead that was sent just now, ask again in a moment")
}

func state(s *ledger.State, fields bool) *LeadState {
	out := &LeadState{
		Phase: s.Phase, Rev: s.Rev, Class: s.Class, Source: s.Source, EmittedAt: s.Emitted, ReceivedAt: s.Received,
		Breached: s.Breached, Plan: s.Plan, Rule: s.Rule, Territory: s.Territory, Targets: s.Targets,
		Owner: s.Owner(), OwnerCRMID: s.OwnerCRM, Queue: s.Queue, QueuedAt: s.Queued, Responded: s.Responded, OpenIn: s.OpenIn, OpenUntil: s.OpenUntil,
		ChangedAt: s.Last, DoneAt: s.Done,
	}
	if s.SLA > 0 {
		l := leadroute.Lead{EmittedAt: s.Emitted, ReceivedAt: s.Received}
		out.Deadline = l.Since() + leadroute.Millis(s.SLA)
	}
	if s.Claim != nil {
		out.Pool = s.Claim.Pool
	}
	if h := s.Held; h != nil {
		out.Held = &Held{Since: h.From, Until: h.Until, By: h.By, Reason: h.Reason}
	}
	if p := s.Person; p != nil {
		out.Identities = len(p.Keys)
		if s.Phase == ledger.Duplicate {
			out.DuplicateOf = p.Root
		} else {
			out.FirstLead = cmp.Or(p.Root, p.Instead)
		}
	}
	out.Merged = s.Merged
	if s.Shared != nil {
		out.SharedOwner = s.Shared.Known
	}
	for _, d := range s.Dests {
		out.Destinations = append(out.Destinations, Destination{
			Name: d.Name, Rev: d.Rev, Attempt: d.Attempt, Limit: d.Limit, InFlight: d.InFlight, RetryAt: d.Retry, Acknowledged: d.Acked, Dead: d.Dead,
		})
	}
	if fields {
		out.Fields = s.Fields
	}
	return out
}

// merge puts two tellings of one trail together: a step that both tell is there once.
func merge(told, remembered []leadroute.LatencyEvent) []leadroute.LatencyEvent {
	all := make([]leadroute.LatencyEvent, 0, len(told)+len(remembered))
	seen := make(map[string]bool, cap(all))
	for _, events := range [][]leadroute.LatencyEvent{told, remembered} {
		for i := range events {
			if id := events[i].ID(); !seen[id] {
				seen[id] = true
				all = append(all, events[i])
			}
		}
	}
	slices.SortStableFunc(all, func(a, b leadroute.LatencyEvent) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Rev, b.Rev),
			cmp.Compare(place(a.Step), place(b.Step)), cmp.Compare(a.N, b.N))
	})
	return all
}

// place orders steps of one revision and millisecond: as they follow each other, where one that
// begins the revision is the first.
func place(s leadroute.Step) int {
	if s == leadroute.StepReassigned {
		return -1
	}
	return slices.Index(leadroute.Steps, s)
}
