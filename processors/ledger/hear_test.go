package ledger

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// TestReplayChangesNothingThatWasHeard: whatever the row has become since, a message that it has
// heard before leaves it as it is, and an acceptance is kept or released.
func TestReplayChangesNothingThatWasHeard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDesk(t)
		var inbox []*leadroute.LedgerMessage
		for range rapid.IntRange(1, 40).Draw(t, "messages") {
			d.now = d.now.Add(rapid.SampledFrom([]time.Duration{0, 10 * time.Millisecond, time.Second, 20 * time.Second, 2 * time.Minute}).Draw(t, "tick"))
			inbox = append(inbox, d.draw(t))
			d.hear(t, inbox, len(inbox)-1, false)
			i := rapid.IntRange(0, len(inbox)-1).Draw(t, "heard again")
			s := d.state(t)
			if s == nil || int64(i) >= s.Heard {
				continue
			}
			row := d.row
			out := d.hear(t, inbox, i, true)
			if !bytes.Equal(d.row, row) {
				t.Fatalf("%s, heard again, changed the row from\n%s\nto\n%s", encode(t, inbox[i]), row, d.row)
			}
			d.checkAcceptance(t, inbox[i], d.state(t), out)
			d.checkEvents(t, out)
		}
	})
}

// hear is one message of the inbox behind the codec.
func (d *desk) hear(t *rapid.T, inbox []*leadroute.LedgerMessage, i int, replay bool) []leadroute.Effect {
	t.Helper()
	m, err := leadroute.Decode[leadroute.LedgerMessage](encode(t, inbox[i]))
	if err != nil {
		t.Fatal(err)
	}
	next, out := Hear(d.env, lead, d.state(t), m, d.now, leadroute.From{Offset: int64(i), Replay: replay})
	d.row = nil
	if next != nil {
		d.row = encode(t, next)
	}
	if d.row == nil {
		d.events = map[string]string{}
	}
	return out
}

// What a rep said of one revision is not said of the next, which the rep has again.
func TestReplayedResponseIsOfItsRevision(t *testing.T) {
	p := testPlan()
	env := Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }}
	now := leadroute.Millis(1768384800000)
	claim := leadroute.ClaimID{Lead: lead, Rev: 2, Rep: "ana", Try: 1}
	s := &State{
		Phase: Owned, Rev: 2, Try: 1, Class: "P0", Plan: p.ID, Fields: []byte(`{}`), Heard: 10,
		Claim: &leadroute.Claim{ID: claim, Class: "P0", Plan: p.ID},
	}
	m := &leadroute.LedgerMessage{Action: &leadroute.RepAction{Action: leadroute.ActionResponded, Rep: "ana", At: now, Reply: "asked"}}
	next, _ := Hear(env, lead, s.clone(), m, now, leadroute.From{Offset: 4, Replay: true})
	if next.Responded {
		t.Error("the response to revision 1, heard again, is one to revision 2")
	}
	if next, _ = Hear(env, lead, s.clone(), m, now, leadroute.From{Offset: 10, Replay: true}); !next.Responded {
		t.Error("the response behind the row is not taken")
	}
	if next, _ = Hear(env, lead, s.clone(), m, now, leadroute.From{Offset: 4}); !next.Responded {
		t.Error("the response of a log that was made anew is not taken")
	}
}
