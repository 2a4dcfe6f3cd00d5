package dsl

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

const tablePolicy = `
schema "lead" {
  field "state" { type = string }
  field "postal_code" { type = string }
  field "company_size" { type = number }
  field "region" {
    type   = string
    values = ["EMEA", "AMER"]
    derive = lookup(table.regions, lead.country, null)
  }
  field "big" {
    type   = bool
    derive = lead.company_size >= 1000
  }
}
table "regions" {
  source = "tables/regions.csv"
  key    = "country"
  value  = "region"
}
table "territories" {
  source = "tables/territories.csv"
  match = {
    country = one_of(lead.country, split("|", row.countries))
    state   = lead.state == row.state
    postal  = startswith(lead.postal_code, row.prefix)
    size    = between(lead.company_size, row.from, row.to)
  }
  blank = "any"
  set   = { territory = row.territory, pool = row.pool }
}
priority "P0" {}
rep "ana" { email = "ana@example.com" }
pool "a" { members = [rep.ana] }
pool "b" { members = [rep.ana] }
queue "q" { drain_to = pool.a }
rules_from "territories" {
  table = table.territories
  to    = [row.pool, queue.q]
}
rule "emea" {
  when = lead.region == "EMEA"
  to   = [territory.of_lead.pool, queue.q]
}
territory "rest" { pool = pool.b }
rule "big" {
  when = lead.big
  to   = [pool.a, queue.q]
}
rule "rest" { to = queue.q }
test "a row" {
  lead = { country = "AT", postal_code = "0123" }
  expect {
    rule        = "territories.csv:3"
    territory   = null
    assigned_to = pool.b
  }
}
`

var tableFiles = map[string][]byte{
	"p.hcl":              []byte(tablePolicy),
	"tables/regions.csv": []byte("\ufeffcountry,region\nDE,EMEA\nUS,AMER\nXX,\n"),
	"tables/territories.csv": []byte("territory,countries,state,prefix,from,to,pool\r\n" +
		"ca,US|CA,CA,,100,500,a\r\n\r\n" +
		"vienna,AT,,012,,,b\r\n" +
		"\"small, everywhere\",,,,,10,a\r\n"),
}

// decideOn checks a lead at the door and decides it.
func decideOn(t testing.TB, p *plan.Plan, lead string, at time.Time) plan.Decision {
	t.Helper()
	fields, problems, err := p.Check([]byte(lead))
	if err != nil || len(problems) > 0 {
		t.Fatalf("Check(%s) = %v, %v", lead, problems, err)
	}
	r, err := p.Record(&leadroute.Lead{ID: "l", Fields: fields}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Free()
	return p.Decide(r, nil, at)
}

func TestRowsAreRules(t *testing.T) {
	files := map[string][]byte{}
	for name, src := range tableFiles {
		files[name] = []byte(strings.Replace(string(src), `"territories.csv:3"`, `"territories.csv:4"`, 1))
	}
	files["p.hcl"] = []byte(strings.Replace(string(files["p.hcl"]), "territory   = null", "", 1))
	policy, diags := Parse(files)
	if policy.Plan == nil {
		t.Fatal(diags)
	}
	for _, tc := range []struct{ lead, rule, territory, to string }{
		{`{"country":"CA","state":"CA","company_size":100}`, "territories.csv:2", "ca", "pool.a"},
		{`{"country":"CA","state":"CA","company_size":501}`, "rest", "rest", "queue.q"},
		{`{"country":"CA","state":"ON","company_size":100}`, "rest", "rest", "queue.q"},
		{`{"country":"AT","postal_code":"0123"}`, "territories.csv:4", "vienna", "pool.b"},
		{`{"country":"AT","postal_code":"123"}`, "rest", "rest", "queue.q"},
		{`{"country":"FR","company_size":10}`, "territories.csv:5", "small, everywhere", "pool.a"},
		{`{"country":"DE","company_size":11}`, "emea", "rest", "pool.b"},
		{`{"country":"DE","region":"AMER"}`, "rest", "rest", "queue.q"}, // what the sender said stays
		{`{"country":"XX","company_size":1000}`, "big", "rest", "pool.a"},
	} {
		d := decideOn(t, policy.Plan, tc.lead, time.Time{})
		if d.Rule != tc.rule || d.Territory != tc.territory || TargetName(d.Targets[0]) != tc.to {
			t.Errorf("Decide(%s) = %s, %s, %v, want %s, %s, %s", tc.lead, d.Rule, d.Territory, d.Targets, tc.rule, tc.territory, tc.to)
		}
	}
	if got, want := policy.Plan.Rules[0].When.Source, `one_of(lead.country, split("|", "US|CA")) && lead.state == "CA" && between(lead.company_size, 100, 500)`; got != want {
		t.Errorf("the row's condition = %s, want %s", got, want)
	}
}

// What was loaded from a folder compiles to the same plan from its Source alone.
func TestTablesTravelWithThePolicy(t *testing.T) {
	dir := t.TempDir()
	for name, src := range tableFiles {
		src = []byte(strings.Replace(strings.Replace(string(src), `"territories.csv:3"`, `"territories.csv:4"`, 1), "territory   = null", "", 1))
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	policy, diags := Load(dir)
	if policy.Plan == nil || len(policy.Source) != 3 {
		t.Fatalf("Load = %d files, %v, want 3 and no error", len(policy.Source), diags)
	}
	again, diags := CompileSource(policy.Source)
	if again == nil || again.ID != policy.Plan.ID {
		t.Fatalf("CompileSource = %v, %v, want plan %s", again, diags, policy.Plan.ID)
	}
	policy.Source["tables/regions.csv"] = append(policy.Source["tables/regions.csv"], "FR,EMEA\n"...)
	if other, _ := CompileSource(policy.Source); other == nil || other.ID == policy.Plan.ID {
		t.Error("the plan of another table has the same id")
	}
}

// BenchmarkLoadRows loads a table of 10,000 rows.
func BenchmarkLoadRows(b *testing.B) {
	files := map[string][]byte{"p.hcl": []byte(strings.Split(tablePolicy, `test "a row"`)[0]), "tables/regions.csv": tableFiles["tables/regions.csv"]}
	var rows strings.Builder
	rows.WriteString("territory,countries,state,prefix,from,to,pool\n")
	for i := range 10000 {
		fmt.Fprintf(&rows, "t%d,C%d|D%d,S%d,%05d,%d,%d,a\n", i, i%200, i%300, i%50, i, i%1000, i%1000+500)
	}
	files["tables/territories.csv"] = []byte(rows.String())
	b.ReportAllocs()
	for b.Loop() {
		p, diags := CompileSource(files)
		if p == nil || len(p.Rules) != 10003 {
			b.Fatal(diags.Error())
		}
	}
}
