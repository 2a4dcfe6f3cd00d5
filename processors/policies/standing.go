package policies

import (
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
)

// Who changes what is in force.
const (
	ByRun      = "run"      // an instance was started with the policy
	ByApply    = "apply"    // somebody applied it
	ByRollback = "rollback" // somebody went back to it
	ByRollout  = "rollout"  // its rollout came to an end
)

// What a Change did.
const (
	Enforced  = "enforced"  // the plan came into force
	Tried     = "tried"     // a rollout of the plan began
	Withdrawn = "withdrawn" // its rollout was taken back
)

// Change is one change that took effect.
type Change struct {
	Plan   leadroute.PlanID `json:"plan"`
	Name   string           `json:"name,omitempty"` // of the policy
	What   string           `json:"what"`           // enforced, tried, withdrawn
	At     leadroute.Millis `json:"at"`
	By     string           `json:"by,omitempty"`
	Reason string           `json:"reason,omitempty"`
}

// Standing is what the log adds up to.
type Standing struct {
	Current leadroute.PlanID `json:"current"`
	By      string           `json:"by,omitempty"` // who put it into force
	// Candidate is tried beside the current plan since Since; empty: none.
	Candidate leadroute.PlanID `json:"candidate,omitempty"`
	Since     leadroute.Millis `json:"since,omitempty"`
	// History is every change that took effect, oldest first.
	History []Change `json:"history"`
	// Published are the plans whose source the log has, oldest first.
	Published []leadroute.PlanID `json:"published"`
}

// apply lays a record over the standing and tells whether it had an effect. It goes by
// the records before it alone, so that every reader of the log sees the same.
func (s *Standing) apply(key string, r *leadroute.PolicyRecord, names map[leadroute.PlanID]string) bool {
	change := Change{Plan: r.ID, Name: names[r.ID], At: r.At, By: r.By, Reason: r.Reason}
	switch {
	case strings.HasPrefix(key, leadroute.PolicyPlan):
		names[r.ID] = r.Name
		if !slices.Contains(s.Published, r.ID) {
			s.Published = append(s.Published, r.ID)
		}
		return true
	case r.Prev != "" && r.Prev != s.Current:
		return false // it goes on from a plan that is no longer in force
	case key == leadroute.PolicyCurrent:
		if r.Candidate != "" && r.Candidate != s.Candidate || r.ID == s.Current && s.Candidate == "" {
			return false
		}
		s.Current, s.By, s.Candidate, s.Since = r.ID, r.By, "", 0
		change.What = Enforced
	case key == leadroute.PolicyCandidate && r.ID != "":
		if s.Candidate != "" || r.ID == s.Current {
			return false
		}
		s.Candidate, s.Since = r.ID, r.At
		change.What = Tried
	case key == leadroute.PolicyCandidate:
		if s.Candidate == "" || r.Candidate != s.Candidate {
			return false
		}
		change.Plan, change.Name, change.What = s.Candidate, names[s.Candidate], Withdrawn
		s.Candidate, s.Since = "", 0
	default:
		return false
	}
	s.History = append(s.History, change)
	return true
}

// Before is the plan that was in force before the current one, empty if there was none.
func (s *Standing) Before() leadroute.PlanID {
	for _, c := range slices.Backward(s.History) {
		if c.What == Enforced && c.Plan != s.Current {
			return c.Plan
		}
	}
	return ""
}

func (s *Standing) clone() Standing {
	c := *s
	c.History, c.Published = slices.Clone(s.History), slices.Clone(s.Published)
	return c
}
