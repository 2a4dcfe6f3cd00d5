package reps

import (
	"hash/fnv"
	"strconv"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/mutant"
	"github.com/leadroute/leadroute/processors/desk"
)

// remove takes the rep off the floor: the leads on the desk are asked to move on, or stay
// until they are done, and the row goes with the last of them.
func remove(id leadroute.RepID, s *desk.State, m *leadroute.RepRemoval, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
	out := removed(id, m)
	switch {
	case s == nil:
		return nil, out
	case mutant.On("reps-forget-on-remove"):
		return nil, append(out, assertAll(id, s, s.Held, at)...)
	case m.Keep && (s.Gone || s.Leaving): // it was said before
	case m.Keep:
		s.Leaving = true
		s.Version++
	case !s.Gone:
		s.Gone, s.Leaving = true, false
		s.Version++
	}
	if s.Gone {
		out = append(out, assertAll(id, s, s.Held, at)...)
	}
	return gone(s, at), out
}

// removed tells of a removal, in words that the message alone decides: said again they are
// the same event.
func removed(id leadroute.RepID, m *leadroute.RepRemoval) []leadroute.Effect {
	if m.At == 0 || mutant.On("reps-removal-untold") {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	_, _ = h.Write([]byte("/" + strconv.FormatInt(int64(m.At), 10)))
	outcome := "reassign"
	if m.Keep {
		outcome = "keep"
	}
	return []leadroute.Effect{{Topic: leadroute.TopicEvents, Key: string(id), Value: &leadroute.LatencyEvent{
		Step: leadroute.StepRepRemoved, N: h.Sum64(), Rep: id, Outcome: outcome, Reason: m.Reason, At: m.At,
	}}}
}

// gone drops the row of a rep who has left, once nothing on it counts.
func gone(s *desk.State, at leadroute.Millis) *desk.State {
	if s.Leaving && len(s.Held) == 0 {
		s.Leaving, s.Gone = false, true
		s.Version++
	}
	if s.Left() && !s.Taken.Counts(at) {
		return nil
	}
	return s
}

// assert reminds the ledger of every claim that has been held for a while, so that one
// whose lead moved on is released.
func assert(id leadroute.RepID, s *desk.State, at leadroute.Millis) (*desk.State, []leadroute.Effect) {
	if s == nil {
		return nil, nil
	}
	if s = gone(s, at); s == nil || len(s.Held) == 0 || at < s.Asserted.Add(restAfter) {
		return s, nil
	}
	s.Asserted = at
	rested := make(desk.Held, 0, len(s.Held))
	for _, c := range s.Held {
		if s.Gone || at >= c.At.Add(restAfter) {
			rested = append(rested, c)
		}
	}
	return s, assertAll(id, s, rested, at)
}

// assertAll says again that these claims are held and, where the rep is gone, that their
// leads must move on.
func assertAll(id leadroute.RepID, s *desk.State, claims desk.Held, at leadroute.Millis) []leadroute.Effect {
	var out []leadroute.Effect
	for i := range claims {
		c := &claims[i]
		a := &leadroute.Answer{
			Claim: leadroute.ClaimID{Lead: c.Lead, Rev: c.Rev, Target: c.Target, Try: c.Try, Rep: id},
			Pool:  c.Pool, Accepted: true, At: c.At, Asserted: true, EvenIfFull: c.Exempt,
		}
		describe(s, a, at)
		out = append(out, toLedger(c.Lead, &leadroute.LedgerMessage{Answer: a})...)
		if s.Gone {
			out = append(out, toLedger(c.Lead, &leadroute.LedgerMessage{Revise: &leadroute.Revise{Rev: c.Rev, Reason: "rep_removed"}})...)
		}
	}
	return out
}

// Sweep asks for a Check of a row whose claims have rested, or which nothing keeps any more.
func Sweep(id leadroute.RepID, s *desk.State, now leadroute.Millis) []leadroute.Effect {
	if len(s.Held) == 0 {
		if !s.Left() || s.Taken.Counts(now) {
			return nil
		}
	} else if now < s.Asserted.Add(restAfter) || now < s.Held[0].At.Add(restAfter) {
		return nil
	}
	return []leadroute.Effect{{
		Topic: leadroute.TopicReps, Key: string(id), Value: &leadroute.RepMessage{Check: &leadroute.Check{At: now}},
	}}
}
