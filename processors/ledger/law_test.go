package ledger

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/internal/transcript"
)

// desk is a ledger with one lead, and all that it ever said.
type desk struct {
	env    Env
	now    leadroute.Millis
	row    []byte
	events map[string]string
}

const (
	lead = leadroute.LeadID("Zk3v9Qm2LxT7aB1cD4eF5g") // as long as the door makes them
	long = "a_name_as_long_as_an_author_of_a_policy_may_well_think_of_"
)

func drawDesk(t *rapid.T) *desk {
	p := testPlan()
	p.ID = "3f1c9a5e7b2d4c6f8a0b"
	targets := []plan.Target{{Pool: "emea"}, {Pool: "apac"}, {Rep: "ana", Accept: 30 * time.Second}, {Rep: "ben", EvenIfFull: true}, {Queue: "backlog"}, {Queue: "late"}}
	if rapid.Bool().Draw(t, "steps") {
		p.Classes[0].Steps = []plan.Step{
			{Name: "take_away", Every: time.Minute, AtMost: 3, Reassign: true, Pause: time.Minute, Notify: []string{"managers"}},
			{Name: "tell", After: 30 * time.Second, Notify: []string{"owner", "managers"}},
			{Name: "page", After: 2 * time.Minute, Reassign: true, To: &plan.Target{Pool: "apac"}},
		}
		p.Classes[0].RespondWithin = time.Minute
	}
	if rapid.Bool().Draw(t, "asks who came before") {
		p.Dedupe = plan.NewDedupe([]string{"email", "phone"}, 24*time.Hour, rapid.SampledFrom([]plan.DedupeThen{plan.Drop, plan.SameOwner, plan.MergeEvent}).Draw(t, "then"))
		p.Dedupe.Notify = []string{"managers"}
	}
	if rapid.Bool().Draw(t, "warehouse") {
		p.Destinations = append(p.Destinations, plan.Destination{Name: "warehouse", Attempts: 2, BackoffMin: time.Second, BackoffMax: time.Second})
	}
	if rapid.Bool().Draw(t, "drains") {
		p.Queues["backlog"].DrainTo = []leadroute.PoolID{"apac", "emea"}
	}
	if rapid.Bool().Draw(t, "bounds the wait") {
		then := rapid.SampledFrom([]plan.Target{{Pool: "apac"}, {Rep: "ana"}, {Queue: "late"}}).Draw(t, "then")
		p.Queues["backlog"].MaxWait, p.Queues["backlog"].Then = 10*time.Minute, &then
	}
	p.MaxAge = time.Hour
	dec := plan.Decision{Class: "P0", DeliverWithin: time.Minute, Territory: long, Rule: long, Targets: rapid.SliceOfN(rapid.SampledFrom(targets), 1, 5).Draw(t, "targets")}
	if rapid.Bool().Draw(t, "a company's") {
		dec.Company = "acme.example"
	}
	if rapid.Bool().Draw(t, "that is owned") {
		dec.Seen = &plan.Snapshot{Account: &leadroute.Account{Domain: "acme.example", Owner: "ana", Claim: &leadroute.Ownership{Rep: "ana", Lead: "L0"}}}
	}
	var undecidable error
	switch rapid.IntRange(0, 9).Draw(t, "decides") {
	case 0:
		undecidable = fmt.Errorf("unreadable")
	case 1:
		dec.Rule, dec.Targets = "", nil
	}
	return &desk{
		now: transcript.Start, events: map[string]string{},
		env: Env{
			Plan: func(leadroute.PlanID) *plan.Plan { return p },
			Decide: func(*plan.Plan, *leadroute.Lead, leadroute.Millis) (plan.Decision, error) {
				d := dec
				d.Targets = append([]plan.Target(nil), dec.Targets...)
				return d, undecidable
			},
		},
	}
}

