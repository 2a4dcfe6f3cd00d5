package dsl_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

func TestNearestChange(t *testing.T) {
	const head = `
policy "p" { timezone = "UTC" }
schema "lead" {
  field "region" {
    type   = string
    values = ["EMEA", "NA", "APAC"]
  }
  field "arr" { type = number }
  field "size" {
    type = number
    min  = 1
    max  = 100
  }
  field "vip" { type = bool }
}
priority "P0" { when = lead.score > 80 }
priority "P2" {}
rep "ana" { email = "ana@example.com" }
pool "a" { members = [rep.ana] }
queue "q" { max_wait = "1h" }
territory "emea" {
  when = lead.region == "EMEA"
  pool = pool.a
}
rule "it" {
  when = %s
  to   = pool.a
}
rule "rest" { to = queue.q }
`
	for _, c := range []struct{ when, lead, want string }{
		{`lead.arr > 100000`, `{"arr":40000}`, `[{arr 40000 100001}]`},
		{`lead.arr >= 100000`, `{"arr":40000}`, `[{arr 40000 100000}]`},
		{`lead.arr > 0.5`, `{}`, `[{arr  0.51}]`},
		{`lead.region == "EMEA"`, `{"region":"NA"}`, `[{region "NA" "EMEA"}]`},
		{`one_of(lead.region, ["EMEA", "APAC"]) && lead.arr < 10`, `{"region":"NA","arr":3}`, `[{region "NA" "EMEA"}]`},
		{`lead.region == "EMEA" && lead.arr > 10 || lead.vip`, `{"region":"NA"}`, `[{vip  true}]`},
		{`lead.region != "NA"`, `{"region":"NA"}`, `[{region "NA" "EMEA"}]`},
		{`!has(lead.region)`, `{"region":"NA"}`, `[{region "NA" }]`},
		{`contains(lead.tags, "demo")`, `{"tags":["a"]}`, `[{tags ["a"] ["a", "demo"]}]`},
		{`!contains(lead.tags, "bad") && has(lead.phone)`, `{"tags":["a","bad"]}`, `[{tags ["a", "bad"] ["a"]} {phone  "any"}]`},
		{`between(lead.size, 20, 30)`, `{"size":50}`, `[{size 50 30}]`},
		{`endswith(lead.email_domain, ".edu")`, `{}`, `[{email_domain  ".edu"}]`},
		{`lead.territory == territory.emea`, `{}`, ``},             // what the plan decides is not changed by itself
		{`matches(lead.title, "^VP")`, `{"title":"x"}`, ``},        // opaque
		{`lead.size > 100`, `{"size":5}`, ``},                      // the door lets no such lead in
		{`lead.region == "NA" && lead.region == "EMEA"`, `{}`, ``}, // impossible
	} {
		p, diags := dsl.Parse(map[string][]byte{"p.hcl": fmt.Appendf(nil, head, c.when)})
		if p.Plan == nil {
			t.Fatalf("%s: %v", c.when, diags)
		}
		at := time.Date(2026, 1, 14, 10, 0, 0, 0, time.UTC)
		r, err := p.Plan.Record(&leadroute.Lead{ID: "x", Fields: json.RawMessage(c.lead)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		near, got := p.Plan.Nearest(r, nil, at), ""
		if len(near) > 0 {
			got = fmt.Sprint(near[0].Changes)
			if near[0].Rule != "it" || len(near[0].Targets) == 0 || near[0].Targets[0] != (plan.Target{Pool: "a"}) {
				t.Errorf("%s: %+v", c.when, near[0])
			}
		}
		if got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.when, c.lead, got, c.want)
		}
	}
}

// A record that is decided twice shows nothing of the first time.
func TestDecideAgain(t *testing.T) {
	p, diags := dsl.Parse(map[string][]byte{"p.hcl": []byte(`
policy "p" { timezone = "UTC" }
priority "P2" {}
queue "q" { max_wait = "1h" }
queue "r" { max_wait = "1h" }
rep "ana" { email = "ana@example.com" }
pool "a" { members = [rep.ana] }
territory "fast" {
  when = pool.a.available > 0
  pool = pool.a
}
rule "t" {
  when = has(lead.territory)
  to   = queue.q
}
rule "rest" { to = queue.r }
`)})
	if p.Plan == nil {
		t.Fatal(diags)
	}
	r, err := p.Plan.Record(&leadroute.Lead{ID: "x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Plan.Decide(r, free(1), time.Time{}); d.Rule != "t" {
		t.Fatalf("took %q", d.Rule)
	}
	if d := p.Plan.Decide(r, free(0), time.Time{}); d.Rule != "rest" {
		t.Errorf("took %q: the territory of before is still there", d.Rule)
	}
}

type free int

func (f free) Available(leadroute.PoolID) int { return int(f) }
