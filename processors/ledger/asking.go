package ledger

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// Where the policy wants to know who came before, a lead asks its identities before it is
// decided: one after the other, in their order, up to the first that knows another lead.

// What became of a duplicate: the outcomes of its step.
const (
	outcomeDropped = "dropped"
	outcomeMerged  = "merged"
)

// Person is what a lead learned from its identities.
type Person struct {
	Keys []string `json:"k,omitempty"` // the identities, in the order in which they are asked
	Next int      `json:"n,omitempty"` // while asking: the one that is asked; then: the one that ended it
	Asks int      `json:"a,omitempty"` // counts the asks, so that a copy of an older answer is known
	// Root is the lead that came first; empty: this one.
	Root   leadroute.LeadID `json:"r,omitempty"`
	Stands bool             `json:"s,omitempty"` // the root is nobody's duplicate, for good
	Owner  leadroute.RepID  `json:"o,omitempty"` // who got the root
	// Join is a root that was asked to take the lead in, and Instead one whose place it takes.
	Join    leadroute.LeadID `json:"j,omitempty"`
	Instead leadroute.LeadID `json:"i,omitempty"`
}

// meet asks who the lead's person is, or decides at once where nobody wants to know.
func (d *step) meet(identities []string) {
	if d.plan().Dedupe == nil || len(identities) == 0 {
		d.decide()
		return
	}
	if mutant.On("ledger-asks-in-any-order") && hash(string(d.id))%2 == 0 {
		slices.Reverse(identities)
	}
	d.s.Phase, d.s.Person = Asking, &Person{Keys: identities}
	d.ask()
}

// ask asks the identity whose turn it is.
func (d *step) ask() {
	d.s.Person.Asks++
	d.touch()
	d.sendAsk()
}

func (d *step) sendAsk() {
	s := d.s
	p, rule := s.Person, d.dedupe()
	key := p.Keys[p.Next]
	d.toIdentity(key, &leadroute.IdentityMessage{Ask: &leadroute.Ask{
		Lead: d.id, Receipt: s.Receipt, N: p.Asks, Last: p.Next == len(p.Keys)-1, Instead: p.Instead, Within: rule.Within.Milliseconds(), Slide: rule.Slides(),
	}})
}

func (d *step) toIdentity(key string, m *leadroute.IdentityMessage) {
	d.send(leadroute.TopicIdentities, key, m)
}

// dedupe is the plan's rule. A plan that is no longer kept may have had one where the one
// that stands in for it has none: then no lead is dropped.
func (d *step) dedupe() *plan.Dedupe {
	if rule := d.plan().Dedupe; rule != nil {
		return rule
	}
	return &plan.Dedupe{Within: plan.DefaultDedupeWindow, Then: plan.SameOwner}
}

// met is an identity's answer: nobody came before, so the next one is asked and at last the
// lead decided; or somebody did.
func (d *step) met(m *leadroute.Met) {
	s := d.s
	if s == nil || s.Phase != Asking || s.Person.Join != "" || m.N != s.Person.Asks && !mutant.On("ledger-any-met") {
		return
	}
	p := s.Person
	if m.First && p.Next+1 < len(p.Keys) {
		p.Next++
		d.ask()
		return
	}
	d.touch()
	if !m.First {
		p.Root, p.Stands, p.Owner = m.Lead, m.Stands, m.Owner
		if merges(d.dedupe()) {
			d.join(m.Lead)
			return
		}
	}
	d.sendSettle()
	if p.Root != "" && d.dedupe().Then == plan.Drop {
		d.duplicate(outcomeDropped)
		return
	}
	d.decide()
}

// sendSettle tells the identities what the lead turned out to be: those that noted it as
// the first, that it stands, or who came first; and where that one stands, those that it did
// not ask, so that who shares any of them is known again.
func (d *step) sendSettle() {
	p := d.s.Person
	if mutant.On("ledger-settles-nothing") {
		return
	}
	settle := leadroute.Settle{Lead: d.id, Root: p.Root, Stands: p.Stands, Within: d.dedupe().Within.Milliseconds()}
	if p.Root == "" {
		settle.Root, settle.Stands = d.id, true
	}
	for i, key := range p.Keys {
		if i < p.Next || i > p.Next && (settle.Stands || mutant.On("ledger-links-who-may-fall")) {
			d.toIdentity(key, &leadroute.IdentityMessage{Settle: &settle})
		}
	}
}

// duplicate ends a lead as that of a person who came before.
func (d *step) duplicate(outcome string) {
	s := d.s
	s.Phase, s.Done = Duplicate, d.at
	d.record(TrailStep{Step: leadroute.StepReceived, At: s.Received})
	d.record(TrailStep{Step: leadroute.StepDuplicate, Outcome: outcome, Reason: string(s.Person.Root)})
	d.tellAllMerged()
	d.leave()
}