func (d *desk) state(t *rapid.T) *State {
	t.Helper()
	if d.row == nil {
		return nil
	}
	s, err := leadroute.Decode[State](d.row)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// apply is one decision behind the codec; what it sends is encoded, too.
func (d *desk) apply(t *rapid.T, m *leadroute.LedgerMessage, replay bool) ([]byte, []string, []leadroute.Effect) {
	t.Helper()
	b := encode(t, m)
	again, err := leadroute.Decode[leadroute.LedgerMessage](b)
	if err != nil {
		t.Fatal(err)
	}
	next, out := Apply(d.env, lead, d.state(t), again, d.now, replay)
	var said []string
	for _, e := range out {
		value := ""
		if e.Value != nil {
			value = string(encode(t, e.Value))
		}
		said = append(said, string(e.Topic)+" "+e.Key+" "+value)
	}
	if next == nil {
		return nil, said, out
	}
	return encode(t, next), said, out
}

func encode(t *rapid.T, v any) []byte {
	t.Helper()
	b, err := leadroute.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// draw draws a message about the lead: mostly one that fits where it stands, else an old,
// a strange or a future one.
func (d *desk) draw(t *rapid.T) *leadroute.LedgerMessage {
	s := d.state(t)
	rev, try, tgt := 1, 1, 0
	if s != nil {
		rev, try, tgt = s.Rev, s.Try, s.Target
	}
	if rapid.IntRange(0, 3).Draw(t, "fits") == 0 {
		rev, try, tgt = rapid.IntRange(1, rev+1).Draw(t, "rev"), rapid.IntRange(1, try+1).Draw(t, "try"), rapid.IntRange(0, 3).Draw(t, "target")
	}
	rep := rapid.SampledFrom([]leadroute.RepID{"ana", "ben"}).Draw(t, "rep")
	claim := leadroute.ClaimID{Lead: lead, Rev: rev, Target: tgt, Try: try, Rep: rep}
	queue := rapid.SampledFrom([]string{"backlog", "late", "unassigned"}).Draw(t, "queue")
	if s != nil && s.Queue != "" && rapid.Bool().Draw(t, "its queue") {
		queue = string(s.Queue)
	}
	name, attempt := leadroute.DestinationID("crm"), 1
	if s != nil && len(s.Dests) > 0 {
		b := s.Dests[rapid.IntRange(0, len(s.Dests)-1).Draw(t, "dest")]
		name, attempt = b.Name, b.Attempt
		if rapid.IntRange(0, 3).Draw(t, "its revision") > 0 {
			rev = b.Rev
		}
	}
	pool := []leadroute.PoolID{"emea", "apac", ""}[(claim.Rev+claim.Try+claim.Target)%3] // one claim, one pool
	receipts := []string{"r1", "r1", "r1", "r2"}
	if s == nil {
		receipts = receipts[:1]
	}
	at := d.now.Add(-time.Duration(rapid.IntRange(0, 90).Draw(t, "late")) * time.Second)
	switch rapid.SampledFrom([]string{"admit", "met", "met", "join", "joined", "joined", "owned", "owned", "owned", "accept", "accept", "accept", "decline", "nobody", "outcome", "outcome", "outcome", "wake", "expire", "retry", "step", "accept timer", "answer timer", "action", "action", "revise", "redeliver", "check"}).Draw(t, "kind") {
	case "admit":
		return &leadroute.LedgerMessage{Admitted: &leadroute.Admission{Class: "P0", Plan: "3f1c9a5e7b2d4c6f8a0b", Lead: leadroute.Lead{
			ID: lead, Source: "website", Receipt: rapid.SampledFrom(receipts).Draw(t, "receipt"), ReceivedAt: transcript.Start,
			Fields:     []byte(`{"email":"someone@example.com","company":"Example GmbH","country":"DE","employees":250}`),
			Identities: []string{"8pR1x0TQm3vYwZ2aBcDeFgHi", "kLmNoPqRsTuVwXyZ01234567", "zYxWvUtSrQpOnMlKjIhGfEdC"}[:len(d.env.Plan("").Classes[0].Steps)],
		}}}
	case "met":
		n := 1
		if s != nil && s.Person != nil {
			n = max(s.Person.Asks, 1)
		}
		m := &leadroute.Met{N: rapid.IntRange(max(n-1, 1), n+1).Draw(t, "n"), First: rapid.IntRange(0, 2).Draw(t, "first") > 0}
		if !m.First {
			m.Lead, m.Stands = "Other3v9Qm2LxT7aB1cD4eF5", rapid.Bool().Draw(t, "stands")
			m.Owner = rapid.SampledFrom([]leadroute.RepID{"", "ana", "ben"}).Draw(t, "owner")
		}
		return &leadroute.LedgerMessage{Met: m}
	case "join":
		other := rapid.SampledFrom([]leadroute.LeadID{"Join3v9Qm2LxT7aB1cD4eF51", "Join3v9Qm2LxT7aB1cD4eF52"}).Draw(t, "other")
		return &leadroute.LedgerMessage{Join: &leadroute.Join{Lead: other, N: 2, Fields: []byte(`{"company":"Another","phone":"+4930901820"}`)}}
	case "joined":
		n := 1
		if s != nil && s.Person != nil {
			n = max(s.Person.Asks, 1)
		}
		m := &leadroute.Joined{N: rapid.IntRange(max(n-1, 1), n).Draw(t, "n"), Taken: rapid.Bool().Draw(t, "taken")}
		if !m.Taken && rapid.Bool().Draw(t, "is another's") {
			m.Root = "Root3v9Qm2LxT7aB1cD4eF51"
		}
		return &leadroute.LedgerMessage{Joined: m}
	case "owned":
		n := 0
		if s != nil && s.Pending != nil && rapid.IntRange(0, 3).Draw(t, "its claim") > 0 {
			claim, n = s.Pending.Claim, s.Shared.Next
		}
		m := &leadroute.Owned{Claim: claim, N: rapid.IntRange(max(n-1, 0), n).Draw(t, "n"), Yes: rapid.IntRange(0, 2).Draw(t, "yes") > 0}
		if m.Yes {
			m.Made = rapid.Bool().Draw(t, "made")
		} else {
			m.Owner = rapid.SampledFrom([]leadroute.RepID{"ana", "ben", "cem"}).Draw(t, "owner")
		}
		return &leadroute.LedgerMessage{Owned: m}
	case "accept":
		at = transcript.Start.Add(time.Duration(claim.Rev*100+claim.Try) * time.Second) // a rep who holds a claim answers with the time of the first time
		return &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: claim, Pool: pool, Accepted: true, CRMID: "0057x000001abcdEFG", At: at, Version: 7}}
	case "decline":
		return &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: claim, Pool: pool, Reason: "pool_per_week", At: at, Version: 7}}
	case "nobody":
		return &leadroute.LedgerMessage{NoCandidate: &leadroute.NoCandidate{Rev: rev, Target: tgt, Try: try, Pool: pool, Reason: "nobody_available"}}
	case "outcome":
		result := rapid.SampledFrom([]leadroute.Result{leadroute.ResultDelivered, leadroute.ResultDelivered, leadroute.ResultRetry, leadroute.ResultRejected, leadroute.ResultSuperseded}).Draw(t, "result")
		return &leadroute.LedgerMessage{Outcome: &leadroute.Outcome{Rev: rev, Destination: name, Attempt: attempt, Result: result, Status: 503, Reason: "http 503, and why", At: at}}
	case "wake":
		return d.due(leadroute.TimerWake, queue, rev, 0)
	case "expire":
		return d.due(leadroute.TimerExpire, queue, rev, 0)
	case "retry":
		return d.due(leadroute.TimerRetry, string(name), rev, attempt+1)
	case "accept timer":
		return d.due(leadroute.TimerAccept, "", rev, 0)
	case "answer timer":
		return d.due(leadroute.TimerAnswer, "", rev, 0)
	case "step":
		return d.due(leadroute.TimerStep, rapid.SampledFrom([]string{"take_away", "tell", "page"}).Draw(t, "step"), rev, 0)
	case "action":
		return &leadroute.LedgerMessage{Action: &leadroute.RepAction{
			Action: rapid.SampledFrom([]string{leadroute.ActionResponded, leadroute.ActionClosed}).Draw(t, "action"), Rep: rep, At: at,
		}}
	case "revise":
		return &leadroute.LedgerMessage{Revise: &leadroute.Revise{Rev: rev, Reason: "rep_removed"}}
	case "redeliver":
		if rapid.Bool().Draw(t, "the lead") {
			name = ""
		}
		return &leadroute.LedgerMessage{Redeliver: &leadroute.Redeliver{Rev: rev, Destination: name, At: at}}
	}
	return &leadroute.LedgerMessage{Check: &leadroute.Check{At: d.now}}
}

