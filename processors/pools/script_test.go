package pools

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/desk"
	"github.com/leadroute/leadroute/processors/internal/transcript"
)

// TestScripts plays testdata/*.txt: the rotation of pool emea, offer by offer. After
// -rewrite, read the diff.
//
//	pool strategy=weighted ana=2 ben=1 [open=2] [catch_up=full] [prefer=(ana)] [require=(ana,ben)] [min_present=2] [explore=0.5] [notify] a number is a weight; all are free
//	rep ana [away] [open=3] [cap=5] [v=2]           as the view shows ana now
//	assign L1 L2 L3                                 an offer each; the claims are accepted
//	offer L1 [try=1] [queue=backlog deadline=5m [rank=1] [new]] [avoid=ana] [declined=ana v=3 status=away open=1]
//	bid L1 ana                                      a rep claims the lead
//	tick 5s
//	row
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		t.Helper()
		if strings.Contains(path, "rapid") {
			return
		}
		s := &script{now: transcript.Start}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			return s.run(t, d)
		})
	})
}

type script struct {
	now   leadroute.Millis
	plan  *plan.Plan
	env   Env
	row   *State
	views map[leadroute.RepID]*desk.State
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	a := transcript.Of(t, d)
	switch d.Cmd {
	case "pool":
		s.setPool(a, d)
		return ""
	case "rep":
		id := leadroute.RepID(a.Pos(0))
		v := &desk.State{Profile: s.views[id].Profile, Status: leadroute.StatusAvailable, Version: s.views[id].Version + 1}
		if a.Has("away") {
			v.Status = leadroute.StatusAway
		}
		v.Version = int64(a.Int("v", int(v.Version)))
		v.Profile.Caps.Open = a.Int("cap", v.Profile.Caps.Open)
		for i := range a.Int("open", 0) {
			v.Held = append(v.Held, desk.Claim{Lead: leadroute.LeadID(fmt.Sprint("H", i)), Rev: 1, Try: 1, Pool: "emea"})
		}
		s.views[id] = v
		s.env.Roster.Update(id, v)
		return ""
	case "tick":
		s.now = s.now.Add(transcript.Span(t, d, a.Pos(0)))
		return transcript.Clock(s.now) + "\n"
	case "row":
		line := fmt.Sprintf("turn %d/%d %s, owed %v, %d recent", s.row.Turn.Num, s.row.Turn.Den, s.row.Turn.Rep, s.row.Owed, len(s.row.Recent))
		if len(s.row.Missed) > 0 {
			line += fmt.Sprintf(", missed %v", s.row.Missed)
		}
		return line + s.line() + "\n"
	case "assign":
		var got []string
		for i := 0; a.Pos(i) != ""; i++ {
			got = append(got, a.Pos(i)+" "+s.assign(leadroute.LeadID(a.Pos(i))))
		}
		return strings.Join(got, ", ") + "\n"
	case "bid":
		o := leadroute.Offer{Lead: leadroute.LeadID(a.Pos(0)), Rev: 1, Try: 1, Pool: "emea", Avoid: leadroute.RepID(a.Text("avoid", "")), Strict: a.Has("avoid")}
		var out []leadroute.Effect
		s.row, out = Apply(s.env, "emea", s.row, &leadroute.PoolMessage{Bid: &leadroute.PoolBid{Offer: o, Bid: leadroute.Bid{Rep: leadroute.RepID(a.Pos(1)), At: s.now, Reply: a.Pos(1) + "'s"}}}, s.now)
		return transcript.Effects(out)
	case "offer":
		o := &leadroute.Offer{
			Lead: leadroute.LeadID(a.Pos(0)), Rev: 1, Try: a.Int("try", 1), Pool: leadroute.PoolID(a.Text("pool", "emea")), Avoid: leadroute.RepID(a.Text("avoid", "")),
		}
		if q := a.Text("queue", ""); q != "" {
			o.Waits = !a.Has("new")
			o.Place = &leadroute.Place{
				Lead: o.Lead, Queue: leadroute.QueueID(q), Rank: a.Int("rank", 0), Deadline: transcript.Start.Add(a.Span("deadline", 0)),
			}
		}
		if who := a.Text("declined", ""); who != "" {
			o.Declined = &leadroute.Answer{
				Claim: leadroute.ClaimID{Lead: o.Lead, Rev: 1, Try: o.Try - 1, Rep: leadroute.RepID(who)}, Pool: o.Pool, Reason: "full",
				Version: int64(a.Int("v", 0)), Status: leadroute.RepStatus(a.Text("status", "available")), Open: a.Int("open", 0), At: s.now,
			}
		}
		return transcript.Effects(s.apply(o))
	}
	d.Fatalf(t, "unknown command %s", d.Cmd)
	return ""
}

