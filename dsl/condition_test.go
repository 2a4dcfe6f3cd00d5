package dsl

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// policyWith is a small policy around one condition.
func policyWith(t testing.TB, when string) *plan.Plan {
	t.Helper()
	p, diags := CompileSource(map[string][]byte{"p.hcl": []byte(`
schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA", "APAC"]
  }
  field "size" { type = number }
  field "vip" { type = bool }
  field "account.tier" { type = string }
}
account_match { by = ["domain"] }
locals { dach = ["DE", "AT", "CH"] }
hours "office" {
  timezone = "Europe/Berlin"
  week     = { "mon-fri" = "09:00-18:00" }
}
priority "P0" { when = lead.score >= 90 }
priority "P1" { deliver_within = "5m" }
territory "emea" { when = lead.region == "EMEA" }
rep "ana" { email = "ana@example.com" }
pool "all" { members = [rep.ana] }
queue "backlog" { drain_to = pool.all }
rule "yes" {
  when = ` + when + `
  to   = [pool.all, queue.backlog]
}
rule "no" {
  when = !(` + when + `)
  to   = [pool.all, queue.backlog]
}
rule "undecided" { to = queue.backlog }
`)})
	if p == nil {
		t.Fatalf("CompileSource(%s): %v", when, diags.Error())
	}
	return p
}

type freeReps int

func (n freeReps) Available(leadroute.PoolID) int { return int(n) }

