package views_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/ledger"
)

var errAway = errors.New("away")

func waits(queue leadroute.QueueID, received leadroute.Millis) *ledger.State {
	return &ledger.State{
		Phase: ledger.Waiting, Rev: 2, Class: "P1", Received: received, Rule: "old", Queue: queue, Targets: []plan.Target{{Pool: "na"}, {Queue: queue}},
		Fields: []byte(`{"email":"emi@example.com"}`),
	}
}

func has(rep leadroute.RepID, pool leadroute.PoolID, received leadroute.Millis) *ledger.State {
	s := waits("", received)
	s.Phase, s.Claim = ledger.Owned, &leadroute.Claim{ID: leadroute.ClaimID{Rep: rep}, Pool: pool}
	return s
}

// movers are leads of all kinds; of some an older row comes first.
func movers() []write {
	held, same, finished := waits("backlog", 3), waits("backlog", 4), waits("backlog", 5)
	held.Held = &ledger.Held{From: 1}
	same.Rule, same.Class, same.Targets = "new", "P0", []plan.Target{{Pool: "emea"}, {Queue: "backlog"}}
	finished.Phase = ledger.Closed
	return []write{
		{"l1", waits("backlog", 1)},
		{"l2", waits("backlog", 2)},
		{"l2", has("ben", "na", 2)},
		{"held", held},
		{"same", same},
		{"gone", waits("backlog", 6)},
		{"gone", nil},
		{"finished", waits("backlog", 5)},
		{"finished", finished},
		{"nobody", waits("backlog", 7)},
	}
}

// TestReroutePreview: each open lead that matches, by its last row, with where it stands and
// where it would go; what stays is counted.
func TestReroutePreview(t *testing.T) {
	f := newFloor(t)
	f.writes = movers()
	f.plan.Pools = map[leadroute.PoolID]*plan.Pool{"emea": {}, "na": {}}
	f.plan.Queues = map[leadroute.QueueID]*plan.Queue{"backlog": {}}
	for _, c := range []struct{ ask, want string }{
		{
			`{"where":"true"}`,
			`{"moves":[{"lead":"l1","rev":2,"class":"P1","from":"queue.backlog","to":"pool.emea, queue.backlog","why":"rule new","since":1},` +
				`{"lead":"l2","rev":2,"class":"P1","from":"rep.ben (pool.na)","to":"pool.emea, queue.backlog","why":"rule new","since":2}],"left":0,"stay":1,"held":1,"nobody":1}`,
		},
		{
			`{"where":"true","max":1}`,
			`{"moves":[{"lead":"l1","rev":2,"class":"P1","from":"queue.backlog","to":"pool.emea, queue.backlog","why":"rule new","since":1}],"left":1,"stay":1,"held":1,"nobody":1}`,
		},
		{
			`{"where":"true","to":"pool.na","max":1}`,
			`{"moves":[{"lead":"l1","rev":2,"class":"P1","from":"queue.backlog","to":"pool.na","why":"as asked","since":1}],"left":2,"stay":1,"held":1,"nobody":0}`,
		},
		{
			`{"where":"true","to":"queue.backlog"}`,
			`{"moves":[{"lead":"l2","rev":2,"class":"P1","from":"rep.ben (pool.na)","to":"queue.backlog","why":"as asked","since":2}],"left":0,"stay":3,"held":1,"nobody":0}`,
		},
	} {
		if code, body := f.call(t, "POST", "/v1/leads/reroute/preview", c.ask); code != 200 || body != c.want {
			t.Errorf("preview %s = %d %s\nwant %s", c.ask, code, body, c.want)
		}
	}
	if len(f.sent) != 0 {
		t.Errorf("a preview sent %v", f.sent)
	}
	for _, c := range []struct {
		ask, want string
		code      int
	}{
		{`{"where":"tru"}`, "--where:1,1-4", 422},
		{`{"where":"true","to":"pool.nowhere"}`, `there is no pool \"nowhere\"`, 422},
		{`{"where":"true","to":"rep.nobody"}`, `there is no rep \"nobody\"`, 422},
		{`{"where":"true","to":"emea"}`, `\"emea\" is no place for a lead`, 422},
		{`{"where":"true","max":-1}`, "max is from 1 to 10000", 422},
		{`[]`, "not such a request", 400},
	} {
		if code, body := f.call(t, "POST", "/v1/leads/reroute/preview", c.ask); code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("preview %s = %d %s, want %d %s", c.ask, code, body, c.code, c.want)
		}
	}
	f.fail = errAway
	if code, _ := f.call(t, "POST", "/v1/leads/reroute/preview", `{"where":"true"}`); code != 503 {
		t.Errorf("preview without the table = %d, want 503", code)
	}
}

// TestRerouteSends: each lead is asked to move under the revision that was shown, with who
// asked and why.
func TestRerouteSends(t *testing.T) {
	f := newFloor(t)
	f.plan.Pools = map[leadroute.PoolID]*plan.Pool{"emea": {}}
	if code, body := f.call(t, "POST", "/v1/leads/reroute", `{"leads":[{"lead":"l1","rev":2},{"lead":"l2","rev":1}],"reason":" ben is ill "}`); code != 202 || body != `{"sent":2}` {
		t.Fatalf("reroute = %d %s", code, body)
	}
	if got, want := f.sent["ledger/l1"], `{"revise":{"rev":2,"reason":"ben is ill","by":"web","plan":"p"}}`; got != want || f.sent["ledger/l2"] == "" {
		t.Errorf("the ledger was told %s and %s, want %s", got, f.sent["ledger/l2"], want)
	}
	if code, _ := f.call(t, "POST", "/v1/leads/reroute", `{"leads":[{"lead":"l1","rev":2}],"to":"pool.emea","reason":"x"}`); code != 202 {
		t.Fatalf("reroute = %d", code)
	}
	if got, want := f.sent["ledger/l1"], `{"revise":{"rev":2,"reason":"x","by":"web","plan":"p","to":{"pool":"emea"}}}`; got != want {
		t.Errorf("the ledger was told %s, want %s", got, want)
	}
	f.sent = map[string]string{}
	for _, ask := range []string{
		`{"leads":[],"reason":"x"}`, `{"leads":[{"lead":"l1","rev":2}]}`, `{"leads":[{"lead":"l1","rev":0}],"reason":"x"}`,
		`{"leads":[{"lead":"a b","rev":1}],"reason":"x"}`, `{"leads":[{"lead":"l1","rev":1}],"reason":"a\nb"}`, `{"leads":[{"lead":"l1","rev":1}],"reason":"x","to":"pool.no"}`,
	} {
		if code, body := f.call(t, "POST", "/v1/leads/reroute", ask); code != 422 {
			t.Errorf("reroute %s = %d %s, want 422", ask, code, body)
		}
	}
	if len(f.sent) != 0 {
		t.Errorf("a refused reroute sent %v", f.sent)
	}
	f.logErr = errAway
	if code, _ := f.call(t, "POST", "/v1/leads/reroute", `{"leads":[{"lead":"l1","rev":1}],"reason":"x"}`); code != 503 {
		t.Errorf("reroute without the log = %d, want 503", code)
	}
}