func (d *desk) due(kind leadroute.TimerKind, name string, rev, n int) *leadroute.LedgerMessage {
	return &leadroute.LedgerMessage{Due: &leadroute.Timer{Lead: lead, Kind: kind, Name: name, Rev: rev, N: n, Due: d.now}}
}

// TestLedgerLaws: whatever messages come in whatever order, the same input gives the same
// bytes, a message that comes twice changes the row once, a replay says again all that the
// first time said, an event's identity has one content, every acceptance is kept or
// released, and the row stays small.
func TestLedgerLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDesk(t)
		for range rapid.IntRange(1, 60).Draw(t, "messages") {
			d.now = d.now.Add(rapid.SampledFrom([]time.Duration{0, 10 * time.Millisecond, time.Second, 20 * time.Second, 2 * time.Minute, 11 * time.Minute}).Draw(t, "tick"))
			d.handle(t, d.draw(t))
		}
	})
}

func (d *desk) handle(t *rapid.T, m *leadroute.LedgerMessage) {
	t.Helper()
	replay := rapid.IntRange(0, 4).Draw(t, "replay") == 0
	before := d.state(t)
	row, said, out := d.apply(t, m, replay)
	if row2, said2, _ := d.apply(t, m, replay); !bytes.Equal(row, row2) || strings.Join(said, "\n") != strings.Join(said2, "\n") {
		t.Fatalf("Apply(%s) twice on the same row:\n%s\n%v\nand\n%s\n%v", encode(t, m), row, said, row2, said2)
	}
	d.row = row
	s := d.state(t)
	d.checkAcceptance(t, m, s, out)
	d.checkEvents(t, out)
	checkRow(t, before, s, row)
	again, _, _ := d.apply(t, m, false)
	if !bytes.Equal(again, row) {
		t.Fatalf("%s a second time changed the row from\n%s\nto\n%s", encode(t, m), row, again)
	}
	if s == nil && before != nil {
		d.events = map[string]string{} // forgotten: posted again, the lead is a new one
	}
	if s == nil || m.Check != nil {
		return // the sweep asks again
	}
	_, resaid, _ := d.apply(t, m, true)
	for i, one := range said {
		if out[i].Value != nil && !slices.Contains(resaid, one) { // a timer whose cancelling was lost fires, and is cancelled then
			t.Fatalf("%s said\n  %s\nits replay said only\n  %s\nrow %s", encode(t, m), one, strings.Join(resaid, "\n  "), row)
		}
	}
}

