package dsl_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

func source(t *testing.T, name string) map[string][]byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"policy.hcl": b}
}

// TestWhere: a condition over leads under way is that of the language: the lead's fields,
// what was decided, and how the lead stands; what is missing is undecided.
func TestWhere(t *testing.T) {
	demo := source(t, "../examples/demo.hcl")
	at := plan.Route{
		Class: "P1", Territory: "emea", Rule: "by_territory", Phase: "waiting", Queue: "backlog", Rev: 2,
		Age: 3 * time.Hour, Waited: 10 * time.Minute, Late: true,
	}
	owned := plan.Route{Class: "P0", Rule: "enterprise", Phase: "owned", Owner: "ana", Pool: "emea", Held: true}
	for _, c := range []struct {
		where           string
		waiting, theirs bool
	}{
		{`lead.region == "EMEA"`, true, true},
		{`lead.company_size > 500`, false, false},
		{`!(lead.company_size > 500)`, false, false}, // it is not said
		{`lead.priority == priority.P1`, true, false},
		{`lead.territory == territory.emea && route.queue == queue.backlog`, true, false},
		{`route.rule == "enterprise" || route.rule == "by_territory"`, true, true},
		{`route.owner == "ana"`, false, true},
		{`route.owner == null`, true, false},
		{`route.pool == pool.emea`, false, true},
		{`route.queue == "of_long_ago"`, false, false},
		{`route.phase == "waiting" && route.age > "2h"`, true, false},
		{`route.waited >= "10m"`, true, false},
		{`route.waited < "1h"`, true, false},
		{`route.revision > 1 && route.late`, true, false},
		{`route.held`, false, true},
		{"one_of(lead.region, [\"EMEA\", \"NA\"]) &&\n  !route.held", true, false},
	} {
		w, diags := dsl.Where(demo, c.where)
		if err := diags.Error(); err != nil {
			t.Errorf("Where(%s) = %v", c.where, err)
			continue
		}
		l := &leadroute.Lead{ID: "L1", Source: "web", Fields: []byte(`{"region":"EMEA","score":80}`)}
		for _, route := range []plan.Route{at, owned} {
			want := c.waiting
			if route.Owner != "" {
				want = c.theirs
			}
			if got, err := w.Holds(l, route); err != nil || got != want {
				t.Errorf("%s of the %s lead = %v, %v; want %v", c.where, route.Phase, got, err, want)
			}
		}
		if _, err := w.Holds(&leadroute.Lead{ID: "L1", Fields: []byte(`[]`)}, at); err == nil {
			t.Errorf("%s of a lead that is no object: no error", c.where)
		}
	}
}

// TestWhereSaysWhatIsWrong: with the line, the caret under the cause, and what to write.
func TestWhereSaysWhatIsWrong(t *testing.T) {
	demo := source(t, "../examples/demo.hcl")
	for _, c := range []struct{ where, want string }{
		{`lead.regoin == "EMEA"`, "--where:1,1-12: Unknown lead field"},
		{`lead.region == "EMEA"` + "\n  and lead.score > 5", "--where:2,3-6: Syntax error"},
		{`route.owner`, "--where:1,1-12: Wrong type"},
		{`route.phase == "wating"`, `route.phase is never "wating": it is asking, offering, waiting, confirming or owned. Did you mean "waiting"?`},
		{`route.rep == "ana"`, "Of a lead's way there is no route.rep"},
		{`route.pool == pool.emae`, `Did you mean "pool.emea"?`},
		{`route.age > 5`, `compare it with a duration in quotes`},
		{`route.age > "soon"`, `compare it with a duration in quotes`},
		{`pool.emea.available > 0`, "pool.emea.available is no name: write pool.name."},
		{``, "--where:1,1"},
	} {
		w, diags := dsl.Where(demo, c.where)
		var b bytes.Buffer
		if err := diags.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		if flat := strings.Join(strings.Fields(b.String()), " "); w != nil || !strings.Contains(flat, c.want) {
			t.Errorf("Where(%s) = %v\n%swant %q", c.where, w, b.String(), c.want)
		}
	}
	if _, diags := dsl.Where(map[string][]byte{"p.hcl": []byte(`rule "x" {`)}, "true"); !diags.HasErrors() {
		t.Error("Where over a broken policy has no error")
	}
}
