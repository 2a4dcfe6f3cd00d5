package ledger

import (
	"slices"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/mutant"
)

// A person and a company are shared by leads, and the first that is assigned makes its rep
// their owner. So before a lead is committed to the rep who accepted it, whatever it shares
// is asked, one after the other, whether that rep may have it: the lead's identities in
// their order, then its company. Who names another owner has the acceptance released and
// the lead offered to that one. Who is known to be the owner before is asked first of all.

// Why a lead is offered to somebody out of turn, and why an acceptance was released.
const (
	reasonSameOwner    = "same_owner"
	reasonAccountOwner = "account_owner"
	reasonOwned        = "owned"
	reasonMovedOn      = "moved_on"
)

// Shared is what a lead shares with others, and who owns that.
type Shared struct {
	Company string `json:"c,omitempty"` // where its account stands; empty: it shares none
	// Known is the owner as far as it was told, and By who told it: the place among sharedBy, from 1.
	Known leadroute.RepID `json:"k,omitempty"`
	By    int             `json:"b,omitempty"`
	// To is the owner to whom the lead is offered now, out of turn; Target comes next.
	To leadroute.RepID `json:"t,omitempty"`
	// Passed are the owners who declined since the lead was last offered to the first of all.
	Passed []Passed `json:"p,omitempty"`
	Turns  int      `json:"n,omitempty"` // how often this revision was sent to an owner instead
	Next   int      `json:"x,omitempty"` // while confirming: who is asked, among sharedBy
	Made   bool     `json:"m,omitempty"` // the pending acceptance made the company's owner
}

// Passed is an owner who declined.
type Passed struct {
	Rep  leadroute.RepID `json:"r"`
	Gone bool            `json:"g,omitempty"` // is no rep any more
}

// Bounds of the ways between owners: so many are remembered to have declined, and after so
// many turns of a revision who accepts it gets it.
const (
	maxPassed = 8
	maxTurns  = 8
)

// sharer is one who must say yes.
type sharer struct {
	topic leadroute.Topic
	key   string
}

// sharedBy are those who must say yes, in the order in which they are asked.
func (d *step) sharedBy() []sharer {
	s := d.s
	var all []sharer
	if s.Person != nil && d.dedupe().Then != plan.Drop {
		for _, key := range s.Person.Keys {
			all = append(all, sharer{leadroute.TopicIdentities, key})
		}
	}
	if s.Shared != nil && s.Shared.Company != "" {
		all = append(all, sharer{leadroute.TopicAccounts, s.Shared.Company})
	}
	return all
}

// share takes down, of a decided lead, who shares it and who owns that.
func (d *step) share(dec *plan.Decision) {
	s := d.s
	var account *leadroute.Account
	if dec.Seen != nil {
		account = dec.Seen.Account
	}
	sh := &Shared{}
	if account == nil || account.Owner == "" || account.Claim != nil {
		sh.Company = dec.Company
	}
	s.Shared = sh
	all := d.sharedBy()
	switch p := s.Person; {
	case p != nil && p.Owner != "" && len(all) > 0:
		sh.Known, sh.By = p.Owner, p.Next+1
	case sh.Company != "" && account != nil:
		sh.Known, sh.By = account.Owner, len(all)
	}
	if len(all) == 0 {
		s.Shared = nil
	}
}

// offerAnew offers the lead to the owner who is known, if somebody is to get it at all, and
// then to its targets from index i on.
func (d *step) offerAnew(i int) {
	s := d.s
	sh := s.Shared
	if sh == nil || s.Held != nil {
		d.offerFrom(i)
		return
	}
	sh.Passed, sh.To = nil, ""
	ts := s.list(d.plan())
	if sh.Known == "" || sh.Known == s.avoid() || i < len(ts) && ts[i].Rep == sh.Known || !slices.ContainsFunc(ts[min(i, len(ts)):], toSomebody) {
		d.offerFrom(i)
		return
	}
	s.Declined, s.Declines = nil, 0
	d.touch()
	d.offerTo(sh.Known, i)
}

func toSomebody(t plan.Target) bool { return t.Queue == "" }

// offerTo offers the lead to an owner; its targets from index i on come next.
func (d *step) offerTo(owner leadroute.RepID, i int) {
	s := d.s
	s.Phase, s.Target, s.Shared.To = Offering, i, owner
	d.nextTry()
	d.sendOffer()
}

// outOfTurn is the owner to whom the offer that is out goes, or went; empty: to a target.
func (s *State) outOfTurn() leadroute.RepID {
	if s.Shared == nil {
		return ""
	}
	return s.Shared.To
}

