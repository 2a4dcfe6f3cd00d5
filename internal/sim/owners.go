package sim

import (
	"fmt"
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/ledger"
)

// owning is what the world knows of who owns whom, from the places where it is decided:
// what reps answered, and in which order the identities and the accounts heard what.
type owning struct {
	owners  map[string][]owns              // by topic and key, as the inbox goes on
	yes     map[string]bool                // "topic/key claim": the key said yes to the claim
	named   map[string][]leadroute.RepID   // who was named the owner of what a lead shares, by lead
	answers map[leadroute.LeadID][]claimed // what reps said of a lead
}

// owns is an owner from a place in the inbox on.
type owns struct {
	pos      int
	rep      leadroute.RepID // empty: nobody
	byPerson bool
	claim    leadroute.ClaimID
}

// claimed is a rep's answer.
type claimed struct {
	id       leadroute.ClaimID
	accepted bool
	gone     bool
}

func newOwning() owning {
	return owning{
		owners: map[string][]owns{}, yes: map[string]bool{}, named: map[string][]leadroute.RepID{}, answers: map[leadroute.LeadID][]claimed{},
	}
}

// before is who owned at a place of the inbox.
func (o *owning) before(key string, pos int) owns {
	var at owns
	for _, e := range o.owners[key] {
		if e.pos < pos {
			at = e
		}
	}
	return at
}

// overruled tells whether the owner has changed behind that place of the inbox, which a replay's
// row may know already.
func (o *owning) overruled(key string, pos int) bool {
	return slices.ContainsFunc(o.owners[key], func(e owns) bool { return e.pos > pos })
}

// set notes an owner. A replay says again what was said.
func (o *owning) set(key string, e owns) {
	o.owners[key] = append(slices.DeleteFunc(o.owners[key], func(have owns) bool { return have.pos == e.pos }), e)
	slices.SortFunc(o.owners[key], func(a, b owns) int { return a.pos - b.pos })
}

// account is what has reached the accounts' changelog, nil if nothing has.
func (w *World) account(key string) *leadroute.Account {
	var last change
	for _, c := range w.accounts.parts[partitionOf(key, w.opt.Partitions)].changelog {
		if c.key == key && !c.olderThan(last) {
			last = c
		}
	}
	if last.value == nil {
		return nil
	}
	return decoded[leadroute.Account](w, last.value)
}

// accountSaid notes what somebody says of a company.
func (w *World) accountSaid(own *owner, key string, s *leadroute.Account, m *leadroute.AccountMessage) {
	if own.part.owner != own {
		return
	}
	name := string(leadroute.TopicAccounts) + "/" + key
	switch {
	case m.Remove != nil:
		w.ownership.set(name, owns{pos: own.pos - 1})
	case m.Set != nil && m.Set.Owner != "":
		w.ownership.set(name, owns{pos: own.pos - 1, rep: m.Set.Owner, byPerson: true})
	case m.Set != nil && s != nil && s.Claim == nil:
		w.ownership.set(name, owns{pos: own.pos - 1})
	}
}

// answered notes a rep's answer.
func (w *World) answered(own *owner, m *leadroute.RepMessage, out []leadroute.Effect) {
	if m.Claim == nil || own.part.owner != own {
		return
	}
	for _, e := range out {
		if l, ok := e.Value.(*leadroute.LedgerMessage); ok && l.Answer != nil {
			w.ownership.answers[m.Claim.ID.Lead] = append(w.ownership.answers[m.Claim.ID.Lead], claimed{
				m.Claim.ID, l.Answer.Accepted, l.Answer.Reason == "unknown_rep",
			})
		}
	}
}