// checkAcceptance: an acceptance is the committed claim afterwards, or is being confirmed, or
// is released; so is the claim that a confirmation is about.
func (d *desk) checkAcceptance(t *rapid.T, m *leadroute.LedgerMessage, s *State, out []leadroute.Effect) {
	t.Helper()
	var claim leadroute.ClaimID
	switch {
	case m.Answer != nil && m.Answer.Accepted:
		claim = m.Answer.Claim
	case m.Owned != nil:
		claim = m.Owned.Claim
	default:
		return
	}
	kept := s != nil && (s.Phase == Owned && s.Claim.ID == claim || s.Phase == Confirming && s.Pending.Claim == claim)
	if m.Owned != nil && s != nil && s.Phase == Closed && s.Claim != nil && s.Claim.ID == claim {
		return // released when it was closed
	}
	released := false
	for _, e := range out {
		if r, ok := e.Value.(*leadroute.RepMessage); ok && r.Release != nil && r.Release.Claim == claim {
			released = true
		}
	}
	if kept == released {
		t.Fatalf("acceptance of %v: kept %v, released %v, want one of both", claim, kept, released)
	}
}

func (d *desk) checkEvents(t *rapid.T, out []leadroute.Effect) {
	t.Helper()
	for _, e := range out {
		v, ok := e.Value.(*leadroute.LatencyEvent)
		if !ok {
			continue
		}
		content := string(encode(t, v))
		if have, ok := d.events[v.ID()]; ok && have != content {
			t.Fatalf("event %s was told as\n%s\nand as\n%s", v.ID(), have, content)
		}
		d.events[v.ID()] = content
		if v.SinceEmit < 0 || v.SincePrev < 0 {
			t.Fatalf("event %s has a negative time: %s", v.ID(), content)
		}
	}
}

func checkRow(t *rapid.T, before, s *State, row []byte) {
	t.Helper()
	if len(row) > 16<<10 {
		t.Fatalf("the row has %d bytes, want at most 16 kB: %s", len(row), row)
	}
	if s == nil {
		return
	}
	if (s.Phase == Confirming) != (s.Pending != nil) {
		t.Fatalf("%s with %v pending", s.Phase, s.Pending)
	}
	if (s.Phase == Owned) && s.Claim == nil || s.Phase == Confirming && s.Claim != nil || (s.Phase == Offering || s.Phase == Waiting || s.Phase == Dead) && s.Claim != nil {
		t.Fatalf("%s with claim %v", s.Phase, s.Claim)
	}
	if s.Phase == Waiting && s.Queue == "" || s.Open() && len(s.Fields) == 0 {
		t.Fatalf("%s in queue %q with fields %s", s.Phase, s.Queue, s.Fields)
	}
	if before != nil && s.Rev < before.Rev {
		t.Fatalf("revision %d after %d", s.Rev, before.Rev)
	}
	for _, b := range s.Dests {
		if b.InFlight && b.Retry != 0 || b.Dead && (b.InFlight || b.Retry != 0) || b.Dead && b.Acked >= b.Rev && b.Attempt == 1 { // one that had to come again, after an older one, may be given up
			t.Fatalf("%s: %+v", b.Name, b)
		}
	}
}

