package dsl

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// queue "backlog" { ... } holds leads for which nobody is free.
func queueBlock() *blockSpec {
	return &blockSpec{
		name: "queue", labels: 1,
		attrs: words("order drain_to max_wait then crm_id alert_after alert"),
		build: (*compiler).queue,
		after: (*compiler).checkQueues,
	}
}

func (c *compiler) queue(b *block) {
	q := &plan.Queue{
		Name: leadroute.QueueID(b.name), Order: plan.ByDeadline,
		MaxWait: c.duration(b.body, "max_wait"), AlertAfter: c.duration(b.body, "alert_after"),
		Alert: c.refs(b.body, "alert", "channel"),
	}
	c.plan.Queues[q.Name] = q
	q.Description, _ = c.text(b.body, "description")
	q.CRMID, _ = c.text(b.body, "crm_id")
	if o := c.word(b.body, "order", string(plan.ByDeadline), string(plan.ByPriority), string(plan.ByArrival)); o != "" {
		q.Order = plan.QueueOrder(o)
	}
	for _, p := range c.refs(b.body, "drain_to", "pool") {
		q.DrainTo = append(q.DrainTo, leadroute.PoolID(p))
	}
	if b.attr("then") == nil {
		return
	}
	if b.attr("max_wait") == nil {
		c.report(missingAttribute, b.attr("then").NameRange, "then takes the lead after max_wait; say how long that is.")
	}
	k, ok := c.value(b.body, "then")
	if !ok {
		return
	}
	if t, ok := c.fixedTarget(k); ok {
		q.Then = &t
	}
}

// checkQueues adds the built-in queue and finds leads that would go round in a circle.
func (c *compiler) checkQueues() {
	if c.plan.Queues[plan.UnassignedQueue] == nil {
		c.plan.Queues[plan.UnassignedQueue] = &plan.Queue{Name: plan.UnassignedQueue, Order: plan.ByDeadline, Description: "Leads whose rule names no queue"}
	}
	for _, b := range c.blocks["queue"] {
		seen := map[leadroute.QueueID]bool{}
		name := leadroute.QueueID(b.name)
		for q := c.plan.Queues[name]; q != nil && q.Then != nil && !seen[q.Name]; q = c.plan.Queues[q.Then.Queue] {
			seen[q.Name] = true
			if q.Then.Queue == name {
				c.report(queueCycle, b.attr("then").Expr.Range(), "A lead would go from queue to queue for ever and come back to %s.", name)
				break
			}
		}
	}
}

// fixedTarget takes pool.x, queue.x or rep.x out of a constant.
func (c *compiler) fixedTarget(k constant) (plan.Target, bool) {
	r, ok := k.v.(ref)
	if !ok || len(r.path) == 0 {
		c.report(wrongType, k.rng, "A lead goes to a pool, a queue or a rep: pool.name, queue.name, rep.name.")
		return plan.Target{}, false
	}
	if len(r.path) == 2 {
		name := r.path[1]
		switch r.path[0] {
		case "pool":
			return plan.Target{Pool: leadroute.PoolID(name)}, c.exists("pool", name, r.rng)
		case "queue":
			return plan.Target{Queue: leadroute.QueueID(name)}, c.exists("queue", name, r.rng)
		case "rep":
			return plan.Target{Rep: leadroute.RepID(name)}, c.exists("rep", name, r.rng)
		}
	}
	hint := ""
	for _, typ := range []string{"pool", "queue", "rep"} {
		if c.declared[typ][r.path[len(r.path)-1]] != nil {
			hint = " Did you mean " + typ + "." + r.path[len(r.path)-1] + "?"
		}
	}
	c.report(unknownReference, r.rng, "A lead goes to pool.name, queue.name or rep.name; this says %s.%s", r, hint)
	return plan.Target{}, false
}
