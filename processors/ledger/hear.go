package ledger

import (
	"slices"

	"github.com/leadroute/leadroute"
)

// whyThen is why a request is refused that the lead was not ready for when it came first.
const whyThen = "not_then"

// Hear is Apply for a message of the inbox. A replay may meet the row of a later time. That row
// has heard the message before, so it changes nothing now, whatever the row has become since:
// what a rep said of one revision is not said of another, and what an operator asked of a lead
// that was not ready for it is not done later. What came of it is sent again.
func Hear(env Env, id leadroute.LeadID, s *State, m *leadroute.LedgerMessage, at leadroute.Millis, from leadroute.From) (*State, []leadroute.Effect) {
	var was *State
	if s != nil && from.Before(s.Heard) {
		was = s.clone()
	}
	d := newStep(env, id, s, at, from.Replay)
	d.apply(m)
	switch {
	case !d.touched:
	case was != nil:
		d = newStep(env, id, was, at, from.Replay)
		d.answerAgain(m)
		d.again()
	case d.s != nil && d.s.Class != "": // a stub takes no message any more
		d.s.Heard = max(d.s.Heard, from.Offset+1)
	}
	return d.s, d.out
}

// keeps tells whether the claim is the committed one, or that which is being confirmed.
func (s *State) keeps(c leadroute.ClaimID) bool {
	return s.Claim != nil && s.Claim.ID == c || s.Pending != nil && s.Pending.Claim == c
}

// clone is the row once more, as the table gives it back.
func (s *State) clone() *State {
	b, err := leadroute.Encode(s)
	if err != nil {
		return nil // it came from there
	}
	c, _ := leadroute.Decode[State](b)
	return c
}

// answerAgain answers who asked, and may not have been told, by what the row remembers. An
// acceptance that would be taken now was not taken then, and is released.
func (d *step) answerAgain(m *leadroute.LedgerMessage) {
	s := d.s
	switch {
	case m.Action != nil && m.Action.Reply != "":
		agreed := slices.ContainsFunc(s.Trail, func(t TrailStep) bool {
			return (t.Step == leadroute.StepResponded || t.Step == leadroute.StepClosed) && t.Rep == m.Action.Rep && t.At == m.Action.At
		})
		d.send(leadroute.TopicReplies, m.Action.Reply, &leadroute.Reply{Lead: d.id, Known: true, Agreed: agreed, Owner: s.Owner()})
	case m.Hold != nil && m.Hold.Reply != "":
		d.send(leadroute.TopicReplies, m.Hold.Reply, &leadroute.Reply{Lead: d.id, Known: true, Refused: whyThen, Owner: s.Owner()})
	case m.Answer != nil && !s.keeps(m.Answer.Claim):
		if m.Answer.Accepted {
			d.release(leadroute.Release{Claim: m.Answer.Claim})
		}
		d.answerBid(m.Answer)
	case m.Owned != nil && !s.keeps(m.Owned.Claim):
		d.release(leadroute.Release{Claim: m.Owned.Claim})
	}
}