// whyOutOfTurn is what the owner owns.
func (d *step) whyOutOfTurn() string {
	if d.s.Shared.By == len(d.sharedBy()) && d.s.Shared.Company != "" {
		return reasonAccountOwner
	}
	return reasonSameOwner
}

// passed notes that a rep who was asked by name declined.
func (d *step) passed(a *leadroute.Answer) {
	if sh := d.s.Shared; sh != nil && len(sh.Passed) < maxPassed {
		sh.Passed = append(sh.Passed, Passed{a.Claim.Rep, a.Reason == "unknown_rep"})
	}
}

// accepted has the acceptance confirmed by who shares the lead, and commits it.
func (d *step) accepted(a *leadroute.Answer) {
	s := d.s
	if len(d.sharedBy()) == 0 || mutant.On("ledger-owners-unasked") {
		d.commit(a)
		return
	}
	d.unopen()
	s.Phase, s.Pending = Confirming, a
	s.Shared.Next, s.Shared.Made = 0, false
	d.touch()
	d.sendOwn()
}

// sendOwn asks the one whose turn it is.
func (d *step) sendOwn() {
	s := d.s
	sh, all := s.Shared, d.sharedBy()
	if sh.Next >= len(all) {
		return // the plan that stands in for another one shares less; the sweep's check goes on
	}
	m := &leadroute.Own{
		Claim: s.Pending.Claim, N: sh.Next, Within: d.dedupe().Within.Milliseconds(), Bid: s.Pending.Bid,
		Yield: sh.Turns > maxTurns || sh.To != "" && sh.To == sh.Known && sh.Next >= sh.By,
	}
	if avoid := s.avoid(); avoid != "" {
		m.Passed = append(m.Passed, avoid)
	}
	for _, p := range sh.Passed {
		m.Passed = append(m.Passed, p.Rep)
		if p.Gone {
			m.Gone = append(m.Gone, p.Rep)
		}
	}
	to := all[sh.Next]
	if to.topic == leadroute.TopicAccounts {
		d.send(to.topic, to.key, &leadroute.AccountMessage{Own: m})
		return
	}
	d.toIdentity(to.key, &leadroute.IdentityMessage{Own: m})
}

// owned is the answer of one who shares the lead. As every acceptance, every claim that it
// is about is the pending or the committed one, or is released: so one that was given up
// while it was confirmed is not held for longer than the answer takes.
func (d *step) owned(m *leadroute.Owned) {
	s := d.s
	switch {
	case s != nil && s.Phase == Confirming && s.Pending.Claim == m.Claim:
	case s != nil && s.Claim != nil && s.Claim.ID == m.Claim && s.Phase != Dead:
		d.reply(m.Bid, m.Claim.Rep, "")
		return
	default:
		d.release(leadroute.Release{Claim: m.Claim})
		d.reply(m.Bid, m.Claim.Rep, reasonOwned)
		return
	}
	sh := s.Shared
	if m.N != sh.Next {
		return
	}
	d.touch()
	if !m.Yes {
		d.toOwner(m.Owner)
		d.reply(m.Bid, m.Claim.Rep, reasonOwned)
		return
	}
	all := d.sharedBy()
	sh.Made = m.Made && all[sh.Next].topic == leadroute.TopicAccounts
	if sh.Next++; sh.Next < len(all) {
		d.sendOwn()
		return
	}
	a := s.Pending
	s.Pending = nil
	d.commit(a)
	d.reply(m.Bid, m.Claim.Rep, "")
}

// toOwner releases the acceptance and offers the lead to the owner that was named.
func (d *step) toOwner(owner leadroute.RepID) {
	s := d.s
	sh := s.Shared
	sh.Turns++
	sh.Known, sh.By = owner, sh.Next+1
	d.letPendingGo(reasonOwned)
	s.Declined, s.Declines = nil, 0
	if mutant.On("ledger-owner-not-offered") {
		sh.Passed = append(sh.Passed, Passed{Rep: owner})
		d.offerFrom(s.Target)
		return
	}
	d.offerTo(owner, s.Target)
}

// letPendingGo releases the acceptance that is being confirmed, if there is one.
func (d *step) letPendingGo(why string) {
	s := d.s
	a := s.Pending
	if a == nil {
		return
	}
	s.Pending = nil
	if !mutant.On("ledger-pending-kept") {
		d.release(leadroute.Release{Claim: a.Claim})
	}
	d.record(TrailStep{Step: leadroute.StepReleased, N: hash(a.Claim.String(), why), Rep: a.Claim.Rep, Pool: a.Pool, Reason: why})
}