// TestFinishedRowIsAStub: a minute after a lead is finished the sweep leaves at most 120
// bytes of it, whatever happened, and the stub still tells a replay from a duplicate.
func TestFinishedRowIsAStub(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDesk(t)
		for range rapid.IntRange(5, 80).Draw(t, "messages") {
			d.row, _, _ = d.apply(t, d.draw(t), false)
			d.now = d.now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "seconds")) * time.Second)
			if s := d.state(t); s != nil && s.Phase == Closed && s.Done != 0 {
				break
			}
		}
		s := d.state(t)
		if s == nil || s.Phase != Closed || s.Done == 0 {
			return
		}
		d.now = d.now.Add(time.Minute)
		if out := Sweep(d.env, lead, s, d.now); len(out) != 1 {
			t.Fatalf("Sweep(%s) = %v, want a check", d.row, out)
		}
		d.row, _, _ = d.apply(t, &leadroute.LedgerMessage{Check: &leadroute.Check{At: d.now}}, false)
		if len(d.row) > 120 {
			t.Fatalf("the stub has %d bytes, want at most 120: %s", len(d.row), d.row)
		}
		for receipt, want := range map[string]int{"r1": 0, "r9": 2} {
			m := &leadroute.LedgerMessage{Admitted: &leadroute.Admission{Class: "P0", Lead: leadroute.Lead{ID: lead, Receipt: receipt, ReceivedAt: d.now}}}
			row, said, _ := d.apply(t, m, false)
			if len(said) != want || !bytes.Equal(row, d.row) {
				t.Fatalf("receipt %s again: said %v, want %d messages", receipt, said, want)
			}
		}
	})
}

// TestTypicalRowIsSmall: a lead on its way, its own fields apart, takes at most a kilobyte.
func TestTypicalRowIsSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDesk(t)
		p := d.env.Plan("")
		d.env.Decide = func(*plan.Plan, *leadroute.Lead, leadroute.Millis) (plan.Decision, error) {
			return plan.Decision{Class: "P0", DeliverWithin: time.Minute, Territory: "emea_north", Rule: "enterprise_emea", Targets: []plan.Target{{Pool: "emea"}, {Queue: "backlog"}}}, nil
		}
		p.Destinations = p.Destinations[:1]
		claim := leadroute.ClaimID{Lead: lead, Rev: 1, Try: 1, Rep: "ana"}
		for _, m := range []*leadroute.LedgerMessage{
			{Admitted: &leadroute.Admission{Class: "P0", Plan: p.ID, Lead: leadroute.Lead{ID: lead, Source: "website", Receipt: "r1", EmittedAt: d.now, ReceivedAt: d.now, Fields: []byte(`{}`)}}},
			{Answer: &leadroute.Answer{Claim: claim, Pool: "emea", Accepted: true, CRMID: "0057x000001abcdEFG", At: d.now}},
			{Outcome: &leadroute.Outcome{Rev: 1, Destination: "crm", Attempt: 1, Result: leadroute.ResultDelivered, Status: 201, At: d.now}},
		} {
			d.now = d.now.Add(17 * time.Millisecond)
			d.row, _, _ = d.apply(t, m, false)
			if len(d.row) > 1<<10 {
				t.Fatalf("the row has %d bytes, want at most 1 kB: %s", len(d.row), d.row)
			}
		}
	})
}

// TestUnknownLeadReleases: an acceptance for a lead that the ledger does not know is
// released, asserted or not, replayed or not.
func TestUnknownLeadReleases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDesk(t)
		c := leadroute.ClaimID{
			Lead: lead, Rev: rapid.IntRange(0, 9).Draw(t, "rev"), Target: rapid.IntRange(0, 9).Draw(t, "target"), Try: rapid.IntRange(0, 9).Draw(t, "try"), Rep: "ana",
		}
		m := &leadroute.LedgerMessage{Answer: &leadroute.Answer{Claim: c, Accepted: true, Asserted: rapid.Bool().Draw(t, "asserted"), At: d.now}}
		row, said, out := d.apply(t, m, rapid.Bool().Draw(t, "replay"))
		if len(out) != 1 || row != nil {
			t.Fatalf("Apply(%s) = %s, %v, want one release", encode(t, m), row, said)
		}
		if r, ok := out[0].Value.(*leadroute.RepMessage); !ok || r.Release == nil || r.Release.Claim != c || out[0].Key != "ana" {
			t.Fatalf("Apply(%s) = %v, want the release of %v", encode(t, m), said, c)
		}
	})
}
