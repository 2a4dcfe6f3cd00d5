package reps

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/desk"
)

// heardBefore is why a claim is declined that the row has heard before and does not hold.
const heardBefore = "heard_before"

// Hear is Apply for a message of the inbox. A replay may meet the row of a later time. That row
// has judged each claim before that time: a place that was freed since is not given to one of
// them now, because another claim, which comes behind, may have got it, and its lead may know.
func Hear(env Env, id leadroute.RepID, s *desk.State, m *leadroute.RepMessage, at leadroute.Millis, from leadroute.From) (*desk.State, []leadroute.Effect) {
	if c := m.Claim; c != nil && s != nil && from.Before(s.Heard) && find(s, c.ID) < 0 {
		answer := &leadroute.Answer{Claim: c.ID, Pool: c.Pool, At: max(at, s.Last), Bid: c.Bid, Reason: heardBefore}
		describe(s, answer, at)
		return s, toLedger(c.ID.Lead, &leadroute.LedgerMessage{Answer: answer})
	}
	var version int64
	if s != nil {
		version = s.Version
	}
	next, out := Apply(env, id, s, m, at)
	if next != nil && next.Version != version {
		next.Heard = max(next.Heard, from.Offset+1)
	}
	return next, out
}