// checkOwn checks the answer of one who shares a lead: the owner may have it, and another
// rep only if the owner declined it in this revision, or lost it before, or who counts for
// more named that rep. An owner is followed by another one only by the lead that made them,
// or when they are gone.
func (w *World) checkOwn(own *owner, key string, m *leadroute.Own, out []leadroute.Effect) {
	if own.part.owner != own || w.opt.Reps == 0 || w.opt.Stalls { // a stalled owner's late write may lose an owner, as it may lose anything
		return
	}
	name := string(own.stage.name) + "/" + key
	for _, e := range out {
		if l, ok := e.Value.(*leadroute.LedgerMessage); ok && l.Met != nil && l.Met.Owner != "" {
			w.ownership.named[e.Key] = append(w.ownership.named[e.Key], l.Met.Owner)
		}
	}
	if m == nil || w.now >= start.Add(day) || w.ownership.overruled(name, own.pos-1) {
		return
	}
	owned := out[0].Value.(*leadroute.LedgerMessage).Owned
	have, c := w.ownership.before(name, own.pos-1), m.Claim
	mine := owns{pos: own.pos - 1, rep: c.Rep, claim: c}
	older := c.Rev < have.claim.Rev || c.Rev == have.claim.Rev && c.Try < have.claim.Try
	if owned.Yes {
		w.ownership.yes[name+" "+c.String()] = true
	} else {
		w.ownership.named[string(c.Lead)] = append(w.ownership.named[string(c.Lead)], owned.Owner)
	}
	switch {
	case have.byPerson:
		if !owned.Yes || owned.Made {
			w.violate("8 owners", "%s has an owner by somebody's word and answers %+v", name, owned)
		}
	case have.rep == "", have.claim.Lead == c.Lead && !older:
		if !owned.Yes {
			w.violate("8 owners", "%s is nobody else's and refuses %s: %+v", name, c, owned)
		}
		w.ownership.set(name, mine)
	case have.rep == c.Rep:
		if !owned.Yes {
			w.violate("8 owners", "%s is %s's, and refuses %s: %+v", name, have.rep, c, owned)
		}
	case owned.Yes:
		declined, gone := w.declined(c, have.rep)
		if !declined && !slices.Contains(w.ownership.named[string(c.Lead)], c.Rep) {
			w.violate("8 owners", "%s is %s's, who was not asked, and goes to %s", name, have.rep, c)
		}
		if owned.Made && !gone {
			w.violate("8 owners", "%s is %s's, who is still there, and becomes that of %s", name, have.rep, c)
		}
		if owned.Made {
			w.ownership.set(name, mine)
		}
	case owned.Owner != have.rep:
		w.violate("8 owners", "%s is %s's, and names %+v", name, have.rep, owned)
	}
}

// declined tells whether the rep declined the lead in the claim's revision before it, or
// had it in an earlier one; and whether the rep was no rep then.
func (w *World) declined(c leadroute.ClaimID, rep leadroute.RepID) (declined, gone bool) {
	for _, a := range w.ownership.answers[c.Lead] {
		if a.id.Rep != rep {
			continue
		}
		declined = declined || a.accepted && a.id.Rev < c.Rev || !a.accepted && a.id.Rev == c.Rev && a.id.Try < c.Try
		gone = gone || a.gone && a.id.Rev == c.Rev
	}
	return declined, gone
}

func claimOf(s *ledger.State) leadroute.ClaimID {
	if s == nil || s.Claim == nil {
		return leadroute.ClaimID{}
	}
	return s.Claim.ID
}

// checkCommit checks that nobody becomes a lead's owner without the word of all who share it.
func (w *World) checkCommit(own *owner, before leadroute.ClaimID, s *ledger.State) {
	if own.part.owner != own || w.opt.Reps == 0 || w.opt.Stalls || claimOf(s) == (leadroute.ClaimID{}) || claimOf(s) == before || s.Phase != ledger.Owned || w.now >= start.Add(day) {
		return
	}
	c := s.Claim.ID
	p := w.planOf(s.Plan)
	i := slices.IndexFunc(w.door.posted, func(a leadroute.Admission) bool { return a.Lead.ID == c.Lead })
	if i < 0 {
		return
	}
	var keys []string
	if p.Dedupe != nil && p.Dedupe.Then != plan.Drop && w.planOf(w.door.posted[i].Plan).Dedupe != nil { // one that was moved to this plan asked none when it came in
		for _, key := range w.door.posted[i].Lead.Identities {
			keys = append(keys, string(leadroute.TopicIdentities)+"/"+key)
		}
	}
	named := s.Seen != nil && s.Seen.Account != nil && s.Seen.Account.Owner != "" && s.Seen.Account.Claim == nil
	if own := keysOf(p, &w.door.posted[i].Lead); len(own) > 0 && !named && !slices.ContainsFunc(own, func(key string) bool {
		return w.ownership.yes[string(leadroute.TopicAccounts)+"/"+key+" "+c.String()]
	}) {
		w.violate("8 owners", "%s was committed, and its company did not say yes: %v", c, own)
	}
	for _, key := range keys {
		if !w.ownership.yes[key+" "+c.String()] {
			w.violate("8 owners", "%s was committed, and %s did not say yes: %s", c, key, fmt.Sprint(w.ownership.owners[key]))
		}
	}
}
