package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/internal/transcript"
)

// TestScripts plays testdata/*.txt: the life of lead L1, message by message. After
// -rewrite, read the diff.
//
//	plan [attempts=3] [warehouse] [step=1m] [after=1m] [page=3m] [at_most=2] [pause=20m] [tell=(chan)] [stay] [answer=5m] [open=5] [max_wait=10m then=apac|queue:late] [drain=apac] [order=arrival] [crm_id=005X] [max_age=1h] [within=1m] [dedupe=drop [hear=(chan)]] [claim] [told=floor]
//	lead to=(emea@30s,rep:ana,full:ana,queue:backlog) [class=P1] [company=acme [claimed=ben]] | lead unreadable | lead no_rule     what the plan says of L1 from now on
//	tick 5s
//	admit [receipt=r1] [ids=(i1,i2)]    met first|L0 [n=1] [stands] [owner=ana]
//	yes|no ana [n=0] [rev=1] [target=0] [try=1] [made] [owner=ben]    what one says who shares the lead
//	join L2 [n=2]    taken|finished [n=2] [root=L0]    a lead is to be merged into this one, or this one was to be
//	accept ana [rev=1] [target=0] [try=1] [pool=emea|none] [asserted]    decline ana [reason=full]    nobody
//	opened [rev=1] [try=1] [reps=(ana,ben)]    bid ana    accept|decline ana bid    due claim emea [n=1]
//	delivered|retry|rejected|superseded crm [rev=1] [attempt=1] [status=503] [after=1m]
//	due retry|wake|step|expire|accept|answer NAME [rev=1] [n=2] [early=10s]
//	responded ana    closed ana    revise [rev=1] [by=ops [to=apac|queue:late|rep:ana]]    redeliver [crm] [rev=1]    check    sweep
//	hold legal [id=h1] [until=1h]    unhold [id=u1]
//	row
//
// A message with the word replay may have been handled by an owner before. The last line
// of an answer is where the lead stands.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		t.Helper()
		if strings.Contains(path, "rapid") {
			return
		}
		s := newScript()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			return s.run(t, d)
		})
	})
}

// script is one lead's ledger.
type script struct {
	now  leadroute.Millis
	plan *plan.Plan
	dec  plan.Decision
	err  error
	row  []byte
}

func newScript() *script {
	s := &script{now: transcript.Start, plan: testPlan()}
	s.dec = plan.Decision{Class: "P0", DeliverWithin: time.Minute, Territory: "north", Rule: "all", Targets: []plan.Target{{Pool: "emea"}, {Queue: "backlog"}}}
	return s
}

// testPlan has one class, two pools, two queues and one destination.
func testPlan() *plan.Plan {
	return &plan.Plan{
		ID: "plan-1", Zone: time.UTC,
		Classes: []plan.Class{{Name: "P0", DeliverWithin: time.Minute}, {Name: "P1"}},
		Pools:   map[leadroute.PoolID]*plan.Pool{"emea": {Name: "emea"}, "apac": {Name: "apac"}},
		Queues:  map[leadroute.QueueID]*plan.Queue{"backlog": {Name: "backlog"}, "late": {Name: "late"}},
		Destinations: []plan.Destination{
			{Name: "crm", Primary: true, Attempts: 3, BackoffMin: time.Second, BackoffMax: 4 * time.Second},
		},
	}
}

func (s *script) env() Env {
	return Env{
		Plan:   func(leadroute.PlanID) *plan.Plan { return s.plan },
		Decide: func(*plan.Plan, *leadroute.Lead, leadroute.Millis) (plan.Decision, error) { return s.dec, s.err },
	}
}

func (s *script) state(t *testing.T) *State {
	t.Helper()
	if s.row == nil {
		return nil
	}
	v, err := leadroute.Decode[State](s.row)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	a := transcript.Of(t, d)
	switch d.Cmd {
	case "plan":
		s.setPlan(t, a)
		return ""
	case "lead":
		s.setLead(a)
		return ""
	case "tick":
		s.now = s.now.Add(transcript.Span(t, d, a.Pos(0)))
		return transcript.Clock(s.now) + "\n"
	case "row":
		return s.show(t)
	case "sweep":
		row := s.state(t)
		if row == nil {
			return "no row\n"
		}
		return orNothing(transcript.Effects(Sweep(s.env(), "L1", row, s.now)))
	}
	m := s.message(t, d, a)
	before := s.row
	next, out := Apply(s.env(), "L1", s.state(t), m, s.now, a.Has("replay"))
	s.row = nil
	if next != nil {
		b, err := leadroute.Encode(next)
		if err != nil {
			t.Fatal(err)
		}
		s.row = b
	}
	same := ""
	if string(before) == string(s.row) {
		same = ", the row as before"
	}
	return orNothing(transcript.Effects(out)) + "= " + stands(next) + same + "\n"
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)\n"
	}
	return s
}

