package dsl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leadroute/leadroute"
)

const modelPolicy = `
policy "p" { timezone = "UTC" }
schema "lead" {
  field "language" {
    type   = string
    values = ["de", "en"]
  }
  field "arr" { type = number }
}
priority "P1" {}
pool "all" {
  members_where = rep.team == "sales" && rep.level >= 1
  strategy      = "best_fit"
  model         = "models/m.json"
}
queue "wait" {}
rule "all" { to = [pool.all, queue.wait] }
`

func withModel(model string) (*Policy, Diagnostics) {
	return Parse(map[string][]byte{"policy.hcl": []byte(modelPolicy), "models/m.json": []byte(model)})
}

// TestModelScores: a score is the weighted sum of the features, with what a missing one is
// worth, and a condition that is undecided is missing.
func TestModelScores(t *testing.T) {
	p, found := withModel(`{"version": 1, "kind": "logistic", "intercept": -1, "features": [
		{"name": "rate", "value": "rep.close_rate", "weight": 2, "missing": 0.5},
		{"name": "speaks", "value": "contains(rep.languages, lead.language)", "weight": 10, "missing": 0.25},
		{"name": "size", "value": "lead.arr / 1000 * rep.level", "weight": 0.1},
		{"name": "held", "value": "rep.held", "weight": -0.5}
	]}`)
	if p.Plan == nil || len(found) > 0 {
		t.Fatalf("Parse = %v", found)
	}
	pool := p.Plan.Pools["all"]
	if _, ok := p.Source["models/m.json"]; !ok {
		t.Error("the model is no part of the policy's source")
	}
	for _, c := range []struct {
		fields string
		rep    leadroute.Rep
		held   int
		want   float64
	}{
		{`{"language":"de","arr":2000}`, leadroute.Rep{Languages: []string{"de"}, Attrs: map[string]any{"close_rate": 0.3, "level": 2.0}}, 0, -1 + 0.6 + 10 + 0.4},
		{`{"language":"en","arr":2000}`, leadroute.Rep{Languages: []string{"de"}, Attrs: map[string]any{"close_rate": 0.3, "level": 2.0}}, 3, -1 + 0.6 + 0 + 0.4 - 1.5},
		{`{}`, leadroute.Rep{}, 1, -1 + 1 + 2.5 + 0 - 0.5},
		{`not JSON`, leadroute.Rep{Languages: []string{"de"}}, 0, -1 + 1 + 2.5},
	} {
		lead := leadroute.Lead{ID: "l1", Fields: []byte(c.fields)}
		s := pool.Model.Of(&leadroute.Offer{Lead: "l1", Class: "P1", About: pool.About(&lead, nil, "")})
		if got := s.Score(&c.rep, c.held); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("the score of %+v for %s = %v, want %v", c.rep, c.fields, got, c.want)
		}
		rep := c.rep
		if n := testing.AllocsPerRun(100, func() { s.Score(&rep, c.held) }); n > 0 {
			t.Errorf("a score allocates %v times", n)
		}
		s.Free()
	}
	if got := pool.Model.Shown(0); got != 0.5 {
		t.Errorf("0 is shown as %v, want the probability 0.5", got)
	}
}

// TestModelsThatCannotRank: each is refused at load with what is wrong and where.
func TestModelsThatCannotRank(t *testing.T) {
	feature := func(s string) string {
		return `{"version": 1, "kind": "linear", "features": [` + s + `]}`
	}
	many := strings.Repeat(`{"name": "x", "value": "rep.level", "weight": 1},`, 257)
	for _, c := range []struct{ model, want string }{
		{``, "it is empty"},
		{"{\n\"version\": 1,\n\"kind\": linear}", "line 3"},
		{`{"version": "1"}`, "version is a number, not a string"},
		{`{"kind": "linear", "features": []}`, `Write "version": 1`},
		{`{"version": 2, "kind": "linear", "features": []}`, "models of version 1"},
		{`{"version": 1, "kind": "forest"}`, `not "forest"`},
		{`{"version": 1, "kind": "linear"}`, "a model has features"},
		{`{"version": 1, "kind": "linear", "bias": 3, "features": []}`, `unknown field "bias"`},
		{feature(`{"name": "a", "value": "rep.level", "weight": 1}`) + `{}`, "behind the model"},
		{feature(`{"value": "rep.level", "weight": 1}`), "feature 1 needs a name"},
		{feature(`{"name": "a", "value": "rep.level", "weight": 1}, {"name": "a", "value": "rep.level", "weight": 1}`), "feature 2 (a) needs a name of its own"},
		{feature(`{"name": "a", "value": "rep.level"}`), "feature 1 (a) has no weight"},
		{feature(`{"name": "a", "value": "lead.aar", "weight": 1}`), `Did you mean "lead.arr"?`},
		{feature(`{"name": "a", "value": "rep.level > ", "weight": 1}`), "is no expression"},
		{feature(`{"name": "a", "value": "", "weight": 1}`), "is no expression"},
		{feature(`{"name": "a", "value": "lead.language", "weight": 1}`), "This must be a number"},
		{feature(`{"name": "a", "value": "rep.level == \"one\"", "weight": 1}`), "A number and a text cannot be compared"},
		{feature(strings.TrimSuffix(many, ",")), "257 features"},
	} {
		p, found := withModel(c.model)
		if p.Plan != nil || len(found) == 0 {
			t.Errorf("%.80s: no error, want %q", c.model, c.want)
			continue
		}
		for _, d := range found {
			if d.ID != badModel.ID || d.Line != 14 || !strings.Contains(d.Detail, "models/m.json") {
				t.Errorf("%.80s: %s:%d %s %s, want it told at the pool's model", c.model, d.File, d.Line, d.ID, d.Detail)
			}
		}
		if !strings.Contains(fmt.Sprint(found), c.want) && !strings.Contains(found[0].Detail, c.want) {
			t.Errorf("%.80s: %s, want %q", c.model, found[0].Detail, c.want)
		}
	}
	if p, found := Parse(map[string][]byte{"policy.hcl": []byte(modelPolicy)}); p.Plan != nil || !strings.Contains(found[0].Detail, "models/m.json") {
		t.Errorf("without the file: %v", found)
	}
}

// FuzzModel: whatever the file holds, it is refused or it scores.
func FuzzModel(f *testing.F) {
	f.Add([]byte(`{"version": 1, "kind": "linear", "features": [{"name": "a", "value": "rep.level / lead.arr", "weight": 1e300}]}`))
	f.Add([]byte(`{"version": 1, "kind": "logistic", "features": [{"name": "a", "value": "rep.held > 3 && lead.arr > 1", "weight": -1}]}`))
	f.Fuzz(func(t *testing.T, model []byte) {
		p, found := withModel(string(model))
		if p.Plan == nil {
			if len(found) == 0 {
				t.Fatal("refused without a word")
			}
			return
		}
		pool := p.Plan.Pools["all"]
		lead := leadroute.Lead{ID: "l1", Fields: []byte(`{"arr":0}`)}
		s := pool.Model.Of(&leadroute.Offer{Lead: "l1", About: pool.About(&lead, nil, "")})
		defer s.Free()
		rep := leadroute.Rep{ID: "ana", Attrs: map[string]any{"level": 1e308}}
		if a, b := s.Score(&rep, 1), s.Score(&rep, 1); a != b {
			t.Fatalf("two scores: %v, %v", a, b)
		}
	})
}
