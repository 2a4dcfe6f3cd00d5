package dsl

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// small is a policy around what a test is about.
func small(t testing.TB, more string, opts ...Options) *plan.Plan {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.hcl")
	if err := os.WriteFile(path, []byte(`
policy "p" { timezone = "Europe/Berlin" }
schema "lead" {
  field "size" { type = number }
  field "origin" {
    type  = string
    blank = ["n/a", "-"]
  }
}
priority "P0" {
  when           = lead.score >= 80
  deliver_within = "1m"
}
priority "P1" { deliver_within = "5m" }
rep "ana" { email = "ana@example.com" }
pool "a" { members = [rep.ana] }
pool "b" { members = [rep.ana] }
queue "q" { drain_to = pool.a }
`+more), 0o600); err != nil {
		t.Fatal(err)
	}
	policy, diags := LoadWith(append(opts, Options{})[0], path)
	if policy.Plan == nil {
		t.Fatal(diags.Error())
	}
	return policy.Plan
}

// An override holds from its first moment to just before its last, and rules read the
// class that it gives.
func TestOverrides(t *testing.T) {
	p := small(t, `
override "end" {
  from     = "2026-03-27"
  until    = "2026-04-01T00:00:00Z"
  when     = lead.origin == "web"
  priority = priority.P0
}
override "desk" {
  when = lead.origin == "desk"
  to   = pool.b
}
rule "hot" {
  when = lead.priority == priority.P0
  to   = [pool.a, queue.q]
}
rule "rest" { to = queue.q }
`)
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tc := range []struct{ lead, at, rule, class string }{
		{`{"origin":"web"}`, "2026-03-26T22:59:59Z", "rest", "P1"},
		{`{"origin":"web"}`, "2026-03-26T23:00:00Z", "hot", "P0"}, // a day begins in the policy's zone
		{`{"origin":"web"}`, "2026-03-31T23:59:59Z", "hot", "P0"},
		{`{"origin":"web"}`, "2026-04-01T00:00:00Z", "rest", "P1"},
		{`{"origin":"n/a"}`, "2026-03-28T00:00:00Z", "rest", "P1"},
		{`{"origin":"desk","score":90}`, "2026-03-28T00:00:00Z", "override.desk", "P0"},
	} {
		d := decideOn(t, p, tc.lead, at(tc.at))
		if d.Rule != tc.rule || string(d.Class) != tc.class {
			t.Errorf("Decide(%s at %s) = %s, %s, want %s, %s", tc.lead, tc.at, d.Rule, d.Class, tc.rule, tc.class)
		}
	}
}