func (s *script) setPlan(t *testing.T, a transcript.Args) {
	t.Helper()
	p := testPlan()
	p.Classes[0].DeliverWithin = a.Span("within", time.Minute)
	if step := a.Span("step", 0); step > 0 {
		p.Classes[0].Steps = append(p.Classes[0].Steps, plan.Step{
			Name: "take_away", Every: step, AtMost: a.Int("at_most", 0), Reassign: !a.Has("stay"), Pause: a.Span("pause", 0), Notify: a.List("tell"),
		})
	}
	if after := a.Span("after", 0); after > 0 {
		p.Classes[0].Steps = append(p.Classes[0].Steps, plan.Step{Name: "hand_over", After: after, Reassign: true, Pause: a.Span("pause", 0)})
	}
	if page := a.Span("page", 0); page > 0 {
		p.Classes[0].Steps = append(p.Classes[0].Steps, plan.Step{
			Name: "page", After: page, Reassign: true, To: new(target(a.Text("page_to", "apac"))), Notify: []string{"duty_manager"},
		})
	}
	if a.Has("resolve") {
		for _, name := range append(a.List("tell"), "duty_manager") {
			p.Channels = append(p.Channels, plan.Channel{Name: name, Ways: []plan.Way{{Kind: plan.WayPager, Resolve: true}}})
		}
	}
	p.Classes[0].RespondWithin = a.Span("answer", 0)
	if from := a.Text("open", ""); from != "" {
		p.Classes[0].PoolHours = true
		p.Pools["emea"].Hours = &plan.Hours{Zone: time.UTC}
		for day := range 7 {
			p.Pools["emea"].Hours.Week[day] = []plan.Span{{From: 10 * 60, Until: 10*60 + a.Int("open", 0)}}
		}
	}
	if a.Has("claim") {
		p.Pools["emea"].Strategy, p.Pools["emea"].Notify = plan.Claim, a.List("told")
	}
	q := p.Queues["backlog"]
	for _, name := range a.List("drain") {
		q.DrainTo = append(q.DrainTo, leadroute.PoolID(name))
	}
	q.Order = plan.QueueOrder(a.Text("order", ""))
	q.CRMID = a.Text("crm_id", "")
	q.MaxWait = a.Span("max_wait", 0)
	if then := a.Text("then", ""); then != "" {
		q.Then = new(target(then))
	}
	p.MaxAge = a.Span("max_age", 0)
	p.Destinations[0].Attempts = a.Int("attempts", 3)
	if a.Has("warehouse") {
		p.Destinations = append(p.Destinations, plan.Destination{Name: "warehouse", Attempts: 2, BackoffMin: time.Second, BackoffMax: time.Second})
	}
	if then := a.Text("dedupe", ""); then != "" {
		p.Dedupe = plan.NewDedupe([]string{"email"}, 24*time.Hour, plan.DedupeThen(then))
		p.Dedupe.Notify = a.List("hear")
	}
	s.plan = p
	s.dec.DeliverWithin = p.Classes[0].DeliverWithin
}

func target(s string) plan.Target {
	s, accept, _ := strings.Cut(s, "@")
	t := place(s)
	t.Accept, _ = time.ParseDuration(accept)
	return t
}

func place(s string) plan.Target {
	kind, name, ok := strings.Cut(s, ":")
	switch {
	case !ok:
		return plan.Target{Pool: leadroute.PoolID(s)}
	case kind == "queue":
		return plan.Target{Queue: leadroute.QueueID(name)}
	}
	return plan.Target{Rep: leadroute.RepID(name), EvenIfFull: kind == "full"}
}

