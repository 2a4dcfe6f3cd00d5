package graph

import (
	"fmt"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// Topology draws what the plan compiles to: topics, the processors between them with their
// tables, and the destinations. The names are those on the broker under the namespace.
func Topology(p *plan.Plan, ns leadroute.Namespace) Graph {
	t := &topology{plan: p, ns: ns}
	t.door()
	t.core()
	t.deliveries()
	g := Graph{Title: p.Name + ": topics and processors", Edges: t.edges}
	for _, c := range []Column{
		{Title: "door", Nodes: t.columns[0]},
		{Title: "inboxes", Nodes: t.columns[1]},
		{Title: "admission", Nodes: t.columns[2]},
		{Title: "topics", Nodes: t.columns[3]},
		{Title: "stages and their tables", Nodes: t.columns[4]},
		{Title: "outgoing topics", Nodes: t.columns[5]},
		{Title: "workers", Nodes: t.columns[6]},
		{Title: "outside", Nodes: t.columns[7]},
	} {
		if len(c.Nodes) > 0 {
			g.Columns = append(g.Columns, c)
		}
	}
	return g
}

type topology struct {
	plan    *plan.Plan
	ns      leadroute.Namespace
	columns [8][]Node
	edges   []Edge
}

func (t *topology) topic(column int, name leadroute.Topic, detail string) string {
	id := "topic." + string(name)
	t.columns[column] = append(t.columns[column], Node{ID: id, Kind: "topic", Label: t.ns.Topic(name), Detail: detail})
	return id
}

func (t *topology) worker(column int, name, detail string) string {
	id := "processor." + name
	t.columns[column] = append(t.columns[column], Node{ID: id, Kind: "processor", Label: name, Detail: detail})
	return id
}

func (t *topology) arrow(from, to string) { t.edges = append(t.edges, Edge{From: from, To: to}) }

// door is HTTP to the inboxes, and from there by deadline into the ledger.
func (t *topology) door() {
	door := t.worker(0, "gateway", "HTTP, API keys, schema")
	admit := t.worker(2, "admit", "earliest deadline first")
	for i := range t.plan.Classes {
		inbox := t.topic(1, leadroute.Inbox(t.plan.Classes[i].Name), "")
		t.arrow(door, inbox)
		t.arrow(inbox, admit)
	}
	t.arrow(admit, "topic."+string(leadroute.TopicLedger))
}

// core is the same for every plan: each stage has one inbox and one table.
func (t *topology) core() {
	keys := map[leadroute.Topic]string{
		leadroute.TopicLedger: "by lead", leadroute.TopicPools: "by pool", leadroute.TopicReps: "by rep", leadroute.TopicAccounts: "by domain", leadroute.TopicQueues: "by queue",
	}
	for _, stage := range leadroute.Stages {
		in := t.topic(3, stage, keys[stage])
		p := t.worker(4, string(stage), "table "+t.ns.Table(stage))
		t.arrow(in, p)
	}
	for _, way := range [][2]leadroute.Topic{
		{leadroute.TopicLedger, leadroute.TopicPools},
		{leadroute.TopicPools, leadroute.TopicReps},
		{leadroute.TopicPools, leadroute.TopicLedger},
		{leadroute.TopicLedger, leadroute.TopicReps},
		{leadroute.TopicReps, leadroute.TopicLedger},
	} {
		t.arrow("processor."+string(way[0]), "topic."+string(way[1]))
	}
	ledger := "processor." + string(leadroute.TopicLedger)
	timers := t.topic(5, leadroute.TopicTimers, "compacted")
	clock := t.worker(6, "clock", "durable timers")
	t.arrow(ledger, timers)
	t.arrow(timers, clock)
	t.arrow(clock, "topic."+string(leadroute.TopicLedger))
	events := t.topic(5, leadroute.TopicEvents, "")
	sink := t.worker(6, "sink", "exactly once by event id")
	t.arrow(ledger, events)
	t.arrow(events, sink)
	t.columns[7] = append(t.columns[7], Node{ID: "outside.clickhouse", Kind: "table", Label: "ClickHouse"})
	t.arrow(sink, "outside.clickhouse")
	t.arrow(ledger, t.topic(5, leadroute.TopicDeadLetters, ""))
}

// deliveries has a topic for each destination and class.
func (t *topology) deliveries() {
	for i := range t.plan.Destinations {
		d := &t.plan.Destinations[i]
		detail := fmt.Sprintf("%d at once", d.Concurrency)
		if d.RatePerSec > 0 {
			detail += fmt.Sprintf(", %g/s", d.RatePerSec)
		}
		deliver := t.worker(6, "deliver "+string(d.Name), detail)
		for j := range t.plan.Classes {
			topic := t.topic(5, leadroute.Deliveries(d.Name, t.plan.Classes[j].Name), "")
			t.arrow("processor."+string(leadroute.TopicLedger), topic)
			t.arrow(topic, deliver)
		}
		t.arrow(deliver, "topic."+string(leadroute.TopicLedger))
		n := Node{ID: "destination." + string(d.Name), Kind: "destination", Label: string(d.Name)}
		if d.Primary {
			n.Detail = "primary: its acknowledgement is what the SLA counts"
		}
		t.columns[7] = append(t.columns[7], n)
		t.arrow(deliver, n.ID)
	}
}
