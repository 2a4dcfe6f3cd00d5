package ledger

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// With then = "merge_event" the second lead of a person becomes an event of the first, as
// long as that one is open: the second asks the first to take it in, and ends when it has. A
// first lead that is finished takes in nothing: the second goes its own way, and stands for
// the person from then on.

// Bounds of what an open lead keeps of those that were merged into it: the ids of the last
// ones, so that a copy is known, and so many bytes of what they say.
const (
	maxMerged = 8
	maxAlso   = 4 << 10
)

const reasonMerged = "merged"

// join asks the root to take the lead in.
func (d *step) join(root leadroute.LeadID) {
	s := d.s
	p := s.Person
	if root == d.id { // posted again under an id that the ledger had forgotten
		d.standIn()
		return
	}
	p.Join = root
	p.Asks++
	d.sendJoin()
}

func (d *step) sendJoin() {
	s := d.s
	d.send(leadroute.TopicLedger, string(s.Person.Join), &leadroute.LedgerMessage{Join: &leadroute.Join{
		Lead: d.id, N: s.Person.Asks, Fields: s.fields(),
	}})
}

// standIn takes the place of a root that is finished, at the identity that named it.
func (d *step) standIn() {
	p := d.s.Person
	p.Instead, p.Join, p.Root, p.Stands = p.Root, "", "", false
	d.ask()
}

// joined is what became of it.
func (d *step) joined(m *leadroute.Joined) {
	s := d.s
	if s == nil || s.Phase != Asking || s.Person.Join == "" || m.N != s.Person.Asks {
		return
	}
	d.touch()
	switch p := s.Person; {
	case m.Taken:
		p.Root, p.Join = p.Join, ""
		d.sendSettle()
		d.duplicate(outcomeMerged)
	case m.Root != "": // it is a duplicate itself
		d.join(m.Root)
	default:
		d.standIn()
	}
}

// takeIn merges another lead of the same person into this one, if it is open.
func (d *step) takeIn(m *leadroute.Join) {
	s := d.s
	r := &leadroute.Joined{N: m.N}
	switch {
	case s == nil:
	case s.Phase == Duplicate:
		r.Root = s.Person.Root
	case s.Open() || mutant.On("ledger-merges-into-finished"):
		r.Taken = true
		if !slices.Contains(s.Merged, m.Lead) {
			d.merge(m)
		}
	}
	d.send(leadroute.TopicLedger, string(m.Lead), &leadroute.LedgerMessage{Joined: r})
}

func (d *step) merge(m *leadroute.Join) {
	s := d.s
	if len(s.Merged) >= maxMerged {
		s.Merged = slices.Delete(s.Merged, 0, 1)
	}
	s.Merged = append(s.Merged, m.Lead)
	if also := overlay(s.Also, m.Fields); len(also) <= maxAlso {
		s.Also = also
	}
	d.touch()
	if s.Phase != Asking { // which tells it when it is decided
		d.tellMerged(m.Lead)
	}
}

// tellAllMerged records what was merged into the lead while it asked who came before.
func (d *step) tellAllMerged() {
	for _, lead := range d.s.Merged {
		d.tellMerged(lead)
	}
}

// tellMerged records that a lead was merged, and has the policy's channels told.
func (d *step) tellMerged(lead leadroute.LeadID) {
	s := d.s
	if mutant.On("ledger-merge-untold") {
		return
	}
	d.record(TrailStep{Step: leadroute.StepMerged, N: hash(string(lead)), Outcome: string(lead), Rep: s.Owner()})
	rule := d.plan().Dedupe
	if rule == nil {
		return
	}
	for _, channel := range rule.Notify {
		d.record(TrailStep{Step: leadroute.StepNotified, N: hash(string(lead), channel), Rep: s.Owner(), Outcome: channel, Reason: reasonMerged})
	}
}

// fields are what destinations and channels are told of the lead: what it says, and what
// those say that were merged into it, the latest first.
func (s *State) fields() json.RawMessage {
	if len(s.Also) == 0 {
		return s.Fields
	}
	return overlay(s.Fields, s.Also)
}

// overlay lays one object's members over another's. The lead's own id and times stay.
func overlay(under, over json.RawMessage) json.RawMessage {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(over, &b) != nil { // the door lets objects in alone
		return under
	}
	for _, own := range []string{"id", "emitted_at", "received_at"} {
		delete(b, own)
	}
	if len(under) > 0 && json.Unmarshal(under, &a) != nil {
		return under
	}
	if a == nil {
		a = map[string]json.RawMessage{}
	}
	maps.Copy(a, b)
	out, err := json.Marshal(a)
	if err != nil {
		return under
	}
	return out
}

// merges tells whether the policy merges.
func merges(rule *plan.Dedupe) bool { return rule.Then == plan.MergeEvent }
