// Package graph draws what a plan says: who is asked in which order, which pools and
// queues stand behind a rule, what an SLA step does, and which topics and processors it
// compiles to. A drawing is data first, so that every format shows the same.
package graph

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Graph is a drawing: nodes in columns, and arrows between them.
type Graph struct {
	Title   string   `json:"title"`
	Columns []Column `json:"columns"` // from left to right
	Edges   []Edge   `json:"edges"`
}

// Column is a group of nodes that stand below each other, in order.
type Column struct {
	Title string `json:"title"`
	Nodes []Node `json:"nodes"`
}

// Node is a box. Kind chooses its looks: priority, territory, rule, pool, queue, rep,
// channel, destination, topic, processor or table.
type Node struct {
	ID     string `json:"id"` // rule.emea
	Kind   string `json:"kind"`
	Label  string `json:"label"`
	Detail string `json:"detail,omitempty"` // a second line: a condition, a strategy
	Then   string `json:"then,omitempty"`   // of a rule, a third line: its targets in order
}

// Edge is an arrow. A dashed one is what happens later: a queue that drains, a step.
type Edge struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Label  string `json:"label,omitempty"`
	Dashed bool   `json:"dashed,omitempty"`
}

// Policy draws the way of a lead through the policy: priorities with their steps, rules in
// order, and the targets that each tries in order.
func Policy(p *plan.Plan) Graph {
	d := &drawing{
		plan: p, rules: Column{Title: "rules, in order"}, desks: Column{Title: "pools and reps"},
		queues: Column{Title: "queues"}, told: Column{Title: "channels"}, seen: map[string]bool{}, drawn: map[Edge]bool{},
	}
	for i := range p.Rules {
		d.rule(&p.Rules[i])
	}
	priorities := Column{Title: "priorities, in order"}
	for i := range p.Classes {
		priorities.Nodes = append(priorities.Nodes, class(&p.Classes[i]))
		d.steps(&p.Classes[i])
	}
	for _, name := range sorted(p.Pools) {
		d.pool(name) // pools that no rule names: a drawing shows them without arrows
	}
	for _, name := range sorted(p.Queues) {
		if name != plan.UnassignedQueue {
			d.queue(name)
		}
	}
	return d.graph(p.Name, priorities, d.rules, d.desks, d.queues, d.told)
}

// drawing gathers the columns; what has been drawn is not drawn again.
type drawing struct {
	plan                       *plan.Plan
	rules, desks, queues, told Column
	edges                      []Edge
	seen                       map[string]bool
	drawn                      map[Edge]bool
}

func (d *drawing) graph(title string, columns ...Column) Graph {
	g := Graph{Title: title, Edges: d.edges}
	for _, c := range columns {
		if len(c.Nodes) > 0 {
			g.Columns = append(g.Columns, c)
		}
	}
	return g
}

func (d *drawing) node(c *Column, n Node) string {
	if !d.seen[n.ID] {
		d.seen[n.ID] = true
		c.Nodes = append(c.Nodes, n)
	}
	return n.ID
}

func (d *drawing) edge(e Edge) {
	if !d.drawn[e] {
		d.drawn[e] = true
		d.edges = append(d.edges, e)
	}
}

// rule draws a rule; the rows of a table are one box, with the targets of all of them.
func (d *drawing) rule(r *plan.Rule) {
	n := Node{ID: "rule." + r.Name, Kind: "rule", Label: r.Name, Detail: r.When.Source}
	table, _, fromTable := strings.Cut(r.Name, ":")
	switch {
	case fromTable:
		n.ID, n.Label, n.Detail = "rule."+table, table, "a rule for each row"
	case r.Disabled:
		n.Detail = "disabled"
	case r.When.Always():
		n.Detail = "every lead that is left"
	}
	if !fromTable {
		n.Then = inOrder(r.Targets)
	}
	from := d.node(&d.rules, n)
	for i, t := range r.Targets {
		place := i + 1
		label := strconv.Itoa(place)
		if fromTable {
			label = ""
		}
		for _, to := range d.targets(t) {
			d.edge(Edge{From: from, To: to, Label: label})
		}
	}
}

