package reps

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
)

// TestReplayGivesNoPlaceTwice: a crash leaves the row as it was after any of the messages, and
// the inbox is heard again from any place before that. What was answered may have arrived all
// the same: so a claim that was declined is not accepted now, and what lies behind the row is
// answered as it was.
func TestReplayGivesNoPlaceTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"a": {Name: "a", Caps: drawCaps(t, "pool")}}}
		env := Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }}
		var inbox []*leadroute.RepMessage
		var claims []leadroute.ClaimID
		profile := func() *leadroute.RepMessage {
			return &leadroute.RepMessage{Profile: &leadroute.Rep{Caps: drawCaps(t, "own"), CRMID: "u1"}}
		}
		inbox = append(inbox, profile())
		for i := range rapid.IntRange(1, 30).Draw(t, "messages") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				inbox = append(inbox, profile())
			case 1:
				status := rapid.SampledFrom([]leadroute.RepStatus{leadroute.StatusAvailable, leadroute.StatusAway}).Draw(t, "status")
				inbox = append(inbox, &leadroute.RepMessage{Status: &status})
			case 2, 3, 4:
				if len(claims) > 0 {
					c := rapid.SampledFrom(claims).Draw(t, "released")
					inbox = append(inbox, &leadroute.RepMessage{Release: &leadroute.Release{Claim: c}})
				}
			default:
				c := leadroute.ClaimID{Lead: leadroute.LeadID(fmt.Sprint("L", i)), Rev: 1, Try: 1, Rep: "ana"}
				claims = append(claims, c)
				inbox = append(inbox, &leadroute.RepMessage{Claim: &leadroute.Claim{ID: c, Pool: "a"}})
			}
		}
		const start = leadroute.Millis(1768384800000)
		times := make([]leadroute.Millis, len(inbox))
		for i := range times {
			times[i] = start.Add(time.Duration(i*60+rapid.IntRange(0, 50).Draw(t, "late")) * time.Second)
		}
		hear := func(s *desk.State, i int, replay bool) (*desk.State, bool) {
			next, out := Hear(env, "ana", reread(t, s), inbox[i], times[i], leadroute.From{Offset: int64(i), Replay: replay})
			return next, inbox[i].Claim != nil && theAnswer(t, out).Accepted
		}

		rows, accepted := make([]*desk.State, len(inbox)), make([]bool, len(inbox))
		var s *desk.State
		for i := range inbox {
			s, accepted[i] = hear(s, i, false)
			rows[i] = reread(t, s)
		}
		survived := rapid.IntRange(0, len(inbox)-1).Draw(t, "the row that survived")
		s = rows[survived]
		for i := rapid.IntRange(0, survived).Draw(t, "heard again from"); i < len(inbox); i++ {
			var yes bool
			held := inbox[i].Claim != nil && find(s, inbox[i].Claim.ID) >= 0
			s, yes = hear(s, i, true)
			switch {
			case i <= survived && yes && !held:
				t.Fatalf("message %d, a claim, was accepted %v, and is now though the row of message %d does not hold it", i, accepted[i], survived)
			case i > survived && yes != accepted[i]:
				t.Fatalf("message %d, behind the row of message %d: accepted %v, and then %v", i, survived, accepted[i], yes)
			}
		}
	})
}

// A removal that is heard again takes no rep away who was hired since; its event is told again.
func TestReplayedRemovalIsOfItsTime(t *testing.T) {
	p := &plan.Plan{ID: "p", Zone: time.UTC}
	env := Env{Plan: func(leadroute.PlanID) *plan.Plan { return p }}
	now := leadroute.Millis(1768384800000)
	hire := &leadroute.RepMessage{Profile: &leadroute.Rep{CRMID: "u1"}}
	removal := &leadroute.RepMessage{Remove: &leadroute.RepRemoval{At: now, Reason: "operator"}}
	s, _ := Hear(env, "ana", nil, hire, now, leadroute.From{Offset: 1})
	s, first := Hear(env, "ana", s, removal, now, leadroute.From{Offset: 2})
	if s != nil {
		t.Fatalf("after the removal the row is %+v, want none", *s)
	}
	s, _ = Hear(env, "ana", s, hire, now, leadroute.From{Offset: 3})
	s, again := Hear(env, "ana", s, removal, now, leadroute.From{Offset: 2, Replay: true})
	if s == nil || s.Gone {
		t.Fatalf("the removal, heard again, took away who was hired since: %+v", s)
	}
	if d := cmp.Diff(first, again); d != "" {
		t.Errorf("told again (-first +again):\n%s", d)
	}
	if s, _ = Hear(env, "ana", s, removal, now, leadroute.From{Offset: 4}); s != nil {
		t.Errorf("another removal left %+v, want no row", *s)
	}
}
