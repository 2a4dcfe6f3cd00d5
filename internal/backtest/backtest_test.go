package backtest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/internal/sim"
	"github.com/leadroute/leadroute/processors/ledger"
)

var (
	seeds = flag.Int("seeds", 8, "worlds that are played by both engines")
	first = flag.Uint64("first", 1, "the first world")
)

func compile(t testing.TB, text string) *plan.Plan {
	t.Helper()
	p, found := dsl.CompileSource(map[string][]byte{"policy.hcl": []byte(text)})
	if err := found.Error(); err != nil {
		t.Fatal(err)
	}
	return p
}

const floorPolicy = `
policy "p" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
schema "lead" {
  field "kind" {
    type   = string
    values = ["a", "b", "c", "d"]
  }
  field "lang" {
    type   = string
    values = ["de", "en"]
  }
}
priority "P0" {
  when           = lead.kind == "a"
  deliver_within = "1m"
  respond_within = "30m"
  step "hand_over" {
    after    = "10m"
    reassign = "next"
    pause    = "40m"
  }
}
priority "P2" { deliver_within = "30m" }
hours "day" {
  timezone = "Europe/Berlin"
  week     = { "mon-fri" = "09:00-17:00" }
}
pool "one" {
  members_where = rep.team == "one"
  strategy      = "round_robin"
}
pool "two" {
  members_where = rep.team == "two"
  strategy      = "weighted"
  require       = contains(rep.languages, lead.lang)
  capacity {
    open = 5
    cost = { P0 = 2 }
  }
}
pool "three" {
  members_where = rep.team == "three" || rep.team == "one"
  strategy      = "least_loaded"
  hours         = hours.day
  capacity { open = 4 }
}
queue "late" { drain_to = [pool.two, pool.three] }
queue "plain" {}
rule "a" {
  when = lead.kind == "a"
  to   = [pool.one, pool.two, queue.plain]
}
rule "b" {
  when = lead.kind == "b"
  to   = [pool.two, queue.late]
}
rule "c" {
  when = lead.kind == "c"
  to   = [pool.three, pool.one, queue.late]
}
destination "crm" {
  webhook { url = "https://crm.example.com/leads" }
}
`

// Where people and companies are shared by leads, and a rule names the account's owner.
const sharedPolicy = floorPolicy + `
account_match {
  by             = ["domain"]
  ignore_domains = ["mail.example"]
}
dedupe {
  by     = [lead.email]
  within = "24h"
  then   = "same_owner"
}
rule "owner" {
  when = lead.kind == "d" && has(lead.account.owner)
  to   = [rep_by_id(lead.account.owner), pool.three, queue.late]
}
`

const droppingPolicy = floorPolicy + `
dedupe {
  by     = [lead.email]
  within = "24h"
  then   = "drop"
}
`

// floorWorld is a few reps, and leads over a day.
func floorWorld(r *rand.Rand) ([]leadroute.Rep, []Lead) {
	var reps []leadroute.Rep
	for i := range 4 + r.IntN(5) {
		rep := leadroute.Rep{
			ID: leadroute.RepID(fmt.Sprint("r", i)), Weight: float64(1 + r.IntN(4)), Caps: leadroute.Caps{Open: 3 + r.IntN(9)},
			Attrs: map[string]any{}, Team: []string{"one", "two", "three"}[r.IntN(3)],
		}
		if r.IntN(2) == 0 {
			rep.Hours = "day"
		}
		rep.Languages = [][]string{{"de"}, {"en"}, {"de", "en"}}[r.IntN(3)]
		if r.IntN(3) == 0 {
			rep.Caps.PerDay = 2 + r.IntN(4)
		}
		reps = append(reps, rep)
	}
	start := time.Date(2026, 1, 13, 5, 0, 0, 0, time.UTC)
	var leads []Lead
	at := 0
	for i := range 30 + r.IntN(50) {
		at += 1 + r.IntN(1200)
		l := Lead{}
		l.ID, l.Source = leadroute.LeadID(fmt.Sprintf("lead-%02d", i)), "web"
		l.ReceivedAt = leadroute.At(start.Add(time.Duration(at) * time.Second))
		l.Fields = fmt.Appendf(nil, `{"kind":%q,"lang":%q,"email":"p%d@%s.example"}`,
			[]string{"a", "b", "c", "d"}[r.IntN(4)], []string{"de", "en"}[r.IntN(2)], r.IntN(12), []string{"acme", "globex", "mail"}[r.IntN(3)])
		leads = append(leads, l)
	}
	return reps, leads
}

