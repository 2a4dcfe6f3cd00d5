package dsl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

func doorPolicy(t testing.TB) *plan.Plan {
	t.Helper()
	p, diags := CompileSource(map[string][]byte{"p.hcl": []byte(`
schema "lead" {
  field "region" {
    type   = string
    values = ["NA", "EMEA"]
  }
  field "score" {
    type     = number
    min      = 0
    max      = 100
    required = true
  }
  field "vip" {
    type    = bool
    default = false
  }
  field "account.tier" {
    type    = string
    values  = ["gold"]
    default = "gold"
  }
  field "tags" {
    values = ["a", "b"]
  }
}
account_match {
  by             = ["domain"]
  ignore_domains = ["Gmail.com"]
}
priority "P0" {}
rule "r" { to = queue.unassigned }
`)})
	if p == nil {
		t.Fatal(diags.Error())
	}
	return p
}

func TestTheDoorNormalisesAndNames(t *testing.T) {
	p := doorPolicy(t)
	for _, tc := range []struct{ lead, want string }{
		{`{"score":5}`, `{"account":{"tier":"gold"},"score":5,"vip":false}`},
		{`{"score":5.50,"vip":true,"region":"EMEA","more":{"x":[1]},"account":{"tier":"gold"}}`, `{"score":5.50,"vip":true,"region":"EMEA","more":{"x":[1]},"account":{"tier":"gold"}}`},
		{`{"score":5,"vip":null,"region":"","title":"","nested":{"a":null}}`, `{"account":{"tier":"gold"},"nested":{},"score":5,"vip":false}`},
		{`{"score":12345678901234567890}`, `/score max`},
		{`{"score":-1}`, `/score min`},
		{`{"score":1e999}`, `/score type`},
		{`{"score":"5"}`, `/score type`},
		{`{}`, `/score required`},
		{`{"score":null}`, `/score required`},
		{`{"score":5,"region":"EMAE"}`, `/region value`},
		{`{"score":5,"region":["EMEA"]}`, `/region type`},
		{`{"score":5,"vip":"yes"}`, `/vip type`},
		{`{"score":5,"tags":["a","x"]}`, `/tags/1 value`},
		{`{"score":5,"tags":["a",7]}`, `/tags/1 type`},
		{`{"score":5,"tags":"a"}`, `/tags type`},
		{`{"score":5,"email":7,"phone":{}}`, `/email type /phone type`},
		{`{"score":5,"account":"gold"}`, `/account type`},
		{`{"score":5,"account":{"tier":"tin"}}`, `/account/tier value`},
		{`[1]`, plan.ErrNotObject.Error()},
		{`{"score":5} x`, `a lead is one JSON object, and nothing after it`},
		{`{"score":`, `read the lead: unexpected EOF`},
		{``, `read the lead: EOF`},
	} {
		fields, problems, err := p.Check(json.RawMessage(tc.lead))
		got := string(fields)
		switch {
		case err != nil:
			got = err.Error()
		case problems != nil:
			var words []string
			for _, f := range problems {
				words = append(words, f.Pointer+" "+f.Code)
				if f.Message == "" || f.Remedy == "" {
					t.Errorf("Check(%s) = %+v, want a message and a remedy", tc.lead, f)
				}
			}
			got = strings.Join(words, " ")
		}
		if got != tc.want {
			t.Errorf("Check(%s) = %s, want %s", tc.lead, got, tc.want)
		}
	}
}

// What the door lets in, the published JSON Schema lets in, and the other way round.
func TestJSONSchemaAgreesWithTheDoor(t *testing.T) {
	p := doorPolicy(t)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(p.JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("lead.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("lead.json")
	if err != nil {
		t.Fatal(err)
	}
	values := []string{`null`, `""`, `"EMEA"`, `"gold"`, `"x"`, `5`, `500`, `-1`, `true`, `[]`, `["a"]`, `["x"]`, `[1]`, `{}`, `{"tier":"gold"}`, `{"tier":"tin"}`, `{"tier":""}`, `{"tier":null}`}
	for _, field := range []string{"region", "score", "vip", "account", "tags", "title", "unknown"} {
		for _, v := range values {
			lead := fmt.Sprintf(`{"score":5,%q:%s}`, field, v)
			if field == "score" {
				lead = fmt.Sprintf(`{"score":%s}`, v)
			}
			_, problems, err := p.Check(json.RawMessage(lead))
			if err != nil {
				t.Fatal(err)
			}
			in, err := jsonschema.UnmarshalJSON(strings.NewReader(lead))
			if err != nil {
				t.Fatal(err)
			}
			if valid := schema.Validate(in) == nil; valid != (len(problems) == 0) {
				t.Errorf("%s: JSON Schema valid: %v, Check: %v", lead, valid, problems)
			}
		}
	}
}

func TestCompany(t *testing.T) {
	p := doorPolicy(t)
	for lead, want := range map[string]plan.Company{
		`{"email":"Kim@Acme.Example.com","company":"Acme"}`:      {Domain: "acme.example.com", Name: "Acme"},
		`{"email":"kim@www.acme.example.com.","country":"US"}`:   {Domain: "acme.example.com", Country: "US"},
		`{"email":"kim@acme.example.com","email_domain":"B.io"}`: {Domain: "b.io"},
		`{"email":"kim"}`: {},
		`{}`:              {},
		`[]`:              {},
	} {
		if got := p.Company(&leadroute.Lead{Fields: []byte(lead)}); !cmp.Equal(got, want) {
			t.Errorf("Company(%s) = %+v, want %+v", lead, got, want)
		}
	}
	if got := (&plan.Plan{}).Company(&leadroute.Lead{Fields: []byte(`{"email":"a@b.io"}`)}); got.Domain != "" {
		t.Errorf("Company without account_match = %+v, want none", got)
	}
}

// The record's own JSON scanner reads what encoding/json reads.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{
		`{"region":"EMEA","size":1e3,"vip":true,"tags":["a","b"],"account":{"tier":"gold","x":{"tier":2}}}`,
		`{"region":"\u00c9\\\"","size":-0.5,"tags":[],"account":[{"tier":"x"}],"vip":null}`,
		` { "a" : [ { "]" : "}" } , 1.5e-3 ] , "region" : "x" , "region" : 7, "title":"\ud83d" } `,
		`{"account":{"tier":"a"},"account":{},"region":"a","region":"b"}`,
		`{"account":{"tier":"a"},"account":7,"region":"a","region":{}}`,
		"{\"region\":\"a\xe2\xe2b\"}",
		`{"":{"":""},"size":1e999,"title":"Cafe\u0301"}`,
	} {
		f.Add(s)
	}
	p := policyWith(f, `lead.region == "EMEA" && lead.size > 0 && lead.vip && contains(lead.tags, "a") && has(lead.title) && has(lead.account.tier)`)
	f.Fuzz(func(t *testing.T, raw string) {
		lead := &leadroute.Lead{Fields: json.RawMessage(raw)}
		r, err := p.Record(lead, nil)
		var want map[string]any
		wrong := json.Unmarshal([]byte(raw), &want)
		if raw != "" && !json.Valid([]byte(raw)) && err == nil {
			t.Fatalf("Record(%q) takes what is no JSON", raw)
		}
		if err != nil || wrong != nil {
			return
		}
		account, _ := want["account"].(map[string]any)
		for name, v := range map[string]any{"region": want["region"], "title": want["title"], "account.tier": account["tier"]} {
			s, _ := v.(string)
			if r.Text(name) != plan.Normal(s) {
				t.Errorf("Record(%q).%s = %q, want %q", raw, name, r.Text(name), s)
			}
		}
	})
}
