package sim

import (
	"slices"
	"strconv"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/identities"
	"github.com/leadroute/leadroute/processors/ledger"
)

// day is how long people are remembered.
const day = 24 * time.Hour

// drawIdentities are those of a lead: few, of few, so that people come again, and by
// another identity than before.
func (w *World) drawIdentities() []string {
	var keys []string
	for range w.rng.IntN(4) {
		keys = append(keys, "i"+strconv.Itoa(w.rng.IntN(2+w.opt.Leads/3)))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// checkPeople checks that who was dropped was the duplicate of a lead that is there, shares
// something with it, and that no two leads are each other's.
func (w *World) checkPeople() {
	for _, a := range w.door.posted {
		id := a.Lead.ID
		s := w.lead(string(id))
		p := w.planOf(a.Plan)
		if s.Phase != ledger.Duplicate {
			continue
		}
		if p.Dedupe == nil || p.Dedupe.Then == plan.SameOwner {
			w.violate("8 people", "%s is a duplicate, and its policy %s drops none", id, p.ID)
		}
		if !w.told(string(id), leadroute.StepDuplicate) {
			w.violate("6 events", "%s was never told to be a duplicate", id)
		}
		if p.Dedupe != nil && p.Dedupe.Then == plan.MergeEvent && !w.merged(id, s.Person.Root) {
			w.violate("8 people", "%s was merged into %s, and no event of that one says so", id, s.Person.Root)
		}
		seen := []leadroute.LeadID{id}
		for s.Phase == ledger.Duplicate {
			root := s.Person.Root
			if slices.Contains(seen, root) {
				w.violate("8 people", "%v are each other's duplicates", append(seen, root))
				return
			}
			seen = append(seen, root)
			if s = w.lead(string(root)); s == nil {
				w.violate("1 lost", "%v: the last is no lead", seen)
				return
			}
		}
	}
	w.checkKnown()
}

// merged tells whether an event of the root says that the lead was merged into it.
func (w *World) merged(lead, root leadroute.LeadID) bool {
	for _, e := range w.events {
		if e.Lead == root && e.Step == leadroute.StepMerged && e.Outcome == string(lead) {
			return true
		}
	}
	return false
}

// checkTakenIn checks that a lead is merged into an open one alone.
func (w *World) checkTakenIn(own *owner, key string, open bool, m *leadroute.LedgerMessage, out []leadroute.Effect) {
	if m.Join == nil || own.part.owner != own {
		return
	}
	for _, e := range out {
		if l, ok := e.Value.(*leadroute.LedgerMessage); ok && l.Joined != nil && l.Joined.Taken && !open {
			w.violate("8 people", "%s was merged into %s, which is finished", m.Join.Lead, key)
		}
	}
}

// checkKnown checks that where every policy drops, a person's leads are one: of two that
// share an identity not both went their way.
func (w *World) checkKnown() {
	for _, p := range w.plans {
		if p.Dedupe == nil || p.Dedupe.Then != plan.Drop {
			return
		}
	}
	if w.opt.Stalls {
		return // a stalled owner's late write may lose who came first
	}
	went := map[string]leadroute.LeadID{}
	for _, a := range w.door.posted {
		if w.lead(string(a.Lead.ID)).Phase == ledger.Duplicate {
			continue
		}
		for _, key := range a.Lead.Identities {
			if other, ok := went[key]; ok {
				w.violate("8 people", "%s and %s share %s, and neither is a duplicate", other, a.Lead.ID, key)
			}
			went[key] = a.Lead.ID
			if row := w.identity(key); w.now < start.Add(day) && (row == nil || !row.Stands) {
				w.violate("8 people", "%s went its way, and %s does not know that for good: %+v", a.Lead.ID, key, row)
			}
		}
	}
}

// checkExpiry checks that nobody is remembered for longer than the policy says.
func (w *World) checkExpiry() {
	w.now = w.now.Add(2 * day)
	for _, p := range w.identities.parts {
		w.sweep(w.identities, p)
	}
	for !w.idle() && w.violation == nil {
		w.step()
	}
	for _, p := range w.identities.parts {
		for _, key := range sortedKeys(p.owner.table) {
			if c := p.owner.table[key]; c.value != nil {
				w.violate("8 people", "%s is remembered at %d: %s", key, w.now, c.value)
			}
		}
	}
}

func (w *World) identity(key string) *identities.State {
	c := w.identities.parts[partitionOf(key, w.opt.Partitions)].owner.table[key]
	if c.value == nil {
		return nil
	}
	return decoded[identities.State](w, c.value)
}