func TestRulesForATime(t *testing.T) {
	p := small(t, `
rule "spring" {
  from  = "2026-03-01T00:00:00Z"
  until = "2026-06-01T00:00:00Z"
  to    = [pool.a, queue.q]
}
rule "rest" { to = queue.q }
`)
	for month, want := range map[time.Month]string{time.February: "rest", time.March: "spring", time.May: "spring", time.June: "rest"} {
		r, err := p.Record(&leadroute.Lead{ID: "l"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		e := p.Explain(r, nil, time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC))
		if e.Decision.Rule != want || want == "rest" && e.Rules[0].Verdict != plan.NotInForce {
			t.Errorf("in %s: rule %s, first verdict %s, want %s", month, e.Decision.Rule, e.Rules[0].Verdict, want)
		}
	}
}

// Ten per cent are ten per cent, the same lead falls always into the same arm, and two
// splits have nothing to do with each other.
func TestSplits(t *testing.T) {
	const rule = `
rule "%s" {
  when = lead.origin == "%[1]s"
  split {
    by = lead.id
    arm "most" {
      percent = 90
      to      = pool.a
    }
    arm "few" {
      percent = 10
      to      = pool.b
    }
  }
  to = queue.q
}
`
	p := small(t, fmt.Sprintf(rule, "x")+fmt.Sprintf(rule, "y"))
	few, both := 0, 0
	const leads = 20000
	for i := range leads {
		arm := func(origin string) string {
			r, err := p.Record(&leadroute.Lead{ID: leadroute.LeadID(fmt.Sprintf("lead-%d", i)), Fields: []byte(`{"origin":"` + origin + `"}`)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Free()
			d, again := p.Decide(r, nil, time.Time{}), p.Decide(r, nil, time.Time{})
			pool := map[string]leadroute.PoolID{"most": "a", "few": "b"}[d.Arm]
			if d.Arm != again.Arm || len(d.Targets) != 2 || d.Targets[0].Pool != pool || d.Targets[1].Queue != "q" {
				t.Fatalf("lead %d: %v, then %v, want its arm's pool and the rule's queue, twice", i, d, again)
			}
			return d.Arm
		}
		x, y := arm("x"), arm("y")
		if x == "few" {
			few++
			if y == "few" {
				both++
			}
		}
	}
	if few < leads*9/100 || few > leads*11/100 || both > leads*2/100 {
		t.Errorf("of %d leads %d fell into the arm of 10 %%, %d of them in both rules, want about %d and %d", leads, few, both, leads/10, leads/100)
	}
}

func TestAssignOptions(t *testing.T) {
	p := small(t, `
rule "r" {
  assign {
    to           = rep_by_id(lead.origin)
    accept       = "30s"
    even_if_full = true
  }
  assign {
    to       = pool.a
    strategy = "least_loaded"
  }
  assign { to = queue.q }
}
`)
	got := decideOn(t, p, `{"origin":"ana"}`, time.Time{}).Targets
	want := []plan.Target{{Rep: "ana", Accept: 30 * time.Second, EvenIfFull: true}, {Pool: "a", Strategy: plan.LeastLoaded}, {Queue: "q"}}
	if !slices.Equal(got, want) {
		t.Errorf("targets = %+v, want %+v", got, want)
	}
}

// staff knows who could take a lead within a time.
type staff map[plan.Target]time.Duration

func (staff) Available(leadroute.PoolID) int { return 1 }
func (s staff) StaffedWithin(t plan.Target, within time.Duration) (bool, bool) {
	need, known := s[t]
	return need <= within, known
}

// Where a lead went is always known, so that "not that pool" is true of a lead in a queue
// or with a rep; what is undecided is broken.
func TestInvariants(t *testing.T) {
	p := small(t, `
rule "r" { to = [pool.a, queue.q] }
invariant "not b" { expect = assigned.pool != pool.b }
invariant "a or waiting" { expect = assigned.pool == pool.a || assigned.queue != null }
invariant "size" {
  when   = has(lead.origin)
  expect = lead.size > 10
}
invariant "soon" {
  when   = lead.priority == priority.P0
  expect = staffed_within("1m")
}
`)
	for _, tc := range []struct {
		lead string
		to   plan.Target
		live plan.Live
		want []string
	}{
		{`{}`, plan.Target{Pool: "a"}, nil, nil},
		{`{}`, plan.Target{Pool: "b"}, nil, []string{"not b", "a or waiting"}},
		{`{}`, plan.Target{Queue: "q"}, nil, nil},
		{`{}`, plan.Target{Rep: "ana"}, nil, []string{"a or waiting"}},
		{`{}`, plan.Target{}, nil, []string{"a or waiting"}},
		{`{"origin":"web","size":11}`, plan.Target{Pool: "a"}, nil, nil},
		{`{"origin":"web"}`, plan.Target{Pool: "a"}, nil, []string{"size"}},
		{`{"score":90}`, plan.Target{Pool: "a"}, nil, []string{"soon"}},
		{`{"score":90}`, plan.Target{Pool: "a"}, staff{{Pool: "a"}: time.Minute}, nil},
		{`{"score":90}`, plan.Target{Pool: "a"}, staff{{Pool: "a"}: time.Hour}, []string{"soon"}},
	} {
		r, err := p.Record(&leadroute.Lead{ID: "l", Fields: []byte(tc.lead)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Decide(r, tc.live, time.Time{})
		p.Assigned(r, tc.to)
		var got []string
		for _, v := range p.Broken(r) {
			got = append(got, v.Name)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("Broken(%s in %s) = %q, want %q", tc.lead, TargetName(tc.to), got, tc.want)
		}
	}
}

// A variable's value comes from --var, else the environment, else its default, and what
// was set travels with the policy.
func TestVariables(t *testing.T) {
	const source = `
priority "P0" {}
variable "limit" {
  type    = number
  default = 5
}
variable "regions" {
  type    = list(string)
  default = ["a", "b"]
}
locals {
  wide  = [for r in var.regions : upper(r)]
  first = local.wide[0]
  size  = var.limit > 100 ? "large" : "small"
}
rule "r" {
  when = lead.score > var.limit && one_of(lead.country, local.wide) && lead.title == local.size && lead.name != local.first
  to   = queue.unassigned
}
rule "s" { to = queue.unassigned }
`
	path := filepath.Join(t.TempDir(), "p.hcl")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"LEADROUTE_VAR_limit=50", "LEADROUTE_VAR_regions=x, y"}
	for _, tc := range []struct {
		opts Options
		lead string
	}{
		{Options{}, `{"score":6,"country":"B","title":"small","name":"n"}`},
		{Options{Environ: env}, `{"score":51,"country":"Y","title":"small","name":"n"}`},
		{Options{Environ: env, Vars: map[string]string{"limit": "200"}}, `{"score":201,"country":"X","title":"large","name":"n"}`},
	} {
		policy, diags := LoadWith(tc.opts, path)
		if policy.Plan == nil {
			t.Fatal(diags.Error())
		}
		again, _ := CompileSource(policy.Source)
		if again == nil || again.ID != policy.Plan.ID {
			t.Fatalf("with %v: plan %s, from its source %v", tc.opts, policy.Plan.ID, again)
		}
		for _, p := range []*plan.Plan{policy.Plan, again} {
			if d := decideOn(t, p, tc.lead, time.Time{}); d.Rule != "r" {
				t.Errorf("with %v: Decide(%s) = %s, want r", tc.opts, tc.lead, d.Rule)
			}
		}
	}
	for _, wrong := range []Options{{Vars: map[string]string{"limit": "many"}}, {Vars: map[string]string{"limt": "5"}}} {
		if policy, diags := LoadWith(wrong, path); policy.Plan != nil {
			t.Errorf("LoadWith(%v) = %v, want an error", wrong, diags)
		}
	}
	if _, diags := LoadWith(Options{Environ: []string{"LEADROUTE_VAR_limits=5"}}, path); !slices.ContainsFunc(diags, func(d Diagnostic) bool { return d.ID == strayVariable.ID }) {
		t.Errorf("LoadWith a slip in the environment = %v, want %s", diags, strayVariable.ID)
	}
}

// What comes before routing compiles into the plan.
func TestBeforeRouting(t *testing.T) {
	p := small(t, `
enrich "company" {
  when      = !has(lead.size)
  timeout   = "700ms"
  cache_for = "14d"
  on_error  = "queue"
  skip      = [priority.P0]
  http {
    url     = "https://enrich.example.com/v2/${lead.email_domain}"
    headers = { Authorization = "Bearer ${secret("TOKEN")}" }
  }
  set = {
    size     = response.employees * 2
    industry = response.industry
  }
}
source "web" {
  keys          = [secret("WEB_KEY")]
  rate_limit    = "600/m"
  require       = [lead.source_url, "consent"]
  priority_hint = "trusted"
}
dedupe {
  by     = [lead.email, lead.phone]
  within = "90d"
  then   = "merge_event"
}
retention { leads = "90d" }
rollout {
  mode    = "canary"
  percent = 10
  abort_when { unassigned_above = 0.01 }
}
rule "r" {
  when = lead.industry == "tech"
  to   = [pool.a, queue.q]
}
rule "rest" { to = queue.q }
`)
	e := p.Enrichments[0]
	if e.Timeout != 700*time.Millisecond || e.CacheFor != 14*24*time.Hour || e.OnError != plan.OnErrorQueue || len(e.Set) != 2 || e.Set[0].Field != "size" {
		t.Errorf("enrich = %+v", e)
	}
	r, err := (&plan.Plan{Layout: e.Layout}).Record(&leadroute.Lead{Fields: []byte(`{"email":"x@acme.example"}`)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	secret := func(name string) string { return strings.ToLower(name) }
	url, _ := e.HTTP.URL.Of(r, secret)
	auth, _ := e.HTTP.Headers[0].Value.Of(r, secret)
	if url != "https://enrich.example.com/v2/acme.example" || auth != "Bearer token" {
		t.Errorf("the request = %s, %s", url, auth)
	}
	s, d := p.Sources[0], p.Dedupe
	if s.RatePerSec != 10 || !s.TrustHint || !slices.Equal(s.Require, []string{"source_url", "consent"}) || s.Keys[0].Name != "WEB_KEY" {
		t.Errorf("source = %+v", s)
	}
	if !slices.Equal(d.By, []string{"email", "phone"}) || d.Within != 90*24*time.Hour || d.Then != plan.MergeEvent {
		t.Errorf("dedupe = %+v", d)
	}
	picked := 0
	for i := range 1000 {
		l, err := p.Record(&leadroute.Lead{ID: leadroute.LeadID(fmt.Sprint(i))}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p.Rollout.Picks(l, "plan") {
			picked++
		}
		l.Free()
	}
	if picked < 60 || picked > 140 || *p.Rollout.Abort.UnassignedAbove != 0.01 || p.Retention.Leads != 90*24*time.Hour {
		t.Errorf("the canary took %d of 1000 leads, want about 100; rollout = %+v", picked, p.Rollout)
	}
}

// A table that is too large is refused by its size, before it is read.
func TestATableTooLarge(t *testing.T) {
	dir := t.TempDir()
	policy := "priority \"P0\" {}\nrule \"r\" { to = queue.unassigned }\ntable \"t\" { source = \"t.csv\" }\n"
	if err := os.WriteFile(filepath.Join(dir, "p.hcl"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "t.csv"), []byte("a,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "t.csv"), 50<<20); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	p, diags := Load(dir)
	if p.Plan != nil || len(diags) != 1 || diags[0].ID != tableTooLarge.ID || !strings.Contains(diags[0].Detail, "16 MB") {
		t.Errorf("Load = %v, want %s that names 16 MB", diags, tableTooLarge.ID)
	}
	t.Logf("refused after %s", time.Since(start))
}
