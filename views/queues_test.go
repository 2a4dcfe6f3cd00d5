package views_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/queues"
)

// part is what a partition said of a queue just now.
func part(n int32, waiting int, since leadroute.Millis, next leadroute.Place, at leadroute.Millis) queues.Part {
	return queues.Part{At: at, QueueSeen: leadroute.QueueSeen{
		Partition: n, Waiting: waiting, Since: since, Oldest: leadroute.LeadID(fmt.Sprint("old", n)), Next: &next,
	}}
}

// A queue is seen as a whole, whatever partitions its leads are in: what the policy says of
// it, who waits longest, who is next by its order, and whether somebody was told.
func TestQueues(t *testing.T) {
	f := newFloor(t)
	now := leadroute.At(time.Now())
	f.plan = &plan.Plan{ID: "p", Queues: map[leadroute.QueueID]*plan.Queue{
		"backlog": {
			Name: "backlog", Description: "nobody free", Order: plan.ByPriority, DrainTo: []leadroute.PoolID{"emea", "duty"}, CRMID: "005Q",
			MaxWait: 2 * time.Hour, Then: &plan.Target{Queue: "late"}, AlertAfter: 30 * time.Minute, Alert: []string{"managers"},
		},
		"late": {Name: "late", Order: plan.ByDeadline},
	}}
	f.queues = map[string]*queues.State{
		"backlog": {Told: &queues.Told{Lead: "old1", At: 5}, Parts: []queues.Part{
			part(0, 3, 2000, leadroute.Place{Lead: "a", Rank: 1, Deadline: 10}, now),
			part(1, 2, 1000, leadroute.Place{Lead: "b", Rank: 0, Deadline: 20}, now),
			part(2, 9, 500, leadroute.Place{Lead: "c", Deadline: 1}, 1), // said long ago: nobody waits there any more
		}},
		"before": {Parts: []queues.Part{part(0, 1, 7, leadroute.Place{Lead: "d"}, now)}},
		"over":   {Parts: []queues.Part{part(0, 1, 7, leadroute.Place{Lead: "e"}, 1)}},
	}
	want := `{"queues":[` +
		`{"name":"backlog","description":"nobody free","order":"priority","waiting":5,"oldest":{"lead":"old1","since":1000},"next":{"lead":"b","deadline":20},` +
		`"alert":{"after":"30m","channels":["managers"],"standing":true,"told_at":5},"crm_id":"005Q","drain_to":["emea","duty"],"max_wait":"2h","then":{"queue":"late"}},` +
		`{"name":"late","order":"deadline","waiting":0},` +
		`{"name":"before","gone":true,"waiting":1,"oldest":{"lead":"old0","since":7},"next":{"lead":"d"}}]}`
	if code, body := f.call(t, "GET", "/v1/queues", ""); code != 200 || body != want {
		t.Errorf("GET /v1/queues = %d %s\nwant %s", code, body, want)
	}
	code, body := f.call(t, "GET", "/v1/queues/backlog", "")
	if code != 200 || !strings.Contains(body, `"heads":[{"lead":"b","deadline":20},{"lead":"a","rank":1,"deadline":10}]`) {
		t.Errorf("GET /v1/queues/backlog = %d %s, want its heads by priority", code, body)
	}
	if code, body := f.call(t, "GET", "/v1/queues/over", ""); code != 404 || !strings.Contains(body, "no queue of this name") {
		t.Errorf("GET /v1/queues/over = %d %s, want 404", code, body)
	}
}