func (s *script) setLead(a transcript.Args) {
	s.err, s.dec.Rule, s.dec.Targets = nil, "all", nil
	s.dec.Company, s.dec.Seen = a.Text("company", ""), nil
	if owner := leadroute.RepID(a.Text("claimed", "")); owner != "" {
		s.dec.Seen = &plan.Snapshot{Account: &leadroute.Account{Owner: owner, Claim: &leadroute.Ownership{Rep: owner, Lead: "L0"}}}
	}
	s.dec.Class = leadroute.Class(a.Text("class", "P0"))
	switch {
	case a.Has("unreadable"):
		s.err = fmt.Errorf("not an object")
	case a.Has("no_rule"):
		s.dec.Rule = ""
	}
	for _, to := range a.List("to") {
		s.dec.Targets = append(s.dec.Targets, target(to))
	}
}

func (s *script) message(t *testing.T, d *datadriven.TestData, a transcript.Args) *leadroute.LedgerMessage {
	t.Helper()
	rev, who := a.Int("rev", 1), a.Pos(0)
	claim := leadroute.ClaimID{Lead: "L1", Rev: rev, Target: a.Int("target", 0), Try: a.Int("try", 1), Rep: leadroute.RepID(who)}
	pool := leadroute.PoolID(a.Text("pool", "emea"))
	if pool == "none" {
		pool = ""
	}
	bid := ""
	if a.Has("bid") {
		bid = who + "'s"
	}
	switch d.Cmd {
	case "opened":
		o := &leadroute.Opened{Rev: rev, Target: claim.Target, Try: claim.Try, Pool: pool}
		for _, r := range a.List("reps") {
			o.Reps = append(o.Reps, leadroute.RepID(r))
		}
		return &leadroute.LedgerMessage{Opened: o}
	case "bid":
		return &leadroute.LedgerMessage{Bid: &leadroute.Bid{Rep: claim.Rep, At: s.now, Reply: who + "'s"}}
	case "admit":
		return &leadroute.LedgerMessage{Admitted: &leadroute.Admission{Class: "P0", Plan: "plan-1", Lead: leadroute.Lead{
			ID: "L1", Source: "web", Receipt: a.Text("receipt", "r1"), ReceivedAt: s.now, Fields: []byte(`{"email":"x@example.com"}`),
			Identities: a.List("ids"),
		}}}
	case "accept":
		return &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: claim, Pool: pool, Accepted: true, CRMID: "u-" + who, At: s.now, Asserted: a.Has("asserted"), Bid: bid}}
	case "decline":
		return &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: claim, Pool: pool, Reason: a.Text("reason", "full"), At: s.now, Bid: bid}}
	case "nobody":
		return &leadroute.LedgerMessage{NoCandidate: &leadroute.NoCandidate{Rev: rev, Target: claim.Target, Try: claim.Try, Pool: pool, Reason: "nobody_available"}}
	case "delivered", "retry", "rejected", "superseded":
		o := &leadroute.Outcome{
			Rev: rev, Destination: leadroute.DestinationID(who), Attempt: a.Int("attempt", 1), Result: leadroute.Result(d.Cmd), Status: a.Int("status", 0), At: s.now,
		}
		if o.Status >= 400 {
			o.Reason = fmt.Sprint("http ", o.Status)
		}
		if after := a.Span("after", 0); after > 0 {
			o.RetryAfter = s.now.Add(after)
		}
		return &leadroute.LedgerMessage{Outcome: o}
	case "due":
		if who == string(leadroute.TimerAccept) || who == string(leadroute.TimerAnswer) || who == string(leadroute.TimerHold) {
			return &leadroute.LedgerMessage{Due: &leadroute.Timer{Lead: "L1", Kind: leadroute.TimerKind(who), Rev: rev, Due: s.now.Add(-a.Span("early", 0))}}
		}
		return &leadroute.LedgerMessage{Due: &leadroute.Timer{Lead: "L1", Kind: leadroute.TimerKind(who), Name: a.Pos(1), Rev: rev, N: a.Int("n", 0), Due: s.now.Add(-a.Span("early", 0))}}
	case "responded", "closed":
		return &leadroute.LedgerMessage{Action: &leadroute.RepAction{Action: d.Cmd, Rep: claim.Rep, At: s.now}}
	case "revise":
		m := &leadroute.Revise{Rev: rev, Reason: a.Text("reason", "operator"), By: a.Text("by", "")}
		if m.By != "" {
			m.Plan = s.plan.ID
		}
		if to := a.Text("to", ""); to != "" {
			at := place(to)
			m.To = &leadroute.Goal{Pool: at.Pool, Queue: at.Queue, Rep: at.Rep}
		}
		return &leadroute.LedgerMessage{Revise: m}
	case "redeliver":
		if who == "replay" {
			who = ""
		}
		return &leadroute.LedgerMessage{Redeliver: &leadroute.Redeliver{Rev: rev, Destination: leadroute.DestinationID(who), At: s.now}}
	case "join":
		return &leadroute.LedgerMessage{Join: &leadroute.Join{Lead: leadroute.LeadID(who), N: a.Int("n", 2), Fields: []byte(`{"company":"Example","id":"` + who + `"}`)}}
	case "taken", "finished":
		return &leadroute.LedgerMessage{Joined: &leadroute.Joined{N: a.Int("n", 2), Taken: d.Cmd == "taken", Root: leadroute.LeadID(a.Text("root", ""))}}
	case "yes", "no":
		return &leadroute.LedgerMessage{Owned: &leadroute.Owned{
			Claim: claim, N: a.Int("n", 0), Yes: d.Cmd == "yes", Made: a.Has("made"), Owner: leadroute.RepID(a.Text("owner", "")),
		}}
	case "met":
		m := &leadroute.Met{N: a.Int("n", 1), First: who == "first", Stands: a.Has("stands"), Owner: leadroute.RepID(a.Text("owner", ""))}
		if !m.First {
			m.Lead = leadroute.LeadID(who)
		}
		return &leadroute.LedgerMessage{Met: m}
	case "hold", "unhold":
		h := &leadroute.Hold{ID: a.Text("id", d.Cmd+transcript.Clock(s.now)), Over: d.Cmd == "unhold", By: "ops", Reply: "answer"}
		if who != "replay" {
			h.Reason = who
		}
		if until := a.Span("until", 0); until > 0 {
			h.Until = s.now.Add(until)
		}
		return &leadroute.LedgerMessage{Hold: h}
	case "check":
		return &leadroute.LedgerMessage{Check: &leadroute.Check{At: s.now}}
	}
	d.Fatalf(t, "unknown command %s", d.Cmd)
	return nil
}

