package graph_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/graph"
	"github.com/leadroute/leadroute/dsl/plan"
)

const policy = `
policy "floor" { timezone = "UTC" }
account_match {
  source = live.accounts
  by     = ["domain"]
}
schema "lead" {
  field "region" {
    type   = string
    values = ["EMEA", "NA"]
  }
}
channel "floor" {
  webhook { url = "https://example.com/hook" }
}
priority "P0" {
  when           = lead.score > 80
  deliver_within = "1m"
  step "nudge" {
    after  = "30s"
    notify = [channel.floor]
  }
}
priority "P2" { deliver_within = "30m" }
rep "ana" { email = "ana@example.com" }
pool "emea" { members = [rep.ana] }
pool "na" {
  members_where = rep.region == "NA"
  strategy      = "least_loaded"
}
queue "wait" {
  drain_to = [pool.na]
  max_wait = "2h"
  then     = pool.emea
}
territory "emea" {
  when = lead.region == "EMEA"
  pool = pool.emea
}
territory "rest" { pool = pool.na }
%s
rule "owner" {
  when = has(lead.account.owner)
  to   = [rep_by_id(lead.account.owner), territory.of_lead.pool, queue.wait]
}
rule "rest" { to = [lead.score > 10 ? pool.emea : pool.na, queue.wait] }
`

func load(t *testing.T, more string) *plan.Plan {
	t.Helper()
	p, diags := dsl.Parse(map[string][]byte{"policy.hcl": fmt.Appendf(nil, policy, more)})
	if p.Plan == nil {
		t.Fatal(diags)
	}
	return p.Plan
}

func TestPolicyDrawsEveryWay(t *testing.T) {
	g := graph.Policy(load(t, ""))
	want := []graph.Edge{
		{From: "rule.owner", To: "rep.rep_by_id(lead.account.owner)", Label: "1"},
		{From: "rule.owner", To: "pool.emea", Label: "2"},
		{From: "rule.owner", To: "pool.na", Label: "2"},
		{From: "rule.owner", To: "queue.wait", Label: "3"},
		{From: "rule.rest", To: "pool.emea", Label: "1"},
		{From: "rule.rest", To: "pool.na", Label: "1"},
		{From: "rule.rest", To: "queue.wait", Label: "2"},
		{From: "queue.wait", To: "pool.na", Label: "drains 1", Dashed: true},
		{From: "queue.wait", To: "pool.emea", Label: "after 2h", Dashed: true},
		{From: "priority.P0", To: "channel.floor", Label: "nudge after 30s", Dashed: true},
	}
	for _, e := range want {
		if !slices.Contains(g.Edges, e) {
			t.Errorf("no arrow %+v in %+v", e, g.Edges)
		}
	}
	if len(g.Edges) != len(want) {
		t.Errorf("%d arrows, want %d: %+v", len(g.Edges), len(want), g.Edges)
	}
}

// Sixty rules stay in the order in which they are asked, from the top of the picture down.
func TestSVGKeepsTheOrderOfRules(t *testing.T) {
	var more strings.Builder
	for i := range 60 {
		fmt.Fprintf(&more, "rule \"r%02d\" {\n  when = lead.score == %d\n  to   = [pool.%s, queue.wait]\n}\n", i, i, []string{"emea", "na"}[i%2])
	}
	var svg strings.Builder
	if err := graph.Policy(load(t, more.String())).WriteSVG(t.Context(), &svg); err != nil {
		t.Fatal(err)
	}
	for dec := xml.NewDecoder(strings.NewReader(svg.String())); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	heights := regexp.MustCompile(`>(r\d\d)</text>`).FindAllStringSubmatchIndex(svg.String(), -1)
	if len(heights) != 60 {
		t.Fatalf("%d of 60 rules are in the picture", len(heights))
	}
	place := map[string]float64{}
	at := regexp.MustCompile(`y="(-?[\d.]+)"`)
	for _, m := range heights {
		start := strings.LastIndex(svg.String()[:m[0]], "<text")
		var y float64
		if _, err := fmt.Sscan(at.FindStringSubmatch(svg.String()[start:m[0]])[1], &y); err != nil {
			t.Fatal(err)
		}
		place[svg.String()[m[2]:m[3]]] = y
	}
	for i := 1; i < 60; i++ {
		if a, b := fmt.Sprintf("r%02d", i-1), fmt.Sprintf("r%02d", i); place[a] >= place[b] {
			t.Fatalf("%s at %v stands below %s at %v", a, place[a], b, place[b])
		}
	}
}

func TestMermaidEscapesAndDOTIsValid(t *testing.T) {
	g := graph.Graph{Title: `a "b" #1`, Columns: []graph.Column{{Title: "c", Nodes: []graph.Node{
		{ID: `rule.x`, Kind: "rule", Label: `x`, Detail: `lead.a == "<b>" \ #`}, {ID: "pool.y", Kind: "pool", Label: "y"},
	}}}, Edges: []graph.Edge{{From: "rule.x", To: "pool.y", Label: "1"}}}
	var m, svg strings.Builder
	if err := g.WriteMermaid(&m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`n0["x<br/>lead.a == &quot;&lt;b&gt;&quot; \ &num;"]`, `n1(["y"])`, `n0 -->|"1"| n1`} {
		if !strings.Contains(m.String(), want) {
			t.Errorf("no %s in:\n%s", want, m.String())
		}
	}
	if err := g.WriteSVG(t.Context(), &svg); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(svg.String(), `lead.a == &quot;&lt;b&gt;&quot; \ #`) {
		t.Errorf("the condition is not in the picture:\n%s", svg.String())
	}
}

// Each arrow of a topology joins two nodes that are drawn, and every stage has its inbox.
func TestTopologyIsWhole(t *testing.T) {
	p := load(t, `destination "crm" {
  webhook { url = "https://example.com/crm" }
}`)
	g := graph.Topology(p, leadroute.Namespace("acme"))
	ids := map[string]graph.Node{}
	for _, c := range g.Columns {
		for _, n := range c.Nodes {
			ids[n.ID] = n
		}
	}
	for _, e := range g.Edges {
		if ids[e.From].ID == "" || ids[e.To].ID == "" {
			t.Errorf("arrow %+v has an end that is not drawn", e)
		}
	}
	for _, stage := range leadroute.Stages {
		if !slices.Contains(g.Edges, graph.Edge{From: "topic." + string(stage), To: "processor." + string(stage)}) {
			t.Errorf("%s has no inbox", stage)
		}
	}
	if got := ids["topic.deliveries.crm.P0"].Label; got != "acme.deliveries.crm.P0" {
		t.Errorf("the delivery topic is named %q", got)
	}
}
