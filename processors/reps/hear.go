package reps

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/desk"
)

// heardBefore is why a claim is declined that the row has heard before and does not hold.
const heardBefore = "heard_before"

// Hear is Apply for a message of the inbox. A replay may meet the row of a later time. That row
// has heard the message before, so it changes nothing now: a place that was freed since goes to no
// claim that was declined then, because one that comes behind may have got it, and its lead may
// know; and a rep who was hired again is not removed by what was said before that. Statuses and
// times out of the office go by their own times.
func Hear(env Env, id leadroute.RepID, s *desk.State, m *leadroute.RepMessage, at leadroute.Millis, from leadroute.From) (*desk.State, []leadroute.Effect) {
	var version int64
	var was *desk.State
	if s != nil {
		version = s.Version
		if from.Before(s.Heard) && m.Status == nil && m.Away == nil {
			was = clone(s)
		}
	}
	next, out := Apply(env, id, s, m, at)
	switch changed := next == nil || next.Version != version; {
	case was != nil && changed:
		return was, again(id, was, m, at)
	case next != nil && changed:
		next.Heard = max(next.Heard, from.Offset+1)
	}
	return next, out
}

// again says what may not have arrived of what came of a message then.
func again(id leadroute.RepID, s *desk.State, m *leadroute.RepMessage, at leadroute.Millis) []leadroute.Effect {
	switch {
	case m.Claim != nil:
		c := m.Claim
		answer := &leadroute.Answer{Claim: c.ID, Pool: c.Pool, At: max(at, s.Last), Bid: c.Bid, Reason: heardBefore}
		describe(s, answer, at)
		return toLedger(c.ID.Lead, &leadroute.LedgerMessage{Answer: answer})
	case m.Remove != nil:
		return removed(id, m.Remove)
	}
	return nil
}

// clone is the row once more, as the table gives it back; nil if that cannot be, which it came from.
func clone(s *desk.State) *desk.State {
	b, err := leadroute.Encode(s)
	if err != nil {
		return nil
	}
	c, _ := leadroute.Decode[desk.State](b)
	return c
}
