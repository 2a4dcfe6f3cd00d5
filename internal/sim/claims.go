package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/ledger"
)

// claims is what the reps who claim leads were told.
type claims struct {
	bids   int
	agreed map[string]leadroute.RepID // lead/rev: who was told to have it
	said   *leadroute.Reply           // the last answer
}

// claimSome lets some reps at once claim a lead that is open, or one that is not.
func (w *World) claimSome() {
	lead := w.claimable()
	if lead == "" {
		return
	}
	for range 1 + w.rng.IntN(3) {
		i := w.rng.IntN(w.opt.Reps + 1) // one of them does not exist
		w.claims.bids++
		w.send(senderDesk-1-i, leadroute.TopicLedger, string(lead), &leadroute.LedgerMessage{Bid: &leadroute.Bid{
			Rep: leadroute.RepID(repName(i)), At: w.now, Reply: fmt.Sprintf("%s/%s/%d", repName(i), lead, w.claims.bids),
		}})
	}
}

// claimable is a lead that is open to claim, or seldom one that is not. Of those that are
// open when the world ends the ones that wait are claimed, so that they end, and the others
// not, so that their time must.
func (w *World) claimable() leadroute.LeadID {
	n := len(w.door.posted)
	if n == 0 {
		return ""
	}
	first, look := w.rng.IntN(n), 4
	if w.draining {
		look = n
	}
	for i := range look {
		id := w.door.posted[(first+i)%n].Lead.ID
		if s := w.lead(string(id)); s != nil && s.OpenUntil != 0 && (!w.draining || s.Queue != "") || w.chance(20*look) {
			return id
		}
	}
	return ""
}

// replied checks that of all who claimed a lead one was told to have it, in each revision.
func (w *World) replied(it item) {
	r := decoded[leadroute.Reply](w, it.val)
	w.claims.said = r
	if r == nil || !r.Agreed || r.Rev == 0 {
		return
	}
	rep, _, _ := strings.Cut(it.key, "/")
	key := fmt.Sprintf("%s/%d", r.Lead, r.Rev)
	if have, ok := w.claims.agreed[key]; ok && have != leadroute.RepID(rep) && !w.opt.Stalls {
		w.violate("2 one owner", "%s and %s were both told that they have %s", have, rep, key)
	}
	w.claims.agreed[key] = leadroute.RepID(rep)
}

// checkRefused checks that a lead stays open to the others when one who claims it cannot have it.
func (w *World) checkRefused(lead string, open bool, try int, s *ledger.State, m *leadroute.LedgerMessage) {
	if open && m.Answer != nil && !m.Answer.Accepted && s.Try != try {
		w.violate("claims", "%s moved on because %s cannot have it", lead, m.Answer.Claim.Rep)
	}
}

// checkMember checks that who got a lead through a pool is a member of it.
func (w *World) checkMember(lead string, s *ledger.State) {
	if s == nil || s.Claim == nil || s.Claim.Pool == "" || w.opt.Reps == 0 {
		return
	}
	if !slices.ContainsFunc(w.plans, func(p *plan.Plan) bool {
		pool := p.Pools[s.Claim.Pool]
		return pool != nil && slices.Contains(pool.Members, s.Owner())
	}) {
		w.violate("claims", "%s got %s through pool %s without being a member", s.Owner(), lead, s.Claim.Pool)
	}
}

// checkTold checks that whoever was told that a lead is open to claim had it, or was told
// that it is gone.
func (w *World) checkTold() {
	if w.opt.Stalls { // a late write may lose who was told
		return
	}
	had := map[string]bool{}
	for i := range w.heard {
		if e := &w.heard[i]; e.Step == leadroute.StepAssigned {
			had[string(e.Lead)+"/"+string(e.Rep)] = true
		}
	}
	for id, n := range w.notified {
		pool, isCall := strings.CutPrefix(n.Reason, "claim:")
		if !isCall || strings.HasSuffix(pool, "/gone") {
			continue
		}
		gone := strings.Replace(id, n.Reason, n.Reason+"/gone", 1)
		if _, ok := w.notified[gone]; !ok && !had[string(n.Delivery.Lead)+"/"+string(n.Delivery.Owner)] {
			w.violate("claims", "%s was told that %s is open, and never that it is gone", n.Delivery.Owner, n.Delivery.Lead)
		}
	}
}