// inOrder says the targets in the author's words.
func inOrder(targets []plan.RuleTarget) string {
	words := make([]string, len(targets))
	for i, t := range targets {
		words[i] = t.Source
	}
	return "→ " + strings.Join(words, ", then ")
}

func (d *drawing) targets(t plan.RuleTarget) []string {
	var ids []string
	for _, to := range t.Could {
		ids = append(ids, d.target(to))
	}
	if len(ids) == 0 {
		ids = append(ids, d.node(&d.desks, Node{ID: "rep." + t.Source, Kind: "rep", Label: t.Source, Detail: "the rep whom the lead names"}))
	}
	return ids
}

func (d *drawing) target(to plan.Target) string {
	switch {
	case to.Pool != "":
		return d.pool(to.Pool)
	case to.Queue != "":
		return d.queue(to.Queue)
	default:
		return d.node(&d.desks, Node{ID: "rep." + string(to.Rep), Kind: "rep", Label: string(to.Rep)})
	}
}

func (d *drawing) pool(name leadroute.PoolID) string {
	n := Node{ID: "pool." + string(name), Kind: "pool", Label: string(name)}
	if p := d.plan.Pools[name]; p != nil {
		n.Detail = string(p.Strategy)
		if p.Members != nil {
			n.Detail += ", " + strconv.Itoa(len(p.Members)) + " reps"
		}
		if p.Hours != nil {
			n.Detail += ", hours." + p.Hours.Name
		}
	}
	return d.node(&d.desks, n)
}

func (d *drawing) queue(name leadroute.QueueID) string {
	id := "queue." + string(name)
	if d.seen[id] {
		return id
	}
	n := Node{ID: id, Kind: "queue", Label: string(name)}
	q := d.plan.Queues[name]
	if q == nil { // the built-in one
		return d.node(&d.queues, n)
	}
	n.Detail = string(q.Order)
	if q.MaxWait > 0 {
		n.Detail += ", at most " + short(q.MaxWait)
	}
	d.node(&d.queues, n)
	for i, pool := range q.DrainTo {
		d.edge(Edge{From: id, To: d.pool(pool), Label: "drains " + strconv.Itoa(i+1), Dashed: true})
	}
	if q.Then != nil {
		d.edge(Edge{From: id, To: d.target(*q.Then), Label: "after " + short(q.MaxWait), Dashed: true})
	}
	for _, channel := range q.Alert {
		d.edge(Edge{From: id, To: d.channel(channel), Label: "alert", Dashed: true})
	}
	return id
}

func (d *drawing) channel(name string) string {
	return d.node(&d.told, Node{ID: "channel." + name, Kind: "channel", Label: name})
}

func class(c *plan.Class) Node {
	n := Node{ID: "priority." + string(c.Name), Kind: "priority", Label: string(c.Name), Detail: c.When.Source}
	if c.When.Always() {
		n.Detail = "every lead that is left"
	}
	if c.DeliverWithin > 0 {
		n.Label += ": delivered within " + short(c.DeliverWithin)
	}
	return n
}

// steps draws what a class does while the rep does not respond.
func (d *drawing) steps(c *plan.Class) {
	from := "priority." + string(c.Name)
	for _, s := range c.Steps {
		when := s.Name + " after " + short(s.After)
		if s.Every > 0 {
			when = s.Name + " every " + short(s.Every)
		}
		for _, channel := range s.Notify {
			d.edge(Edge{From: from, To: d.channel(channel), Label: when, Dashed: true})
		}
		if s.To != nil {
			d.edge(Edge{From: from, To: d.target(*s.To), Label: when, Dashed: true})
		}
	}
}

// short is a duration as policies write it: 1m, not 1m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (n Node) text() string {
	return strings.Join(append([]string{n.Label}, n.lines()...), "\n")
}

// lines are what stands below the label.
func (n Node) lines() []string {
	var lines []string
	for _, s := range []string{n.Detail, n.Then} {
		if s != "" {
			lines = append(lines, clip(s))
		}
	}
	return lines
}

// clip keeps a condition on one line that can be read.
func clip(s string) string {
	const most = 60
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-3]) + "..."
	}
	return s
}
