package leadroute

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