// Three-valued logic: a condition is true, false, or undecided because something is
// missing, and its negation is false, true, or undecided.
func TestConditions(t *testing.T) {
	for _, tc := range []struct{ when, lead, want string }{
		{`lead.region == "EMEA"`, `{"region":"EMEA"}`, "yes"},
		{`lead.region == "EMEA"`, `{"region":"NA"}`, "no"},
		{`lead.region == "EMEA"`, `{}`, "undecided"},
		{`lead.region == "EMEA"`, `{"region":""}`, "undecided"},
		{`lead.region == "EMEA"`, `{"region":null}`, "undecided"},
		{`lead.region == "EMEA"`, `{"region":7}`, "undecided"}, // another type is missing; the door refuses it
		{`"EMEA" == lead.region`, `{"region":"EMEA"}`, "yes"},
		{`lead.region != "EMEA"`, `{"region":"NA"}`, "yes"},
		{`lead.region != "EMEA"`, `{}`, "undecided"},
		{`lead.title == lead.company`, `{"title":"x","company":"x"}`, "yes"},
		{`lead.title == lead.company`, `{"title":"x","company":"y"}`, "no"},
		{`lead.title == lead.company`, `{"title":"x"}`, "undecided"},
		{`lead.size > 500`, `{"size":501}`, "yes"},
		{`lead.size > 500`, `{"size":500}`, "no"},
		{`lead.size > 500`, `{}`, "undecided"},
		{`500 < lead.size`, `{"size":501}`, "yes"},
		{`lead.size != 5`, `{"size":5}`, "no"},
		{`lead.size != 5`, `{}`, "undecided"},
		{`lead.size >= 1.5e1 && lead.size <= 20`, `{"size":15}`, "yes"},
		{`lead.vip`, `{"vip":true}`, "yes"},
		{`lead.vip`, `{"vip":false}`, "no"},
		{`lead.vip`, `{}`, "undecided"},
		{`lead.vip == false`, `{"vip":false}`, "yes"},
		{`lead.vip == (lead.size > 3)`, `{"vip":false,"size":2}`, "yes"},
		{`lead.vip == (lead.size > 3)`, `{"vip":false}`, "undecided"},
		// && and || decide early, whatever is missing.
		{`lead.size > 500 && lead.vip`, `{"size":1}`, "no"},
		{`lead.size > 500 && lead.vip`, `{"size":900}`, "undecided"},
		{`lead.size > 500 || lead.vip`, `{"size":900}`, "yes"},
		{`lead.size > 500 || lead.vip`, `{"size":1}`, "undecided"},
		{`!(lead.size > 500 && lead.vip)`, `{"size":1}`, "yes"},
		{`!(!lead.vip)`, `{}`, "undecided"},
		{`lead.vip || lead.size > 5 || lead.score > 5`, `{"score":6}`, "yes"},
		// has, == null and coalesce are two-valued.
		{`has(lead.size)`, `{"size":0}`, "yes"},
		{`has(lead.size)`, `{}`, "no"},
		{`lead.size == null`, `{}`, "yes"},
		{`lead.region != null`, `{"region":"NA"}`, "yes"},
		{`has(lead.vip)`, `{"vip":false}`, "yes"},
		{`has(lead.tags)`, `{"tags":[]}`, "yes"},
		{`has(lead.tags)`, `{}`, "no"},
		{`coalesce(lead.size, 900) > 500`, `{}`, "yes"},
		{`coalesce(lead.region, lead.country, "elsewhere") == "elsewhere"`, `{}`, "yes"},
		{`coalesce(lead.vip, false)`, `{}`, "no"},
		{`coalesce(lead.tags, ["x"]) == null`, `{}`, "no"},
		{`!has(lead.region) || lead.region != "EMEA"`, `{}`, "yes"},
		// one_of, contains, between
		{`one_of(lead.country, local.dach)`, `{"country":"AT"}`, "yes"},
		{`one_of(lead.country, local.dach)`, `{"country":"FR"}`, "no"},
		{`one_of(lead.country, local.dach)`, `{}`, "undecided"},
		{`one_of(lead.country, ["a","b","c","d","e","f","g","h","i","j"])`, `{"country":"j"}`, "yes"},
		{`one_of(lead.size, [1, 2])`, `{"size":2}`, "yes"},
		{`one_of(lead.priority, [priority.P0])`, `{"score":95}`, "yes"},
		{`contains(lead.tags, "demo")`, `{"tags":["a","demo"]}`, "yes"},
		{`contains(lead.tags, "demo")`, `{"tags":[]}`, "no"},
		{`contains(lead.tags, "demo")`, `{}`, "undecided"},
		{`contains(lead.tags, lead.title)`, `{"tags":["a"],"title":"a"}`, "yes"},
		{`contains(lead.title, "VP")`, `{"title":"VP Sales"}`, "yes"},
		{`between(lead.size, 10, 20)`, `{"size":20}`, "yes"},
		{`between(lead.size, 10, 20)`, `{"size":21}`, "no"},
		{`between(lead.size, 10, 20)`, `{}`, "undecided"},
		// texts
		{`startswith(lead.phone, "+49")`, `{"phone":"+49 30"}`, "yes"},
		{`endswith(lead.email_domain, ".edu")`, `{"email":"a@cs.MIT.edu"}`, "yes"},
		{`lead.email_domain == "acme.example.com"`, `{"email":"x@www.acme.example.com"}`, "yes"},
		{`lead.email_domain == "b.example.com"`, `{"email":"x@a.example.com","email_domain":"b.example.com"}`, "yes"},
		{`matches(lead.title, "(?i)\\bvp\\b")`, `{"title":"the VP of it"}`, "yes"},
		{`matches(lead.title, "^x")`, `{}`, "undecided"},
		{`lower(lead.title) == "vp"`, `{"title":"VP"}`, "yes"},
		{`upper(lead.country) == "DE"`, `{"country":"de"}`, "yes"},
		{`"${lead.first_name} ${lead.last_name}" == "Ana Diaz"`, `{"first_name":"Ana","last_name":"Diaz"}`, "yes"},
		{`"${lead.first_name} ${lead.last_name}" == "Ana Diaz"`, `{"first_name":"Ana"}`, "undecided"},
		{`"n${lead.size}" == "n40"`, `{"size":40}`, "yes"},
		{"lead.company == \"Caf\u00e9\"", "{\"company\":\"Cafe\u0301\"}", "yes"}, // NFC on both sides
		{`lead.company == "a\"b"`, `{"company":"a\"b"}`, "yes"},
		// arithmetic
		{`lead.size * 2 + 1 > 10`, `{"size":5}`, "yes"},
		{`lead.size / lead.score > 1`, `{"size":5,"score":0}`, "undecided"},
		{`lead.size - lead.score < 0`, `{"size":5}`, "undecided"},
		{`-lead.size < -4`, `{"size":5}`, "yes"},
		{`(lead.vip ? lead.size : lead.score) > 5`, `{"vip":true,"size":9,"score":1}`, "yes"},
		{`(lead.vip ? lead.size : lead.score) > 5`, `{"size":9,"score":9}`, "undecided"},
		{`lead.vip ? lead.size > 5 : lead.score > 5`, `{"vip":false,"score":4}`, "no"},
		// what the plan decides, and what is live
		{`lead.priority == priority.P0`, `{"score":95}`, "yes"},
		{`lead.priority == priority.P0`, `{"score":95,"priority":"P9"}`, "yes"}, // no sender can say it
		{`lead.territory == territory.emea`, `{"region":"EMEA"}`, "yes"},
		{`has(lead.territory)`, `{"region":"NA"}`, "no"},
		{`pool.all.available > 2`, `{}`, "yes"},
		{`lead.account.tier == "gold"`, `{"account":{"tier":"gold","x":{"tier":1}}}`, "yes"},
		{`lead.account.tier == "gold"`, `{"account":"gold"}`, "undecided"},
		{`during(hours.office)`, `{}`, "yes"},
		{`lead.source == "web"`, `{"source":"spoof"}`, "yes"}, // the door's word, not the sender's
		{`true`, `{}`, "yes"},
	} {
		p := policyWith(t, tc.when)
		r, err := p.Record(&leadroute.Lead{ID: "l1", Source: "web", Fields: []byte(tc.lead)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 14, 9, 0, 0, 0, time.UTC)
		if got := p.Decide(r, freeReps(3), at).Rule; got != tc.want {
			t.Errorf("Decide(%s, %s) = rule %s, want %s", tc.when, tc.lead, got, tc.want)
		}
		e := p.Explain(r, freeReps(3), at)
		if got := e.Decision.Rule; got != tc.want {
			t.Errorf("Explain(%s, %s) = rule %s, want %s", tc.when, tc.lead, got, tc.want)
		}
		verdict := map[string]plan.Verdict{"yes": plan.Matched, "no": plan.False, "undecided": plan.Undecided}[tc.want]
		if tr := e.Rules[0]; tr.Verdict != verdict || len(tr.Because) == 0 && tc.when != "true" {
			t.Errorf("Explain(%s, %s) = %v, want %s with a reason", tc.when, tc.lead, tr, verdict)
		}
	}
}

func TestHoursAreHalfOpenInTheirOwnZone(t *testing.T) {
	p := policyWith(t, `during(hours.office)`) // 09:00-18:00 in Berlin
	for at, want := range map[string]string{
		"2026-01-14T07:59:59Z": "no", "2026-01-14T08:00:00Z": "yes", "2026-01-14T16:59:59Z": "yes",
		"2026-01-14T17:00:00Z": "no", "2026-01-17T10:00:00Z": "no", "2026-07-15T07:00:00Z": "yes", "2026-07-15T16:00:00Z": "no",
	} {
		r, err := p.Record(&leadroute.Lead{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		when, _ := time.Parse(time.RFC3339, at)
		if got := p.Decide(r, nil, when).Rule; got != want {
			t.Errorf("Decide(%s) = rule %s, want %s", at, got, want)
		}
	}
}

func TestLiveFiguresAreUndecidedWithoutAView(t *testing.T) {
	p := policyWith(t, `pool.all.available > 2`)
	r, err := p.Record(&leadroute.Lead{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Decide(r, nil, time.Time{}).Rule; got != "undecided" {
		t.Errorf("Decide with live nil = rule %s, want undecided", got)
	}
}

// The account's row stands for everything below lead.account, whatever the sender wrote.
func TestAccountReplacesTheSendersWord(t *testing.T) {
	p := policyWith(t, `lead.account.owner == "ana" && lead.account.tier == "gold"`)
	for _, tc := range []struct {
		account *leadroute.Account
		want    string
	}{
		{nil, "yes"},
		{&leadroute.Account{Domain: "x", Owner: "ben"}, "no"},
		{&leadroute.Account{Domain: "x", Owner: "ana"}, "undecided"},
		{&leadroute.Account{Domain: "x", Owner: "ana", Attrs: map[string]any{"tier": "gold"}}, "yes"},
	} {
		r, err := p.Record(&leadroute.Lead{Fields: []byte(`{"account":{"owner":"ana","tier":"gold"}}`)}, tc.account)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Decide(r, nil, time.Time{}).Rule; got != tc.want {
			t.Errorf("Decide(account %v) = rule %s, want %s", tc.account, got, tc.want)
		}
	}
}

func TestDecidingAllocatesNothingButTheTargets(t *testing.T) {
	p := policyWith(t, `((lead.region == "EMEA" || one_of(lead.country, local.dach)) && lead.size * 2 > 500 && contains(lead.tags, "demo")
    && matches(lead.title, "(?i)vp") && endswith(lead.email_domain, ".com") && during(hours.office) && pool.all.available > 2
    && coalesce(lead.vip, true) && has(lead.phone))`)
	lead := &leadroute.Lead{Fields: []byte(`{"region":"EMEA","size":900,"tags":["a","demo"],"title":"vp","email":"a@b.com","phone":"1"}`)}
	r, err := p.Record(lead, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 14, 9, 0, 0, 0, time.UTC)
	var live plan.Live = freeReps(3)
	if got := p.Decide(r, live, at).Rule; got != "yes" {
		t.Fatalf("Decide = rule %s, want yes", got)
	}
	if n := testing.AllocsPerRun(100, func() { p.Decide(r, live, at) }); n > 1 {
		t.Errorf("Decide allocates %v times, want 1 (the targets)", n)
	}
	if n := testing.AllocsPerRun(100, func() { p.ClassOf(r, live, at) }); n > 0 {
		t.Errorf("ClassOf allocates %v times, want 0", n)
	}
}

func TestMembersWhere(t *testing.T) {
	p, diags := CompileSource(map[string][]byte{"p.hcl": []byte(`
priority "P0" {}
pool "a" { members_where = rep.team == "ae" && contains(rep.languages, "de") && rep.desk == "x" && rep.quota > 2 }
pool "b" {
  members_where = rep.senior || rep.weight >= 2
  strategy      = "weighted"
  weight_by     = rep.quota * 2
}
rule "r" { to = [pool.a, pool.b, queue.unassigned] }
`)})
	if p == nil {
		t.Fatal(diags.Error())
	}
	rep := leadroute.Rep{ID: "ana", Team: "ae", Languages: []string{"en", "de"}, Attrs: map[string]any{"desk": "x", "quota": 3.0, "senior": true}}
	for i, tc := range []struct {
		change func(*leadroute.Rep)
		a, b   bool
	}{
		{func(*leadroute.Rep) {}, true, true},
		{func(r *leadroute.Rep) { r.Team = "sdr" }, false, true},
		{func(r *leadroute.Rep) { r.Languages = nil }, false, true},
		{func(r *leadroute.Rep) { r.Attrs = nil }, false, false},
		{func(r *leadroute.Rep) { r.Attrs, r.Weight = nil, 2 }, false, true},
		{func(r *leadroute.Rep) { r.Attrs = map[string]any{"senior": "yes"} }, false, false},
	} {
		r := rep
		tc.change(&r)
		if a, b := p.Pools["a"].Where(&r), p.Pools["b"].Where(&r); a != tc.a || b != tc.b {
			t.Errorf("%d: Where(%v) = %v, %v, want %v, %v", i, r, a, b, tc.a, tc.b)
		}
	}
	if got := p.Pools["b"].WeightBy(&rep); got != 6 {
		t.Errorf("WeightBy = %v, want 6", got)
	}
}

func TestTargets(t *testing.T) {
	p, diags := CompileSource(map[string][]byte{"p.hcl": []byte(`
account_match { by = ["domain"] }
schema "lead" { 
  field "region" { type = string }
}
priority "P0" { when = lead.score > 90 }
priority "P1" { deliver_within = "5m" }
rep "ana" { email = "ana@example.com" }
pool "emea" { members = [rep.ana] }
pool "rest" { members = [rep.ana] }
queue "q" { drain_to = pool.emea }
territory "emea" {
  when = lead.region == "EMEA"
  pool = pool.emea
}
territory "empty" { when = lead.region == "XX" }
rule "owner" {
  when = has(lead.account.owner)
  assign {
    to           = rep_by_id(lead.account.owner)
    even_if_full = true
  }
  assign {
    to   = pool.rest
    when = lead.score > 50
  }
  assign { to = [territory.of_lead.pool, pool.emea] }
  assign { to = queue.q }
}
rule "choice" {
  when     = lead.title == "choice"
  to       = [lead.region == "EMEA" ? pool.emea : pool.rest]
  priority = priority.P0
}
rule "named" {
  when = lead.title == "named"
  to   = [territory.emea.pool, rep.ana]
}
rule "off" {
  enabled = false
  to      = queue.q
}
rule "rest" { to = [territory.of_lead.pool, queue.q] }
`)})
	if p == nil {
		t.Fatal(diags.Error())
	}
	for _, tc := range []struct{ lead, want string }{
		{`{"account":{"owner":"o-1"},"score":60,"region":"EMEA"}`, "owner P1 rep.o-1! pool.rest pool.emea queue.q"},
		{`{"account":{"owner":"o-1"},"score":10}`, "owner P1 rep.o-1! pool.emea queue.q"},
		{`{"account":{"owner":"no/id"}}`, "owner P1 pool.emea queue.q"},
		{`{"title":"choice","region":"EMEA"}`, "choice P0 pool.emea queue.unassigned"},
		{`{"title":"choice","region":"NA"}`, "choice P0 pool.rest queue.unassigned"},
		{`{"title":"choice"}`, "choice P0 queue.unassigned"},
		{`{"title":"named"}`, "named P1 pool.emea rep.ana queue.unassigned"},
		{`{"region":"XX","score":95}`, "rest P0 queue.q"},
	} {
		r, err := p.Record(&leadroute.Lead{Fields: []byte(tc.lead)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		d := p.Decide(r, nil, time.Time{})
		words := []string{d.Rule, string(d.Class)}
		for _, to := range d.Targets {
			name := TargetName(to)
			if to.EvenIfFull {
				name += "!"
			}
			words = append(words, name)
		}
		if got := strings.Join(words, " "); got != tc.want {
			t.Errorf("Decide(%s) = %s, want %s", tc.lead, got, tc.want)
		}
	}
}

func TestExplainNamesTheCause(t *testing.T) {
	p := policyWith(t, `lead.size > 500 && lead.region == "EMEA" && lead.vip`)
	r, err := p.Record(&leadroute.Lead{Fields: []byte(`{"size":40,"region":"EMEA"}`)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := p.Explain(r, nil, time.Time{}).Rules[0]
	got := fmt.Sprintf("%s %+v", tr.Verdict, tr.Because)
	want := "false [{Test:lead.size > 500 Subject:lead.size Actual:40 Needs:> 500 Not:false Verdict:false}]"
	if got != want {
		t.Errorf("Explain = %s, want %s", got, want)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := policyWith(b, `lead.size > 500 && lead.region == "EMEA" && one_of(lead.country, local.dach)`)
	lead := &leadroute.Lead{ID: "l", Fields: []byte(`{"email":"kim@acme.example.com","first_name":"Kim","last_name":"Roe","company":"Acme","country":"DE",` +
		`"region":"EMEA","size":900,"score":71,"tags":["demo","eu"],"title":"VP Engineering","phone":"+49 30 1","utm_source":"newsletter"}`)}
	at := time.Date(2026, 1, 14, 9, 0, 0, 0, time.UTC)
	b.Run("Record", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := p.Record(lead, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Free()
		}
	})
	b.Run("Decide", func(b *testing.B) {
		r, _ := p.Record(lead, nil)
		b.ReportAllocs()
		for b.Loop() {
			p.Decide(r, nil, at)
		}
	})
	b.Run("Check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := p.Check(lead.Fields); err != nil {
				b.Fatal(err)
			}
		}
	})
}