func (s *script) line() string {
	var who []string
	for _, w := range s.row.Line {
		who = append(who, string(w.Lead))
	}
	if who == nil {
		return ""
	}
	return ", in line " + strings.Join(who, " ")
}

func (s *script) setPool(a transcript.Args, d *datadriven.TestData) {
	pool := &plan.Pool{Name: "emea", Strategy: plan.Strategy(a.Text("strategy", "")), Caps: leadroute.Caps{Open: a.Int("open", 0)}}
	pool.CatchUp, pool.MinPresent = plan.CatchUp(a.Text("catch_up", "")), a.Int("min_present", 0)
	pool.Require, pool.Prefer = isOneOf(a.List("require")), isOneOf(a.List("prefer"))
	if share := a.Text("explore", ""); share != "" {
		pool.Explore, _ = strconv.ParseFloat(share, 64)
	}
	if a.Has("notify") {
		pool.Notify = []string{"floor"}
	}
	s.plan = &plan.Plan{ID: "p", Zone: time.UTC, Pools: map[leadroute.PoolID]*plan.Pool{"emea": pool}}
	s.env = Env{Plan: func(leadroute.PlanID) *plan.Plan { return s.plan }, Roster: NewRoster()}
	s.views = map[leadroute.RepID]*desk.State{}
	for _, arg := range d.CmdArgs {
		if slices.Contains(strings.Fields("strategy open catch_up prefer require min_present explore notify"), arg.Key) {
			continue
		}
		id := leadroute.RepID(arg.Key)
		v := &desk.State{Profile: leadroute.Rep{ID: id, Weight: float64(a.Int(arg.Key, 1))}, Status: leadroute.StatusAvailable, Version: 1}
		pool.Members = append(pool.Members, id)
		s.views[id] = v
		s.env.Roster.Update(id, v)
	}
}

func (s *script) apply(o *leadroute.Offer) []leadroute.Effect {
	var out []leadroute.Effect
	s.row, out = Apply(s.env, "emea", s.row, &leadroute.PoolMessage{Offer: o}, s.now)
	return out
}

// assign offers the lead; whoever is asked takes it, closes it, and the view knows.
func (s *script) assign(lead leadroute.LeadID) string {
	out := s.apply(&leadroute.Offer{Lead: lead, Rev: 1, Try: 1, Pool: "emea"})
	m, ok := out[0].Value.(*leadroute.RepMessage)
	if !ok {
		return "nobody"
	}
	s.env.Roster.Said(&leadroute.Answer{Claim: m.Claim.ID, Accepted: true})
	return string(m.Claim.ID.Rep)
}

// isOneOf is a condition that holds for reps of those names; nil for none.
func isOneOf(names []string) *plan.PairCond {
	if len(names) == 0 {
		return nil
	}
	l := plan.NewLayout()
	id := plan.TextField(l.Fact("rep.id", plan.TypeString), "rep.id")
	is := func(r *plan.Record) bool { return slices.Contains(names, id.Of(r)) }
	return plan.Pair(l, plan.Cond{Op: plan.OpAtom, True: is, False: func(r *plan.Record) bool { return !is(r) }})
}
