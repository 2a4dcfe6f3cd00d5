package ledger

import (
	"testing"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/internal/transcript"
)

// TestActionIsAnswered: who waits for it is told whether an action stands and who has the lead.
func TestActionIsAnswered(t *testing.T) {
	s := &script{plan: testPlan()}
	owned := func() *State {
		return &State{Phase: Owned, Rev: 1, Class: "P0", Claim: &leadroute.Claim{ID: leadroute.ClaimID{Lead: "L1", Rev: 1, Try: 1, Rep: "ana"}}}
	}
	for _, c := range []struct {
		name   string
		row    *State
		rep    leadroute.RepID
		action string
		want   leadroute.Reply
	}{
		{"the owner responds", owned(), "ana", leadroute.ActionResponded, leadroute.Reply{Lead: "L1", Agreed: true, Known: true, Owner: "ana"}},
		{"the owner closes it", owned(), "ana", leadroute.ActionClosed, leadroute.Reply{Lead: "L1", Agreed: true, Known: true}},
		{"somebody else", owned(), "ben", leadroute.ActionResponded, leadroute.Reply{Lead: "L1", Known: true, Owner: "ana"}},
		{"nobody has it", &State{Phase: Waiting, Rev: 2, Class: "P0", Queue: "backlog"}, "ana", leadroute.ActionResponded, leadroute.Reply{Lead: "L1", Known: true}},
		{"not known", nil, "ana", leadroute.ActionResponded, leadroute.Reply{Lead: "L1"}},
	} {
		for _, key := range []string{"k1", ""} {
			row := c.row
			if row != nil {
				v := *row
				row = &v
			}
			_, out := Apply(s.env(), "L1", row, &leadroute.LedgerMessage{Action: &leadroute.RepAction{Action: c.action, Rep: c.rep, At: transcript.Start, Reply: key}}, transcript.Start, false)
			var got []leadroute.Reply
			for _, e := range out {
				if r, ok := e.Value.(*leadroute.Reply); ok && e.Topic == leadroute.TopicReplies && e.Key == key {
					got = append(got, *r)
				}
			}
			if key == "" && len(got) > 0 || key != "" && (len(got) != 1 || got[0] != c.want) {
				t.Errorf("%s, key %q: answered %+v, want %+v", c.name, key, got, c.want)
			}
		}
	}
}