type list struct{ leads []Lead }

func (l *list) Next() (Lead, error) {
	if len(l.leads) == 0 {
		return Lead{}, io.EOF
	}
	first := l.leads[0]
	l.leads = l.leads[1:]
	return first, nil
}

// owner is who had a lead, from when.
type owner struct {
	Rep leadroute.RepID
	At  leadroute.Millis
}

// TestSameAsTheSimulator: on random small worlds the floor gives each lead to the same reps,
// in the same order, as the simulator's engine, which runs the stages on a log.
func TestSameAsTheSimulator(t *testing.T) {
	ordered := strings.NewReplacer(`queue "plain" {}`, `queue "plain" { order = "arrival" }`,
		`queue "late" { drain_to = [pool.two, pool.three] }`, "queue \"late\" {\n  order    = \"priority\"\n  drain_to = [pool.two, pool.three]\n}").Replace(floorPolicy)
	if strings.Count(ordered, "order ") < 2 {
		t.Fatal("the queues have no order")
	}
	for name, policy := range map[string]string{"plain": floorPolicy, "ordered": ordered, "shared": sharedPolicy, "dropping": droppingPolicy} {
		t.Run(name, func(t *testing.T) {
			worlds := *seeds
			if name != "plain" {
				worlds = (worlds + 1) / 2
			}
			testSameAsTheSimulator(t, compile(t, policy), worlds)
		})
	}
}

func testSameAsTheSimulator(t *testing.T, p *plan.Plan, worlds int) {
	t.Helper()
	const respond = 20*time.Minute + 7*time.Second
	handed, queued := 0, 0
	// The simulator wakes who waits each second, the floor at once.
	near := cmp.Comparer(func(a, b leadroute.Millis) bool { return a.Sub(b).Abs() <= time.Second })
	for seed := *first; seed < *first+uint64(worlds); seed++ {
		reps, leads := floorWorld(rand.New(rand.NewPCG(seed, 1)))
		end := leads[len(leads)-1].ReceivedAt.Add(16 * time.Hour)

		o := Options{Plan: p, Reps: reps, Respond: respond, Handle: 100000 * time.Hour, Drain: 16 * time.Hour}
		got := map[leadroute.LeadID][]owner{}
		r := newRun(o)
		heard := r.floor.heard
		r.floor.heard = func(n int, e *leadroute.LatencyEvent) {
			if e.Step == leadroute.StepAssigned {
				got[e.Lead] = append(got[e.Lead], owner{e.Rep, e.At})
			}
			if e.Step == leadroute.StepQueued {
				queued++
			}
			heard(n, e)
		}
		r.span(leads[0].ReceivedAt, leads[len(leads)-1].ReceivedAt)
		src := &list{slices.Clone(leads)}
		if _, err := r.play(t.Context(), func() (Lead, bool) { l, err := src.Next(); return l, err == nil }); err != nil {
			t.Fatalf("-first %d: %v", seed, err)
		}

		want := inTheSimulator(t, p, reps, leads, respond, end)
		if d := cmp.Diff(want, got, near); d != "" {
			t.Fatalf("-first %d: the simulator gives leads to others (-simulator +floor):\n%s", seed, d)
		}
		for _, to := range got {
			if len(to) > 1 {
				handed++
			}
		}
	}
	if worlds > 10 && (handed == 0 || queued == 0) {
		t.Errorf("no lead was handed over (%d), or none waited (%d): the worlds are too kind", handed, queued)
	}
}