// stands says where the lead stands, in a few words.
func stands(s *State) string {
	if s == nil {
		return "no row"
	}
	out := fmt.Sprintf("%s rev %d", s.Phase, s.Rev)
	if s.Phase == Offering {
		out += fmt.Sprintf(" target %d try %d", s.Target, s.Try)
	}
	if s.Phase == Duplicate {
		out += " of " + string(s.Person.Root)
	}
	if s.OpenUntil != 0 {
		out += " open to claim until " + transcript.Clock(s.OpenUntil)
	}
	if s.Queue != "" {
		out += " in " + string(s.Queue)
	}
	if s.Claim != nil {
		out += " " + string(s.Owner())
	}
	if s.Pending != nil {
		out += " " + string(s.Pending.Claim.Rep)
	}
	if s.Responded {
		out += " responded"
	}
	if s.Held != nil {
		out += " held"
	}
	if s.Done != 0 {
		out += " done"
	}
	for _, d := range s.Dests {
		out += fmt.Sprintf("; %s rev %d #%d", d.Name, d.Rev, d.Attempt)
		switch {
		case d.InFlight:
			out += " in flight"
		case d.Retry != 0:
			out += " again " + transcript.Clock(d.Retry)
		case d.Dead:
			out += " dead"
		}
		if d.Acked > 0 {
			out += fmt.Sprintf(" acked %d", d.Acked)
		}
	}
	return out
}

// show is the row with its size and its trail.
func (s *script) show(t *testing.T) string {
	t.Helper()
	row := s.state(t)
	if row == nil {
		return "no row\n"
	}
	var steps []string
	for _, e := range row.Trail {
		steps = append(steps, fmt.Sprintf("%s/%d", e.Step, e.Rev))
	}
	return fmt.Sprintf("%s\n%d bytes, trail: %s\n", stands(row), len(s.row), strings.Join(steps, " "))
}