func inTheSimulator(t *testing.T, p *plan.Plan, reps []leadroute.Rep, leads []Lead, respond time.Duration, end leadroute.Millis) map[leadroute.LeadID][]owner {
	t.Helper()
	start := leadroute.At(leads[0].ReceivedAt.Time().Truncate(time.Second))
	y := sim.NewPlay(p, start, func(p *plan.Plan, l *leadroute.Lead, account *leadroute.Account, live plan.Live, at leadroute.Millis) (plan.Decision, error) {
		r, err := p.Record(l, account)
		if err != nil {
			return plan.Decision{}, err
		}
		defer r.Free()
		return p.Decide(r, live, at.Time()), nil
	})
	for _, rep := range reps {
		y.Hire(rep, leadroute.StatusAvailable)
	}
	type answer struct {
		at   leadroute.Millis
		lead leadroute.LeadID
		rev  int
	}
	var answers []answer
	seen := 0
	got := map[leadroute.LeadID][]owner{}
	listen := func() {
		for ; seen < len(y.Events()); seen++ {
			if e := y.Events()[seen]; e.Step == leadroute.StepAssigned {
				got[e.Lead] = append(got[e.Lead], owner{e.Rep, e.At})
				if s := y.Lead(e.Lead); s.Class == "P0" {
					answers = append(answers, answer{e.At.Add(respond), e.Lead, e.Rev})
				}
			}
		}
	}
	until := func(at leadroute.Millis) {
		for y.Now() < at {
			next := min(at, y.Now().Add(time.Minute))
			if len(answers) > 0 && answers[0].at <= next {
				next = max(answers[0].at, y.Now())
			}
			if err := y.RunUntil(next); err != nil {
				t.Fatal(err)
			}
			listen()
			for len(answers) > 0 && answers[0].at <= y.Now() {
				a := answers[0]
				answers = answers[1:]
				if s := y.Lead(a.lead); s != nil && s.Rev == a.rev && s.Phase == ledger.Owned {
					y.Respond(a.lead)
					listen()
				}
			}
		}
	}
	for _, l := range leads {
		until(l.ReceivedAt)
		y.Post(l.Lead, "P2")
		listen()
	}
	until(end)
	return got
}

// jsonLines reads objects, one a line.
func jsonLines(text string) Source {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return Lines(func() (json.RawMessage, error) {
		if len(lines) == 0 {
			return nil, io.EOF
		}
		line := lines[0]
		lines = lines[1:]
		return json.RawMessage(line), nil
	})
}

const twoReps = `
policy "p" {
  owners   = ["revops@example.com"]
  timezone = "UTC"
}
schema "lead" {
  field "region" {
    type   = string
    values = ["EMEA", "APAC"]
  }
}
priority "P0" { deliver_within = "1h" }
rep "ana" { email = "ana@example.com" }
rep "ben" {
  email = "ben@example.com"
  capacity { open = 1 }
}
pool "emea" { members = [rep.ana] }
pool "apac" { members = [rep.ben] }
queue "wait" {}
rule "emea" {
  when = lead.region == "EMEA"
  to   = [pool.emea, queue.wait]
}
rule "apac" {
  when = lead.region == "APAC"
  to   = [pool.apac, queue.wait]
}
`

const fourLeads = `
{"id":"l3","received_at":"2026-01-14T10:20:00Z","region":"APAC","rule":"apac"}
{"id":"l1","received_at":"2026-01-14T10:00:00Z","region":"EMEA","rule":"old_rule"}
{"id":"l2","received_at":"2026-01-14T10:10:00Z","region":"APAC","rule":"apac"}
{"id":"l2","received_at":"2026-01-14T10:11:00Z","region":"APAC"}
{"id":"l4","received_at":"2026-01-14T10:30:00Z"}
{"id":"l5","received_at":"2026-01-14T10:30:00Z","region":"MARS"}
{"id":"l6"}
`

func TestRun(t *testing.T) {
	r, err := Run(t.Context(), Options{Plan: compile(t, twoReps), Handle: 2 * time.Hour}, jsonLines(fourLeads))
	if err != nil {
		t.Fatal(err)
	}
	type figures struct {
		Leads, Unreadable, Refused, Duplicates, AtOnce, Waited, Unassigned, NoRule, Missed, Compared, Moved int
	}
	got := figures{r.Leads, r.Unreadable, r.Refused, r.Duplicates, r.AtOnce, r.Waited, r.Unassigned, r.NoRule, r.SLAMissed, r.Moved.Compared, r.Moved.Moved}
	// l3 waits until ben has closed l2 at 12:10, which is late.
	want := figures{Leads: 6, Unreadable: 1, Refused: 1, Duplicates: 1, AtOnce: 2, Waited: 1, NoRule: 1, Missed: 1, Compared: 3, Moved: 1}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("figures (-want +got):\n%s", d)
	}
	if !strings.Contains(r.UnreadableWhy, "received_at") || !strings.Contains(r.RefusedWhy, "EMEA") {
		t.Errorf("said of what was not played: %q and %q", r.UnreadableWhy, r.RefusedWhy)
	}
	if len(r.Moved.Examples) != 1 || r.Moved.Examples[0].ID != "l1" || r.Moved.Examples[0].Decision.Rule != "emea" {
		t.Errorf("examples = %+v, want l1 explained", r.Moved.Examples)
	}
	if c := r.Classes[0]; c.P99 != (110 * time.Minute).Milliseconds() {
		t.Errorf("P0 waits = %+v, want 1h50m at most", c)
	}
	assigned := map[leadroute.RepID]int{}
	for _, rep := range r.Reps {
		assigned[rep.Rep] = rep.Assigned
	}
	if !maps.Equal(assigned, map[leadroute.RepID]int{"ana": 1, "ben": 2}) {
		t.Errorf("load = %v, want ana 1, ben 2", assigned)
	}
}

func TestAgainst(t *testing.T) {
	before := compile(t, strings.Replace(twoReps, `to   = [pool.apac, queue.wait]`, `to   = [pool.emea, queue.wait]`, 1))
	r, err := Run(t.Context(), Options{Plan: compile(t, twoReps), Against: before, Handle: time.Hour}, jsonLines(fourLeads))
	if err != nil {
		t.Fatal(err)
	}
	if r.Moved == nil || r.Moved.Compared != 4 || r.Moved.Moved != 2 {
		t.Fatalf("moved = %+v, want the two of APAC of the four that were decided", r.Moved)
	}
	if d := cmp.Diff([]Way{{"rule.apac to pool.emea", "rule.apac to pool.apac", 2}}, r.Moved.Ways); d != "" {
		t.Errorf("ways (-want +got):\n%s", d)
	}
}

// TestLogged: a lead of the decision log keeps the account that its decision saw.
func TestLogged(t *testing.T) {
	l, err := Logged(&leadroute.LatencyEvent{
		Lead: "L1", Source: "web", Rule: "emea", ReceivedAt: 7,
		Decision: &leadroute.Decision{Fields: []byte(`{"region":"EMEA"}`), Seen: []byte(`{"account":{"domain":"acme.example.com","owner":"ana"}}`)},
	})
	if err != nil || l.Account == nil || l.Account.Owner != "ana" || l.Rule != "emea" || l.ReceivedAt != 7 {
		t.Errorf("Logged = %+v, %v; want ana's account and the rule", l, err)
	}
}

func TestSimulateIsTheSameForOneSeed(t *testing.T) {
	p := compile(t, twoReps)
	a := Arrivals{Rate: 0.01, For: 24 * time.Hour, Start: time.Date(2026, 1, 14, 0, 0, 0, 0, time.UTC), Seed: 3}
	var told [2][]byte
	for i := range told {
		r, err := Simulate(t.Context(), Options{Plan: p, Handle: 10 * time.Minute}, a)
		if err != nil {
			t.Fatal(err)
		}
		if r.Leads < 700 || r.Leads > 1000 || len(r.Samples) < 100 {
			t.Errorf("%d leads in %d samples, want some 864 in hundreds", r.Leads, len(r.Samples))
		}
		if told[i], err = json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		var svg bytes.Buffer
		if err := r.Chart(&svg); err != nil || !bytes.Contains(svg.Bytes(), []byte("leads waiting")) {
			t.Errorf("chart: %v, %d bytes", err, svg.Len())
		}
	}
	if !bytes.Equal(told[0], told[1]) {
		t.Error("two runs of one seed differ")
	}
}
